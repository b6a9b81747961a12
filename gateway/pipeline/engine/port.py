"""The port of the engine: what wakes streams, and nothing else. Documents' state lives in our tables alone, so an engine can
lose everything that it knows and no document is lost or doubled.

A stream is a name whose first word says which step serves it: `open:<address>`, `in:<address>`, `trade:<partner>`, `out:<partner>:<endpoint>`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from gateway.pipeline.station import Station

#: serves a stream once; true when more may be waiting
Step = Callable[[Station, str], bool]

#: first words of streams whose steps wait for others' servers
SENDING = frozenset({"out", "hook"})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine does, as far as it knows."""

    #: local or cluster
    engine: str
    serving: bool
    #: processes that serve the same installation, this one among them
    nodes: int = 1
    #: what this process alone does now: mailboxes and timers
    claims: tuple[str, ...] = ()


class Engine(Protocol):
    """What the pipeline asks of an engine."""

    def poke(self, connection: Connection, stream: str) -> None:
        """Wake a stream when the caller's transaction commits."""
        ...

    def every(self, name: str, seconds: float, work: Callable[[], None], *, each_process: bool = False) -> None:
        """Do `work` again and again, on one process at a time (unless each one has its own to do)."""
        ...

    def poller(self, name: str, seconds: float, look: Callable[[], bool]) -> None:
        """Look into a mailbox again and again, on one process at a time; `look` says whether there may be more at once. Begins at once
        where the engine runs already, and takes the place of an older one of that name."""
        ...

    def end_poller(self, name: str) -> None:
        """Look no more into a mailbox; one that is being looked into is finished first, without being waited for."""
        ...

    def exclusive(self, key: str, seconds: float) -> AbstractContextManager[bool]:
        """Be the only one, over all processes, who does what the key names: false where another one is at it. It is ours for `seconds`
        at least, and longer while this process shows that it lives."""
        ...

    def health(self) -> Health:
        """How it does. Asks nobody: the heart beats by it, also while the database hangs."""
        ...

    def run(self) -> None:
        """Serve until stopped."""
        ...

    def drain(self, timeout: float = ...) -> None:
        """Work until nothing is due any more. Raises TimeoutError."""
        ...

    def stop(self) -> None:
        """Finish the steps under way, then return from run."""
        ...

    def close(self) -> None:
        """Let go of the threads of an engine that only drained."""
        ...

    def idle(self) -> bool:
        """Whether no thread of ours runs any more, also none that hangs at a partner's server."""
        ...

    def sweep(self) -> None:
        """Poke every stream with open work."""
        ...
