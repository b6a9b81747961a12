"""The clock was set back: what was due already by the clock of before is due now, and not once more when that time comes again. What was not
due then keeps its time."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.outgoing.outbox import OPEN
from gateway.store.rows import is_one_of


def newest_entry(connection: Connection) -> datetime | None:
    """When the journal's latest entry was written, by the clock of that moment."""
    entry = tables.journal_entry
    latest = select(func.max(entry.c.position)).scalar_subquery()
    return connection.execute(select(entry.c.at).where(entry.c.position == latest)).scalar_one_or_none()


def make_due(connection: Connection, now: datetime, before: datetime) -> int:
    """Whatever waits for a time between now and `before`, which the clock has shown already, is due; how many rows."""
    outbox, document, handover, poke = tables.outbox, tables.document, tables.handover, tables.poke
    webhook, message = tables.webhook, tables.alert_message
    changed = 0
    for table, open_rows in (
        (outbox, is_one_of(outbox.c.state, *OPEN)),
        (document, is_one_of(document.c.state, "registered")),
        (handover, is_one_of(handover.c.state, "waiting")),
        (webhook, is_one_of(webhook.c.state, "waiting")),
        (message, is_one_of(message.c.state, "waiting")),
    ):
        passed = (open_rows, table.c.due_at > now, table.c.due_at <= before)
        changed += connection.execute(update(table).where(*passed).values(due_at=now)).rowcount
    connection.execute(update(poke).where(poke.c.not_before > now, poke.c.not_before <= before).values(not_before=now))
    return changed
