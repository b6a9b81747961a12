"""What engines go by: streams and their wake-ups, the processes that work, who holds what."""

from sqlalchemy import BigInteger
from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import Table

from gateway.store.columns import SERIAL
from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES

stream = Table(
    "stream",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("next_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Rows are inserted by who pokes and deleted by who wakes: nobody waits for a lock, no wake-up is lost, nothing can deadlock.
poke = Table(
    "poke",
    METADATA,
    Column("id", SERIAL, primary_key=True),
    Column("stream", Words, nullable=False),
    Column("not_before", Moment),
    Index(None, "stream"),
)

node = Table(
    "node",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("host", Words, nullable=False),
    Column("process", Integer, nullable=False),
    Column("role", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# What the files of a process say: name -> digest.
node_files = Table(
    "node_files",
    METADATA,
    Column("node", Words, primary_key=True),
    Column("files", NAMES, nullable=False),
    sqlite_with_rowid=False,
)

claim = Table(
    "claim",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    #: counted up by each taking: who holds an older one has lost it
    Column("token", BigInteger, nullable=False),
    Column("until", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# What stood first in a stream when a process began at it anew: a process that ends there without a word has left this.
stream_head = Table(
    "stream_head",
    METADATA,
    Column("stream", Words, primary_key=True),
    Column("head", Words, nullable=False),
    Column("progress", Words, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("node", Words, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
