"""What a pool asks for before it opens a connection, where other processes share what is agreed with the partner."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True, eq=False)
class Permit:
    """That one connection may stand."""

    key: str
    token: int
    #: on the steady clock: no other process has it until then
    sure_until: float

    def is_sure(self) -> bool:
        """Whether it is surely ours still."""
        return time.monotonic() < self.sure_until


class Places(Protocol):
    """The agreed connections to one account."""

    #: another process waits for one
    wanted: bool
    #: called when permits may have been lost or are wanted; `True`: the process ends
    listeners: list[Callable[[bool], None]]

    def take(self, *, waits: bool) -> Permit | None:
        """One more may be opened; None: not now, and the other processes learn it where somebody waits. Raises Busy."""

    def give_back(self, permit: Permit) -> None:
        """It is hung up."""
