"""One process of a cluster in the crash tests: it joins, buries one that died before it, looks into the partner's mailbox, works, and signs
off when all is done. Run by tests/crash/server.py in a child process.
"""

import threading
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from gateway.pipeline.permits import Permits
from gateway.pipeline.service.assembly import cluster_engine
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.pollers import Pollers
from gateway.pipeline.station import Station
from gateway.store import tables
from gateway.store.moments import database_now
from gateway.store.outgoing import outbox
from gateway.store.working import nodes
from gateway.store.working import sweep
from tests.crash.walk import open_here
from tests.machine import PATIENCE

ACCOUNT = "sftp://seller@acme.example:22"


def serve(folder: Path) -> None:
    """Until the mailbox is empty and nothing is open any more."""
    station = open_here(folder)
    _leave_a_dead_one(station)
    engine = cluster_engine(station, "worker")
    Pollers(engine).become(lookers(station))
    engine.every("seal", 0.2, lambda: seal(station))
    running = threading.Thread(target=engine.run)
    running.start()
    end = time.monotonic() + PATIENCE
    while not _is_done(station, folder):
        if time.monotonic() > end:
            raise TimeoutError(f"the work is not done: {_open(station)}")
        time.sleep(0.05)
    engine.stop()
    running.join()
    seal(station)
    station.close()


def use_a_connection(folder: Path) -> None:
    """Be a node that asks for the one connection of an account, opens it and hangs up."""
    station = open_here(folder)
    with station.database.begin() as connection:
        now = database_now(connection)
        nodes.beat(connection, nodes.Node(id="A", host="A", process=1, role="worker", version="1", started_at=now, beat_at=now))
    permits = Permits()
    permits.share(station.database, "A", timedelta(hours=1))
    places = permits.of(ACCOUNT, 1)
    assert places is not None and (permit := places.take(waits=True)) is not None
    places.give_back(permit)


def _leave_a_dead_one(station: Station) -> None:
    """A process that fell silent long ago."""
    with station.database.begin() as connection:
        long_ago = database_now(connection) - timedelta(minutes=5)
        dead = nodes.Node(id="DEAD", host="gone", process=1, role="worker", version="1", started_at=long_ago, beat_at=long_ago)
        nodes.beat(connection, dead)
        connection.execute(update(tables.node).where(tables.node.c.id == "DEAD").values(beat_at=long_ago))


def _open(station: Station) -> str:
    """What is not done, for people who look for the reason."""
    with station.database.read() as connection:
        rows = [(row.id, row.state, row.lease_token, row.lease_until, row.due_at, row.last_error) for row in outbox.search(connection, limit=20)]
        return f"{sweep.streams_with_work(connection, station.clock())} at {station.clock()}, {nodes.known(connection)}, {rows}"


def _is_done(station: Station, folder: Path) -> bool:
    if any(not path.name.startswith(".") for path in (folder / "boxes/acme/out").iterdir()):
        return False
    with station.database.read() as connection:
        if sweep.streams_with_work(connection, station.clock()):
            return False
        rows = outbox.search(connection, limit=1000)
        return bool(rows) and all(row.state in {"sent", "acknowledged"} for row in rows)
