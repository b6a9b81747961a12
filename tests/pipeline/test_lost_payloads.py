"""One payload that the archive has lost stops nothing but what needs it; an archive that is away is waited for."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound import setting_aside
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.outbox.resending import resend
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.condition import not_working
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.outgoing import outbox
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import ArchiveMissing
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(setting_aside, "SECONDS", 0.0)
    made = World(tmp_path)
    yield made
    made.close()


def turn(world: World, times: int = 8) -> None:
    """So many turns of an engine, each behind the next time that something is tried at."""
    engine = LocalEngine(world.station, steps())
    try:
        for _ in range(times):
            world.clock.now += timedelta(hours=1)
            # as the engine that runs has it: told, and tried again
            with suppress(ArchiveMissing):
                engine.drain(60)
    finally:
        engine.close()


def rows(world: World) -> list[Entry]:
    with world.station.database.read() as connection:
        return sorted(outbox.search(connection), key=lambda row: row.seq)


def answer_waits(world: World) -> Entry:
    """An order is answered; the first row of that is ready and could not leave."""
    box = world.folder / "boxes/acme/in"
    box.rmdir()
    box.write_text("in the way")
    world.receive(x12_order("PO1"))
    box.unlink()
    box.mkdir()
    return next(row for row in rows(world) if row.state == "prepared")


def test_a_file_that_is_lost_is_set_aside_though_nothing_waits_behind_it(world: World) -> None:
    world.receive(x12_order("PO1"))
    [(lost, _)] = register(world.station, [Arrival(address="folder:boxes/acme/out", name="2.edi", identity="2", data=x12_order("PO2", control=2))])
    world.station.archive.remove(lost.sha256)
    turn(world)
    with world.station.database.read() as connection:
        assert transmissions.get_many(connection, [lost.id])[lost.id].state == "held"


def test_what_was_ready_to_leave_and_is_lost_is_given_up_and_those_behind_it_leave(world: World) -> None:
    first = answer_waits(world)
    world.station.archive.remove(str(first.sha256))
    turn(world, 1)
    with world.station.database.read() as connection:
        [trouble] = not_working(world.station, connection)
    assert trouble.name == "sending acme:box" and "backup" in trouble.cure
    turn(world)
    told = rows(world)
    assert [(row.id, row.state) for row in told if row.state != "sent"] == [(first.id, "dead")] and len(told) > 1
    assert "does not hold" in str(told[0].last_error)


def test_what_was_given_up_for_that_is_sent_anew(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace('acknowledge: "997"', "acknowledge: none")})
    answer = answer_waits(world)
    world.station.archive.remove(str(answer.sha256))
    turn(world)
    resend(world.station, str(answer.document), "clerk", "it was lost", anew=True)
    turn(world, 1)
    assert [segment[3] for sent in world.sent() for segment in tags(sent, "BAK")] == ["PO1"]
    world.close()


def test_what_a_rule_erased_is_not_looked_for_again(world: World) -> None:
    """A delivery that rested for years, and that a person tries once more."""
    first = answer_waits(world)
    world.station.archive.remove(str(first.sha256))
    with world.station.database.begin() as connection:
        erased = erasures.Erasure(subject_kind="outbox", subject=first.id, sha256=str(first.sha256), erased_at=world.clock(), rule="acknowledgments")
        erasures.add(connection, [erased])
    turn(world, 1)
    [dead] = [row for row in rows(world) if row.state == "dead"]
    assert dead.id == first.id and "erased" in str(dead.last_error)


def test_an_archive_that_is_away_is_waited_for(world: World) -> None:
    first = answer_waits(world)
    [(came, _)] = register(world.station, [Arrival(address="folder:boxes/acme/out", name="2.edi", identity="2", data=x12_order("PO2", control=2))])
    place = Path(world.station.archive.place)
    place.rename(world.folder / "unmounted")
    (place / "incoming").mkdir(parents=True)
    # what comes meanwhile lies in the folder that is there in its place
    register(world.station, [Arrival(address="folder:boxes/acme/out", name="3.edi", identity="3", data=x12_order("PO3", control=3))])
    turn(world)
    with world.station.database.read() as connection:
        assert transmissions.get_many(connection, [came.id])[came.id].state == "received"
    assert next(row for row in rows(world) if row.id == first.id).state == "prepared"
