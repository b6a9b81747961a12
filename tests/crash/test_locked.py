"""Another process locks the database for longer than anybody waits: work goes on afterwards, nothing is lost or doubled."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.pipeline.service.assembly import local_engine
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.pollers import Pollers
from gateway.store import database as database_room
from gateway.store.watching import troubles
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.test_full_disk import until
from tests.crash.test_storm import Service
from tests.crash.test_storm import _answered
from tests.crash.test_storm import _faults
from tests.crash.test_storm import install
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

#: begins to write, says so, and does not end before its input ends
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=120, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM poke WHERE stream = 'nothing'")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""
#: the same on PostgreSQL, on the tables that everything passes
PG_LOCKER = """
import psycopg, sys
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("LOCK TABLE outbox, journal_entry, poke IN ACCESS EXCLUSIVE MODE")
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked(url: str) -> Iterator[None]:
    """A process that holds the database while the block runs."""
    script, name = (LOCKER, url.removeprefix("sqlite:///")) if url.startswith("sqlite") else (PG_LOCKER, url)
    process = subprocess.Popen([sys.executable, "-c", script, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.stdin.close()
        process.wait(PATIENCE)


def standing(world: World) -> list[str]:
    with world.station.database.read() as connection:
        return [trouble.name for trouble in troubles.standing(connection)]


def test_the_engine_goes_on_when_the_lock_is_gone(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database_room, "_BUSY_MILLISECONDS", 300)
    world = World(tmp_path, database=database_url)
    engine = local_engine(world.station)
    Pollers(engine).become(lookers(world.station))
    thread = threading.Thread(target=engine.run)
    thread.start()
    box = tmp_path / "boxes/acme/out"
    heard: list[str] = []

    def said() -> str:
        heard.append(capfd.readouterr().err)
        return "".join(heard)

    try:
        put(box, "po1.edi", x12_order("PO1", control=1).decode())
        assert until(lambda: len(world.sent()) == 2)
        with locked(database_url):
            put(box, "po2.edi", x12_order("PO2", control=2).decode())
            # the log says why it waits, on SQLite; on PostgreSQL it waits in silence
            assert not database_url.startswith("sqlite") or until(lambda: "locked" in said())
            time.sleep(1)
            assert len(world.sent()) == 2
            assert (box / "po2.edi").exists(), "what is not committed is not taken away"
        assert until(lambda: len(world.sent()) == 4)
        assert until(lambda: standing(world) == [])
    finally:
        engine.stop()
        thread.join(PATIENCE)
    world.settle()
    assert journal_faults(world.station) == []
    world.close()


@pytest.mark.storm
def test_a_service_goes_on_after_forty_seconds(tmp_path: Path) -> None:
    install(tmp_path, None)
    service = Service(tmp_path)
    try:
        service.start()
        put(tmp_path / "boxes/acme/out", "po1.edi", x12_order("PO1", control=1).decode())
        assert until(lambda: len(_answered(tmp_path)) == 1)
        with locked(f"sqlite:///{tmp_path}/data/gateway.db"):
            put(tmp_path / "boxes/acme/out", "po2.edi", x12_order("PO2", control=2).decode())
            time.sleep(40)
            assert len(_answered(tmp_path)) == 1
        assert until(lambda: len(_answered(tmp_path)) == 2)
        assert len(inbox(tmp_path)) == 4
    finally:
        service.stop()
    assert _faults(tmp_path, 2) == []
