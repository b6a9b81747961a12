"""Whatever comes in and whatever goes wrong: no value, password or key stands in a log, and each line about a document names it."""

import json
import re
import time
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.logs import set_up_logs
from gateway.pipeline.service.logs import told
from gateway.pipeline.station import Station
from gateway.pipeline.trading import cycle
from tests.integration.house import House
from tests.integration.house import answered
from tests.integration.house import put
from tests.integration.house import until
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

PASSWORD = "hunter2-Tr0ub4dor"
KEY = "AAAAB3NzaC1yc2EAAAADAQABAAABgQDsecretkeymaterial"
IBAN = "DE89370400440532013000"
VALUES = ("9817.53", "ZZWIDGETSECRET", "QQSTREETNAME", "BADVALUETHATISMUCHTOOLONGFORITSELEMENT", "5551234567", "NOBODYKNOWSME", "XLETTERX")
FAR = """\
id: far
name: Far Inc
identifiers: {x12: "ZZ:FAR"}
endpoints:
  mailbox: {sftp: "sftp://127.0.0.1:1/out", user: u, password: "env:FAR_PASSWORD", key: "file:keys/far", host_keys: ["SHA256:x"], send_to: /in}
  box: {folder: boxes/far/out, send_to: boxes/far/in}
agreements:
  - {receive: x12/004010/850, from: box, acknowledge: "997"}
  - {send: x12/004010/855, to: mailbox}
currency: USD
tax: none
credit: none
"""


def order(number: str, **more: object) -> bytes:
    text = x12_order(number, lines=(("1", "10", "9817.53", "ZZWIDGETSECRET"),), **more).decode()  # type: ignore[arg-type]
    return text.replace("12 MAIN ST", "QQSTREETNAME 7").encode()


def bad_files() -> dict[str, bytes]:
    """Files with all that can be wrong with one."""
    good = order("PO2", control=2).decode()
    return {
        "toolong.edi": good.replace("ACME CORP", "BADVALUETHATISMUCHTOOLONGFORITSELEMENT" * 3).encode(),
        "letters.edi": good.replace("*9817.53*", "*XLETTERX*").replace("000000002", "000000003").encode(),
        "stranger.edi": order("PO3", control=4, sender="NOBODYKNOWSME"),
        "cut.edi": order("PO4", control=5)[:300],
        "rubbish.bin": b"\x00\xff BADVALUETHATISMUCHTOOLONGFORITSELEMENT \x01",
        "xml.xml": b"<!DOCTYPE x [<!ENTITY y 'ZZWIDGETSECRET'>]><Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'>5551234567</Order>",
        "twice.edi": order("PO1", control=1),
        "empty.edi": b"",
    }


def test_no_value_password_or_key_stands_in_a_log(tmp_path: Path) -> None:
    house = House(tmp_path, {"acme": ACME, "far": FAR}, config=CONFIG)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "far").write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY}\n-----END OPENSSH PRIVATE KEY-----\n")
    with house.service(env={"FAR_PASSWORD": PASSWORD}) as service:
        put(house.box("acme", "out"), "good.edi", order("PO1", control=1))
        until(lambda: answered(house.box("acme"), "PO1"), "the good order to be answered")
        put(house.box("far", "out"), "far.edi", order("PO9", control=9, sender="FAR"))
        for name, data in bad_files().items():
            put(house.box("acme", "out"), name, data)
        until(lambda: not [one for one in house.box("acme", "out").iterdir() if one.suffix != ".edi" or one.stat().st_size], "all to be taken")
        # a password where its name should stand
        house.partner("far", FAR.replace("env:FAR_PASSWORD", PASSWORD))
        until(lambda: service.said("configuration not taken"), "the wrong file to be seen")
        told = [house.command("hold", "list"), house.command("status"), house.command("trail", "PO9")]
        time.sleep(1.0)
    everything = service.text() + "".join(one.stderr for one in told)
    for secret in (PASSWORD, KEY, IBAN, *VALUES):
        assert secret not in everything, next(line for line in everything.splitlines() if secret in line)[:500]
    for line in service.text().splitlines():
        said = json.loads(line)
        assert {"event", "level", "timestamp"} <= said.keys()


def test_a_fault_of_ours_names_what_it_was_at_and_not_what_stood_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    batch, tries = cycle._batch, iter(range(2))

    def broken(station: Station, stream: str, limit: int) -> bool:
        if next(tries, None) is not None:
            raise ValueError("cannot read 'ZZWIDGETSECRET'")
        return batch(station, stream, limit)

    world = World(tmp_path)
    monkeypatch.setattr(cycle, "_batch", broken)
    world.receive(order("PO1"))
    world.close()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    failed = next(line for line in lines if line["event"] == "document failed")
    assert failed["document"].startswith("D-") and failed["stream"] == "trade:acme" and failed["exception"].startswith("ValueError\n")
    assert "ZZWIDGETSECRET" not in json.dumps(lines)


def test_a_step_that_fails_says_which_file_it_was_at(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(station: Station, stream: str) -> bool:
        structlog.contextvars.bind_contextvars(transmission="T-1", partner="acme")
        raise KeyError("ZZWIDGETSECRET")

    from gateway.pipeline.engine.attending import attended
    from gateway.store import streams

    world = World(tmp_path)
    set_up_logs()
    engine = LocalEngine(world.station, {**steps(), "in": attended(broken)})
    with world.station.database.begin() as connection:
        streams.poke(connection, "in:folder:boxes/acme/out")
    engine.drain(10)
    engine.close()
    world.close()
    failed = next(json.loads(line) for line in capfd.readouterr().err.splitlines() if '"step failed"' in line)
    assert (failed["transmission"], failed["partner"], failed["stream"]) == ("T-1", "acme", "in:folder:boxes/acme/out")
    assert failed["exception"].startswith("KeyError\n") and "ZZWIDGETSECRET" not in json.dumps(failed)


def test_words_of_the_operating_system_are_told_and_those_of_others_are_not() -> None:
    try:
        try:
            raise ValueError("ZZWIDGETSECRET")
        except ValueError as error:
            raise OSError(28, "No space left on device") from error
    except OSError as error:
        said = told(error)
    assert said.startswith("OSError: [Errno 28] No space left on device\n") and "caused by ValueError\n" in said and "ZZWIDGETSECRET" not in said


def test_lines_of_different_steps_do_not_borrow_each_others_names(tmp_path: Path) -> None:
    world = World(tmp_path)
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        world.receive(order("PO1"))
        structlog.get_logger("test").info("after")
    world.close()
    after = next(line for line in lines if line["event"] == "after")
    assert not {"stream", "transmission", "document"} & after.keys()


def test_no_call_of_the_log_is_given_a_body() -> None:
    """What is written into a log is named here and there: nothing that holds a payload is."""
    top = Path(__file__).parents[2] / "gateway"
    wrong = re.compile(r"_log\.\w+\([^)]*\b(data|body|payload|content|segments?)=", re.DOTALL)
    found = [str(path.relative_to(top)) for path in top.rglob("*.py") if wrong.search(path.read_text())]
    assert not found


def test_a_log_that_nobody_can_take_ends_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_up_logs()
    closed = (tmp_path / "log").open("w")
    closed.close()
    read_only = (tmp_path / "log").open("r")
    for nowhere in (closed, read_only):
        monkeypatch.setattr("sys.stderr", nowhere)
        structlog.get_logger("nowhere").warning("said to nobody")
    read_only.close()
