"""Connections that are agreed with a partner are shared by the processes of a cluster: together they never open more."""

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.pipeline import permits as permits_module
from gateway.pipeline.engine.claims import Holdings
from gateway.pipeline.engine.cluster import ClusterEngine
from gateway.pipeline.permits import Permits
from gateway.pipeline.stateless.linting import lint_everything
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.moments import database_now
from gateway.store.working import claims
from gateway.store.working import nodes
from gateway.store.working.seats import Seats
from gateway.transport import sftp_pool
from gateway.transport.box import Busy
from gateway.transport.sftp_pool import SftpPool
from gateway.transport.sftp_settings import SftpSettings
from tests.machine import PATIENCE
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World

ACCOUNT = "sftp://seller@acme.example:22"
PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints:
  orders: {sftp: "sftp://acme.example/out", user: seller, key: "file:k", host_keys: ["SHA256:A"], send_to: /in, connections: 4}
agreements:
  - {receive: x12/004010/850, from: orders}
  - {send: x12/004010/855, to: orders}
currency: USD
credit: none
"""


class Line:
    """In the place of a session at a server, which counts those that stand."""

    standing = 0
    most = 0
    guard = threading.Lock()

    def __init__(self, settings: SftpSettings) -> None:
        with Line.guard:
            Line.standing += 1
            Line.most = max(Line.most, Line.standing)
        self.open = True

    def is_alive(self) -> bool:
        return self.open

    def only_while(self, is_ours: Callable[[], bool]) -> None:
        pass

    def close(self) -> None:
        with Line.guard:
            Line.standing -= self.open
            self.open = False


class Process:
    """What one process of a cluster has of it: its heart, its pool."""

    def __init__(self, world: World, name: str, connections: int) -> None:
        self.station = replace(world.station, permits=Permits())
        with self.station.database.read() as connection:
            now = database_now(connection)
        node = nodes.Node(id=name, host=name, process=1, role="worker", version="1", started_at=now, beat_at=now)
        self.station.permits.share(self.station.database, name, timedelta(seconds=60))
        self.holdings = Holdings(self.station, node, 0.1, 60)
        self.holdings.beat()
        settings = SftpSettings(host="acme.example", user="seller", host_keys=(), connections=connections)
        self.pool = SftpPool(settings, self.station.permits.of(ACCOUNT, connections))


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_pool, "SftpSession", Line)
    monkeypatch.setattr(sftp_pool, "ASK_AGAIN", 0.02)
    monkeypatch.setattr(permits_module, "AFTER_YOU", 0.1)
    Line.standing = Line.most = 0


@pytest.fixture
def world(tmp_path: Path, migrated_postgres_url: str) -> Iterator[World]:
    made = World(tmp_path, config=CONFIG + "engine: cluster\n", database=migrated_postgres_url)
    yield made
    made.close()


@pytest.fixture
def two(world: World) -> Callable[[int], tuple[Process, Process]]:
    return lambda connections: (Process(world, "A", connections), Process(world, "B", connections))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def statements_of(database: Database, work: Callable[[], object]) -> int:
    """How many transactions were begun for it."""
    begun, begin = [0], database.begin

    def counting():  # type: ignore[no-untyped-def]
        begun[0] += 1
        return begin()

    database.begin = counting  # type: ignore[method-assign]
    try:
        work()
    finally:
        database.begin = begin  # type: ignore[method-assign]
    return begun[0]


def test_two_processes_have_no_more_than_one_may(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, second = two(3)
    ours = [first.pool.take(), first.pool.take()]
    theirs = [second.pool.take()]
    with pytest.raises(Busy, match="all 3 connections"):
        second.pool.take(patience=0.0)
    assert second.pool.spare(2) == [] and Line.standing == 3
    ours[0].close()
    first.pool.give_back(ours[0])
    theirs += second.pool.spare(2)
    assert len(theirs) == 2 and Line.most == 3


def test_only_opening_and_hanging_up_asks_the_database(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, _ = two(1)

    def use() -> None:
        first.pool.give_back(first.pool.take())

    assert statements_of(first.station.database, use) == 1
    assert statements_of(first.station.database, use) == 0
    assert statements_of(first.station.database, first.pool.close) == 1
    assert SftpPool(first.pool._settings)._places is None and Permits().of(ACCOUNT, 1) is None, "who works alone asks for nothing"


def test_a_connection_that_is_only_kept_goes_to_who_waits_for_it(two: Callable[[int], tuple[Process, Process]]) -> None:
    """Both go on and on, with one connection for both: neither waits for the other's idle time."""
    first, second = two(1)
    ended = threading.Event()
    uses: dict[str, int] = {"A": 0, "B": 0}

    def work(process: Process, name: str) -> None:
        while not ended.is_set():
            session = process.pool.take()
            uses[name] += 1
            process.pool.give_back(session)
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=one) for one in ((first, "A"), (second, "B"))]
    for thread in threads:
        thread.start()

    def beat() -> None:
        first.holdings.beat()
        second.holdings.beat()

    def both(before: dict[str, int]) -> bool:
        beat()
        return all(uses[name] > before[name] for name in uses)

    try:
        for _ in range(2):
            before = dict(uses)
            until(lambda before=before: both(before))  # type: ignore[misc]
    finally:
        ended.set()
        while any(thread.is_alive() for thread in threads):
            # whoever has it lets the other one end
            first.pool.close()
            second.pool.close()
            beat()
    assert Line.most == 1


def test_who_died_holds_no_connections(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, second = two(1)
    first.pool.take()
    with pytest.raises(Busy):
        second.pool.take(patience=0.0)
    with second.station.database.begin() as connection:
        nodes.bury(connection, timedelta(0))
    assert second.pool.take(patience=0.0).is_alive()


def test_who_stood_still_hangs_up_what_is_others_now(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, second = two(2)
    used, kept = first.pool.take(), first.pool.take()
    first.pool.give_back(kept)
    with second.station.database.begin() as connection:
        connection.execute(update(tables.claim).where(tables.claim.c.holder == "A").values(until=database_now(connection)))
    theirs = [second.pool.take(), second.pool.take()]
    first.holdings.beat()
    until(lambda: not used.is_alive() and not kept.is_alive())
    first.pool.give_back(used)
    with second.station.database.read() as connection:
        standing = claims.standing(connection)
    assert {claim.holder for claim in standing if claim.key.startswith(permits_module.CONNECTION)} == {"B"}
    for session in theirs:
        second.pool.give_back(session)


def test_who_wakes_hangs_up_before_the_database_answers(two: Callable[[int], tuple[Process, Process]], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = two(1)
    used = first.pool.take()
    [permit] = first.pool._permits.values()
    permit.sure_until = time.monotonic() - 1
    engine = ClusterEngine(first.station, {})
    hung_up = []

    def keep(_: Seats) -> None:
        until(lambda: not used.is_alive())
        hung_up.append(used)
        raise ConnectionAbortedError

    monkeypatch.setattr(Seats, "keep", keep)
    with pytest.raises(ConnectionAbortedError):
        engine._beat()
    assert hung_up == [used]


def test_a_connection_whose_permit_may_be_over_is_not_lent(two: Callable[[int], tuple[Process, Process]]) -> None:
    """The database was away for longer than the lease, so no heartbeat came through."""
    first, _ = two(1)
    kept = first.pool.take()
    first.pool.give_back(kept)
    [permit] = first.pool._permits.values()
    permit.sure_until = time.monotonic() - 1
    again = first.pool.take()
    assert again is not kept and not kept.is_alive() and again.is_alive()


def test_what_a_lost_answer_of_the_database_left_is_free_after_the_next_heartbeat(
    two: Callable[[int], tuple[Process, Process]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two(1)
    session = first.pool.take()

    def away(*_: object) -> None:
        raise DatabaseTrouble("away", retry=True)

    with monkeypatch.context() as context:
        context.setattr(claims, "give_back", away)
        first.pool.give_back(session)
        first.pool.close()
    with pytest.raises(Busy):
        second.pool.take(patience=0.0)
    first.holdings.beat()
    assert second.pool.take(patience=0.0)
    with monkeypatch.context() as context:
        context.setattr(claims, "taken", away)
        with pytest.raises(Busy, match="cannot be asked"):
            first.pool.take(patience=0.0)
    first.holdings.beat()
    with first.station.database.read() as connection:
        assert not any(claim.holder == "A" for claim in claims.standing(connection)), "nor does anybody wait"


def test_who_ends_hangs_up_first(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, second = two(1)
    session = first.pool.take()
    first.pool.give_back(session)
    first.holdings.leave()
    assert not session.is_alive()
    assert second.pool.take(patience=0.0)


def test_who_is_about_to_end_waits_for_no_connection(two: Callable[[int], tuple[Process, Process]]) -> None:
    first, second = two(1)
    first.pool.take()
    second.station.permits.end()
    with pytest.raises(Busy, match="this one ends"):
        second.pool.take(patience=PATIENCE)


def test_nothing_is_left_to_ask_the_partner_in_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners/acme.yaml").write_text(PARTNER)
    (tmp_path / "config.yaml").write_text(CONFIG + "database: postgresql://gateway@db.example/gateway\nengine: cluster\n")
    faults, _, notes = lint_everything(tmp_path / "config.yaml", [tmp_path / "partners/acme.yaml"])
    assert (faults, notes) == ([], [])
