"""Taking turns within one process: who comes first goes first. SQLite's own waiting polls, and lets a busy writer starve the others."""

from collections import deque
from threading import Lock


class Turns:
    """A lock that is given in the order of asking."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def take(self, timeout: float) -> bool:
        """Wait for one's turn, at most so many seconds."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            gate = Lock()
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=timeout):
            return True
        with self._lock:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return False
            return True  # the turn came just as we gave up

    def give(self) -> None:
        """Pass the turn on to the next one."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
