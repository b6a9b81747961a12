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
    """Waits for these files (transmissions), documents and rows of the outbox, or for all work where nothing is said of any."""

    def __init__(
        self,
        station: Station,
        files: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        deliveries: Sequence[str] | None = None,
    ) -> None:
        self._station = station
        self._everything = files is None and documents is None and deliveries is None
        self._files = files or ()
        self._documents = documents or ()
        self._deliveries = deliveries or ()
        self._sending_since: float | None = None

    def is_over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        with self._station.database.read() as connection:
            now = self._station.clock()
            if self._everything:
                busy = bool(sweep.streams_with_work(connection, now))
                sending = not busy and outbox.under_way(connection, now)
            else:
                busy = settling.deciding(connection, now, self._files, self._documents)
                sending = not busy and settling.leaving(connection, now, self._files, self._documents, self._deliveries)
        if busy:
            self._sending_since = None
            return False
        if not sending:
            return True
        if self._sending_since is None:
            self._sending_since = time.monotonic()
        return time.monotonic() - self._sending_since > PATIENCE_WITH_SENDING
