"""Documents of both directions, their states, references and holds, and the plans that read or wrote them."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import text

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES
from gateway.store.tables.metadata import PROBLEMS

document = Table(
    "document",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("direction", Words, nullable=False),
    Column("partner", Words, nullable=False),
    Column("interchange", Words, ForeignKey("interchange.id")),
    Column("transmission", Words, ForeignKey("transmission.id")),
    Column("ordinal", BigInteger, nullable=False),
    Column("kind", Words, nullable=False),
    Column("number", Words, nullable=False),
    Column("transaction_type", Words, nullable=False),
    Column("transaction_control", Words, nullable=False),
    Column("group_control", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("stream", Words, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hold_key", Words),
    Column("byte_offset", BigInteger),
    Column("byte_length", BigInteger),
    Column("sha256", Words),
    Column("amount_minor", BigInteger),
    Column("currency", Words),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("transition_no", Integer, nullable=False),
    UniqueConstraint("interchange", "ordinal"),
    Index("ix_document_registered", "stream", "seq", sqlite_where=text("state = 'registered'"), postgresql_where=text("state = 'registered'")),
    Index("ix_document_hold_key", "hold_key", "seq", sqlite_where=text("state = 'registered'"), postgresql_where=text("state = 'registered'")),
    Index(None, "created_at", "id"),
    Index(None, "state", "created_at", "id"),
    Index(None, "partner", "created_at", "id"),
    Index(None, "kind", "created_at", "id"),
    Index(None, "number", "partner"),
    Index(None, "transmission"),
)

# Apart from the row that changes its state often: SQLite writes a changed row anew, with all that is in it.
document_content = Table(
    "document_content",
    METADATA,
    Column("document", Words, ForeignKey("document.id"), primary_key=True),
    Column("body", Words),
    Column("problems", PROBLEMS, nullable=False),
    #: JSON that only the caller reads: the result that the acknowledgment is made of
    Column("result", Words),
    Column("plan_digests", NAMES, nullable=False),
)

document_state = Table(
    "document_state",
    METADATA,
    Column("document", Words, ForeignKey("document.id"), nullable=False),
    Column("transition_no", Integer, nullable=False),
    Column("state_before", Words),
    Column("state", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("document", "transition_no"),
    sqlite_with_rowid=False,
)

document_count = Table(
    "document_count",
    METADATA,
    Column("stream", Words, nullable=False),
    Column("partner", Words, nullable=False),
    Column("direction", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("stream", "partner", "direction", "kind", "state", "test"),
    sqlite_with_rowid=False,
)

reference = Table(
    "reference",
    METADATA,
    Column("normalised", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("document", Words, ForeignKey("document.id"), nullable=False),
    Column("value", Words, nullable=False),
    PrimaryKeyConstraint("normalised", "kind", "document", "value"),
    Index(None, "document"),
    sqlite_with_rowid=False,
)

link = Table(
    "link",
    METADATA,
    Column("from_document", Words, ForeignKey("document.id"), nullable=False),
    Column("to_document", Words, ForeignKey("document.id"), nullable=False),
    Column("relation", Words, nullable=False),
    PrimaryKeyConstraint("from_document", "to_document", "relation"),
    Index(None, "to_document"),
    sqlite_with_rowid=False,
)

hold = Table(
    "hold",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("document", Words, ForeignKey("document.id")),
    Column("transmission", Words, ForeignKey("transmission.id")),
    Column("kind", Words, nullable=False),
    Column("reasons", PROBLEMS, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Column("decision", Words),
    Column("actor", Words),
    Column("reason", Words),
    Index("ix_hold_open", "opened_at", "id", sqlite_where=text("resolved_at IS NULL"), postgresql_where=text("resolved_at IS NULL")),
    Index(None, "document"),
    Index(None, "transmission"),
)

plan = Table(
    "plan",
    METADATA,
    Column("digest", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("content", Words, nullable=False),
)
