"""A stream's turn: its step again and again until nothing is left, the time is up, or the process is told to stop. The same in every engine.

What fails is told among the troubles and tried again by the sweep; it never stops the other streams.
"""

import threading
import time
from collections.abc import Callable
from collections.abc import Mapping

import structlog

from gateway.pipeline.engine.port import Step
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import OUR_FAULT
from gateway.pipeline.troubles import Standing
from gateway.store.database import DatabaseTrouble
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.rows import StaleState
from gateway.store.watching import troubles

#: seconds that one stream is served before the others have their turn: a partner's large file holds nobody else's orders up
SLICE = 0.3

#: times in a row that a stream may be elsewhere than expected before that is no race any more
MANY = 5
#: what helps where the archive, or another file of ours, is not there
ARCHIVE = "See that the archive is mounted here and has room, or that its store can be reached. It is tried again by itself, on every machine."

_log = structlog.get_logger("engine")


def never() -> bool:
    """Nobody waits."""
    return False


class Serving:
    """Gives turns. `steps` says by a stream's first word what serves it."""

    def __init__(self, station: Station, steps: Mapping[str, Step], stopping: threading.Event) -> None:
        self._station = station
        self._steps = steps
        self._stopping = stopping
        self._failures: dict[str, Standing] = {}
        #: how often in a row a stream was elsewhere than expected
        self._races: dict[str, int] = {}
        #: names of troubles that another process told
        self._told_elsewhere: frozenset[str] = frozenset()

    def turn(self, stream: str, gives_way: Callable[[], bool] = never) -> bool:
        """Serve a stream until its time is up or it `gives_way`, for two steps at least: what the first one of a process begins, while all that
        it uses is made, the second one ends, before anybody works on it. True when more may be waiting."""
        step = self._steps[stream.partition(":")[0]]
        try:
            end, steps = time.monotonic() + SLICE, 0
            while step(self._station, stream) and not self._stopping.is_set():
                steps += 1
                if steps > 1 and (time.monotonic() > end or gives_way()):
                    return True
        except (DatabaseTrouble, StaleState) as error:
            # the transaction was rolled back; the sweep pokes the stream again
            _log.warning("step failed", stream=stream, error=str(error))
            self._races[stream] = self._races.get(stream, 0) + 1 if isinstance(error, StaleState) else 0
            # who always comes too late for somebody else meets nobody but himself
            self._trouble_of(stream).stands(str(error), MENDS_ITSELF if self._races[stream] < MANY else OUR_FAULT)
        except (ArchiveMissing, OSError) as error:
            # nothing was decided on it: the sweep pokes the stream again, and where another machine sees the archive it does the work
            _log.error("step failed", stream=stream, error=str(error))
            self._trouble_of(stream).stands(str(error), ARCHIVE)
        except Exception as error:  # noqa: BLE001  a fault of ours must not stop the other streams: shown, and tried again by the sweep
            _log.exception("step failed", stream=stream)
            self._trouble_of(stream).stands(f"{type(error).__name__}: {error}", OUR_FAULT)
        else:
            self._is_over(stream)
        return False

    def know(self, told: frozenset[str]) -> None:
        """The names of all troubles that stand: one that another process told ends when the stream works here."""
        self._told_elsewhere = told

    def _is_over(self, stream: str) -> None:
        self._races.pop(stream, None)
        failed = self._failures.pop(stream, None)
        if failed is not None:
            failed.is_over()
        elif (name := f"step {stream}") in self._told_elsewhere:
            self._told_elsewhere -= {name}
            try:
                with self._station.database.begin() as connection:
                    troubles.is_over(connection, name)
            except DatabaseTrouble as error:
                _log.warning("end of a trouble not kept", trouble=name, error=str(error))

    def _trouble_of(self, stream: str) -> Standing:
        return self._failures.setdefault(stream, Standing(self._station, "step", stream))
