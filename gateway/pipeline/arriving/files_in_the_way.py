"""Files of one mailbox that could not be taken in, or not be removed: told once, tried again later and later, in nobody's way. Those that
were taken in and could not be removed are written down, so that no process fetches them again and again (docs/decisions/0059, 0085).
"""

import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.store.incoming import left_behind
from gateway.transport.box import Found

#: seconds after which a file that could not be had is tried again
FILE_BACK_OFF = (1.0, 5.0, 30.0, 300.0)
#: seconds after which what was left behind is read anew; whoever has an older picture fetches a file once more, and finds that it is known
READ_AGAIN = 30.0
CURE = "All others are taken. It is tried again by itself: mend the permissions there, or ask the partner to put the file there again."

_log = structlog.get_logger("receive")


@dataclass(frozen=True, slots=True)
class _Known:
    """How often a file has failed, when it is tried again, and why."""

    failures: int
    not_before: float
    error: str


class FilesInTheWay:
    """The memory of one poller; what must outlive it stands in store.left_behind."""

    def __init__(self, station: Station, address: str, partner: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._station = station
        self._left: set[str] = set()
        self._read_again = 0.0
        self.address = address
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._standing = Standing(station, "files", address, partner)

    def waits(self, found: Found) -> bool:
        """Whether it is too early to try this file again."""
        known = self._known.get(found.identity)
        return known is not None and self._clock() < known.not_before

    def add(self, found: Found, error: str, back_off: Sequence[float] = FILE_BACK_OFF) -> None:
        """It failed (again)."""
        known = self._known.get(found.identity)
        failures = known.failures if known is not None else 0
        wait = back_off[min(failures, len(back_off) - 1)]
        self._known[found.identity] = _Known(failures + 1, self._clock() + wait, error)
        if not failures:
            _log.warning("file not taken", address=self.address, file=found.name, error=error)

    def over(self, found: Found) -> None:
        """It was taken in, or away, after all."""
        if self._known.pop(found.identity, None) is not None:
            _log.info("file taken after all", address=self.address, file=found.name)

    def was_left(self, found: Found) -> bool:
        """Whether this file was taken in before and lies there still."""
        return found.identity in self._left

    def leave(self, files: Sequence[Found]) -> None:
        """These were taken in and cannot be removed."""
        if files:
            identities = [found.identity for found in files]
            with self._station.database.begin() as connection:
                left_behind.add(connection, self.address, identities, self._station.clock())
            self._left.update(identities)

    def are_gone(self, files: Sequence[Found]) -> None:
        """They could be removed, some perhaps at last."""
        self._forget({found.identity for found in files} & self._left)
        for found in files:
            self.over(found)

    def keep_only(self, listed: Sequence[Found]) -> None:
        """Forget files that are gone; look now and then at what other processes left."""
        if self._clock() >= self._read_again:
            with self._station.database.read() as connection:
                self._left = left_behind.of(connection, self.address)
            self._read_again = self._clock() + READ_AGAIN
        if self._known or self._left:
            there = {found.identity for found in listed}
            self._known = {identity: known for identity, known in self._known.items() if identity in there}
            self._forget(self._left - there)

    def tell(self) -> None:
        """Show what stands in the way for longer than a moment, or that nothing does any more."""
        lasting = [known.error for known in self._known.values() if known.failures > 1]
        if not lasting:
            self._standing.is_over()
        elif len(lasting) == 1:
            self._standing.stands(lasting[0], CURE)
        else:
            self._standing.stands(f"{lasting[0]}; and {len(lasting) - 1} more", CURE)

    def _forget(self, identities: set[str]) -> None:
        if identities:
            with self._station.database.begin() as connection:
                left_behind.forget(connection, self.address, identities)
            self._left -= identities
