"""Files that lie ready until their partner has fetched them and said so. The bytes are in the archive, also afterwards."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

_TABLE = tables.pickup


class Pickup(Row, frozen=True, kw_only=True):
    """One file for one account. `id` follows from what is sent, so that laying it ready twice makes one."""

    id: str
    account: str
    name: str
    sha256: str
    size: int
    created_at: datetime
    taken_at: datetime | None = None


def lay_ready(connection: Connection, pickup: Pickup) -> bool:
    """Lay a file ready; False where it lies (or lay) there already."""
    statement = insert(connection, _TABLE).values(values_of(pickup)).on_conflict_do_nothing(index_elements=["id"])
    return connection.execute(statement.returning(_TABLE.c.id)).scalar_one_or_none() is not None


def waiting(connection: Connection, account: str, *, after: tuple[datetime, str] | None = None, limit: int = 100) -> list[Pickup]:
    """What an account has not confirmed, oldest first; `after` is (created_at, id) of the last one of the page before."""
    query = select(_TABLE).where(_TABLE.c.account == account, _TABLE.c.taken_at.is_(None)).order_by(_TABLE.c.created_at, _TABLE.c.id).limit(limit)
    if after is not None:
        query = query.where(_TABLE.c.created_at >= after[0], or_(_TABLE.c.created_at > after[0], _TABLE.c.id > after[1]))
    return all_of(connection.execute(query), Pickup)


def get(connection: Connection, account: str, id: str) -> Pickup | None:
    """The file of this id, where it is this account's."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id, _TABLE.c.account == account)), Pickup)


def confirm(connection: Connection, account: str, id: str, at: datetime) -> bool:
    """The partner has it; False where it said so before."""
    unconfirmed = (_TABLE.c.id == id, _TABLE.c.account == account, _TABLE.c.taken_at.is_(None))
    return connection.execute(update(_TABLE).where(*unconfirmed).values(taken_at=at)).rowcount == 1
