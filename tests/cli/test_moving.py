"""`gateway store migrate`: an installation moves to another database and archive, and everything goes on there."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.store.stores import s3_server


def change_over(folder: Path, *lines: str) -> None:
    file = folder / "config.yaml"
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in lines))


def test_a_live_installation_moves_to_postgresql(world: World, command: Command, migrated_postgres_url: str, monkeypatch) -> None:
    monkeypatch.setenv("NEW", migrated_postgres_url)
    world.receive(x12_order("PO1"))
    # the service goes on: its station stays open
    said = command("store", "migrate", "--to", "env:NEW", "--archive", "database", "--json")
    assert said.code == 0, said.err
    first = json.loads(said.out)
    assert (first["ok"], first["verification"]["ok"]) == (True, True)
    assert first["payloads"] >= 3
    world.receive(x12_order("PO2", control=2))
    said = command("store", "migrate", "--to", "env:NEW", "--archive", "database")
    assert said.code == 0, said.err
    assert "are the same on both sides" in said.out
    assert "database: env:NEW" in said.out
    assert "archive: database" in said.out
    assert migrated_postgres_url not in said.out
    world.close()
    change_over(world.folder, "database: env:NEW", "archive: database")
    assert command("journal", "verify").code == 0
    assert "order PO2" in command("trail", "PO2").out
    world.receive(x12_order("PO3", control=3))
    world.receive(x12_order("PO2", control=2), name="again.edi")
    # answered once each, the last one from the new side; what came before the move is known there
    responses = [text for text in world.sent() if "ST*855*" in text]
    assert [sum(f"*PO{number}*" in text for text in responses) for number in (1, 2, 3)] == [1, 1, 1]
    # it went on by itself: the old one is no longer copied over it
    world.close()
    (world.folder / "config.yaml").write_text(world.config)
    said = command("store", "migrate", "--to", "env:NEW", "--archive", "database")
    assert said.code == 4
    assert "gone on by itself" in said.err
    assert "Traceback" not in said.err


def test_payloads_move_to_a_store_of_ones_own_and_work_goes_on_there(world: World, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3_KEY", "S3_SECRET"):
        monkeypatch.setenv(name, "test")
    world.receive(x12_order("PO1"))
    with s3_server() as address:
        place = f'{{url: "s3://payloads/gateway", endpoint: "{address}", region: "eu-central-1", key: "env:S3_KEY", secret: "env:S3_SECRET"}}'
        said = command("store", "migrate", "--to", f"sqlite:///{world.folder}/new.db", "--archive", place)
        assert said.code == 0, said.err
        assert f"archive: {place}\n" in said.out
        world.close()
        shutil.rmtree(world.folder / "data/archive")
        change_over(world.folder, f"database: sqlite:///{world.folder}/new.db", f"archive: {place}")
        world.receive(x12_order("PO2", control=2))
        assert command("journal", "verify").code == 0
        assert not (world.folder / "data/archive").exists()
        out = world.folder / "b.zip"
        assert command("backup", out).code == 0
        into = world.folder / "again"
        said = command("restore", out, "--into", into, "--database", f"sqlite:///{into}/gateway.db")
        assert said.code == 0, said.err
        world.close()


def test_an_archive_that_is_written_wrongly_is_told(world: World, command: Command) -> None:
    for wrong, words in (
        ("{url: ", "--archive"),
        ('{url: "s3://x/y", endpont: "x"}', "endpont"),
        ('{url: "s3://x/y", key: "env:X"}', "stand together"),
    ):
        said = command("store", "migrate", "--to", f"sqlite:///{world.folder}/new.db", "--archive", wrong)
        assert said.code == 2 and words in said.err and "Traceback" not in said.err, said.err


def test_payloads_alone_may_not_move_over_the_database_in_use(world: World, command: Command) -> None:
    world.receive(x12_order("PO1"))
    said = command("store", "migrate", "--to", f"sqlite:///{world.folder}/data/gateway.db", "--archive", "database")
    assert said.code == 4
    assert "the database that the installation works with" in said.err


def test_a_payload_that_was_lost_before_is_named(world: World, command: Command) -> None:
    taken = world.receive(x12_order("PO1"))
    sha256 = taken.transmission.sha256
    (world.folder / "data" / "archive" / sha256[:2] / sha256).write_bytes(b"other")
    said = command("store", "migrate", "--to", f"sqlite:///{world.folder}/new.db", "--archive", "database")
    assert said.code == 1
    assert sha256 in said.err
    said = command("store", "migrate", "--to", f"sqlite:///{world.folder}/new.db", "--archive", "nowhere")
    assert said.code == 2
    assert "expected folder, database" in said.err
