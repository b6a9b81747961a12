"""Claims: what one node at a time may do (look into a mailbox, run a timer). A claim is a lease by the database's clock with a token that
counts up, so that who lost a claim without noticing can be told from who has it.
"""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.moments import database_now
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert

_TABLE = tables.claim


class Claim(Row, frozen=True, kw_only=True):
    """Who may do what, and until when if it is not prolonged."""

    key: str
    #: a node's id
    holder: str
    token: int
    until: datetime


def take(connection: Connection, key: str, holder: str, lease: timedelta) -> int | None:
    """Take a claim that is free, run out or our own: its token; None where another one has it."""
    now = database_now(connection)
    statement = insert(connection, _TABLE).values(key=key, holder=holder, token=1, until=now + lease)
    statement = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"holder": holder, "token": _TABLE.c.token + 1, "until": now + lease},
        where=or_(_TABLE.c.until <= now, _TABLE.c.holder == holder),
    )
    return connection.execute(statement.returning(_TABLE.c.token)).scalar_one_or_none()


def taken(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these somebody has now."""
    return set(connection.execute(select(_TABLE.c.key).where(_TABLE.c.key.in_(keys), _TABLE.c.until > database_now(connection))).scalars())


def prolong(connection: Connection, holder: str, lease: timedelta) -> dict[str, int]:
    """Prolong every claim that a node still has: keys and tokens. One that ran out in between is not prolonged but lost."""
    now = database_now(connection)
    mine = update(_TABLE).where(_TABLE.c.holder == holder, _TABLE.c.until > now).values(until=now + lease)
    return {row.key: row.token for row in connection.execute(mine.returning(_TABLE.c.key, _TABLE.c.token))}


def give_back(connection: Connection, key: str, token: int) -> None:
    """Free a claim; harmless where it is lost already."""
    connection.execute(update(_TABLE).where(_TABLE.c.key == key, _TABLE.c.token == token).values(until=database_now(connection)))


def free_all_of(connection: Connection, holder: str) -> None:
    """Free everything that a node held, which is dead or ends."""
    now = database_now(connection)
    connection.execute(update(_TABLE).where(_TABLE.c.holder == holder, _TABLE.c.until > now).values(until=now))


def is_held(connection: Connection, key: str, holder: str) -> bool:
    """Whether the claim is this node's at this moment: one that stood still may find that it is not."""
    query = select(_TABLE.c.key).where(_TABLE.c.key == key, _TABLE.c.holder == holder, _TABLE.c.until > database_now(connection))
    return connection.execute(query).first() is not None


def standing(connection: Connection) -> list[Claim]:
    """Every claim that runs now, by key."""
    return all_of(connection.execute(select(_TABLE).where(_TABLE.c.until > database_now(connection)).order_by(_TABLE.c.key)), Claim)
