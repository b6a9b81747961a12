"""What arrives: the file, and the interchanges in it."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import text

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES
from gateway.store.tables.metadata import PROBLEMS

transmission = Table(
    "transmission",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("direction", Words, nullable=False),
    Column("partner", Words),
    Column("endpoint", Words, nullable=False),
    Column("source_identity", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("problems", PROBLEMS, nullable=False),
    Column("properties", NAMES, nullable=False),
    Index(
        "uq_transmission_source",
        "endpoint",
        "source_identity",
        "sha256",
        unique=True,
        sqlite_where=text("direction = 'in'"),
        postgresql_where=text("direction = 'in'"),
    ),
    Index(
        "ix_transmission_open",
        "stream",
        "seq",
        sqlite_where=text("state IN ('received', 'opening')"),
        postgresql_where=text("state IN ('received', 'opening')"),
    ),
    Index(None, "sha256"),
    Index(None, "received_at", "id"),
    Index(None, "state", "received_at", "id"),
    Index(None, "partner", "received_at", "id"),
)

interchange = Table(
    "interchange",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("transmission", Words, ForeignKey("transmission.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("syntax", Words, nullable=False),
    Column("sender", Words, nullable=False),
    Column("receiver", Words, nullable=False),
    Column("partner", Words),
    Column("control_number", Words, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("state", Words, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("byte_offset", BigInteger, nullable=False),
    #: JSON that only the caller reads: the received envelope and its groups so far
    Column("envelope", Words, nullable=False),
    Column("outcome", Words),
    Column("opened_at", Moment, nullable=False),
    Column("finished_at", Moment),
    UniqueConstraint("transmission", "ordinal"),
    Index(None, "sender", "receiver", "control_number"),
    Index(None, "partner", "opened_at", "id"),
)
