"""The journal, its signed checkpoints, and the salts of its commitments."""

from sqlalchemy import BigInteger
from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint

from gateway.store.columns import SERIAL
from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

journal_entry = Table(
    "journal_entry",
    METADATA,
    Column("position", SERIAL, primary_key=True),
    Column("stream", Words, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject_kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    #: the canonical bytes, as text
    Column("entry", Words, nullable=False),
    Column("hash", Words, nullable=False),
    UniqueConstraint("stream", "number"),
    Index(None, "subject", "subject_kind"),
    sqlite_autoincrement=True,
)

journal_head = Table(
    "journal_head",
    METADATA,
    Column("stream", Words, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", Words, nullable=False),
    sqlite_with_rowid=False,
)

journal_checkpoint = Table(
    "journal_checkpoint",
    METADATA,
    Column("number", SERIAL, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", Words, nullable=False),
    #: roots of the complete subtrees, so that the next checkpoint reads only what is new
    Column("frontier", Json(tuple[str, ...]), nullable=False),
    Column("statement", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("signature", Words, nullable=False),
)

commitment_salt = Table(
    "commitment_salt",
    METADATA,
    Column("subject", Words, primary_key=True),
    Column("salt", Words, nullable=False),
    sqlite_with_rowid=False,
)
