"""What people do to rows of the outbox: try again what was given up, try now what waits for its next try, take back what has not begun to
leave. Knows states and times; who may do it, and the journal, is the business of whoever calls."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.outgoing.outbox import Entry
from gateway.store.rows import all_of
from gateway.store.rows import is_one_of

_TABLE = tables.outbox


def revive(connection: Connection, id: str, due_at: datetime) -> bool:
    """Try a dead row again, under the identity that it has; False where it is not dead."""
    resting = case((_TABLE.c.identity.is_(None), "waiting"), else_="prepared")
    done = connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == "dead").values(state=resting, due_at=due_at, attempts=0))
    return done.rowcount == 1


def hasten(connection: Connection, id: str, now: datetime) -> bool:
    """Make a row due whose last try failed and whose next one is to come; False where it is not so."""
    waiting = (is_one_of(_TABLE.c.state, "waiting", "prepared"), _TABLE.c.last_error.is_not(None), _TABLE.c.due_at > now)
    return connection.execute(update(_TABLE).where(_TABLE.c.id == id, *waiting).values(due_at=now)).rowcount == 1


def cancel(connection: Connection, id: str) -> bool:
    """Take back a row that has not begun to leave, or give up for good one that was given up; False where it is too late: a number that is
    drawn leaves, and what is ready to be sent may have left."""
    untouched = and_(is_one_of(_TABLE.c.state, "waiting", "held_back"), _TABLE.c.identity.is_(None), _TABLE.c.interchange_control.is_(None))
    # bytes that left before and shall leave again have their name and numbers already; a row that was tried rests in `prepared` with them
    again = and_(is_one_of(_TABLE.c.state, "waiting"), _TABLE.c.identity.is_not(None))
    may = or_(untouched, again, is_one_of(_TABLE.c.state, "dead"))
    return connection.execute(update(_TABLE).where(_TABLE.c.id == id, may).values(state="cancelled", behind=None)).rowcount == 1


def replace(connection: Connection, ids: Sequence[str]) -> None:
    """Rows that were given up are not waited for any more: their document is sent again by another row."""
    connection.execute(update(_TABLE).where(_TABLE.c.id.in_(list(ids)), is_one_of(_TABLE.c.state, "dead")).values(state="cancelled"))


def failing(connection: Connection, partner: str | None, now: datetime) -> list[Entry]:
    """What was given up and what waits for its next try, in the order in which it leaves."""
    waiting = and_(is_one_of(_TABLE.c.state, "waiting", "prepared"), _TABLE.c.last_error.is_not(None), _TABLE.c.due_at > now)
    query = select(_TABLE).where(or_(is_one_of(_TABLE.c.state, "dead"), waiting))
    if partner is not None:
        query = query.where(_TABLE.c.partner == partner)
    return all_of(connection.execute(query.order_by(_TABLE.c.created_at, _TABLE.c.stream, _TABLE.c.seq)), Entry)
