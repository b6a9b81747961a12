"""Handovers: documents given to the ERP (a folder, a web hook, a poll), each until the ERP gives its receipt."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: waiting -> confirmed | dead; dead -> waiting | dropped (by a person)
STATES = ("waiting", "confirmed", "dead", "dropped")
_TABLE = tables.handover


class Handover(Row, frozen=True, kw_only=True):
    """One document for one target. `id` is made of both and the kind, so that offering it twice makes one row."""

    id: str
    document: str
    target: str
    kind: str
    body: str
    state: str = "waiting"
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    #: what the target answered: its own number
    receipt: str | None = None
    last_error: str | None = None
    confirmed_at: datetime | None = None


def offer(connection: Connection, handovers: Sequence[Handover]) -> None:
    """Offer documents; those that are offered already stay as they are."""
    if handovers:
        connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(index_elements=["id"]), [values_of(one) for one in handovers])


def is_next() -> ColumnElement[bool]:
    """Whether nothing that was said of the same document earlier waits for the same target, or for a person."""
    earlier = _TABLE.alias("earlier")
    before = or_(earlier.c.created_at < _TABLE.c.created_at, and_(earlier.c.created_at == _TABLE.c.created_at, earlier.c.id < _TABLE.c.id))
    same = and_(earlier.c.document == _TABLE.c.document, earlier.c.target == _TABLE.c.target)
    return ~select(earlier.c.id).where(same, is_one_of(earlier.c.state, "waiting", "dead"), before).exists()


def list_waiting(
    connection: Connection, target: str, now: datetime, *, after: tuple[datetime, str] | None = None, limit: int = 100
) -> list[Handover]:
    """What a target has not confirmed and is due, in order; `after` is (due_at, id) of the last one of the page before. What is said of a
    document comes in the order in which it was said: what is behind one that could not be given waits for that, or for a person."""
    query = (
        select(_TABLE)
        .where(_TABLE.c.target == target, is_one_of(_TABLE.c.state, "waiting"), _TABLE.c.due_at <= now, is_next())
        .order_by(_TABLE.c.due_at, _TABLE.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(_TABLE.c.due_at >= after[0], or_(_TABLE.c.due_at > after[0], _TABLE.c.id > after[1]))
    return all_of(connection.execute(query), Handover)


def get(connection: Connection, id: str) -> Handover | None:
    """The handover of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Handover)


def confirm(connection: Connection, id: str, *, receipt: str, at: datetime) -> bool:
    """Record the target's receipt; False where it was recorded before (the same receipt again is harmless, another one is StaleState)."""
    done = connection.execute(
        update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state != "confirmed").values(state="confirmed", receipt=receipt, confirmed_at=at)
    )
    if done.rowcount == 1:
        return True
    known = get(connection, id)
    if known is None:
        raise StaleState(f"there is no handover {id}")
    if known.receipt != receipt:
        raise StaleState(f"handover {id} was confirmed before with the receipt {known.receipt}, not {receipt}")
    return False


def failed(connection: Connection, id: str, *, error: str, next_due: datetime | None) -> None:
    """Record a try that did not work; without a next time the handover is dead."""
    changes = {"attempts": _TABLE.c.attempts + 1, "last_error": error, **({"due_at": next_due} if next_due else {"state": "dead"})}
    if connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == "waiting").values(changes)).rowcount != 1:
        raise StaleState(f"handover {id} does not wait")


def revive(connection: Connection, document: str, target: str, at: datetime) -> int:
    """What was given up for a document is tried again, with all its tries; how many that are."""
    dead = (_TABLE.c.document == document, _TABLE.c.target == target, _TABLE.c.state == "dead")
    return connection.execute(update(_TABLE).where(*dead).values(state="waiting", attempts=0, due_at=at)).rowcount


def drop(connection: Connection, document: str, target: str) -> int:
    """What was given up for a document stays so, and what is behind it goes on; how many that are."""
    dead = (_TABLE.c.document == document, _TABLE.c.target == target, _TABLE.c.state == "dead")
    return connection.execute(update(_TABLE).where(*dead).values(state="dropped")).rowcount
