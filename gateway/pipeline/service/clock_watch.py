"""Notices that the clock of this machine was set back. What was due by the clock of before is made due at once, and what waits for its next try
is tried; times that people were told and that had not come yet (undo windows, batches, deadlines) stay as they are."""

import time
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta

import structlog

from gateway.pipeline.station import Station
from gateway.store.outgoing import outbox
from gateway.store.working import clock_back
from gateway.store.working import sweep

#: how far a clock may be put right without anybody noticing
SLACK = timedelta(seconds=30)
#: seconds between two looks
LOOK_EVERY = 5.0

_log = structlog.get_logger("clock")


class ClockWatch:
    """Compares the clock with one that only counts; at its first look with the journal, in case it was set back while nobody ran."""

    def __init__(self, station: Station, counting: Callable[[], float] = time.monotonic) -> None:
        self._station = station
        self._counting = counting
        self._seen: tuple[datetime, float] | None = None

    def look(self) -> bool:
        """Whether the clock was set back since the last look; then all that was due, and all that failed, is due."""
        expected = self._expected()
        now = self._station.clock()
        back = expected - now if expected is not None else timedelta()
        if expected is not None and back > SLACK:
            with self._station.database.begin() as connection:
                changed = clock_back.make_due(connection, now, expected) + outbox.try_now(connection, now)
                sweep.poke_all(connection, now)
            _log.warning(
                "the clock was set back", seconds=round(back.total_seconds()), rows=changed, cure="look after the time of this machine (NTP)"
            )
        self._seen = (now, self._counting())
        return back > SLACK

    def keep_watch(self) -> None:
        """`look`, for a timer."""
        self.look()

    def _expected(self) -> datetime | None:
        """What the clock should show at least."""
        if self._seen is None:
            with self._station.database.read() as connection:
                return clock_back.newest_entry(connection)
        then, counted = self._seen
        return then + timedelta(seconds=self._counting() - counted)
