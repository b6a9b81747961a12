"""Partners to whom nothing is sent for now: who paused them, why, and whether their mailboxes are left alone too.

What arrives from a paused partner is taken in and worked on; what it leads to waits in the outbox, in order, until somebody resumes.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

_TABLE = tables.pause


class Pause(Row, frozen=True, kw_only=True):
    """A partner that is paused."""

    partner: str
    actor: str
    reason: str
    since: datetime
    #: whether its mailboxes are not looked into either
    fetching: bool = False


def pause(connection: Connection, wanted: Pause) -> bool:
    """Pause a partner; False where it is paused in this way already. A pause that is there keeps its time, the latest words count."""
    present = get(connection, wanted.partner)
    if present is not None and (present.reason, present.fetching) == (wanted.reason, wanted.fetching):
        return False
    statement = insert(connection, _TABLE).values(values_of(wanted))
    changing = {name: statement.excluded[name] for name in ("actor", "reason", "fetching")}
    connection.execute(statement.on_conflict_do_update(index_elements=["partner"], set_=changing))
    return True


def resume(connection: Connection, partner: str) -> bool:
    """End a pause; False where there was none."""
    return connection.execute(delete(_TABLE).where(_TABLE.c.partner == partner)).rowcount > 0


def get(connection: Connection, partner: str) -> Pause | None:
    """The pause of a partner."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.partner == partner)), Pause)


def is_paused(connection: Connection, partner: str) -> bool:
    """Whether nothing is sent to a partner for now."""
    return get(connection, partner) is not None


def is_fetching_paused(connection: Connection, partners: Collection[str]) -> bool:
    """Whether a mailbox of these partners is left alone: each of them is paused so."""
    query = select(func.count()).select_from(_TABLE).where(_TABLE.c.partner.in_(sorted(partners)), _TABLE.c.fetching)
    return bool(partners) and int(connection.execute(query).scalar_one()) == len(set(partners))


def standing(connection: Connection) -> list[Pause]:
    """All pauses, the longest first."""
    return all_of(connection.execute(select(_TABLE).order_by(_TABLE.c.since, _TABLE.c.partner)), Pause)


def not_paused(partner: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition of a query that leaves out what belongs to paused partners."""
    return ~select(_TABLE.c.partner).where(_TABLE.c.partner == partner).exists()
