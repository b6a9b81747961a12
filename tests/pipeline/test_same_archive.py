"""A machine that does not see what another one kept says so, and leaves the work to those who do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.archive_watch import ArchiveWatch
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.keeping.erasures import Erasure
from gateway.store.outgoing import outbox
from gateway.store.watching import troubles
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path / "first", database=database_url)
    yield made
    made.close()


@pytest.fixture
def blind(tmp_path: Path, world: World, database_url: str) -> Iterator[World]:
    """The same database, and an archive of its own."""
    world.station.database.migrate()
    made = World(tmp_path / "second", database=database_url, clock=world.clock)
    yield made
    made.close()


def standing(world: World) -> list[troubles.Trouble]:
    with world.station.database.read() as connection:
        return troubles.standing(connection)


def test_a_file_that_is_not_seen_waits_for_who_sees_it(world: World, blind: World) -> None:
    register(world.station, [Arrival(address="folder:boxes/acme/out", name="po.edi", identity="1", data=x12_order("PO1"))])
    blind.settle()
    [trouble] = standing(world)
    assert trouble.name == "step in:folder:boxes/acme/out" and str(blind.folder) in trouble.error and "mounted" in trouble.cure
    with world.station.database.read() as connection:
        [transmission] = transmissions.search(connection, limit=2)
    assert transmission.state == "received"
    world.settle()
    assert len(world.sent()) == 2 and blind.sent() == []


def test_what_shall_leave_and_is_not_seen_is_no_try(world: World, blind: World) -> None:
    box = world.folder / "boxes/acme/in"
    box.rmdir()
    box.write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    box.unlink()
    box.mkdir()

    def prepared() -> dict[str, int]:
        with world.station.database.begin() as connection:
            outbox.try_now(connection, world.clock())
            found = [entry for state in outbox.OPEN for entry in outbox.search(connection, state=state, limit=5)]
        return {entry.id: entry.attempts for entry in found if entry.sha256 is not None}

    before = prepared()
    blind.settle()
    assert before and before.items() <= prepared().items(), "as many tries as before"
    assert any("does not hold" in trouble.error for trouble in standing(world))
    # what the other one has written meanwhile lies in its own archive: both have their turns
    for _ in range(3):
        for one in (world, blind):
            prepared()
            one.settle()
    assert len(world.sent()) + len(blind.sent()) == 2
    assert prepared() == {}


def test_an_archive_that_is_not_the_one_of_all_is_told_until_it_is(world: World, blind: World) -> None:
    watch, here = ArchiveWatch(blind.station, "second"), ArchiveWatch(world.station, "first")
    world.receive(x12_order("PO1"))
    for one in (watch, here):
        one.look()
    [trouble] = standing(world)
    assert trouble.name == "archive on second" and trouble.state == "stopped" and "1 of the last 1" in trouble.error
    with world.station.database.begin() as connection:
        [transmission] = transmissions.search(connection, limit=2)
        gone = Erasure(subject_kind="transmission", subject=transmission.id, sha256=transmission.sha256, erased_at=world.clock(), rule="1d")
        erasures.add(connection, [gone])
    watch.look()
    assert standing(world) == [], "what a rule erased is missed by nobody"
