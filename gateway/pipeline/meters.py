"""What a process counts as it works: steps with their times, failures of transports. Kept in memory, added to the store every few seconds
(store.meters), so that the numbers outlive the process; a kill loses the last seconds of counting, never anything else."""

import threading
from bisect import bisect_left
from collections import Counter

#: upper ends of the classes of step times, in seconds
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STEP_CLASSES = "step_classes"
STEP_MICROSECONDS = "step_microseconds"
TRANSPORT_ERRORS = "transport_errors"
AS2_REFUSED = "as2_refused"

Key = tuple[str, tuple[str, ...]]


class Meters:
    """Counters of one process, safe to count from any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: Counter[Key] = Counter()

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter."""
        with self._guard:
            self._counts[name, labels] += by

    def step(self, kind: str, transport: str, seconds: float) -> None:
        """A step took so long."""
        class_ = str(bisect_left(BUCKETS, seconds))
        with self._guard:
            self._counts[STEP_CLASSES, (kind, transport, class_)] += 1
            self._counts[STEP_MICROSECONDS, (kind, transport)] += round(seconds * 1_000_000)

    def take(self) -> Counter[Key]:
        """What was counted since it was taken last."""
        with self._guard:
            taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, taken: Counter[Key]) -> None:
        """It could not be kept: it is counted with what follows."""
        with self._guard:
            self._counts.update(taken)
