"""Receivables: open items, payments, and what was set against what."""

from sqlalchemy import BigInteger
from sqlalchemy import Column
from sqlalchemy import Date
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import text

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA
from gateway.store.tables.metadata import NAMES

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
    Column("details", NAMES, nullable=False),
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
