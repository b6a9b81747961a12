"""The port of the engine: what wakes streams, and nothing else. Documents' state lives in our tables alone, so an engine can
lose everything that it knows and no document is lost or doubled.

A stream is a name whose first word says which step serves it: `in:<address>`, `trade:<partner>`, `out:<partner>:<endpoint>`.
"""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from gateway.pipeline.station import Station

#: serves a stream once; true when more may be waiting
Step = Callable[[Station, str], bool]


class Engine(Protocol):
    """What the pipeline asks of an engine."""

    def poke(self, connection: Connection, stream: str) -> None:
        """Wake a stream when the caller's transaction commits."""
        ...

    def every(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        """Do `work` again and again, on one process at a time."""
        ...

    def run(self) -> None:
        """Serve until stopped."""
        ...

    def stop(self) -> None:
        """Finish the steps under way, then return from run."""
        ...
