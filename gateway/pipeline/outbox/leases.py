"""Leases of outbox rows while they are being sent: prolonged by the senders' beat, confirmed before bytes leave, and known to be lost when
somebody else has taken the rows over, because this process was frozen, or cut off from the database, for too long.

Who has lost a lease sends nothing more under it, and what it did is recorded by nobody: the new holder sends again, under the same identity.
"""

import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog

from gateway.pipeline.station import Station
from gateway.store.database import DatabaseTrouble
from gateway.store.outgoing import pauses
from gateway.store.outgoing import tries
from gateway.store.rows import StaleState

#: how long rows are held without a sign of life: a machine that died is taken over from after that time
LEASE = timedelta(seconds=24)
#: seconds after which a lease is prolonged
BEAT = 6.0
#: seconds after which it is not relied upon without asking
TRUSTED = 15.0

_log = structlog.get_logger("outbound")
_under_way: set["Lease"] = set()
_guard = threading.Lock()


def _now() -> float:
    """Seconds that go on while a process is stopped or its machine sleeps, and never backwards."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """Rows of one stream that this worker has claimed."""

    def __init__(self, station: Station, ids: Sequence[str], partner: str, token: str) -> None:
        self.station = station
        self.token = token
        self.partner = partner
        #: the partner was paused meanwhile: what has not begun to leave stays
        self.paused = False
        self._ids = list(ids)
        self._confirmed = _now()

    def confirm(self, ids: Sequence[str]) -> None:
        """Be sure that these rows are still ours, before their bytes leave. Raises StaleState where they are not."""
        if _now() - self._confirmed < TRUSTED:
            return
        began = _now()
        with self.station.database.begin() as connection:
            tries.extend(connection, ids, self.token, self.station.clock() + LEASE)
        self._confirmed = began

    def is_due(self) -> bool:
        """Whether it is time to prolong it."""
        return _now() - self._confirmed >= BEAT

    def prolong(self) -> None:
        """Hold the rows for another while, and see whether their partner was paused."""
        began = _now()
        with self.station.database.begin() as connection:
            left = tries.prolong(connection, self._ids, self.token, self.station.clock() + LEASE)
            self.paused = pauses.is_paused(connection, self.partner)
        if left:
            self._confirmed = began


@contextmanager
def held(station: Station, ids: Sequence[str], partner: str, token: str) -> Iterator[Lease]:
    """While the block runs the lease is prolonged by every beat."""
    lease = Lease(station, ids, partner, token)
    with _guard:
        _under_way.add(lease)
    try:
        yield lease
    finally:
        with _guard:
            _under_way.discard(lease)


def beat() -> None:
    """Prolong what is due: called every second while anything is being sent."""
    with _guard:
        due = [lease for lease in _under_way if lease.is_due()]
    for lease in due:
        try:
            lease.prolong()
        except (DatabaseTrouble, StaleState) as error:
            # it is asked again before anything leaves (confirm), and at the next beat
            _log.warning("lease not prolonged", error=str(error))
