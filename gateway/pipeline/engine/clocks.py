"""What an engine does again and again beside its streams: timers, and threads that look into mailboxes. A fault of ours in one of them is
told among the troubles and ends neither it nor its neighbours.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from gateway.pipeline.station import Station
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import OUR_FAULT
from gateway.pipeline.troubles import Standing
from gateway.store.database import DatabaseTrouble

#: seconds between two polls that fail by a fault of ours
FAILED_POLL = 10.0
#: timers that may do their work at the same time; threads are only made where they are needed
MOST_TIMERS = 64
#: a poll that took longer than this and brought nothing rests for so many times as long, up to so many seconds
LONG_POLL = 0.5
RESTS = 5.0
LONGEST_REST = 10.0

_log = structlog.get_logger("engine")


def always() -> bool:
    """Nobody else does it."""
    return True


@dataclass(frozen=True, slots=True)
class _Poller:
    thread: threading.Thread
    ended: threading.Event


class Clocks:
    """Timers and pollers of one process. What is given as `mine` says at each stroke whether it is this process's turn."""

    def __init__(self, station: Station, stopping: threading.Event) -> None:
        self._station = station
        self._stopping = stopping
        # a thread for each timer: those that wait for a locked database must not keep the heart from beating
        self._timers = BackgroundScheduler(executors={"default": ThreadPoolExecutor(MOST_TIMERS)}, timezone="UTC")
        self._guard = threading.Lock()
        self._pollers: dict[str, _Poller] = {}
        #: threads of pollers that were ended, and may hang at a partner's server still
        self._ended: list[_Poller] = []
        self._running = False
        #: timers that do their work at this moment
        self._striking: list[str] = []

    def every(self, name: str, seconds: float, work: Callable[[], None], mine: Callable[[], bool] = always) -> None:
        """Do `work` every so many seconds."""
        trouble = Standing(self._station, "clock", name)

        def guarded() -> None:
            with self._guard:
                self._striking.append(name)
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
            finally:
                with self._guard:
                    self._striking.remove(name)

        self._timers.add_job(guarded, "interval", seconds=seconds, id=name, max_instances=1, coalesce=True, misfire_grace_time=None)

    def poller(self, name: str, seconds: float, look: Callable[[], bool], came: Callable[[], None], mine: Callable[[], bool] = always) -> None:
        """A thread that looks into one mailbox; `look` says whether there may be more at once, and then `came` is told. It takes the place
        of an older one of that name, and begins at once where the others run."""

        trouble = Standing(self._station, "poller", name)
        ended = threading.Event()

        def loop() -> None:
            while not (ended.is_set() or self._stopping.is_set()):
                more = False
                began = time.monotonic()
                try:
                    more = mine() and look()
                except DatabaseTrouble as error:
                    _log.warning("poll failed", poller=name, error=str(error))
                    trouble.stands(str(error), MENDS_ITSELF)
                except Exception as error:  # noqa: BLE001  a fault of ours must not end the thread: the mailbox would be forgotten
                    _log.exception("poll failed", poller=name)
                    trouble.stands(f"{type(error).__name__}: {error}", OUR_FAULT)
                    ended.wait(FAILED_POLL)
                else:
                    trouble.is_over()
                if more:
                    came()
                else:
                    # a mailbox that is large and has nothing ready must not be listed all the time
                    took = time.monotonic() - began
                    ended.wait(max(seconds, min(LONGEST_REST, RESTS * took) if took > LONG_POLL else 0.0))
            if not self._stopping.is_set():
                trouble.let_go()

        self.end_poller(name)
        poller = _Poller(threading.Thread(target=loop, name=f"poll {name}", daemon=True), ended)
        with self._guard:
            self._pollers[name] = poller
            if self._running:
                poller.thread.start()

    def end_poller(self, name: str) -> None:
        """Look no more into a mailbox; one that is being looked into is finished first, without being waited for."""
        with self._guard:
            poller = self._pollers.pop(name, None)
            if poller is not None:
                poller.ended.set()
                self._ended = [one for one in self._ended if one.thread.is_alive()] + [poller]

    def start(self) -> None:
        """Begin with all of them."""
        self._timers.start()
        with self._guard:
            self._running = True
            for poller in self._pollers.values():
                poller.thread.start()

    def stop(self, deadline: float) -> None:
        """Wait for those under way, until `deadline` on the monotonic clock."""
        if self._timers.running:
            self._timers.shutdown(wait=False)
        with self._guard:
            self._running = False
            pollers = [*self._pollers.values(), *self._ended]
        for poller in pollers:
            poller.ended.set()
        while self._striking and time.monotonic() < deadline:
            time.sleep(0.02)
        for poller in pollers:
            if poller.thread.ident is not None:
                poller.thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def idle(self) -> bool:
        """Whether no timer and no poller runs any more, also none that hangs at a partner's server."""
        with self._guard:
            return not self._striking and not any(poller.thread.is_alive() for poller in (*self._pollers.values(), *self._ended))
