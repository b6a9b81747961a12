"""Rows whose bytes the partner's station took and whose receipt, posted to us later, decides: what is done to them without a lease, by
whoever hears the receipt or finds that it is overdue. Such a row keeps nothing behind it back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.columns import Moment
from gateway.store.outgoing.outbox import POSTED
from gateway.store.outgoing.outbox import Entry
from gateway.store.rows import all_of
from gateway.store.rows import unindexed

_TABLE = tables.outbox


def of_file(connection: Connection, first: Entry, *, given_up: bool = False) -> list[Entry]:
    """All rows that left in the file of this one and are not through yet (or were given up), in their order."""
    states = ("prepared", POSTED, "dead") if given_up else ("prepared", POSTED)
    mine = (unindexed(_TABLE.c[name]) == getattr(first, name) for name in ("partner", "endpoint", "stream"))
    file = (_TABLE.c.identity == first.identity, _TABLE.c.sha256 == first.sha256)
    query = select(_TABLE).where(*file, *mine, unindexed(_TABLE.c.state).in_(states))
    return all_of(connection.execute(query.order_by(_TABLE.c.seq).with_for_update()), Entry)


def confirmed(connection: Connection, ids: Sequence[str], at: datetime, ack_due_at: datetime | None) -> None:
    """The receipt says that the partner has them: they have left, and an acknowledgment is waited for until `ack_due_at` where one is due.
    A row that is still leased was quicker answered than recorded: its holder finds it sent."""
    waits = and_(_TABLE.c.expects_ack, _TABLE.c.ack_state.is_(None))
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(list(ids)), _TABLE.c.state.in_(("prepared", POSTED, "dead")))
        .values(
            state="sent",
            sent_at=at,
            last_error=None,
            ack_state=case((waits, "waiting"), else_=_TABLE.c.ack_state),
            ack_due_at=case((waits, literal(ack_due_at, Moment())), else_=_TABLE.c.ack_due_at),
        )
    )


def take_back(connection: Connection, ids: Sequence[str], due_at: datetime, error: str) -> None:
    """They shall be posted again: before everything behind them, from `due_at` on."""
    changes = {"state": "prepared", "due_at": due_at, "last_error": error, "sent_at": None}
    connection.execute(update(_TABLE).where(_TABLE.c.id.in_(list(ids)), _TABLE.c.state == POSTED).values(changes))


def give_up(connection: Connection, ids: Sequence[str], error: str) -> None:
    """The receipt refuses them, or never came."""
    changes = {"state": "dead", "last_error": error, "sent_at": None}
    connection.execute(update(_TABLE).where(_TABLE.c.id.in_(list(ids)), _TABLE.c.state == POSTED).values(changes))


def again(connection: Connection, id: str, now: datetime) -> bool:
    """Something that is through goes out once more, as it is (a receipt whose message came again); False where it is on its way anyhow."""
    through = _TABLE.c.state.in_(("sent", "dead"))
    changes = {"state": "prepared", "due_at": now, "attempts": 0, "last_error": None}
    return connection.execute(update(_TABLE).where(_TABLE.c.id == id, through).values(changes)).rowcount == 1


def overdue(connection: Connection, now: datetime, limit: int = 50) -> list[Entry]:
    """Rows whose receipt should have come by now, longest overdue first."""
    late = select(_TABLE).where(_TABLE.c.state == POSTED, _TABLE.c.due_at <= now)
    return all_of(connection.execute(late.order_by(_TABLE.c.due_at, _TABLE.c.stream, _TABLE.c.seq).limit(limit)), Entry)
