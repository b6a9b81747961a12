"""Whose turn it is, where streams are served one after the other: who had little of late comes before who had much, and nobody is passed over
for long.
"""

#: a stream is behind everybody who takes less for so many times as long as its last turn took: the few turns of a small order are had between
#: those of large files, also where several of these are worked on
STANDS_BACK = 4.0
#: seconds of a turn that count so: a longer one was held up (a database that was locked, an archive that hung), and that is nobody's share
LONGEST = 0.6


class Rota:
    """Remembers when streams had their turns. Knows them by name and nothing of what serves them; times are seconds on one clock.

    A stream is due when it has stood back for its last turn, and who is due first is served first. What is served after a stream became due
    is due later than it: each of the others has one more turn at most before it.
    """

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._due: dict[str, float] = {}
        #: which turn of all was a stream's last one
        self._order: dict[str, int] = {}
        self._turns = 0

    def first(self, streams: set[str]) -> str:
        """Who is served next among these: those that never were come first."""
        return min(streams, key=lambda stream: (self._due_of(stream), self._order.get(stream, 0), stream))

    def begins(self, stream: str, now: float) -> None:
        """A stream has its turn. One whose turn never ends as it should is behind the others all the same."""
        self._turns += 1
        self._order[stream] = self._turns
        self._began[stream] = self._due[stream] = now

    def ends(self, stream: str, now: float) -> None:
        """Its turn is over."""
        self._due[stream] = now + STANDS_BACK * min(now - self._began[stream], LONGEST)

    def began(self, stream: str) -> float | None:
        """When a stream had its last turn."""
        return self._began.get(stream)

    def gives_way(self, stream: str, others: set[str]) -> bool:
        """Whether a stream that has its turn would not have it, had these been there when it began."""
        return any(self._due_of(other) < self._began[stream] for other in others - {stream})

    def _due_of(self, stream: str) -> float:
        return self._due.get(stream, -1.0)
