"""One of several processes that send for the same partners: `python -m tests.crash.fighting FOLDER NAME PACE LEASE`. It writes into `deliveries.log`
what it begins to deliver and what is done, and ends when a file `stop` appears. It takes PACE seconds for each (less, where a file `hurry` appears), and its leases last LEASE seconds:
short ones where a test waits for one to run out, long ones where none may."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.outbound import senders
from gateway.pipeline.outbound import walk as outbound
from gateway.pipeline.outbound.delivery import Delivered
from gateway.pipeline.outbound.delivery import deliver
from gateway.pipeline.outbox import leases
from gateway.pipeline.service.logs import set_up_logs
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.store.outgoing import outbox
from gateway.store.outgoing.outbox import Entry


def main(folder: Path, name: str, pace: float, seconds: float) -> None:
    """Send whatever is due, until told to stop."""
    set_up_logs()
    lease = timedelta(seconds=seconds)
    leases.LEASE, leases.BEAT, leases.TRUSTED = lease, 0.4, 1.0
    outbound.LEASE = lease  # type: ignore[attr-defined]
    senders.TICK = 0.2
    station = open_station(load_installation(folder / "config.yaml"))
    log = os.open(folder / "deliveries.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def told(station: Station, entry: Entry, data: bytes) -> Delivered:
        os.write(log, f"{name} begins {entry.identity}\n".encode())
        time.sleep(0.05 if (folder / "hurry").exists() else pace)
        delivered = deliver(station, entry, data)
        os.write(log, f"{name} done {entry.identity}\n".encode())
        return delivered

    outbound.deliver = told  # type: ignore[attr-defined]

    def serve(stream: str) -> None:
        while outbound.step(station, stream):
            pass

    sending = senders.Senders(serve, leases.beat)
    while not (folder / "stop").exists():
        with station.database.read() as connection:
            due = outbox.streams_due(connection, station.clock())
        for stream in due:
            sending.start(stream)
        time.sleep(0.05)
    sending.stop(time.monotonic() + 60)
    station.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
