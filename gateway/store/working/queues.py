"""How old the oldest work is that could be done now, by kind of stream; and what is held for long, given up, not sent. Each question walks an
index of what is open: a store full of what is done costs nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select

from gateway.store import tables
from gateway.store.incoming import as2_unopened
from gateway.store.outgoing.pauses import not_paused
from gateway.store.rows import Row
from gateway.store.rows import is_one_of
from gateway.store.trading import handovers

#: rows that are looked at one by one
_MOST = 10_000


class Group(Row, frozen=True, kw_only=True):
    """Several of a kind."""

    kind: str
    partner: str | None
    number: int
    since: datetime


def oldest(connection: Connection, now: datetime) -> dict[str, datetime | None]:
    """Since when the first thing waits that could be done, by kind of stream; None where nothing waits."""
    return {
        "in": min(filter(None, (_received(connection), as2_unopened.oldest(connection))), default=None),
        "trade": _registered(connection, now),
        "out": _leaving(connection, now),
        "erp": _handed_over(connection, now),
    }


def _received(connection: Connection) -> datetime | None:
    table = tables.transmission
    opening = is_one_of(table.c.state, "received", "opening")
    first = select(table.c.stream, func.min(table.c.seq).label("seq")).where(opening).group_by(table.c.stream).subquery()
    query = select(func.min(table.c.received_at)).join(first, and_(first.c.stream == table.c.stream, first.c.seq == table.c.seq)).where(opening)
    return _moment(connection.execute(query).scalar_one_or_none())


def _registered(connection: Connection, now: datetime) -> datetime | None:
    table = tables.document
    registered = is_one_of(table.c.state, "registered")
    first = select(table.c.stream, func.min(table.c.seq).label("seq")).where(registered).group_by(table.c.stream).subquery()
    query = (
        select(func.min(func.coalesce(table.c.due_at, table.c.created_at)))
        .join(first, and_(first.c.stream == table.c.stream, first.c.seq == table.c.seq))
        .where(registered, or_(table.c.due_at.is_(None), table.c.due_at <= now))
    )
    return _moment(connection.execute(query).scalar_one_or_none())


def _leaving(connection: Connection, now: datetime) -> datetime | None:
    table = tables.outbox
    is_open = is_one_of(table.c.state, "waiting", "claimed", "prepared")
    first = select(table.c.stream, func.min(table.c.seq).label("seq")).where(is_open).group_by(table.c.stream).subquery()
    query = (
        select(func.min(table.c.due_at))
        .join(first, and_(first.c.stream == table.c.stream, first.c.seq == table.c.seq))
        .where(is_open, not_paused(table.c.partner), table.c.due_at <= now, or_(table.c.lease_until.is_(None), table.c.lease_until <= now))
    )
    return _moment(connection.execute(query).scalar_one_or_none())


def _handed_over(connection: Connection, now: datetime) -> datetime | None:
    table = tables.handover
    query = select(func.min(table.c.due_at)).where(is_one_of(table.c.state, "waiting"), table.c.due_at <= now, handovers.is_next())
    return _moment(connection.execute(query).scalar_one_or_none())


def unsent(connection: Connection) -> dict[str, datetime]:
    """Since when the oldest row of the outbox waits to leave, by partner, whatever keeps it."""
    table = tables.outbox
    query = select(table.c.partner, func.min(table.c.created_at)).where(is_one_of(table.c.state, "waiting", "claimed", "prepared"))
    found = connection.execute(query.group_by(table.c.partner))
    return {partner: moment for partner, text in found if (moment := _moment(text)) is not None}


def held_since(connection: Connection, before: datetime) -> list[Group]:
    """What has waited for a person since before that moment, by kind of hold and partner."""
    hold, document = tables.hold, tables.document
    old = (
        select(hold.c.kind, hold.c.document, hold.c.opened_at)
        .where(hold.c.resolved_at.is_(None), hold.c.opened_at <= before)
        .order_by(hold.c.opened_at, hold.c.id)
        .limit(_MOST)
        .subquery()
    )
    query = (
        select(old.c.kind, document.c.partner, func.count().label("number"), func.min(old.c.opened_at).label("since"))
        .select_from(old.outerjoin(document, document.c.id == old.c.document))
        .group_by(old.c.kind, document.c.partner)
    )
    return _groups(connection.execute(query.order_by(old.c.kind, document.c.partner)))


def given_up(connection: Connection) -> list[Group]:
    """Deliveries that were given up, by endpoint (as kind) and partner."""
    table = tables.outbox
    dead = (
        select(table.c.endpoint, table.c.partner, table.c.created_at)
        .where(is_one_of(table.c.state, "dead"))
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .limit(_MOST)
        .subquery()
    )
    query = select(dead.c.endpoint.label("kind"), dead.c.partner, func.count().label("number"), func.min(dead.c.created_at).label("since"))
    return _groups(connection.execute(query.group_by(dead.c.endpoint, dead.c.partner).order_by(dead.c.endpoint, dead.c.partner)))


def overdue(connection: Connection) -> list[Group]:
    """Answers that are overdue, by partner (kind is `overdue`), since when the oldest is."""
    table = tables.outbox
    query = (
        select(table.c.ack_state.label("kind"), table.c.partner, func.count().label("number"), func.min(table.c.ack_due_at).label("since"))
        # both words: only so is the index of what is awaited walked
        .where(is_one_of(table.c.ack_state, "waiting", "overdue"), table.c.ack_state == "overdue")
        .group_by(table.c.ack_state, table.c.partner)
        .order_by(table.c.partner)
    )
    return _groups(connection.execute(query))


def _groups(rows: Iterable[Any]) -> list[Group]:
    return [
        Group(kind=kind, partner=partner, number=int(number), since=moment)
        for kind, partner, number, text in rows
        if (moment := _moment(text)) is not None
    ]


def _moment(value: object) -> datetime | None:
    """What an aggregate of moments gives: their text where the column's type is lost."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))
