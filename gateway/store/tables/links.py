"""Links over HTTPS: what was pushed to us, what lies ready to be fetched, events on their way."""

from sqlalchemy import BigInteger
from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import text

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

# What partners pushed to us under an idempotency key, with the first answer.
upload = Table(
    "upload",
    METADATA,
    Column("account", Words, nullable=False),
    Column("key", Words, nullable=False),
    #: of the digests of the files in it
    Column("sha256", Words, nullable=False),
    Column("answer", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("account", "key"),
    Index(None, "created_at"),
)

# What lies ready for partners who fetch it; the bytes are in the archive.
pickup = Table(
    "pickup",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("account", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("taken_at", Moment),
    Index("ix_pickup_waiting", "account", "created_at", "id", sqlite_where=text("taken_at IS NULL"), postgresql_where=text("taken_at IS NULL")),
)

# Events on their way to the addresses that config.yaml names, in order for each of them.
webhook = Table(
    "webhook",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("target", Words, nullable=False),
    #: the journal's position that the event stands at
    Column("position", BigInteger, nullable=False),
    Column("event", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", Words),
    Column("lease_until", Moment),
    Column("last_error", Words),
    Column("ended_at", Moment),
    Index("ix_webhook_open", "target", "position", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    Index(None, "state", "created_at", "id"),
)
