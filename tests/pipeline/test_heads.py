"""What stands first in a stream, as several processes in a row meet it: a death is counted, an orderly end and a wait are none."""

from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest

from gateway.pipeline.heads import DEATHS
from gateway.pipeline.heads import First
from gateway.pipeline.heads import Heads
from gateway.store.database import Database
from gateway.store.database import open_database

NOW = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
FIRST = First("T1", NOW - timedelta(minutes=1))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    opened = open_database(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"))
    yield opened
    opened.close()


def meet(database: Database, node: str, *, waits: bool = False) -> int:
    """A process that begins there, and comes to an end without a word; how many it knows to have ended so."""
    with Heads().tried(database, node, NOW, "in:a", FIRST) as careful:
        if waits:
            careful.rests()
        return careful.deaths


def test_processes_that_end_at_it_are_counted(database: Database) -> None:
    assert [meet(database, f"node {number}") for number in range(DEATHS + 1)] == [*range(DEATHS + 1)]


def test_who_only_waited_died_of_nothing(database: Database) -> None:
    """For a process that reads, for another one that looks into money: however many come by."""
    assert [meet(database, f"node {number}", waits=True) for number in range(6)] == [0] * 6


def test_what_was_counted_before_a_wait_holds(database: Database) -> None:
    assert [meet(database, "A"), meet(database, "B"), meet(database, "C", waits=True), meet(database, "D", waits=True)] == [0, 1, 2, 2]
    assert meet(database, "E") == 2
    assert meet(database, "F") == 3


def test_who_waited_writes_it_down_again_before_it_tries(database: Database) -> None:
    ours = Heads()
    for number in range(3):
        with ours.tried(database, "A", NOW, "in:a", FIRST) as careful:
            if number < 2:
                careful.rests()
    assert meet(database, "B") == 1, "it ended at the third, which was a try"
