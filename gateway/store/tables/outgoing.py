"""What leaves, what is heard of it, and what is handed to our own systems."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import text

from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES
from gateway.store.tables.metadata import PROBLEMS

_OPEN_OUTBOX = "state IN ('waiting', 'claimed', 'prepared')"
_AWAITED = "ack_state IN ('waiting', 'overdue')"

outbox = Table(
    "outbox",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("document", Words, ForeignKey("document.id")),
    Column("partner", Words, nullable=False),
    Column("endpoint", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Words, nullable=False),
    Column("spec", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("properties", NAMES, nullable=False),
    Column("state", Words, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", Words),
    Column("lease_until", Moment),
    Column("identity", Words),
    Column("sha256", Words),
    Column("transmission", Words, ForeignKey("transmission.id")),
    Column("transaction_type", Words),
    Column("interchange_control", Words),
    Column("group_control", Words),
    Column("transaction_control", Words),
    Column("sent_at", Moment),
    Column("last_error", Words),
    Column("expects_ack", Boolean, nullable=False),
    Column("ack_state", Words),
    Column("ack_due_at", Moment),
    Column("acknowledged_at", Moment),
    #: how the partner's application took what its reader had accepted
    Column("application_state", Words),
    #: the row that must leave before it, where it is held back
    Column("behind", Words),
    UniqueConstraint("stream", "seq"),
    Index("ix_outbox_open", "stream", "seq", sqlite_where=text(_OPEN_OUTBOX), postgresql_where=text(_OPEN_OUTBOX)),
    Index("ix_outbox_held_back", "stream", "behind", sqlite_where=text("state = 'held_back'"), postgresql_where=text("state = 'held_back'")),
    Index("ix_outbox_dead", "partner", sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'")),
    Index("ix_outbox_due", "due_at", sqlite_where=text(_OPEN_OUTBOX), postgresql_where=text(_OPEN_OUTBOX)),
    Index("ix_outbox_ack_due", "ack_due_at", sqlite_where=text("ack_state = 'waiting'"), postgresql_where=text("ack_state = 'waiting'")),
    Index("ix_outbox_awaited", "ack_state", "partner", sqlite_where=text(_AWAITED), postgresql_where=text(_AWAITED)),
    Index(None, "document"),
    Index(None, "identity"),
    Index(None, "partner", "interchange_control"),
    Index(None, "partner", "group_control"),
    Index(None, "state", "created_at", "id"),
)

answer = Table(
    "answer",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("partner", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("layer", Words, nullable=False),
    Column("level", Words, nullable=False),
    #: the received acknowledgment, and the file that it came in
    Column("document", Words, ForeignKey("document.id")),
    Column("transmission", Words, ForeignKey("transmission.id")),
    #: what it speaks of; NULL: nothing that we sent
    Column("outbox", Words, ForeignKey("outbox.id")),
    Column("speaks_of", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("relation", Words, nullable=False),
    Column("notes", Json(tuple[str, ...]), nullable=False),
    Column("problems", PROBLEMS, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "outbox"),
    Index(None, "document"),
    Index(None, "partner", "at", "id"),
    Index("ix_answer_unmatched", "partner", "at", "id", sqlite_where=text("outbox IS NULL"), postgresql_where=text("outbox IS NULL")),
)

handover = Table(
    "handover",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("document", Words, ForeignKey("document.id"), nullable=False),
    Column("target", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("receipt", Words),
    Column("last_error", Words),
    Column("confirmed_at", Moment),
    Index("ix_handover_open", "target", "due_at", "id", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    Index(None, "document"),
)
