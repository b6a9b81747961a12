"""Events on their way to webhooks: found in the journal behind a position that is kept with them, posted in order for each target.

    waiting -> sent | dead (given up)

Sending is outside of any transaction: the first waiting row of a target is claimed by lease. Knows no address and no event's meaning.
"""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update

from gateway.store import journal
from gateway.store import settings
from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of
from gateway.store.rows import values_of

STATES = ("waiting", "sent", "dead")
#: how long rows that were posted are kept to be looked at
KEPT_FOR = timedelta(days=30)
_POSITION = "webhooks.position"
_TABLE = tables.webhook


class Event(Row, frozen=True, kw_only=True):
    """One event for one target. `id` follows from both, so that finding it twice makes one row."""

    id: str
    target: str
    position: int
    event: str
    #: the JSON that is posted, the same on every try
    body: str
    state: str = "waiting"
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    lease_token: str | None = None
    lease_until: datetime | None = None
    last_error: str | None = None
    ended_at: datetime | None = None


def settled_position(connection: Connection) -> int:
    """The journal's end, behind which nothing can slip in any more. In a transaction of its own, as short as can be: on PostgreSQL it waits
    until nobody is appending, and who appends waits for it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": journal.SEALING_LOCK})
    return int(connection.execute(select(func.coalesce(func.max(tables.journal_entry.c.position), 0))).scalar_one())


def position(connection: Connection) -> int | None:
    """How far the journal has been read for webhooks; None where nobody was told anything yet."""
    value = settings.get(connection, _POSITION)
    return int(value) if value else None


def move_to(connection: Connection, position: int | None) -> None:
    """The journal has been read so far; None: nobody is told, and nothing is owed when somebody is."""
    settings.put(connection, _POSITION, "" if position is None else str(position))


def add(connection: Connection, events: Sequence[Event], now: datetime) -> None:
    """Put events on their way; those that are there already stay as they are. What was posted long ago is forgotten."""
    if events:
        connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(index_elements=["id"]), [values_of(event) for event in events])
        connection.execute(delete(_TABLE).where(_TABLE.c.state == "sent", _TABLE.c.created_at < now - KEPT_FOR))


def claim(connection: Connection, target: str, now: datetime, lease: timedelta, token: str) -> Event | None:
    """The first waiting event of a target, where it is due and nobody else has it."""
    query = select(_TABLE).where(_TABLE.c.target == target, is_one_of(_TABLE.c.state, "waiting")).order_by(_TABLE.c.position, _TABLE.c.id).limit(1)
    first = one_of(connection.execute(query), Event)
    if first is None or first.due_at > now:
        return None
    # a lease that ends later than it could is of a clock that has gone back since
    free = or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= now, _TABLE.c.lease_until > now + lease)
    mine = {"lease_token": token, "lease_until": now + lease, "attempts": _TABLE.c.attempts + 1}
    done = connection.execute(update(_TABLE).where(_TABLE.c.id == first.id, _TABLE.c.state == "waiting", free).values(mine))
    return get(connection, first.id) if done.rowcount == 1 else None


def sent(connection: Connection, id: str, token: str, at: datetime) -> None:
    """The target has it. StaleState where the lease was lost."""
    _end(connection, id, token, {"state": "sent", "ended_at": at, "last_error": None})


def failed(connection: Connection, id: str, token: str, error: str, next_due: datetime) -> None:
    """A try did not work. StaleState where the lease was lost."""
    _end(connection, id, token, {"last_error": error[:2000], "due_at": next_due})


def dead(connection: Connection, id: str, token: str, error: str, at: datetime) -> None:
    """Given up; a person may revive it. StaleState where the lease was lost."""
    _end(connection, id, token, {"state": "dead", "last_error": error[:2000], "ended_at": at})


def forget_leases(connection: Connection) -> int:
    """Free all claimed events at once: only for an engine that knows itself to be the sole sender (its dead predecessor held them)."""
    held = is_one_of(_TABLE.c.state, "waiting") & _TABLE.c.lease_token.is_not(None)
    return int(connection.execute(update(_TABLE).where(held).values(lease_token=None, lease_until=None)).rowcount)


def free_leases_of(connection: Connection, node: str) -> int:
    """Free the events that a node of a cluster was posting when it died; it cannot record anything about them any more."""
    token = _TABLE.c.lease_token
    theirs = is_one_of(_TABLE.c.state, "waiting") & (token > f"{node}.") & (token < f"{node}/")
    return int(connection.execute(update(_TABLE).where(theirs).values(lease_token=None, lease_until=None)).rowcount)


def revive(connection: Connection, target: str, now: datetime) -> int:
    """Try again what was given up, and what waits, at once; how many were given up."""
    again = {"state": "waiting", "attempts": 0, "due_at": now, "ended_at": None, "created_at": now}
    count = connection.execute(update(_TABLE).where(_TABLE.c.target == target, _TABLE.c.state == "dead").values(again)).rowcount
    connection.execute(update(_TABLE).where(_TABLE.c.target == target, is_one_of(_TABLE.c.state, "waiting")).values(due_at=now))
    return int(count)


def get(connection: Connection, id: str) -> Event | None:
    """The event of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Event)


def targets_due(connection: Connection, now: datetime) -> list[str]:
    """The targets with an event that can be posted now: what a sweep pokes."""
    query = select(_TABLE.c.target).where(is_one_of(_TABLE.c.state, "waiting"), _TABLE.c.due_at <= now).distinct().order_by(_TABLE.c.target)
    return list(connection.execute(query).scalars())


def given_up(connection: Connection, target: str) -> int:
    """How many events of a target were given up."""
    return int(connection.execute(select(func.count()).select_from(_TABLE).where(_TABLE.c.state == "dead", _TABLE.c.target == target)).scalar_one())


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many events of each target are in each state."""
    query = select(_TABLE.c.target, _TABLE.c.state, func.count()).group_by(_TABLE.c.target, _TABLE.c.state)
    return {(target, state): int(count) for target, state, count in connection.execute(query)}


def last_sent(connection: Connection) -> dict[str, datetime]:
    """When each target took something the last time, as far as that is still known."""
    query = select(_TABLE.c.target, func.max(_TABLE.c.ended_at)).where(_TABLE.c.state == "sent").group_by(_TABLE.c.target)
    return {row[0]: row[1] for row in connection.execute(query)}


def first_of(connection: Connection, target: str, state: str, *, newest: bool = False) -> Event | None:
    """The first event of a target in this state, in their order; or the last one."""
    query = select(_TABLE).where(_TABLE.c.target == target, is_one_of(_TABLE.c.state, state))
    order = (_TABLE.c.position.desc(), _TABLE.c.id.desc()) if newest else (_TABLE.c.position, _TABLE.c.id)
    return one_of(connection.execute(query.order_by(*order).limit(1)), Event)


def latest(connection: Connection, target: str | None = None, limit: int = 50) -> list[Event]:
    """The newest events, of one target or of all."""
    query = select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.position.desc(), _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query.where(_TABLE.c.target == target) if target is not None else query), Event)


def _end(connection: Connection, id: str, token: str, changes: dict[str, object]) -> None:
    mine = (_TABLE.c.id == id, _TABLE.c.lease_token == token, _TABLE.c.state == "waiting")
    done = connection.execute(update(_TABLE).where(*mine).values({**changes, "lease_token": None, "lease_until": None}))
    if done.rowcount != 1:
        raise StaleState(f"the lease of webhook event {id} was lost")
