"""A step that ends the whole process at one file, or at what is in it, as a library's crash or the end of the memory does: work for tests/crash/server.py."""

import os
import signal
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline import heads
from gateway.pipeline.answers.work import Work
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.inbound.splitting import ReadHere
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import Station
from gateway.pipeline.trading import cycle
from gateway.store.incoming.transmissions import Transmission
from gateway.store.records.documents import Document
from tests.crash.walk import open_here
from tests.pipeline.world import x12_order

ADDRESS = "folder:boxes/acme/out"
#: in the order in which they came; one process dies of the third
DEADLY = "deadly.edi"
FILES = ("po1.edi", "po2.edi", DEADLY, "po4.edi")


def hand_in(station: Station) -> None:
    """The files, as they came a minute ago."""
    arrivals = [
        Arrival(address=ADDRESS, name=name, identity=name, data=x12_order(f"PO{number}", control=number)) for number, name in enumerate(FILES, 1)
    ]
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    register(Station(station.current, station.database, station.archive, lambda: long_ago), arrivals)


def decide(folder: Path) -> None:
    """All work, in a process that the order of the third file ends."""
    really = cycle.ROOMS["order"]

    def orders(work: Work, rows: Sequence[Document]) -> None:
        if any(row.number == "PO3" for row in rows):
            os.kill(os.getpid(), signal.SIGKILL)
        really(work, rows)

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(cycle.ROOMS, "order", orders)
        # begun again within a tenth of a second, an order would be new to several processes
        patched.setattr(heads, "FRESH", timedelta())
        station = open_here(folder)
        work_off(station)
        station.close()


def read(folder: Path) -> None:
    """All work, in a process that the third file ends."""

    really = ReadHere.__init__

    def begin(read: ReadHere, station: Station, transmission: Transmission, *, alone: bool = True) -> None:
        if transmission.name == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        really(read, station, transmission, alone=alone)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ReadHere, "__init__", begin)
        station = open_here(folder)
        work_off(station)
        station.close()
