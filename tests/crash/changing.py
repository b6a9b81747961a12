"""An order whose step fails by a fault of ours when it is tried first, in the crash tests: it waits for its next try, and its changes wait behind
it. Run by tests/crash/server.py in a child process; it may be begun again.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import update

from gateway.pipeline.answers.work import Work
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import Station
from gateway.pipeline.trading import cycle
from gateway.store import tables
from gateway.store.records import documents
from tests.crash.walk import load_goods
from tests.crash.walk import open_here
from tests.crash.walk import take_in


def walk(folder: Path) -> None:
    """What lies in the partner's folder is worked on as far as it goes, then the time of the next try comes."""
    station = open_here(folder)
    decide = cycle.ROOMS["order"]

    def fails_first(work: Work, rows: Sequence[documents.Document]) -> None:
        if any(row.attempts == 0 for row in rows):
            raise RuntimeError("a fault of ours")
        decide(work, rows)

    cycle.ROOMS["order"] = fails_first  # type: ignore[index]
    load_goods(station)
    take_in(station)
    _time_comes(station)
    work_off(station)
    seal(station)
    station.close()


def _time_comes(station: Station) -> None:
    with station.database.begin() as connection:
        now = station.clock()
        waiting = (tables.document.c.state == documents.REGISTERED, tables.document.c.due_at > now)
        connection.execute(update(tables.document).where(*waiting).values(due_at=now))
