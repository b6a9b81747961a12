"""Sequence numbers, wake-ups, and one worker at a time."""

import threading

from gateway.store import streams
from gateway.store.database import Database
from gateway.store.database import open_database
from tests.store.made import MINUTE
from tests.store.made import NOW


def test_numbers_follow_each_other_and_are_never_drawn_twice(database: Database) -> None:
    drawn: list[int] = []

    def work() -> None:
        for _ in range(10):
            with database.begin() as connection:
                first = streams.draw(connection, "s", 3)
            drawn.extend(range(first, first + 3))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == list(range(1, 91))


def test_drawing_in_many_streams(database: Database) -> None:
    with database.begin() as connection:
        assert streams.draw_many(connection, {"b": 2, "a": 5}) == {"a": 1, "b": 1}
        assert streams.draw_many(connection, {"b": 1, "a": 1}) == {"a": 6, "b": 3}


def test_a_poke_wakes_once_its_time_has_come(database: Database) -> None:
    with database.begin() as connection:
        streams.poke(connection, "later", NOW + MINUTE)
        streams.poke(connection, "now")
        streams.poke(connection, "now")
        assert streams.poked(connection, NOW) == ["now"]
        assert streams.next_poke(connection) == NOW + MINUTE
        streams.unpoke(connection, "now", NOW)
        assert streams.poked(connection, NOW) == []
        assert streams.poked(connection, NOW + MINUTE) == ["later"]


def test_taking_pokes_away_leaves_those_for_later(database: Database) -> None:
    with database.begin() as connection:
        streams.poke(connection, "s")
        streams.poke(connection, "s", NOW + MINUTE)
        streams.unpoke(connection, "s", NOW)
        assert streams.poked(connection, NOW + MINUTE) == ["s"]


def test_a_poke_that_commits_while_a_worker_reads_is_not_lost(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url)
    with database.begin() as poking:
        streams.poke(poking, "s")
        with database.begin() as worker:
            streams.unpoke(worker, "s", NOW)
    with database.read() as connection:
        assert streams.poked(connection, NOW) == ["s"]
    database.close()


def test_only_one_worker_is_in_a_stream(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url)
    with database.begin() as one:
        assert streams.take(one, "s")
        with database.begin() as other:
            assert not streams.take(other, "s")
            assert streams.take(other, "t")
    with database.begin() as other:
        assert streams.take(other, "s")
    database.close()


def test_a_writing_transaction_on_sqlite_is_alone_anyway(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    with database.begin() as connection:
        assert streams.take(connection, "s")
    database.close()
