"""How much of refused messages is told: so many a minute of each sender, and strangers have one measure together. Whoever posts rubbish fills
neither journal nor pages nor log with it; all of it is counted."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

#: refused messages a minute of one sender, and of all strangers together, that are kept and told
A_MINUTE = 60


@dataclass(slots=True)
class _Measure:
    """So many a minute, all of them at once if need be."""

    a_minute: int
    clock: Callable[[], float]
    left: float = field(init=False)
    looked: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.looked = float(self.a_minute), self.clock()

    def take(self) -> bool:
        now = self.clock()
        self.left = min(float(self.a_minute), self.left + (now - self.looked) * self.a_minute / 60)
        self.looked = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Measures:
    """What of refused messages is told, and how many there were. Made once a process; safe to ask from any thread."""

    def __init__(self, a_minute: int = A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute, self._clock = a_minute, clock
        self._guard = threading.Lock()
        self._measures: dict[str, _Measure] = {}
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

    def _of(self, whose: str) -> _Measure:
        return self._measures.setdefault(whose, _Measure(self._a_minute, self._clock))

    def counted(self) -> Counter[tuple[str, str]]:
        """How many there were of each sender and code since this was asked last."""
        with self._guard:
            taken, self._counts = self._counts, Counter()
        return taken
