"""What only the engine of several machines has: jobs that wake at once, pokes where jobs fail, transactions that stand still."""

import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.pipeline.engine import cluster
from gateway.pipeline.engine.cluster import ClusterEngine
from gateway.pipeline.engine.port import Step
from gateway.pipeline.station import Station
from gateway.pipeline.station import now_utc
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.working import jobs
from tests.machine import PATIENCE
from tests.pipeline.test_engine_contract import Served
from tests.pipeline.test_engine_contract import poke
from tests.pipeline.test_engine_contract import until
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World

Opener = Callable[..., Station]
CLUSTER = CONFIG + "engine: cluster\ncluster: {heartbeat: 0.2, silence: 3}\n"


@pytest.fixture
def opened(tmp_path: Path, migrated_postgres_url: str) -> Iterator[Opener]:
    """Stations of the same installation."""
    worlds: list[World] = []

    def another(config: str = CLUSTER) -> Station:
        worlds.append(World(tmp_path, config=config, database=migrated_postgres_url, clock=now_utc))  # type: ignore[arg-type]
        return worlds[-1].station

    yield another
    for world in worlds:
        world.close()


@contextmanager
def running(station: Station, step: Step, look: float) -> Iterator[ClusterEngine]:
    engine = ClusterEngine(station, {"in": step}, look=look)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        until(lambda: engine.health().serving)
        yield engine
    finally:
        engine.stop()
        thread.join()


def test_a_job_wakes_a_process_that_looks_at_nothing_by_itself(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served()
    monkeypatch.setattr(cluster, "SWEEP", 3600.0)
    with running(opened(CONFIG + "engine: cluster\n"), served, look=3600):
        poke(opened(CONFIG + "engine: cluster\n"), "in:x")
        until_served(served, "in:x")


def until_served(served: Served, stream: str) -> None:
    until(lambda: served.times(stream) >= 1)


def test_a_poke_without_a_job_is_found(opened: Opener) -> None:
    served = Served()
    other = opened(CLUSTER)
    other.database.waker = None
    with running(opened(CLUSTER), served, look=0.2):
        poke(other, "in:x")
        until_served(served, "in:x")


def test_a_step_that_took_long_has_its_next_turn_like_any_other(opened: Opener) -> None:
    served = Served(2.3)
    station = opened(CLUSTER)
    with running(opened(CLUSTER), served, look=0.2):
        for times in (1, 2):
            poke(station, "in:folder:large")
            until(lambda wanted=times: served.times("in:folder:large") >= wanted)  # type: ignore[misc]


def test_a_job_that_was_let_go_leaves_the_step_and_the_log_in_peace(opened: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    """As it happens when the process is told to stop: the job's waiting ends before the step."""
    begun, free = threading.Event(), threading.Event()

    def step(station: Station, stream: str) -> bool:
        begun.set()
        return not free.wait(PATIENCE)

    with running(opened(CLUSTER), step, look=0.2) as engine:
        job = engine._offer("in:x")
        assert begun.wait(PATIENCE)
        job.cancel()
        free.set()
        until(engine.idle)
    assert "serving failed" not in "".join(capsys.readouterr())


def test_tables_of_jobs_that_somebody_dropped_are_made_anew(opened: Opener) -> None:
    served = Served()
    station = opened(CLUSTER)
    with running(opened(CLUSTER), served, look=0.2):
        with station.database.begin() as connection:
            connection.execute(text("DROP SCHEMA procrastinate CASCADE"))
        with station.database.begin() as connection:
            # whoever pokes now is told that the database cannot work, and may try again
            with pytest.raises(DatabaseTrouble) as caught:
                jobs.wake(connection, "in:early")
            assert caught.value.retry
            connection.rollback()

        def there() -> bool:
            with station.database.read() as connection:
                return jobs.is_installed(connection)

        until(there)
        poke(station, "in:late")
        until_served(served, "in:late")


def test_a_step_that_stands_still_in_its_transaction_loses_the_stream(opened: Opener) -> None:
    """As a frozen process would: the server ends its transaction, another one goes on, and what it would have written is refused."""
    frozen, free = threading.Event(), threading.Event()
    outcome: list[str] = []

    def stands_still(station: Station, stream: str) -> bool:
        if frozen.is_set():
            return False  # a later try finds the stream free
        try:
            with station.database.begin() as connection:
                assert streams.take(connection, stream)
                frozen.set()
                free.wait(PATIENCE)
                streams.poke(connection, "in:never")
        except DatabaseTrouble:
            outcome.append("refused")
            raise
        return False

    other = opened(CLUSTER)
    with running(opened(CLUSTER), stands_still, look=0.2):
        poke(other, "in:x")
        assert frozen.wait(PATIENCE)

        def takes() -> bool:
            with other.database.begin() as connection:
                return streams.take(connection, "in:x")

        assert not takes()
        until(takes)
        free.set()
        until(lambda: outcome == ["refused"])
    with other.database.read() as connection:
        assert not streams.is_poked(connection, "in:never", other.clock())
