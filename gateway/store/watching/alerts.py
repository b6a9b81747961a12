"""Alerts: what stands, what has been told of it and what has not; messages on their way to people; and what nobody wants to hear for a while.

An alert begins when it first stands and is over when it has not stood for a while; it is told once when it begins, when it grows worse, and
when it is over. What is told is put into a message in the same transaction, so that a kill neither loses nor repeats it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.alert_item import Item
from gateway.store.columns import storable
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of
from gateway.store.rows import upsert
from gateway.store.rows import values_of

_ALERT = tables.alert
_MESSAGE = tables.alert_message
_MUTE = tables.alert_mute
_LONGEST = 500


class Alert(Row, frozen=True, kw_only=True):
    """One thing that is worth telling."""

    name: str
    kind: str
    partner: str | None = None
    severity: str
    what: str
    cure: str
    #: how many there are, where several of a kind are told together
    number: int = 1
    since: datetime
    #: when it was first found not to stand any more
    gone_since: datetime | None = None
    over_at: datetime | None = None
    #: what was told last; None where nothing was
    told_at: datetime | None = None
    told_severity: str | None = None
    told_number: int = 0


class Message(Row, frozen=True, kw_only=True):
    """One message by one way."""

    id: str
    way: str
    created_at: datetime
    items: tuple[Item, ...]
    #: how many more there were
    left_out: int = 0
    #: waiting -> sent | merged (what it said stands in a later one) | dead (given up)
    state: str = "waiting"
    attempts: int = 0
    due_at: datetime
    sent_at: datetime | None = None
    last_error: str | None = None


class Muted(Row, frozen=True, kw_only=True):
    """What is not told until then."""

    id: str
    kind: str | None = None
    partner: str | None = None
    until: datetime
    reason: str
    actor: str
    at: datetime


def known(connection: Connection) -> dict[str, Alert]:
    """All alerts that stand or whose end has not been told, by name."""
    return {alert.name: alert for alert in all_of(connection.execute(select(_ALERT).order_by(_ALERT.c.since, _ALERT.c.name)), Alert)}


def put(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Write alerts as they are now."""
    upsert(connection, _ALERT, [{**values_of(alert), "what": storable(alert.what)[:_LONGEST]} for alert in alerts])


def forget(connection: Connection, names: Sequence[str]) -> None:
    """These are over, and whoever should know knows."""
    if names:
        connection.execute(delete(_ALERT).where(_ALERT.c.name.in_(list(names))))


def add_message(connection: Connection, message: Message) -> None:
    """A message that shall leave; what waits by the same way is said in it."""
    connection.execute(update(_MESSAGE).where(is_one_of(_MESSAGE.c.state, "waiting"), _MESSAGE.c.way == message.way).values(state="merged"))
    connection.execute(insert(connection, _MESSAGE).values(values_of(message)))


def waiting_message(connection: Connection, way: str) -> Message | None:
    """The message that waits to leave by a way: there is one at most."""
    return one_of(connection.execute(select(_MESSAGE).where(is_one_of(_MESSAGE.c.state, "waiting"), _MESSAGE.c.way == way)), Message)


def due_messages(connection: Connection, now: datetime) -> list[Message]:
    """What shall leave now."""
    query = select(_MESSAGE).where(is_one_of(_MESSAGE.c.state, "waiting"), _MESSAGE.c.due_at <= now).order_by(_MESSAGE.c.created_at)
    return all_of(connection.execute(query), Message)


def message_ended(connection: Connection, id: str, state: str, at: datetime) -> None:
    """It has left, or was given up."""
    sent_at = at if state == "sent" else None
    connection.execute(update(_MESSAGE).where(_MESSAGE.c.id == id, _MESSAGE.c.state == "waiting").values(state=state, sent_at=sent_at))


def message_failed(connection: Connection, id: str, due_at: datetime, error: str) -> None:
    """It did not leave: it is tried again then."""
    changes = {"attempts": _MESSAGE.c.attempts + 1, "due_at": due_at, "last_error": storable(error)[:_LONGEST]}
    connection.execute(update(_MESSAGE).where(_MESSAGE.c.id == id).values(changes))


def composed_between(connection: Connection, moment: datetime, now: datetime) -> int:
    """How many messages were composed between the two, by the way that had most. What is later than now is of before a clock was set back."""
    counts = select(func.count().label("n")).where(_MESSAGE.c.created_at > moment, _MESSAGE.c.created_at <= now).group_by(_MESSAGE.c.way).subquery()
    return int(connection.execute(select(func.coalesce(func.max(counts.c.n), 0))).scalar_one())


def last_composed(connection: Connection, now: datetime) -> datetime | None:
    """When the last message was composed, as far as that is not later than now."""
    query = select(_MESSAGE.c.created_at).where(_MESSAGE.c.created_at <= now).order_by(_MESSAGE.c.created_at.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def latest_messages(connection: Connection, limit: int = 10) -> list[Message]:
    """The last messages, newest first."""
    return all_of(connection.execute(select(_MESSAGE).order_by(_MESSAGE.c.created_at.desc(), _MESSAGE.c.id).limit(limit)), Message)


def forget_messages(connection: Connection, before: datetime) -> None:
    """Messages that ended long ago."""
    connection.execute(delete(_MESSAGE).where(_MESSAGE.c.created_at < before, _MESSAGE.c.state != "waiting"))


def mute(connection: Connection, muted: Muted) -> None:
    """Tell nobody of it for a while."""
    connection.execute(insert(connection, _MUTE).values(values_of(muted)))


def unmute(connection: Connection, id: str) -> bool:
    """Tell of it again; False where there is no such mute."""
    return connection.execute(delete(_MUTE).where(_MUTE.c.id == id)).rowcount > 0


def mutes(connection: Connection, now: datetime) -> list[Muted]:
    """What is muted now."""
    return all_of(connection.execute(select(_MUTE).where(_MUTE.c.until > now).order_by(_MUTE.c.until, _MUTE.c.id)), Muted)
