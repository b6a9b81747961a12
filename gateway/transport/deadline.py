"""A hard end for a conversation over a socket: limits of single waits do not stop a peer that says one byte now and then.

Knows sockets and nothing of what is spoken over them.
"""

import contextlib
import itertools
import math
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator

import structlog

_log = structlog.get_logger("transport")


@contextlib.contextmanager
def cut_off_after(seconds: float, its_socket: Callable[[], socket.socket | None]) -> Iterator[Callable[[], bool]]:
    """Shut the socket down when the block takes longer; what is yielded says whether that happened. Whoever waits on it then meets an OSError
    or the end of the stream."""
    late = threading.Event()

    def cut_off() -> None:
        late.set()
        found = its_socket()
        if found is not None:
            with contextlib.suppress(OSError):
                # not the TLS layer's own: that one belongs to the thread that waits
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    number = _DEADLINES.add(time.monotonic() + seconds, cut_off)
    try:
        yield late.is_set
    finally:
        _DEADLINES.drop(number)


class _Deadlines:
    """What is to be done at which moment of the steady clock, by one thread for all: a thread a conversation costs more than the conversation's
    own work where it is short."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._pending: dict[int, tuple[float, Callable[[], None]]] = {}
        #: when the thread looks next, if nobody wakes it
        self._looks_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, at: float, act: Callable[[], None]) -> int:
        """Have something done then; returns the number by which it is dropped."""
        with self._changed:
            number = next(self._numbers)
            self._pending[number] = (at, act)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._looks_at = at
                self._thread.start()
            elif at < self._looks_at:
                self._changed.notify()
            return number

    def drop(self, number: int) -> None:
        """It is no longer to be done; it may be under way already."""
        with self._changed:
            self._pending.pop(number, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                due = [number for number, (at, _) in self._pending.items() if at <= now]
                acts = [self._pending.pop(number)[1] for number in due]
                if not acts:
                    self._looks_at = min((at for at, _ in self._pending.values()), default=math.inf)
                    self._changed.wait(min(self._looks_at - now, threading.TIMEOUT_MAX))
                    continue
            for act in acts:
                try:
                    act()
                except Exception:  # noqa: BLE001  whose end it is: the others have theirs all the same
                    _log.exception("a deadline could not be kept")


_DEADLINES = _Deadlines()
