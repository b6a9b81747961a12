"""A batch in the crash tests: three order responses wait for their window, the window comes, they leave in one interchange; the process is
killed on the way and begins again. Run by tests/crash/server.py in a child process.
"""

from pathlib import Path

from sqlalchemy import update

from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import Station
from gateway.store import tables
from tests.crash.walk import open_here
from tests.crash.walk import take_in


def walk(folder: Path) -> None:
    """Take the orders in, let the window come, send."""
    station = open_here(folder)
    take_in(station)
    window_comes(station)
    work_off(station)
    station.close()


def window_comes(station: Station) -> None:
    """As if the time had passed: nobody waits an hour in a test."""
    with station.database.begin() as connection:
        now = station.clock()
        waiting = (tables.outbox.c.state.in_(("waiting", "claimed", "prepared")), tables.outbox.c.due_at > now)
        connection.execute(update(tables.outbox).where(*waiting).values(due_at=now))
