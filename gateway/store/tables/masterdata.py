"""Master data: items, places, prices, stock and what is reserved of it."""

from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Date
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint

from gateway.store.columns import SERIAL
from gateway.store.columns import Moment
from gateway.store.columns import Quantity
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

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
