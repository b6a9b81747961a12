"""Which mailboxes are looked into: begun, ended and begun anew as the configuration changes, while the engine runs."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.pipeline.troubles import Standing


@dataclass(frozen=True, slots=True)
class Look:
    """Looks once; true where there may be more at once. The trouble is what stands where it fails."""

    once: Callable[[], bool]
    trouble: Standing


@dataclass(frozen=True, slots=True)
class Looker:
    """One mailbox and how it is looked into. Two of the same mark do the same."""

    kind: str
    seconds: float
    mark: str
    make: Callable[[], Look]


class Polls(Protocol):
    """What an engine does for mailboxes."""

    def poller(self, name: str, seconds: float, look: Callable[[], bool]) -> None: ...

    def end_poller(self, name: str) -> None: ...


class Pollers:
    """The mailboxes that an engine looks into now."""

    def __init__(self, engine: Polls) -> None:
        self._engine = engine
        self._now: dict[str, tuple[Looker, Look]] = {}

    def become(self, wanted: Mapping[str, Looker], *, anew: bool = False) -> None:
        """Look into these, and no others. What does the same as before goes on; `anew` begins those again that do not work."""
        for name, (looker, look) in list(self._now.items()):
            same = name in wanted and (wanted[name].mark, wanted[name].seconds) == (looker.mark, looker.seconds)
            if not same or (anew and look.trouble.is_standing):
                self._engine.end_poller(name)
                look.trouble.let_go()
                del self._now[name]
        for name, looker in wanted.items():
            if name not in self._now:
                look = looker.make()
                self._now[name] = (looker, look)
                self._engine.poller(name, looker.seconds, look.once)
