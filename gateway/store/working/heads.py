"""What stood first in a stream when a process began at it anew, and how many processes ended at it one after another without a word.

Written before the try, so that the death of the process does not lose it. A stream has one row: when another thing stands first, or the same
one has come further, it counts from nothing.
"""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import one_of
from gateway.store.rows import upsert
from gateway.store.rows import values_of

_TABLE = tables.stream_head
#: who is at a head that nobody tries now
NOBODY = ""


class Head(Row, frozen=True, kw_only=True):
    """A try that began. `progress` is how far the thing was, in words of who tries it."""

    stream: str
    head: str
    progress: str
    #: processes that ended at it
    deaths: int
    node: str
    at: datetime


def begin(connection: Connection, stream: str, head: str, progress: str, node: str, at: datetime) -> int:
    """A process is about to try it; how many before it ended at just this. One that lives still says so itself (`survived`)."""
    known = one_of(connection.execute(select(_TABLE).where(_TABLE.c.stream == stream)), Head)
    same = known is not None and (known.head, known.progress) == (head, progress)
    deaths = known.deaths + (known.node not in {node, NOBODY}) if known is not None and same else 0
    upsert(connection, _TABLE, [values_of(Head(stream=stream, head=head, progress=progress, deaths=deaths, node=node, at=at))])
    return deaths


def rested(connection: Connection, stream: str, node: str) -> None:
    """The process lives, and has not come to trying it: what was known of it before holds."""
    connection.execute(update(_TABLE).where(_TABLE.c.stream == stream, _TABLE.c.node == node).values(node=NOBODY))


def survived(connection: Connection, stream: str, node: str) -> None:
    """The process lives: whatever became of its try is known otherwise."""
    connection.execute(delete(_TABLE).where(_TABLE.c.stream == stream, _TABLE.c.node == node))
