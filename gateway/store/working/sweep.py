"""Where work is open, whatever pokes were lost: asked on start and now and then, so that nothing depends on a wake-up."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import streams
from gateway.store import tables
from gateway.store.incoming import as2_unopened
from gateway.store.incoming import transmissions
from gateway.store.outgoing import outbox
from gateway.store.outgoing import webhooks
from gateway.store.records import documents
from gateway.store.rows import is_one_of
from gateway.store.trading import handovers


def streams_with_work(connection: Connection, now: datetime) -> list[str]:
    """Every stream in which something can be done now."""
    found = {
        *streams.poked(connection, now),
        *as2_unopened.streams_waiting(connection),
        *transmissions.streams_open(connection),
        *documents.streams_registered(connection, now),
        *outbox.streams_due(connection, now),
    }
    handover = tables.handover
    query = select(handover.c.target).where(is_one_of(handover.c.state, "waiting"), handover.c.due_at <= now, handovers.is_next()).distinct()
    found.update(f"{target}:handover" for target in connection.execute(query).scalars())
    found.update(f"hook:{target}" for target in webhooks.targets_due(connection, now))
    return sorted(found)


def poke_all(connection: Connection, now: datetime) -> None:
    """Poke every stream in which something can be done now: nothing depends on a poke, or a job, having survived."""
    for stream in streams_with_work(connection, now):
        streams.poke(connection, stream)
