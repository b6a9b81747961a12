"""The service says how it does, also where it cannot say so in the database; and nothing that waits for the database ends it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.config import ConfigTrouble
from gateway.pipeline.engine.clocks import Clocks
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.engine.port import Health
from gateway.pipeline.service import running
from gateway.pipeline.service.heart import PATIENCE
from gateway.pipeline.service.heart import Heart
from gateway.pipeline.service.running import WebProcess
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.database import Failing
from gateway.store.watching import troubles
from gateway.web import following
from gateway.web.following import Following
from tests.crash.test_full_disk import until
from tests.pipeline.world import World
from tests.web.world import serving


class Fixed:
    """An engine that does well."""

    def __init__(self) -> None:
        self.stopped = False

    def health(self) -> Health:
        return Health(engine="local", serving=True)

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> Iterator[World]:
    made = World(tmp_path, database=sqlite_url)
    yield made
    made.close()


def standing(world: World) -> list[tuple[str, str]]:
    with world.station.database.read() as connection:
        return [(trouble.name, trouble.state) for trouble in troubles.standing(connection)]


def test_a_database_that_takes_nothing_is_told_outside_of_it(world: World) -> None:
    heart = Heart(world.station, Fixed())  # type: ignore[arg-type]
    with OwnerLock(world.station.installation.data) as lock, serving(world.station) as site:
        assert lock.take()
        heart.beat()
        assert site.get("/readyz").status == 200
        world.station.database.failing = Failing(datetime.now(UTC), time.monotonic() - PATIENCE - 1, "the database cannot work: database is locked")
        heart.beat()
        said = site.get("/readyz")
        assert said.status == 503 and "database is locked" in said.text
        assert "database is locked" in site.get("/").text
        assert 'gateway_not_working{kind="database",state="stopped"} 1.0' in site.get("/metrics").text
        printed = world.command("status")
        assert printed.returncode == 4 and "  database is stopped since" in printed.stdout
        world.station.database.failing = None
        heart.beat()
        assert site.get("/readyz").status == 200


def test_a_database_that_is_locked_at_the_start_ends_no_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, served, tried = world.station.database.begin, threading.Event(), []

    @contextmanager
    def locked() -> Iterator[None]:
        tried.append(1)
        raise DatabaseTrouble("the database cannot work: database is locked", retry=True)
        yield

    with real() as connection:
        streams.poke(connection, "in:one")
    monkeypatch.setattr(type(world.station.database), "begin", lambda self: locked() if len(tried) < 2 else real())
    engine = LocalEngine(world.station, {"in": lambda station, stream: bool(served.set())})
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        assert served.wait(60)
    finally:
        engine.stop()
        thread.join(60)
    assert len(tried) == 2


def test_timers_that_wait_for_the_database_do_not_keep_the_heart_from_beating(world: World) -> None:
    stopping, beat = threading.Event(), threading.Event()
    clocks = Clocks(world.station, stopping)
    for number in range(14):
        clocks.every(f"waits {number}", 0.01, lambda: bool(stopping.wait(60)) and None)
    clocks.every("heart", 0.3, beat.set)
    clocks.start()
    try:
        assert beat.wait(60)
    finally:
        stopping.set()
        clocks.stop(time.monotonic() + 10)


def test_a_service_that_is_not_alone_any_more_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_alone(alone: object) -> None:
        raise ConfigTrouble("Another service has begun to work on this database: stop one of them")

    monkeypatch.setattr(running, "stay_owner", not_alone)
    engine = Fixed()
    running._stay_owner(None, engine)  # type: ignore[arg-type]
    assert engine.stopped


class Child:
    """A process that ends when it is told."""

    def __init__(self, *arguments: object, **more: object) -> None:
        self.returncode: int | None = 4

    def poll(self) -> int | None:
        return self.returncode


def test_a_web_process_that_does_not_stay_up_is_told_until_it_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.subprocess, "Popen", Child)
    monkeypatch.setattr(running, "AGAIN", -1.0)
    web = WebProcess(world.station)
    web.start()
    web.keep_up()
    assert standing(world) == [("pages of this machine", "retrying")]
    for _ in range(2):
        web.keep_up()
    assert standing(world) == [("pages of this machine", "stopped")]
    assert web._child is not None
    web._child.returncode = None
    web.keep_up()
    assert standing(world) != [], "it has not lived for long"
    monkeypatch.setattr(running, "UP", -1.0)
    web.keep_up()
    assert standing(world) == []


def test_pages_that_cannot_follow_the_configuration_say_so_and_try_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "EVERY", 0.01)
    monkeypatch.setattr(following, "LATER", 0.01)
    file = world.folder / "configuration.json"
    file.write_text("x")
    follower = Following(world.folder / "config.yaml", file)
    answers: list[BaseException | None] = [OSError("too many open files"), None]
    done = threading.Event()

    def installation() -> object:
        follower._seen = "now"
        if not answers:
            raise SystemExit  # ends the thread
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return world.station.installation

    def swapped() -> None:
        assert standing(world)[0][0].startswith("configuration of the web process on ")
        done.set()

    monkeypatch.setattr(following, "state_of", lambda path: "now")
    follower.installation = installation  # type: ignore[method-assign, assignment]

    def follow() -> None:
        with suppress(SystemExit):
            follower.follow(world.station, swapped)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert done.wait(60)
    assert until(lambda: standing(world) == [])
    follower._seen = ""
    thread.join(60)
    assert not thread.is_alive()
