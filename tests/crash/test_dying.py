"""One file, or one order, at which every process dies: it is set aside, and what is behind it goes on."""

import signal
from pathlib import Path

import pytest

from gateway.pipeline import heads
from gateway.pipeline.service.condition import not_working
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.records import documents
from tests.crash import dying
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.walk import open_here

#: the first is nobody's, and one is told of the company in which it came
MOST = heads.DEATHS + 2


@pytest.mark.parametrize(("what", "code"), [("a file", "FILE-STEP-DIED"), ("an order", "DOCUMENT-STEP-DIED")])
def test_what_process_after_process_dies_at_is_set_aside(what: str, code: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url)
    station = open_here(folder)
    dying.hand_in(station)
    work = f"dying at {what}"
    # the first of them as soon as it has written down what it tries
    assert forks.run(work, folder, "177") == -signal.SIGKILL
    died = 1
    while died <= MOST and forks.run(work, folder) == -signal.SIGKILL:
        died += 1
    assert heads.DEATHS < died <= MOST
    with station.database.read() as connection:
        [hold] = [one for one in holds.list_open(connection) if one.kind == "failure"]
        [trouble] = not_working(station, connection)
        files = {one.name: one.state for one in transmissions.search(connection, direction="in")}
        orders = {row.number: row.state for row in documents.search(connection, documents.Filters(kind="order"))}
    assert ([one.code for one in hold.reasons], hold.id in trouble.error) == ([code], True)
    assert files == {name: "held" if name == dying.DEADLY and what == "a file" else "done" for name in dying.FILES}
    assert orders.pop("PO3", "failed") == "failed" and orders == {"PO1": "accepted", "PO2": "accepted", "PO4": "accepted"}
    # a person has it tried again: it counts from nothing, and a program that can take it in does
    holding.release(station, hold.id, "operator", "a newer version")
    assert forks.run(work, folder) == -signal.SIGKILL
    assert forks.run("changes", folder) == 0
    with station.database.read() as connection:
        assert {one.state for one in transmissions.search(connection, direction="in")} == {"done"}
        assert {row.number for row in documents.search(connection, documents.Filters(kind="order")) if row.state != "failed"} >= {"PO3", "PO4"}
    station.close()
