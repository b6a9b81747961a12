"""One row that our own step fails over rests for a person, and what is behind it leaves."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import text

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound import rows
from gateway.pipeline.inbound import setting_aside as files
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.outbound import setting_aside
from gateway.pipeline.outbound import walk as outbound
from gateway.pipeline.outbound.consigning import Consignment
from gateway.pipeline.outbound.consigning import Draft
from gateway.pipeline.outbox import recording
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.outbox.redelivering import retry
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.condition import not_working
from gateway.pipeline.station import Station
from gateway.pipeline.trading import handing_over
from gateway.pipeline.trading import holding
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records.documents import Document
from gateway.transport.box import TransportError
from gateway.transport.folder import FolderBox
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def arrival(number: int) -> Arrival:
    name = f"po{number}.edi"
    return Arrival(address="folder:boxes/acme/out", name=name, identity=name, data=x12_order(f"PO{number}", control=number))


def answered(world: World) -> list[str]:
    """The orders that the partner has an answer to."""
    return sorted(segment[3] for sent in world.sent() for segment in tags(sent, "BAK"))


def turn(world: World, times: int) -> None:
    """So many turns of an engine, some time apart."""
    engine = LocalEngine(world.station, steps())
    try:
        for _ in range(times):
            engine.drain(60)
            world.clock.now += timedelta(seconds=20)
    finally:
        engine.close()


def test_a_row_over_which_the_step_out_fails_rests_and_those_behind_it_leave(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    really, broken = outbound.consign, True

    def consign(station: Station, drafts: Sequence[Draft], now: datetime) -> list[Consignment]:
        if broken and any('"PO2"' in draft.entry.body for draft in drafts):
            raise ValueError("a fault of ours")
        return really(station, drafts, now)

    monkeypatch.setattr(outbound, "consign", consign)
    register(world.station, [arrival(number) for number in (1, 2, 3)])
    turn(world, len(setting_aside.WAITS) + 3)
    assert answered(world) == ["PO1", "PO3"]
    with world.station.database.read() as connection:
        [dead] = outbox.search(connection, state="dead")
        assert "a fault of ours" in (dead.last_error or "") and dead.attempts == len(setting_aside.WAITS) + 1
        assert not_working(world.station, connection) == []
    broken = False
    retry(world.station, [dead.id], "operator", "a newer version")
    turn(world, 1)
    assert answered(world) == ["PO1", "PO2", "PO3"]
    numbers = sorted(int(segment[13]) for sent in world.sent() for segment in tags(sent, "ISA"))
    assert numbers == list(range(1, len(numbers) + 1)), "none was lost over it"


def test_what_has_left_and_cannot_be_recorded_as_it_should_does_not_leave_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    really, left = outbound.deliver, []

    def deliver(station: Station, entry: outbox.Entry, data: bytes) -> Delivered:
        left.append(entry.id)
        return really(station, entry, data)

    def tell(connection: Connection, gone: list[tuple[outbox.Entry, Delivered]], *rest: Any) -> None:
        if any(entry.spec.endswith("/855") for entry, _ in gone):
            raise ValueError("a fault of ours")
        told(connection, gone, *rest)

    told = recording.tell_left
    monkeypatch.setattr(outbound, "deliver", deliver)
    monkeypatch.setattr(recording, "tell_left", tell)
    register(world.station, [arrival(number) for number in (1, 2, 3)])
    # longer than a lease
    turn(world, 4)
    assert answered(world) == ["PO1", "PO2", "PO3"] and len(left) == len(set(left))
    with world.station.database.read() as connection:
        assert {entry.state for entry in outbox.search(connection)} == {"sent"}


def test_an_order_that_cannot_be_handed_to_the_erp_waits_for_a_person_and_the_others_go_on(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, config=CONFIG + "erp: {folder: erp}\n", database=database_url)
    broken = True
    really = handing_over.safe_name

    def named(name: str) -> str:
        if broken and name.endswith(deadly):
            raise ValueError("a fault of ours")
        return really(name)

    monkeypatch.setattr(handing_over, "safe_name", named)
    deadly = ".json"
    world.receive(x12_order("PO1"))
    [deadly] = [f"{row.id}.json" for row in orders(world)]
    world.receive(x12_order("PO2", control=2), "po2.edi")
    turn(world, len(handing_over.WAITS) + 2)
    assert len(list((tmp_path / "erp").iterdir())) == 1
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
        [trouble] = not_working(world.station, connection)
    assert (hold.kind, hold.reasons[0].code, trouble.name) == ("handover", "DOCUMENT-STEP-FAILED", "set aside erp:handover")
    broken = False
    before = {row.id: row.transition_no for row in orders(world)}
    holding.release(world.station, hold.id, "operator", "a newer version")
    turn(world, 1)
    assert len(list((tmp_path / "erp").iterdir())) == 2
    assert {row.id: row.transition_no for row in orders(world)} == before, "the order itself is not decided again"
    with world.station.database.read() as connection:
        assert not_working(world.station, connection) == []
    world.close()


def test_a_folder_of_the_erp_that_takes_nothing_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "erp: {folder: erp}\n")
    (tmp_path / "erp").write_text("a file in its place")
    world.receive(x12_order("PO1"))
    with world.station.database.read() as connection:
        [trouble] = not_working(world.station, connection)
    assert (trouble.kind, trouble.state) == ("folder", "retrying") and "erp" in trouble.error
    (tmp_path / "erp").unlink()
    turn(world, 2)
    with world.station.database.read() as connection:
        assert not_working(world.station, connection) == [] and len(list((tmp_path / "erp").iterdir())) == 1
    world.close()


CANCELLING = ACME.replace("  - {send: x12/004010/855, to: box}\n", "  - {receive: x12/004010/860, from: box}\n  - {send: x12/004010/865, to: box}\n")


class Folder:
    """The ERP's folder: what came into it, in order. Takes nothing of an order while it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.came: list[str] = []
        self.is_full = True
        really = FolderBox.send

        def send(box: FolderBox, name: str, data: bytes) -> None:
            if name.endswith(".json") and name.startswith(("order", "cancelled")):
                if self.is_full and name.startswith("order"):
                    raise self.error
                self.came.append(name.split("-")[0])
            really(box, name, data)

        self.error: Exception = TransportError("no space left on device", retry=True)
        monkeypatch.setattr(FolderBox, "send", send)


def test_the_erp_is_not_told_of_a_cancellation_before_it_has_the_order(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, config=CONFIG + "erp: {folder: erp}\n", partners={"acme": CANCELLING}, database=database_url)
    folder = Folder(monkeypatch)
    world.receive(x12_order("PO1"))
    folder.is_full = False
    # within the seconds that the order waits for its next try
    world.receive(x12_order("PO1", control=2, purpose="01"))
    assert folder.came == []
    turn(world, 2)
    assert folder.came == ["order", "cancelled"]
    world.close()


@pytest.mark.parametrize(("decision", "came"), [("release", ["order", "cancelled"]), ("reject", ["cancelled"])])
def test_what_is_said_of_an_order_waits_for_the_person_who_has_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decision: str, came: list[str]
) -> None:
    world = World(tmp_path, config=CONFIG + "erp: {folder: erp}\n", partners={"acme": CANCELLING})
    folder = Folder(monkeypatch)
    folder.error = ValueError("a fault of ours")
    world.receive(x12_order("PO1"))
    turn(world, len(handing_over.WAITS) + 2)
    world.receive(x12_order("PO1", control=2, purpose="01"))
    turn(world, 1)
    assert folder.came == []
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    folder.is_full = False
    (holding.release if decision == "release" else holding.reject)(world.station, hold.id, "operator", "it is mended")
    turn(world, 2)
    assert folder.came == came
    world.close()


def orders(world: World) -> list[Document]:
    with world.station.database.read() as connection:
        return documents.search(connection, documents.Filters(kind="order"))


def test_a_file_whose_values_the_database_refuses_stops_no_other(tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, database=migrated_postgres_url)
    really = rows.insert_documents

    def insert(station: Station, connection: Connection, parts: Sequence[Part], entries: list[journal.Entry]) -> None:
        if any(part.transmission.name == "po1.edi" for part in parts):
            connection.execute(text("SELECT :value"), {"value": "\0"})
        really(station, connection, parts, entries)

    monkeypatch.setattr(rows, "insert_documents", insert)
    monkeypatch.setattr(files, "SECONDS", 0.0)
    register(world.station, [arrival(number) for number in (1, 2)])
    turn(world, files.TRIES)
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert hold.reasons[0].code == "FILE-STEP-FAILED" and answered(world) == ["PO2"]
    world.close()


def test_a_file_whose_bytes_alone_are_lost_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SECONDS", 0.0)
    (lost, _), _ = register(world.station, [arrival(number) for number in (1, 2)])
    [kept] = (world.folder / "data").rglob(f"*{lost.sha256[4:]}*")
    kept.rename(world.folder / "lost")
    turn(world, files.TRIES)
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert "ArchiveMissing" in hold.reasons[0].message and answered(world) == ["PO2"]
    # brought back from a backup
    (world.folder / "lost").rename(kept)
    holding.release(world.station, hold.id, "operator", "it is there again")
    turn(world, 1)
    assert answered(world) == ["PO1", "PO2"]
