"""What stands first in a stream, tried with care where a process may have ended at it: killed for its memory, or by a library's crash.

A process that ends so tells nobody. It is written down before the try, therefore, but not before every one: where this process begins at a
stream anew, and the first of it has waited for a while, somebody may have died of it. That is one commit. What follows one that met a death is
tried alone, each written down, nothing of that kind beside it, so that it is known which it was (docs/decisions/0096).
"""

import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta

import msgspec
from sqlalchemy import Connection

from gateway.store import crash
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.working import heads

#: what so many processes in a row ended at, each of which had written down that it tries just this, waits for a person
DEATHS = 5
#: what came so lately is new to everybody: no process was given it before
FRESH = timedelta(seconds=2)
#: how many of a stream are tried with care where a process ended: so many may have been under way at once
AFTER_A_DEATH = 50
#: seconds that one waits for another one to come through; what hangs must not stop what is sound
PATIENCE = 5.0


class Try(msgspec.Struct):
    """How the first of a stream is tried."""

    #: processes that ended at it
    deaths: int = 0
    #: whether it is tried alone
    alone: bool = False
    #: whether it was not come to: somebody else is at it, or what is needed for it is not there yet
    rested: bool = False

    def rests(self) -> None:
        """It was not tried: nobody can have died of it."""
        self.rested = True

    @property
    def is_enough(self) -> bool:
        """Whether it is not tried any more."""
        return self.deaths >= DEATHS


def _no_further(connection: Connection) -> str:
    """What is done in one commit never comes further without being done."""
    return ""


class First(msgspec.Struct, frozen=True):
    """What stands first in a stream, since when, and how far it came."""

    id: str
    since: datetime
    progress: Callable[[Connection], str] = _no_further


def lies_elsewhere(error: BaseException) -> bool:
    """Whether a failure is no fault of what was tried: a database, an archive or a disk that is away fails everything."""
    if isinstance(error, DatabaseTrouble):
        return not error.refused
    return isinstance(error, ArchiveMissing | OSError)


class Heads:
    """What this process knows of the streams that it serves."""

    def __init__(self) -> None:
        #: streams that are served without a pause, each with how many more are tried with care
        self._careful: dict[str, int] = {}
        self._last: dict[str, str] = {}
        #: tries that we came through and could not say so
        self._owed: set[str] = set()
        self._one = threading.Lock()

    def rests(self, stream: str) -> None:
        """Nothing waits there: whoever comes next begins anew."""
        self._careful.pop(stream, None)

    def is_careful(self, stream: str) -> bool:
        """Whether what stands first there is to be tried alone."""
        return self._careful.get(stream, 0) > 0

    def suspect(self, stream: str) -> None:
        """Several that were tried together failed: each is tried alone."""
        self._careful[stream] = AFTER_A_DEATH

    def is_new(self, stream: str) -> bool:
        """Whether what stands first there has to be known before it is tried."""
        return self._careful.get(stream) != 0

    @contextmanager
    def tried(self, database: Database, node: str, now: datetime, stream: str, first: First | None) -> Iterator[Try]:
        """Around a try of the first of a stream; None: there is none, or it need not be known. Raises DatabaseTrouble."""
        careful = self._careful.get(stream)
        if first is None or careful == 0 or (careful is None and timedelta() <= now - first.since < FRESH):
            self._careful[stream] = 0
            try:
                yield Try()
            except BaseException:
                self.rests(stream)  # it may go on elsewhere
                raise
            return
        # one at a time: what two are tried beside each other, the death of one would be told of both
        ours = self._one.acquire(timeout=PATIENCE)
        try:
            with database.begin() as connection:
                for owed in sorted(self._owed):
                    heads.survived(connection, owed, node)
                deaths = heads.begin(connection, stream, first.id, first.progress(connection), node, now)
            self._owed.clear()
            crash.point(177)
            self._count(stream, first.id, deaths)
            given = Try(deaths, alone=self._careful[stream] > 0)
            yield given
            if given.rested:
                # known before it is tried, whoever does that
                self.rests(stream)
                self._say(heads.rested, database, node, stream)
        except BaseException:
            # nobody died of it
            self.rests(stream)
            self._say(heads.survived, database, node, stream)
            raise
        finally:
            if ours:
                self._one.release()

    def forget(self, connection: Connection, stream: str, node: str) -> None:
        """The first of a stream is set aside: where a person has it tried again it counts from nothing."""
        heads.survived(connection, stream, node)

    def _count(self, stream: str, id: str, deaths: int) -> None:
        left = self._careful.get(stream, 0)
        if deaths:
            left = AFTER_A_DEATH
        elif self._last.get(stream) != id:
            left = max(0, left - 1)
        self._careful[stream] = left
        if left:
            self._last[stream] = id
        else:
            self._last.pop(stream, None)

    def _say(self, word: Callable[[Connection, str, str], None], database: Database, node: str, stream: str) -> None:
        try:
            with database.begin() as connection:
                word(connection, stream, node)
        except DatabaseTrouble:
            self._owed.add(stream)
