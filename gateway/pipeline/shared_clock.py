"""The clock of a process in a cluster: the database's, carried on by this machine's steady clock. Machines whose clocks differ, or are set
back by an hour, thus still agree on when a lease runs out and a try is due.
"""

import contextlib
import threading
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.moments import database_now

#: seconds after which the database is asked anew: steady clocks drift apart, and stand still while a machine is suspended
OLD = 60.0


def steady() -> float:
    """Seconds that never go backwards, and go on while the machine sleeps where it can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SharedClock:
    """What time it is for all of us. Processes that beat set it with each heartbeat; for the others it asks by itself now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = (datetime.now(UTC), steady())
        self._asking = threading.Lock()

    def __call__(self) -> datetime:
        moment, at = self._known
        passed = steady() - at
        if passed > OLD and self._asking.acquire(blocking=False):
            try:
                # while the database is away the steady clock goes on alone
                with contextlib.suppress(DatabaseTrouble):
                    self.set()
                moment, at = self._known
                passed = steady() - at
            finally:
                self._asking.release()
        return moment + timedelta(seconds=passed)

    def set(self) -> None:
        """Ask the database; the answer is as old as half its way."""
        with self._database.read() as connection:
            connection.exec_driver_sql("SELECT 1")  # the connection itself may have to be made first
            before = steady()
            moment = database_now(connection)
            self._known = (moment, (before + steady()) / 2)
