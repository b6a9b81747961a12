"""Holds: what waits for a person, why, and what the person decided. A hold is decided once."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import astuple
from sqlalchemy import Connection
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.problem import Problem
from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import one_of

_TABLE = tables.hold


class Hold(Row, frozen=True, kw_only=True):
    """Something held: a document, or a whole transmission. `kind`: credit, rules, duplicate, sender, ..."""

    id: str
    document: str | None = None
    transmission: str | None = None
    kind: str
    reasons: tuple[Problem, ...] = ()
    opened_at: datetime
    resolved_at: datetime | None = None
    #: release, reject, withdrawn (the document was cancelled or replaced meanwhile)
    decision: str | None = None
    actor: str | None = None
    reason: str | None = None


_INSERT = many_inserts(_TABLE, Hold.__struct_fields__, ignore=("id",))


def open_hold(connection: Connection, hold: Hold) -> bool:
    """Put something on the list; False where this hold is there already."""
    return _INSERT.run(connection, [astuple(hold)]) == 1


def open_many(connection: Connection, held: Sequence[Hold]) -> None:
    """Put several things on the list; those that are there already stay as they are."""
    _INSERT.run(connection, [astuple(hold) for hold in held])


def list_open(connection: Connection, *, kind: str | None = None, after: tuple[datetime, str] | None = None, limit: int = 100) -> list[Hold]:
    """What waits, longest first; `after` is (opened_at, id) of the last one of the page before."""
    query = select(_TABLE).where(_TABLE.c.resolved_at.is_(None)).order_by(_TABLE.c.opened_at, _TABLE.c.id).limit(limit)
    if kind is not None:
        query = query.where(_TABLE.c.kind == kind)
    if after is not None:
        query = query.where(_TABLE.c.opened_at >= after[0], or_(_TABLE.c.opened_at > after[0], _TABLE.c.id > after[1]))
    return all_of(connection.execute(query), Hold)


def get(connection: Connection, id: str) -> Hold | None:
    """The hold of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Hold)


def of_document(connection: Connection, document: str) -> list[Hold]:
    """All holds of a document, open and decided, oldest first."""
    return all_of(connection.execute(select(_TABLE).where(_TABLE.c.document == document).order_by(_TABLE.c.opened_at, _TABLE.c.id)), Hold)


def of_transmission(connection: Connection, transmission: str) -> list[Hold]:
    """All holds of a transmission itself, open and decided, oldest first."""
    return all_of(connection.execute(select(_TABLE).where(_TABLE.c.transmission == transmission).order_by(_TABLE.c.opened_at, _TABLE.c.id)), Hold)


def resolve(connection: Connection, id: str, *, decision: str, actor: str, reason: str, at: datetime) -> Hold:
    """Record a person's decision; StaleState where it is decided already or not there: two clerks cannot both decide."""
    done = connection.execute(
        update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.resolved_at.is_(None)).values(resolved_at=at, decision=decision, actor=actor, reason=reason)
    )
    hold = get(connection, id)
    if hold is None:
        raise StaleState(f"there is no hold {id}")
    if done.rowcount != 1:
        raise StaleState(f"hold {id} was decided already: {hold.decision} by {hold.actor}")
    return hold
