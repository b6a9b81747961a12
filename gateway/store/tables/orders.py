"""Orders, their lines and changes."""

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Date
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint

from gateway.store.columns import Moment
from gateway.store.columns import Quantity
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

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
