"""AS2 messages whose senders were answered at once, since they want their receipts posted: in the archive, and here until they are opened, in
the order in which they came. A row goes in the transaction that writes down what became of its message.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import streams
from gateway.store import tables
from gateway.store.columns import Moment
from gateway.store.incoming import as2_requests
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert

_TABLE = tables.as2_unopened


class Unopened(Row, frozen=True, kw_only=True):
    """A request that is kept and was not looked into."""

    #: head, empty line and body
    request_sha256: str
    stream: str
    seq: int
    size: int
    came_at: datetime
    message_id: str | None = None


def add(connection: Connection, stream: str, request_sha256: str, size: int, at: datetime, message_id: str) -> bool:
    """This request waits, behind those of its stream; False where the very same one waits already."""
    seq = streams.draw(connection, stream)
    row = {"request_sha256": request_sha256, "stream": stream, "seq": seq, "size": size, "came_at": at, "message_id": as2_requests.cut(message_id)}
    return connection.execute(insert(connection, _TABLE).values(row).on_conflict_do_nothing()).rowcount > 0


def next_of(connection: Connection, stream: str, most: int, largest: int) -> list[Unopened]:
    """The first requests of a stream, at most so many and so large together; one at least, where one waits."""
    rows = all_of(connection.execute(select(_TABLE).where(_TABLE.c.stream == stream).order_by(_TABLE.c.seq).limit(most)), Unopened)
    size = 0
    taken: list[Unopened] = []
    for row in rows:
        size += row.size
        if taken and size > largest:
            break
        taken.append(row)
    return taken


def named(connection: Connection, message_id: str, limit: int = 20) -> list[Unopened]:
    """Those of this Message-ID, oldest first."""
    query = select(_TABLE).where(_TABLE.c.message_id == as2_requests.cut(message_id)).order_by(_TABLE.c.came_at, _TABLE.c.request_sha256)
    return all_of(connection.execute(query.limit(limit)), Unopened)


def set_back(connection: Connection, stream: str, requests: Sequence[str]) -> None:
    """These cannot be opened now: they go behind the others of their stream, in their order."""
    first = streams.draw(connection, stream, len(requests))
    for seq, request in enumerate(requests, start=first):
        connection.execute(update(_TABLE).where(_TABLE.c.request_sha256 == request).values(seq=seq))


def opened(connection: Connection, requests: Sequence[str]) -> None:
    """What became of these is written down in this transaction."""
    if requests:
        connection.execute(delete(_TABLE).where(_TABLE.c.request_sha256.in_(list(requests))))


def streams_waiting(connection: Connection) -> list[str]:
    """The streams in which one waits."""
    return list(connection.execute(select(_TABLE.c.stream).distinct()).scalars())


def oldest(connection: Connection) -> datetime | None:
    """Since when the first one waits."""
    found = connection.execute(select(func.min(_TABLE.c.came_at, type_=Moment()))).scalar_one_or_none()
    return found if isinstance(found, datetime) else None
