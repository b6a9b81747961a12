"""How often somebody may come: so many a minute, by a clock that only goes on. For one thread at a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field


@dataclass(slots=True)
class Bucket:
    """So many a minute, all of them at once if need be."""

    a_minute: int
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    looked: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.looked = float(self.a_minute), self.clock()

    def take(self) -> bool:
        """One more; False where there were too many."""
        now = self.clock()
        self.left = min(float(self.a_minute), self.left + (now - self.looked) * self.a_minute / 60)
        self.looked = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
