"""`gateway outbox` and `gateway partner pause`: what people at a terminal see and may do."""

import json
import shutil
from pathlib import Path

from tests.cli.conftest import Command
from tests.cli.test_working import put
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

UNDO = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, undo: 3600}")


def break_box(folder: Path) -> None:
    shutil.rmtree(folder / "boxes/acme/in")
    (folder / "boxes/acme/in").write_text("a file stands where the folder was")


def mend_box(folder: Path) -> None:
    (folder / "boxes/acme/in").unlink()
    (folder / "boxes/acme/in").mkdir()


def receive(command: Command, folder: Path) -> None:
    command("receive", put(folder, "po1.edi", x12_order("PO1")), "--partner", "acme")


def test_what_fails_is_listed_with_its_next_try_and_tried_again(world: World, command: Command, tmp_path: Path) -> None:
    assert "Nothing waits to leave." in command("outbox", "list").out
    break_box(tmp_path)
    receive(command, tmp_path)
    listed = command("outbox", "list").out
    assert "order response x12/004010/855 to acme over box" in listed and "1 try, next try at 20" in listed and "cannot be written" in listed
    rows = [json.loads(line) for line in command("outbox", "list", "--json", "--partner", "acme").out.splitlines()]
    [first, *_] = [row for row in rows if row["error"]]
    assert first["state"] == "prepared" and first["next_try_at"] and first["cure"] == "It is tried again by itself."
    assert "next try at" in command("status").out
    assert "Nothing was given up." in command("outbox", "list", "--state", "dead").out
    mend_box(tmp_path)
    said = command("outbox", "retry", "--all")
    assert said.code == 0 and "sent" in said.out
    assert "Nothing waits to leave." in command("outbox", "list").out
    assert "There is nothing to try again." in command("outbox", "retry", "--all", "--partner", "acme").out


def test_wrong_usage_is_told(world: World, command: Command, tmp_path: Path) -> None:
    assert command("outbox", "retry").code == 2
    assert command("outbox", "retry", "X", "--all").code == 2
    assert "We sent nothing that is called 'X'" in command("outbox", "retry", "X").err
    assert command("partner", "pause", "nobody", "--reason", "x").err.strip() == "There is no partner 'nobody': gateway partner list names them"
    assert command("outbox", "list", "--state", "odd").code == 2
    assert command("outbox", "list", "--partner", "acne").code == 2
    assert "did you mean" in command("partner", "pause", "acne", "--reason", "x").err
    assert command("partner", "resume", "acme").code == 1


def test_a_response_is_stopped_in_its_undo_window(world: World, command: Command, tmp_path: Path) -> None:
    (tmp_path / "partners/acme.yaml").write_text(UNDO)
    receive(command, tmp_path)
    assert "waiting, leaves at" in command("outbox", "list").out
    said = command("outbox", "cancel", "OR-PO1", "--reason", "told by phone")
    assert said.code == 0 and "does not leave" in said.out and "gateway resend" in said.out
    assert "too late" in command("outbox", "cancel", "OR-PO1", "--reason", "again").err
    assert [path.name for path in (tmp_path / "boxes/acme/in").iterdir()] == ["997-000000001.edi"]


def test_a_partner_is_paused_and_resumed(world: World, command: Command, tmp_path: Path) -> None:
    said = command("partner", "pause", "acme", "--reason", "server moves", "--fetching-too")
    assert said.code == 0 and "nothing is sent or fetched" in said.out
    receive(command, tmp_path)
    assert list((tmp_path / "boxes/acme/in").iterdir()) == []
    assert "paused: acme, nothing is sent or fetched since" in command("status").out
    assert "the partner is paused" in command("outbox", "list").out
    assert command("partner", "resume", "acme", "--reason", "it is up").code == 0
    assert command("receive", put(tmp_path, "po2.edi", x12_order("PO2", control=2))).code == 0
    assert sorted(path.name[:3] for path in (tmp_path / "boxes/acme/in").iterdir()) == ["855", "855", "997", "997"]
