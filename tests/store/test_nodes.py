"""Nodes, what they claim, where they sit, and what becomes of it when they die."""

from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from gateway.store import streams
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.database import open_database
from gateway.store.identity import lease_token
from gateway.store.moments import database_now
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.outgoing import webhooks
from gateway.store.working import claims
from gateway.store.working import jobs
from gateway.store.working import nodes
from gateway.store.working.seats import Seats
from tests.store.made import NOW
from tests.store.made import entry

LONG, NONE = timedelta(minutes=1), timedelta(0)


def node(id: str = "A", role: str = "worker") -> nodes.Node:
    return nodes.Node(id=id, host="first", process=1, role=role, version="1", started_at=NOW, beat_at=NOW)


@pytest.fixture
def postgres(migrated_postgres_url: str) -> Iterator[Database]:
    opened = open_database(migrated_postgres_url)
    yield opened
    opened.close()


def test_the_database_says_what_time_it_is(database: Database) -> None:
    with database.read() as connection:
        assert abs(database_now(connection) - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_node_lives_while_it_beats(database: Database) -> None:
    with database.begin() as connection:
        assert not nodes.beat(connection, node())
        assert nodes.beat(connection, node())
        assert [one.id for one in nodes.alive(connection, LONG)] == ["A"]
        assert nodes.alive(connection, NONE) == []
        assert nodes.bury(connection, LONG) == []
        assert [one.id for one in nodes.bury(connection, NONE)] == ["A"]
        assert nodes.known(connection) == []
        assert not nodes.beat(connection, node()), "who was thought dead begins anew"


def test_a_claim_is_one_node_s_until_it_runs_out(database: Database) -> None:
    with database.begin() as connection:
        assert claims.take(connection, "poll:x", "A", LONG) == 1
        assert claims.take(connection, "poll:x", "B", LONG) is None
        assert claims.take(connection, "poll:x", "A", LONG) == 2
        assert claims.prolong(connection, "A", NONE) == {"poll:x": 2}
        assert claims.standing(connection) == []
        assert claims.take(connection, "poll:x", "B", LONG) == 3
        assert claims.prolong(connection, "A", LONG) == {}, "what ran out and was taken is lost"
        claims.give_back(connection, "poll:x", 2)
        assert [(claim.holder, claim.token) for claim in claims.standing(connection)] == [("B", 3)]
        assert [claims.is_held(connection, "poll:x", holder) for holder in "AB"] == [False, True]


def test_a_node_that_froze_within_a_batch_of_statements_keeps_nobody_out(postgres: Database) -> None:
    """The server waits for the rest of the batch: to it that is no idle transaction."""
    with postgres.begin() as connection:
        nodes.beat(connection, node("A"))
        claims.take(connection, "poll:x", "A", LONG)
    frozen = open_database(postgres.url.render_as_string(hide_password=False))
    frozen.freeze_after(timedelta(milliseconds=50), "A")
    taken = None
    with pytest.raises((DatabaseTrouble, psycopg.Error)), frozen.begin() as stands:
        driver = stands.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.pipeline():
            driver.execute("UPDATE claim SET token = token + 1")
            driver.pgconn.send_flush_request()
            driver.pgconn.flush()
            with postgres.begin() as connection:
                connection.execute(text("SELECT pg_sleep(0.2)"))
                connection.execute(text("SET LOCAL lock_timeout = '20s'"))
                assert [one.id for one in nodes.bury(connection, NONE)] == ["A"]
                taken = claims.take(connection, "poll:x", "B", LONG)
    frozen.close()
    assert taken == 2


def test_events_that_a_dead_node_was_posting_are_free_at_once(database: Database) -> None:
    with database.begin() as connection:
        nodes.beat(connection, node("A"))
        for place, target in enumerate(("x", "y")):
            made = {"id": f"W-{target}", "target": target, "position": place, "event": "document.accepted", "body": "{}"}
            webhooks.add(connection, [webhooks.Event(**made, created_at=NOW, due_at=NOW)], NOW)  # type: ignore[arg-type]
            assert webhooks.claim(connection, target, NOW, LONG, lease_token("A" if target == "x" else "AB"))
        nodes.bury(connection, NONE)
        assert webhooks.claim(connection, "x", NOW, LONG, lease_token("B")) is not None
        assert webhooks.claim(connection, "y", NOW, LONG, lease_token("B")) is None


def test_what_a_dead_node_held_is_free_at_once_and_nothing_else(database: Database) -> None:
    mine, theirs = lease_token("A"), lease_token("AB")
    with database.begin() as connection:
        nodes.beat(connection, node("A"))
        claims.take(connection, "poll:x", "A", LONG)
        claims.take(connection, "poll:y", "AB", LONG)
        outbox.enqueue(connection, [entry("1", stream="out:a:b"), entry("2", stream="out:c:d")])
        for stream, token in (("out:a:b", mine), ("out:c:d", theirs)):
            assert tries.claim(connection, stream=stream, now=NOW, lease=LONG, limit=1, token=token)
        assert nodes.bury(connection, NONE)
        assert [claim.key for claim in claims.standing(connection)] == ["poll:y"]
        assert outbox.streams_due(connection, NOW) == ["out:a:b"]
        nodes.leave(connection, "AB")
        assert outbox.streams_due(connection, NOW) == ["out:a:b", "out:c:d"]


def test_one_process_sits_at_a_stream(postgres: Database) -> None:
    one, other = Seats(postgres, LONG), Seats(postgres, LONG)
    assert one.sit("out:acme")
    assert not one.sit("out:acme"), "two threads of one process neither"
    assert not other.sit("out:acme")
    assert other.sit("out:euroco")
    assert one.rise("out:acme")
    assert not one.rise("out:acme")
    assert other.sit("out:acme")
    with postgres.begin() as connection:
        assert streams.take(connection, "out:acme"), "a seat and the lock of a step are two things"
    assert one.sit("engine", shared=True) and other.sit("engine", shared=True)
    one.close()
    other.close()


def test_a_session_that_ended_has_lost_its_seats(postgres: Database) -> None:
    one, other = Seats(postgres, timedelta(milliseconds=200)), Seats(postgres, LONG)
    assert one.sit("s")
    with postgres.begin() as connection:
        # as the server does by itself when a process is frozen
        connection.execute(text("SELECT pg_sleep(0.5)"))
    assert other.sit("s")
    with pytest.raises(DatabaseTrouble):
        one.keep()
    assert not one.has("s")
    assert not one.sit("s")
    one.keep()
    one.close()
    other.close()


def test_jobs_commit_with_what_they_tell_of(postgres: Database) -> None:
    with postgres.begin() as connection:
        jobs.install(connection)
        assert not jobs.install(connection)
    postgres.waker = jobs.wake
    with pytest.raises(ZeroDivisionError), postgres.begin() as connection:
        streams.poke(connection, "in:x")
        raise ZeroDivisionError
    with postgres.read() as connection:
        assert (jobs.waiting(connection), streams.poked(connection, NOW)) == (0, [])
    with postgres.begin() as connection:
        streams.poke(connection, "in:x")
        streams.poke(connection, "in:x")
        streams.poke(connection, "out:y", NOW + LONG)
    with postgres.read() as connection:
        assert (jobs.waiting(connection), streams.poked(connection, NOW)) == (2, ["in:x"])


def test_a_poke_that_others_lean_on_stays_until_they_have_committed(postgres: Database) -> None:
    with postgres.begin() as connection:
        jobs.install(connection)
    postgres.waker = jobs.wake
    with postgres.begin() as connection:
        streams.poke(connection, "in:x")
    with postgres.begin() as leaning:
        streams.poke(leaning, "in:x")
        with postgres.begin() as worker:
            streams.unpoke(worker, "in:x", NOW)
        with postgres.read() as worker:
            assert streams.is_poked(worker, "in:x", NOW), "what the other one writes cannot be seen yet"
    with postgres.begin() as worker:
        streams.unpoke(worker, "in:x", NOW)
        assert not streams.is_poked(worker, "in:x", NOW)


def test_jobs_of_another_version_are_thrown_away_with_their_tables(postgres: Database) -> None:
    with postgres.begin() as connection:
        jobs.install(connection)
        jobs.wake(connection, "in:x")
        connection.execute(text(f"COMMENT ON SCHEMA {jobs.SCHEMA} IS 'procrastinate 1.0'"))
    with postgres.begin() as connection:
        assert jobs.install(connection)
        assert jobs.waiting(connection) == 0
        assert connection.execute(text("SELECT current_schema()")).scalar_one() == "public"


def test_a_transaction_that_stands_still_is_ended_by_the_server(postgres: Database) -> None:
    postgres.freeze_after(timedelta(milliseconds=100))
    with pytest.raises(DatabaseTrouble) as caught, postgres.begin() as connection:
        assert streams.take(connection, "in:x")
        with psycopg.connect(postgres.url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
            other.execute("SELECT pg_sleep(0.4)")
        connection.execute(tables.poke.insert().values(stream="in:x"))
    assert caught.value.retry
