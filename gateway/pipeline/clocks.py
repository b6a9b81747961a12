"""What an engine does again and again beside its streams: timers, and threads that look into mailboxes. A fault of ours in one of them is
told among the troubles and ends neither it nor its neighbours.
"""

import threading
import time
from collections.abc import Callable

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from gateway.pipeline.station import Station
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import OUR_FAULT
from gateway.pipeline.troubles import Standing
from gateway.store.database import DatabaseTrouble

#: seconds between two polls that fail by a fault of ours
FAILED_POLL = 10.0

_log = structlog.get_logger("engine")


def always() -> bool:
    """Nobody else does it."""
    return True


class Clocks:
    """Timers and pollers of one process. What is given as `mine` says at each stroke whether it is this process's turn."""

    def __init__(self, station: Station, stopping: threading.Event) -> None:
        self._station = station
        self._stopping = stopping
        self._timers = BackgroundScheduler(timezone="UTC")
        self._pollers: list[threading.Thread] = []

    def every(self, name: str, seconds: float, work: Callable[[], None], mine: Callable[[], bool] = always) -> None:
        """Do `work` every so many seconds."""
        trouble = Standing(self._station, "clock", name)

        def guarded() -> None:
            try:
                if not mine():
                    return
                work()
            except DatabaseTrouble as error:
                _log.warning("clock failed", clock=name, error=str(error))
                trouble.stands(str(error), MENDS_ITSELF)
            except Exception as error:  # noqa: BLE001  a fault of ours: shown, and tried again at the next stroke
                _log.exception("clock failed", clock=name)
                trouble.stands(f"{type(error).__name__}: {error}", OUR_FAULT)
            else:
                trouble.is_over()

        self._timers.add_job(guarded, "interval", seconds=seconds, id=name, max_instances=1, coalesce=True, misfire_grace_time=None)

    def poller(self, name: str, seconds: float, look: Callable[[], bool], came: Callable[[], None], mine: Callable[[], bool] = always) -> None:
        """A thread that looks into one mailbox; `look` says whether there may be more at once, and then `came` is told."""

        trouble = Standing(self._station, "poller", name)

        def loop() -> None:
            while not self._stopping.is_set():
                more = False
                try:
                    more = mine() and look()
                except DatabaseTrouble as error:
                    _log.warning("poll failed", poller=name, error=str(error))
                    trouble.stands(str(error), MENDS_ITSELF)
                except Exception as error:  # noqa: BLE001  a fault of ours must not end the thread: the mailbox would be forgotten
                    _log.exception("poll failed", poller=name)
                    trouble.stands(f"{type(error).__name__}: {error}", OUR_FAULT)
                    self._stopping.wait(FAILED_POLL)
                else:
                    trouble.is_over()
                if more:
                    came()
                else:
                    self._stopping.wait(seconds)

        self._pollers.append(threading.Thread(target=loop, name=f"poll {name}", daemon=True))

    def start(self) -> None:
        """Begin with all of them."""
        self._timers.start()
        for thread in self._pollers:
            thread.start()

    def stop(self, deadline: float) -> None:
        """Wait for those under way, until `deadline` on the monotonic clock."""
        if self._timers.running:
            self._timers.shutdown(wait=False)
        for thread in self._pollers:
            if thread.ident is not None:
                thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def idle(self) -> bool:
        """Whether no poller runs any more, also none that hangs at a partner's server."""
        return not any(thread.is_alive() for thread in self._pollers)
