"""Whether what a command handed in is done: its own files and documents and what they led to, whatever else the service has to do."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import or_
from sqlalchemy import select

from gateway.store import tables
from gateway.store.outgoing import pauses

_OPEN_FILES = ("received", "opening")
_LEAVING = ("waiting", "claimed", "prepared")


def deciding(connection: Connection, now: datetime, files: Sequence[str], documents: Sequence[str]) -> bool:
    """Whether a file is still being opened, or a document waits for its step now."""
    transmission, document = tables.transmission, tables.document
    opening = select(transmission.c.id).where(transmission.c.id.in_(files), transmission.c.state.in_(_OPEN_FILES)).limit(1)
    if files and connection.execute(opening).first() is not None:
        return True
    due = or_(document.c.due_at.is_(None), document.c.due_at <= now)
    registered = select(document.c.id).where(_mine(files, documents), document.c.state == "registered", due).limit(1)
    return connection.execute(registered).first() is not None


def leaving(connection: Connection, now: datetime, files: Sequence[str], documents: Sequence[str], deliveries: Sequence[str] = ()) -> bool:
    """Whether an answer to them, or one of these rows, could leave now, or is on its way."""
    outbox, document, link, interchange = tables.outbox, tables.document, tables.link, tables.interchange
    mine = select(document.c.id).where(_mine(files, documents))
    made = select(link.c.to_document).where(link.c.from_document.in_(mine))
    open_now = (outbox.c.state.in_(_LEAVING), outbox.c.due_at <= now, pauses.not_paused(outbox.c.partner))
    query = select(outbox.c.id).where(or_(outbox.c.document.in_(mine), outbox.c.document.in_(made), outbox.c.id.in_(deliveries)), *open_now).limit(1)
    if connection.execute(query).first() is not None:
        return True
    for id in connection.execute(select(interchange.c.id).where(interchange.c.transmission.in_(files))).scalars() if files else ():
        acknowledgments = select(outbox.c.id).where(outbox.c.id > f"{id}:", outbox.c.id < f"{id};", *open_now).limit(1)
        if connection.execute(acknowledgments).first() is not None:
            return True
    return False


def _mine(files: Sequence[str], documents: Sequence[str]) -> ColumnElement[bool]:
    return or_(tables.document.c.transmission.in_(files), tables.document.c.id.in_(documents))
