"""Payloads, where the archive is the database, and the smallest ones wherever it is."""

from sqlalchemy import BigInteger
from sqlalchemy import Column
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import LargeBinary
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

payload = Table(
    "payload",
    METADATA,
    Column("sha256", Words, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("kept_at", Moment, nullable=False),
    #: the bytes of a small one; a large one names its pieces
    Column("data", LargeBinary),
    Column("pieces", Words),
    Index(None, "pieces"),
)

# Written before the payload's row, which names them: pieces that nothing names were cut off in between.
payload_piece = Table(
    "payload_piece",
    METADATA,
    Column("name", Words, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", "ordinal"),
)

# What is written in the transaction that names it: receipts that we gave, signatures of messages. As text, so that it is copied and saved with
# all other rows.
small_payload = Table(
    "small_payload",
    METADATA,
    Column("sha256", Words, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("kept_at", Moment, nullable=False),
    Column("base64", Words, nullable=False),
)
