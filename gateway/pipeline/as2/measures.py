"""How much of refused messages is told: so many a minute of each sender, and strangers have one measure together. Whoever posts rubbish fills
neither journal nor pages nor log with it; all of it is counted."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from gateway.pipeline.bucket import Bucket

#: refused messages a minute of one sender, and of all strangers together, that are kept and told
A_MINUTE = 60


class Measures:
    """What of refused messages is told, and how many there were. Made once a process; safe to ask from any thread."""

    def __init__(self, a_minute: int = A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute, self._clock = a_minute, clock
        self._guard = threading.Lock()
        self._measures: dict[str, Bucket] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def may_come(self) -> bool:
        """Whether one more request of names that nobody has is looked at."""
        with self._guard:
            return self._of("strangers at the door").take()

    def may_be_told(self, partner: str, code: str) -> bool:
        """Count a refused message (partner "": of a stranger); whether it is kept and told."""
        with self._guard:
            self._counts[partner, code] += 1
            return self._of(f"partner {partner}").take()

    def may_be_heard(self, partner: str) -> bool:
        """Whether one more receipt under these names that fits nothing which we sent is kept and told."""
        with self._guard:
            return self._of(f"receipts {partner}").take()

    def _of(self, whose: str) -> Bucket:
        return self._measures.setdefault(whose, Bucket(self._a_minute, self._clock))

    def counted(self) -> Counter[tuple[str, str]]:
        """How many there were of each sender and code since this was asked last."""
        with self._guard:
            taken, self._counts = self._counts, Counter()
        return taken
