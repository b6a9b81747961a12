"""How many of what is open there are, counted on the index that holds nothing else, up to a limit: for metrics, which are asked for every few
seconds, whatever is in the store."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import FromClause
from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import is_not_zero
from gateway.store.rows import is_one_of
from gateway.store.trading.ledger import CAME_AND_WENT

#: above that a count stands still
MOST = 10_000


def open_holds(connection: Connection, kind: str | None = None) -> int:
    """What waits for a person."""
    table = tables.hold
    query = select(literal(1)).select_from(table).where(table.c.resolved_at.is_(None))
    return _count(connection, query if kind is None else query.where(table.c.kind == kind))


def outbox(connection: Connection, state: str) -> int:
    """Rows of the outbox in a state."""
    table = tables.outbox
    return _count(connection, select(literal(1)).select_from(table).where(is_one_of(table.c.state, state)))


def unapplied_payments(connection: Connection) -> int:
    """Payments that are not used up."""
    table = tables.payment
    return _count(connection, select(literal(1)).select_from(table).where(is_not_zero(table.c.unapplied_minor), table.c.state.not_in(CAME_AND_WENT)))


def unmatched_answers(connection: Connection) -> int:
    """Partners' answers that fit nothing we sent."""
    return _count(connection, select(literal(1)).select_from(tables.answer).where(tables.answer.c.outbox.is_(None)))


def answers_awaited(connection: Connection) -> dict[str, datetime]:
    """Since when the oldest answer is waited for, by partner."""
    table = tables.outbox
    query = select(table.c.partner, func.min(table.c.sent_at)).where(is_one_of(table.c.ack_state, "waiting", "overdue")).group_by(table.c.partner)
    return {partner: datetime.fromisoformat(str(moment)) for partner, moment in connection.execute(query) if moment is not None}


def _count(connection: Connection, query: Select[Any]) -> int:
    found: FromClause = query.limit(MOST).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())
