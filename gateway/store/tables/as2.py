"""AS2: what was posted as it was made, and the receipts that were given."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table

from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES

# What was posted by AS2, as it was made at the first try: each retry posts the same bytes, and a receipt is compared with the same digests.
as2_sending = Table(
    "as2_sending",
    METADATA,
    Column("message_id", Words, primary_key=True),
    Column("outbox", Words, ForeignKey("outbox.id"), nullable=False),
    Column("partner", Words, nullable=False),
    Column("endpoint", Words, nullable=False),
    Column("us", Words, nullable=False),
    Column("them", Words, nullable=False),
    Column("request_sha256", Words, nullable=False),
    Column("content_head", Words),
    Column("content_sha256", Words),
    Column("encrypted_for", Words),
    Column("mics", Json(tuple[str, ...]), nullable=False),
    Column("receipt", Words, nullable=False),
    Column("delivery", Words, nullable=False),
    Column("wrapped_at", Moment, nullable=False),
    Column("posts", Integer, nullable=False),
    Column("receipt_state", Words),
    Column("receipt_at", Moment),
    Column("receipt_sha256", Words),
    Column("disposition", Words),
    Column("signed_by", Words),
    Column("trouble", Words),
    Column("signed", Boolean),
    Index(None, "outbox", unique=True),
    sqlite_with_rowid=False,
)

receipt = Table(
    "receipt",
    METADATA,
    Column("as2_from", Words, nullable=False),
    Column("as2_to", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("transmission", Words, ForeignKey("transmission.id")),
    Column("mdn_sha256", Words, nullable=False),
    Column("headers", NAMES, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("as2_from", "as2_to", "message_id"),
    #: whoever telephones a partner has nothing else in hand
    Index(None, "message_id"),
    sqlite_with_rowid=False,
)

# Messages that were answered and wait to be opened: their senders want the receipts posted.
as2_unopened = Table(
    "as2_unopened",
    METADATA,
    Column("request_sha256", Words, primary_key=True),
    Column("stream", Words, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("came_at", Moment, nullable=False),
    #: unknown of messages of before 0025
    Column("message_id", Words),
    Index(None, "stream", "seq"),
    Index(None, "message_id"),
    sqlite_with_rowid=False,
)

# Requests in the archive that nothing else names but the journal: of messages that were refused or came again, and receipts that fit nothing.
as2_request = Table(
    "as2_request",
    METADATA,
    Column("request_sha256", Words, primary_key=True),
    #: whose names these are; nothing: nobody's that we know
    Column("partner", Words, nullable=False),
    Column("as2_from", Words, nullable=False),
    Column("as2_to", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    #: the last time
    Column("came_at", Moment, nullable=False),
    Index(None, "message_id"),
    Index(None, "came_at", "request_sha256"),
    sqlite_with_rowid=False,
)

# Messages that were refused: the newest of each sender and code, for some time.
as2_refusal = Table(
    "as2_refusal",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("partner", Words, nullable=False),
    Column("as2_from", Words, nullable=False),
    Column("as2_to", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("file", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("sentence", Words, nullable=False),
    Column("codes", Words, nullable=False),
    Column("request_sha256", Words),
    Column("mdn_sha256", Words),
    Column("first_at", Moment, nullable=False),
    Column("at", Moment, nullable=False),
    Column("number", BigInteger, nullable=False),
    Index(None, "partner", "code", "at", "id"),
    Index(None, "at"),
    Index(None, "message_id"),
    Index(None, "file"),
    Index(None, "as2_from", "at"),
    Index(None, "request_sha256"),
    sqlite_with_rowid=False,
)
