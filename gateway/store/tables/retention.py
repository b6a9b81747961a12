"""What was erased, and what may not be."""

from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import text

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

# What a file, a delivery or a document of ours was erased of; no text where nothing of it lay in the archive.
erasure = Table(
    "erasure",
    METADATA,
    #: transmission, outbox, document, as2_request
    Column("subject_kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("rule", Words, nullable=False),
    #: when the bytes left the archive
    Column("removed_at", Moment),
    PrimaryKeyConstraint("subject_kind", "subject", "sha256"),
    Index(None, "sha256"),
    Index("ix_erasure_unfinished", "sha256", sqlite_where=text("removed_at IS NULL"), postgresql_where=text("removed_at IS NULL")),
    Index(None, "erased_at"),
    sqlite_with_rowid=False,
)

legal_hold = Table(
    "legal_hold",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("subject_kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("released_at", Moment),
    Column("released_by", Words),
    Column("release_reason", Words),
    sqlite_with_rowid=False,
)
