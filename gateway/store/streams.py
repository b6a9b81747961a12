"""Streams: what must happen in order shares one. Draws sequence numbers, carries wake-ups ("pokes"), lets one worker in at a time.

Knows nothing of what runs in a stream. A poke is only a wake-up: losing all of them loses no work, a sweep pokes again.
"""

import hashlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Connection
from sqlalchemy import Select
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.sql.dml import ReturningInsert

from gateway.store import tables
from gateway.store.many import Single
from gateway.store.rows import insert

#: name of the execution option under which a connection of a cluster knows how to wake its nodes
WAKER = "waker"
#: wakes a node for a stream when the connection's transaction commits, not before a time
Waker = Callable[[Connection, str, datetime | None], None]


def _draw(connection: Connection) -> ReturningInsert[Any]:
    table = tables.stream
    statement = insert(connection, table).values(name=bindparam("stream"), next_seq=bindparam("first"))
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"next_seq": table.c.next_seq + bindparam("more", type_=BigInteger)})
    return statement.returning(table.c.next_seq)


def _poked() -> Select[tuple[str]]:
    table = tables.poke
    due = or_(table.c.not_before.is_(None), table.c.not_before <= bindparam("now"))
    return select(table.c.stream).where(due).distinct().order_by(table.c.stream)


_DRAW = Single(("stream", "first", "more"), _draw)
_NOW = Single(("stream",), lambda _: tables.poke.insert().values(stream=bindparam("stream")))
_LATER = Single(("stream", "at"), lambda _: tables.poke.insert().values(stream=bindparam("stream"), not_before=bindparam("at")))
_POKED = Single(("now",), lambda _: _poked())


def draw(connection: Connection, stream: str, count: int = 1) -> int:
    """Draw `count` sequence numbers, the first is returned. The stream's row stays locked: draw order is commit order."""
    return int(_DRAW.run(connection, stream, 1 + count, count).scalar_one()) - count


def draw_many(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """Draw in several streams at once, always locked in the same order, so that two workers cannot wait for each other."""
    return {stream: draw(connection, stream, counts[stream]) for stream in sorted(counts)}


def poke(connection: Connection, stream: str, not_before: datetime | None = None) -> None:
    """Wake whoever works on the stream, once this transaction is committed and `not_before` has come.

    In a cluster a poke that is there already serves as ours as well: it is held until this transaction ends, so that nobody can take it
    away (`unpoke`) before what we write can be seen. A new one takes a job along, which wakes a node at once.
    """
    waker: Waker | None = connection.get_execution_options().get(WAKER)
    if waker is not None and not_before is None:
        query = select(tables.poke.c.id).where(tables.poke.c.stream == stream, tables.poke.c.not_before.is_(None)).limit(1)
        if connection.execute(query.with_for_update(key_share=True, skip_locked=True)).first() is not None:
            return
    if not_before is None:
        _NOW.run(connection, stream)
    else:
        _LATER.run(connection, stream, not_before)
    if waker is not None:
        waker(connection, stream, not_before)


def poked(connection: Connection, now: datetime) -> list[str]:
    """The streams whose time has come, by name."""
    return list(_POKED.run(connection, now).scalars())


def next_poke(connection: Connection) -> datetime | None:
    """When the next timed poke falls due, None where nothing waits for a time."""
    query = select(tables.poke.c.not_before).where(tables.poke.c.not_before.is_not(None)).order_by(tables.poke.c.not_before).limit(1)
    return connection.execute(query).scalar_one_or_none()


def unpoke(connection: Connection, stream: str, now: datetime) -> None:
    """Take the due pokes of a stream away, BEFORE its work is read: one that comes later stays and wakes again."""
    due = or_(tables.poke.c.not_before.is_(None), tables.poke.c.not_before <= now)
    if connection.dialect.name == "sqlite":
        connection.execute(delete(tables.poke).where(tables.poke.c.stream == stream, due))
        return
    # one that a transaction under way holds stays: what that writes cannot be seen yet
    free = select(tables.poke.c.id).where(tables.poke.c.stream == stream, due).with_for_update(skip_locked=True)
    connection.execute(delete(tables.poke).where(tables.poke.c.id.in_(free.scalar_subquery())))


def is_poked(connection: Connection, stream: str, now: datetime) -> bool:
    """Whether a due poke of the stream is there."""
    due = or_(tables.poke.c.not_before.is_(None), tables.poke.c.not_before <= now)
    return connection.execute(select(tables.poke.c.id).where(tables.poke.c.stream == stream, due).limit(1)).first() is not None


def take(connection: Connection, stream: str) -> bool:
    """Be the only one in the stream until this transaction ends. False: another worker is in it, leave and let it be poked again."""
    if connection.dialect.name == "sqlite":
        return True  # BEGIN IMMEDIATE lets one writer in at a time
    key = int.from_bytes(hashlib.sha256(b"stream:" + stream.encode()).digest()[:8], signed=True)
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}).scalar_one())


def take_names(connection: Connection, names: Collection[str]) -> None:
    """Be the only one with these names until this transaction ends; whoever has one of them is waited for, and what that wrote is seen from
    here on. To be taken before anything is written: two who waited for each other's rows besides would stand still."""
    if connection.dialect.name == "sqlite" or not names:
        return  # BEGIN IMMEDIATE lets one writer in at a time
    # everybody in the same order
    keys = sorted({int.from_bytes(hashlib.sha256(b"name:" + name.encode()).digest()[:8], signed=True) for name in names})
    connection.execute(text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"), {"keys": keys})
