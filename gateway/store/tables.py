"""All tables of the gateway, in SQLAlchemy Core. What a state or a kind may be stands beside the functions that write it.

Money is integer minor units and a currency; quantities are exact decimals in text; times are UTC text of one width.
Changing a table needs a new migration: a test compares this page with what the migrations build.
"""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Date
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import LargeBinary
from sqlalchemy import MetaData
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import text

from gateway.problem import Problem
from gateway.store.alert_item import Item
from gateway.store.columns import SERIAL
from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Quantity
from gateway.store.columns import Words

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: tables whose rows are only ever added; triggers on both databases refuse UPDATE and DELETE
APPEND_ONLY = ("journal_entry", "journal_checkpoint", "document_state", "allocation", "credit_application")

_PROBLEMS = Json(tuple[Problem, ...])
_NAMES = Json(dict[str, str])

# ---------------------------------------------------------------- installation

setting = Table(
    "setting",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
    sqlite_with_rowid=False,
)

trouble = Table(
    "trouble",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("partner", Words),
    Column("state", Words, nullable=False),
    Column("error", Words, nullable=False),
    Column("cure", Words, nullable=False),
    Column("since", Moment, nullable=False),
    sqlite_with_rowid=False,
)

#: files that were taken in and could not be removed where they lay
left_behind = Table(
    "left_behind",
    METADATA,
    Column("address", Words, nullable=False),
    Column("identity", Words, nullable=False),
    Column("since", Moment, nullable=False),
    PrimaryKeyConstraint("address", "identity"),
    sqlite_with_rowid=False,
)

#: accounts at partners' servers that are left alone
circuit = Table(
    "circuit",
    METADATA,
    Column("account", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("error", Words, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("not_before", Moment, nullable=False),
    sqlite_with_rowid=False,
)

alert = Table(
    "alert",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("partner", Words),
    Column("severity", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("cure", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("gone_since", Moment),
    Column("over_at", Moment),
    Column("told_at", Moment),
    Column("told_severity", Words),
    Column("told_number", Integer, nullable=False),
    sqlite_with_rowid=False,
)

alert_message = Table(
    "alert_message",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("way", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("items", Json(tuple[Item, ...]), nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("last_error", Words),
    Index(None, "created_at"),
    Index("ix_alert_message_waiting", "way", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
)

alert_mute = Table(
    "alert_mute",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("kind", Words),
    Column("partner", Words),
    Column("until", Moment, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

#: counters and sums since the installation began: whole numbers that are only added to
meter = Table(
    "meter",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("labels", Words, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

commitment_salt = Table(
    "commitment_salt",
    METADATA,
    Column("subject", Words, primary_key=True),
    Column("salt", Words, nullable=False),
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------- payloads, where the archive is the database

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

# ---------------------------------------------------------------- retention

# What a file, a delivery or a document of ours was erased of; no text where nothing of it lay in the archive.
erasure = Table(
    "erasure",
    METADATA,
    #: transmission, outbox, document
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

# ---------------------------------------------------------------- streams

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

# ---------------------------------------------------------------- cluster

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

# Partners to whom nothing is sent for now.
pause = Table(
    "pause",
    METADATA,
    Column("partner", Words, primary_key=True),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("fetching", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------- journal

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

# ---------------------------------------------------------------- what arrives

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
    Column("problems", _PROBLEMS, nullable=False),
    Column("properties", _NAMES, nullable=False),
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
    Column("problems", _PROBLEMS, nullable=False),
    #: JSON that only the caller reads: the result that the acknowledgment is made of
    Column("result", Words),
    Column("plan_digests", _NAMES, nullable=False),
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
    Column("reasons", _PROBLEMS, nullable=False),
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

receipt = Table(
    "receipt",
    METADATA,
    Column("as2_from", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("transmission", Words, ForeignKey("transmission.id")),
    Column("mdn_sha256", Words, nullable=False),
    Column("headers", _NAMES, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("as2_from", "message_id"),
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------- what leaves

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
    Column("properties", _NAMES, nullable=False),
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
    Index(None, "outbox", unique=True),
    sqlite_with_rowid=False,
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
    Column("problems", _PROBLEMS, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "outbox"),
    Index(None, "document"),
    Index(None, "partner", "at", "id"),
    Index("ix_answer_unmatched", "partner", "at", "id", sqlite_where=text("outbox IS NULL"), postgresql_where=text("outbox IS NULL")),
)

control = Table(
    "control",
    METADATA,
    Column("partner", Words, nullable=False),
    Column("our_id", Words, nullable=False),
    Column("level", Words, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("drawn", BigInteger, nullable=False),
    PrimaryKeyConstraint("partner", "our_id", "level"),
    sqlite_with_rowid=False,
)

_COUNTING = ("partner", "direction", "identity", "level", "kind", "test")


def _counting() -> list[Column[Any]]:
    """What a counting of control numbers is known by."""
    return [Column(name, Boolean() if name == "test" else Words(), nullable=False) for name in _COUNTING]


counting = Table(
    "counting",
    METADATA,
    *_counting(),
    Column("round", Integer, nullable=False),
    Column("latest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("repeated", BigInteger, nullable=False),
    Column("last_repeated", BigInteger),
    Column("rolled_at", Moment),
    Column("changed_at", Moment, nullable=False),
    PrimaryKeyConstraint(*_COUNTING),
    sqlite_with_rowid=False,
)

# Numbers that follow each other are one row: a partner's million interchanges are one row, and one more for each gap.
control_run = Table(
    "control_run",
    METADATA,
    *_counting(),
    Column("round", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    PrimaryKeyConstraint(*_COUNTING, "round", "first"),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    METADATA,
    Column("entity", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("entity", "name"),
    sqlite_with_rowid=False,
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

# ---------------------------------------------------------------- links over HTTPS

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

# ---------------------------------------------------------------- master data

item = Table(
    "item",
    METADATA,
    Column("number", Words, primary_key=True),
    Column("name", Words),
    Column("base_unit", Words, nullable=False),
    Column("gtin", Words),
    Column("tax_category", Words),
    Column("tax_rate", Quantity),
    Column("minimum_quantity", Quantity),
    Column("multiple", Quantity),
    Column("discontinued", Boolean, nullable=False),
    Index(None, "gtin"),
)

item_unit = Table(
    "item_unit",
    METADATA,
    Column("item", Words, ForeignKey("item.number"), nullable=False),
    Column("unit", Words, nullable=False),
    #: base units in one of this unit
    Column("factor", Quantity, nullable=False),
    PrimaryKeyConstraint("item", "unit"),
    sqlite_with_rowid=False,
)

item_reference = Table(
    "item_reference",
    METADATA,
    #: empty: holds for every partner
    Column("partner", Words, nullable=False),
    Column("scheme", Words, nullable=False),
    Column("value", Words, nullable=False),
    Column("item", Words, ForeignKey("item.number"), nullable=False),
    PrimaryKeyConstraint("partner", "scheme", "value"),
    Index(None, "item"),
    sqlite_with_rowid=False,
)

place = Table(
    "place",
    METADATA,
    Column("partner", Words, nullable=False),
    Column("scheme", Words, nullable=False),
    Column("value", Words, nullable=False),
    #: our number of the address
    Column("address", Words, nullable=False),
    PrimaryKeyConstraint("partner", "scheme", "value"),
    sqlite_with_rowid=False,
)

price = Table(
    "price",
    METADATA,
    #: empty: the list that holds for every partner without a price of its own
    Column("partner", Words, nullable=False),
    Column("item", Words, ForeignKey("item.number"), nullable=False),
    Column("currency", Words, nullable=False),
    Column("unit", Words, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("minimum_quantity", Quantity, nullable=False),
    Column("amount", Quantity, nullable=False),
    Column("base", Quantity, nullable=False),
    Column("valid_until", Date),
    PrimaryKeyConstraint("partner", "item", "currency", "unit", "valid_from", "minimum_quantity"),
    Index(None, "item"),
    sqlite_with_rowid=False,
)

stock = Table(
    "stock",
    METADATA,
    Column("item", Words, ForeignKey("item.number"), primary_key=True),
    Column("on_hand", Quantity, nullable=False),
    Column("restock_on", Date),
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# Only ever added to: a release is a row with a negative quantity. `reserved` below is the sum.
reservation = Table(
    "reservation",
    METADATA,
    Column("id", SERIAL, primary_key=True),
    Column("document", Words, ForeignKey("document.id"), nullable=False),
    Column("line", Words, nullable=False),
    Column("item", Words, ForeignKey("item.number"), nullable=False),
    Column("quantity", Quantity, nullable=False),
    #: what this row is about (reserve, release, despatch/<number>): the same step twice adds one row
    Column("cause", Words, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("document", "line", "item", "cause"),
    Index(None, "item"),
)

reserved = Table(
    "reserved",
    METADATA,
    Column("item", Words, ForeignKey("item.number"), primary_key=True),
    Column("quantity", Quantity, nullable=False),
    sqlite_with_rowid=False,
)

partner_note = Table(
    "partner_note",
    METADATA,
    Column("partner", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("value", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("partner", "name"),
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------- orders

sales_order = Table(
    "sales_order",
    METADATA,
    Column("document", Words, ForeignKey("document.id"), primary_key=True),
    Column("partner", Words, nullable=False),
    Column("number", Words, nullable=False),
    Column("release", Words),
    Column("purpose", Words),
    Column("fingerprint", Words),
    Column("state", Words, nullable=False),
    Column("currency", Words, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("invoiced_minor", BigInteger, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("issued_on", Date),
    Column("requested_on", Date),
    Column("promised_on", Date),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index(None, "partner", "number"),
    Index(None, "number"),
    Index(None, "state", "created_at", "document"),
    Index(None, "partner", "state", "currency"),
)

order_line = Table(
    "order_line",
    METADATA,
    Column("document", Words, ForeignKey("sales_order.document"), nullable=False),
    Column("number", Words, nullable=False),
    #: place in the order, counted from 1
    Column("ordinal", Integer, nullable=False),
    Column("item", Words),
    Column("unit", Words),
    Column("price", Quantity),
    Column("price_base", Quantity),
    Column("state", Words, nullable=False),
    Column("promised_on", Date),
    Column("ordered", Quantity, nullable=False),
    Column("accepted", Quantity, nullable=False),
    Column("back_ordered", Quantity, nullable=False),
    Column("despatched", Quantity, nullable=False),
    Column("invoiced", Quantity, nullable=False),
    PrimaryKeyConstraint("document", "number"),
    Index(None, "item"),
    sqlite_with_rowid=False,
)

# A change of an order, with the version of the order that it made; an order's first version is what it came with.
order_change = Table(
    "order_change",
    METADATA,
    Column("document", Words, ForeignKey("document.id"), primary_key=True),
    Column("sales_order", Words, ForeignKey("sales_order.document"), nullable=False),
    Column("number", Words),
    Column("sequence", Words),
    Column("fingerprint", Words, nullable=False),
    Column("version", Integer),
    #: canonical JSON of the order in this version, and what it is recognised by
    Column("body", Words),
    Column("order_fingerprint", Words),
    Column("at", Moment, nullable=False),
    UniqueConstraint("sales_order", "version"),
)

# ---------------------------------------------------------------- receivables

open_item = Table(
    "open_item",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("partner", Words, nullable=False),
    Column("document", Words, ForeignKey("document.id")),
    Column("kind", Words, nullable=False),
    Column("number", Words, nullable=False),
    Column("order_number", Words),
    Column("currency", Words, nullable=False),
    #: a credit note's amount is negative
    Column("amount_minor", BigInteger, nullable=False),
    #: amount less its allocations, kept in the transaction that adds one
    Column("open_minor", BigInteger, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("kind", "number", "partner"),
    Index("ix_open_item_open", "partner", "currency", "due_on", "id", sqlite_where=text("open_minor <> 0"), postgresql_where=text("open_minor <> 0")),
    Index(None, "number"),
    Index(None, "document"),
    Index(None, "order_number"),
)

payment = Table(
    "payment",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("source", Words, nullable=False),
    #: unique per source: a bank statement read twice is harmless
    Column("bank_reference", Words, nullable=False),
    Column("partner", Words),
    Column("document", Words, ForeignKey("document.id")),
    Column("currency", Words, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("unapplied_minor", BigInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date),
    Column("payer_name", Words),
    Column("payer_account", Words),
    Column("trace", Words),
    Column("text", Words),
    Column("state", Words, nullable=False),
    Column("details", _NAMES, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("source", "bank_reference"),
    Index(
        "ix_payment_unapplied",
        "partner",
        "currency",
        "booked_on",
        "id",
        sqlite_where=text("unapplied_minor <> 0"),
        postgresql_where=text("unapplied_minor <> 0"),
    ),
    Index(None, "trace"),
    Index(None, "document"),
    Index(None, "booked_on", "id"),
)

credit_application = Table(
    "credit_application",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("credit_item", Words, ForeignKey("open_item.id"), nullable=False),
    Column("invoice_item", Words, ForeignKey("open_item.id"), nullable=False),
    Column("currency", Words, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "credit_item"),
    Index(None, "invoice_item"),
)

allocation = Table(
    "allocation",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("payment", Words, ForeignKey("payment.id")),
    Column("open_item", Words, ForeignKey("open_item.id"), nullable=False),
    Column("credit_application", Words, ForeignKey("credit_application.id")),
    Column("kind", Words, nullable=False),
    Column("currency", Words, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("reason_code", Words),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    #: the allocation that this one takes back; each at most once
    Column("reverses", Words, ForeignKey("allocation.id"), unique=True),
    Index(None, "payment"),
    Index(None, "open_item"),
)
