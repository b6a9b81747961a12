"""When a command may go: what it handed in is decided, and what that led to has left, or is only being sent any more."""

import time
from collections.abc import Sequence

from gateway.pipeline.service import settling
from gateway.pipeline.station import Station
from gateway.store.outgoing import outbox
from gateway.store.working import sweep

#: seconds that a command waits for what is only being sent any more: a partner's server may hang for minutes
PATIENCE_WITH_SENDING = 5.0


class Waiting:
    """Waits for these files (transmissions) and documents, or for all work where none are named."""

    def __init__(self, station: Station, files: Sequence[str], documents: Sequence[str]) -> None:
        self._station = station
        self._files = files
        self._documents = documents
        self._sending_since: float | None = None

    def is_over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        with self._station.database.read() as connection:
            now = self._station.clock()
            if self._files or self._documents:
                busy = settling.deciding(connection, now, self._files, self._documents)
                sending = not busy and settling.leaving(connection, now, self._files, self._documents)
            else:
                busy = bool(sweep.streams_with_work(connection, now))
                sending = not busy and outbox.under_way(connection, now)
        if busy:
            self._sending_since = None
            return False
        if not sending:
            return True
        if self._sending_since is None:
            self._sending_since = time.monotonic()
        return time.monotonic() - self._sending_since > PATIENCE_WITH_SENDING
