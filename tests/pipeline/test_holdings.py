"""Who looks into which mailbox, and by which clock."""

from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.pipeline import shared_clock
from gateway.pipeline.engine.claims import Holdings
from gateway.pipeline.shared_clock import SharedClock
from gateway.pipeline.station import Station
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.moments import database_now
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from gateway.store.working import claims
from gateway.store.working import nodes
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World

BOXES = [f"poll:box{number}" for number in range(5)]


@pytest.fixture
def station(tmp_path: Path, migrated_postgres_url: str) -> Iterator[Station]:
    world = World(tmp_path, config=CONFIG + "engine: cluster\n", database=migrated_postgres_url)
    yield world.station
    world.close()


def holdings(station: Station, id: str, heartbeat: float = 0.001) -> Holdings:
    with station.database.read() as connection:
        now = database_now(connection)
    node = nodes.Node(id=id, host=id, process=1, role="worker", version="1", started_at=now, beat_at=now)
    made = Holdings(station, node, heartbeat, 60)
    for box in BOXES:
        made.expect(box)
    return made


def look(one: Holdings) -> list[str]:
    return [box for box in BOXES if one.mine(box)]


def test_mailboxes_are_shared_out_when_another_process_comes_and_taken_back_when_it_goes(station: Station) -> None:
    first, second = holdings(station, "A"), holdings(station, "B")
    first.beat()
    assert look(first) == BOXES
    second.beat()
    assert look(second) == [], "all of them are taken"
    first.beat()
    kept = look(first)
    assert len(kept) == 3
    second.beat()
    taken = look(second)
    assert sorted(kept + taken) == BOXES
    assert look(first) == kept
    second.leave()
    for _ in range(3):
        # what is above its share it takes only when nobody else came
        first.beat()
        look(first)
    assert look(first) == BOXES


def test_a_mailbox_that_is_looked_into_no_more_is_free_for_others(station: Station) -> None:
    first, second = holdings(station, "A"), holdings(station, "B")
    first.beat()
    assert first.mine(BOXES[0])
    first.expect_no_more(BOXES[0])
    first.beat()
    second.beat()
    assert second.mine(BOXES[0])


def test_who_stood_still_for_too_long_asks_again(station: Station) -> None:
    one = holdings(station, "A")
    one.beat()
    assert one.mine("clock:seal")
    with station.database.begin() as connection:
        claims.free_all_of(connection, "A")
        assert claims.take(connection, "clock:seal", "B", timedelta(minutes=1))
    one.beat()
    assert one.held() == ()
    assert not one.mine("clock:seal")


def test_what_the_last_holder_could_not_do_is_told_anew(station: Station) -> None:
    with station.database.begin() as connection:
        trouble = Trouble(name="mailbox box0", kind="mailbox", state="retrying", error="away", cure="wait", since=datetime.now(UTC))
        troubles.stands(connection, trouble)
    one = holdings(station, "A")
    one.beat()
    assert one.mine("poll:box0")
    with station.database.read() as connection:
        assert troubles.standing(connection) == []


def test_a_machine_whose_process_fell_silent_is_told_until_one_begins_there(station: Station) -> None:
    def told() -> list[str]:
        with station.database.read() as connection:
            return [trouble.name for trouble in troubles.standing(connection)]

    dead, other = holdings(station, "A"), holdings(station, "B")
    dead.beat()
    other.beat()
    for _ in range(2):
        with station.database.begin() as connection:
            long_ago = database_now(connection) - timedelta(hours=1)
            connection.execute(update(tables.node).where(tables.node.c.id == "A").values(beat_at=long_ago))
        other.beat()
        assert told() == ["machine A"]
        assert "process 1" in standing_error(station)
        holdings(station, "A").beat()
        assert told() == []


def test_a_machine_that_wakes_is_no_trouble_any_more(station: Station) -> None:
    frozen, other = holdings(station, "A"), holdings(station, "B")
    frozen.beat()
    other.beat()
    with station.database.begin() as connection:
        long_ago = database_now(connection) - timedelta(hours=1)
        connection.execute(update(tables.node).where(tables.node.c.id == "A").values(beat_at=long_ago))
    other.beat()
    assert names(station) == ["machine A"]
    frozen.beat()
    assert names(station) == []


def test_what_was_told_of_a_machine_alone_goes_with_its_last_process(station: Station) -> None:
    one, other = holdings(station, "A"), holdings(station, "B")
    with station.database.begin() as connection:
        for name in ("disk /data on A", "disk /data on B", "mailbox box0"):
            troubles.stands(connection, Trouble(name=name, kind="disk", state="stopped", error="full", cure="room", since=datetime.now(UTC)))
    one.beat()
    other.beat()
    one.leave()
    assert names(station) == ["disk /data on B", "mailbox box0"]


def names(station: Station) -> list[str]:
    with station.database.read() as connection:
        return sorted(trouble.name for trouble in troubles.standing(connection))


def standing_error(station: Station) -> str:
    with station.database.read() as connection:
        return troubles.standing(connection)[0].error


def test_the_clock_is_the_database_s(migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(migrated_postgres_url)
    clock = SharedClock(database)
    clock.set()
    with database.read() as connection:
        assert abs(clock() - database_now(connection)) < timedelta(seconds=1)
    known = shared_clock.steady()
    # a steady clock that stood still with its machine is set right, one whose database is away goes on alone
    monkeypatch.setattr(shared_clock, "steady", lambda: known + shared_clock.OLD + 5)
    with database.read() as connection:
        assert abs(clock() - database_now(connection)) < timedelta(seconds=1)
    _away(database)
    monkeypatch.setattr(shared_clock, "steady", lambda: known + 3 * shared_clock.OLD)
    later = clock()
    assert later > datetime.now(UTC) + timedelta(seconds=shared_clock.OLD)
    database.close()


def _away(database: Database) -> None:
    from gateway.store.database import DatabaseTrouble

    def read() -> None:
        raise DatabaseTrouble("gone", retry=True)

    database.read = read  # type: ignore[method-assign,assignment]
