"""The clock of a process in a cluster: the database's, carried on by this machine's steady clock. Machines whose clocks differ, or are set
back by an hour, thus still agree on when a lease runs out and a try is due.
"""

import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from gateway.store.database import Database
from gateway.store.moments import database_now


class SharedClock:
    """What time it is for all of us. Set it now and then: two steady clocks drift apart as well."""

    def __init__(self) -> None:
        self._known = (datetime.now(UTC), time.monotonic())

    def __call__(self) -> datetime:
        moment, at = self._known
        return moment + timedelta(seconds=time.monotonic() - at)

    def set(self, database: Database) -> None:
        """Ask the database; the answer is as old as half its way."""
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")  # the connection itself may have to be made first
            before = time.monotonic()
            moment = database_now(connection)
            self._known = (moment, (before + time.monotonic()) / 2)
