"""Stock on hand and what of it is promised. Reservations are only ever added; a release is one with a negative quantity.

Quantities are in base units. The sum in `reserved` is kept in the same transaction; test traffic never comes here.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.model.facts import StockLevel
from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import upsert
from gateway.store.rows import values_of

_STOCK = tables.stock
_RESERVATION = tables.reservation
_RESERVED = tables.reserved
_ZERO = Decimal(0)
_MANY = 500


class Stock(Row, frozen=True, kw_only=True):
    """What lies in the warehouse."""

    item: str
    on_hand: Decimal
    restock_on: date | None = None
    at: datetime


class Reservation(Row, frozen=True, kw_only=True):
    """Goods promised to an order line. The same document, line, item and cause again adds nothing."""

    document: str
    line: str
    item: str
    quantity: Decimal
    #: reserve, release, despatch/<number>, ...
    cause: str
    at: datetime


def put_stock(connection: Connection, levels: Iterable[Stock]) -> None:
    """Set what is on hand, as the warehouse counts it."""
    upsert(connection, _STOCK, [values_of(level) for level in levels])


def move_stock(connection: Connection, changes: Mapping[str, Decimal], at: datetime) -> None:
    """Add to what is on hand (goods that left: negative). Items without stock data are left out."""
    items = sorted(changes)
    for start in range(0, len(items), _MANY):
        query = select(_STOCK).where(_STOCK.c.item.in_(items[start : start + _MANY])).order_by(_STOCK.c.item).with_for_update()
        levels = all_of(connection.execute(query), Stock)
        upsert(connection, _STOCK, [{**values_of(level), "on_hand": level.on_hand + changes[level.item], "at": at} for level in levels])


def reserve(connection: Connection, reservations: Sequence[Reservation]) -> list[Reservation]:
    """Add reservations (or releases); returns those that are new."""
    if not reservations:
        return []
    statement = insert(connection, _RESERVATION).on_conflict_do_nothing(index_elements=["document", "line", "item", "cause"])
    columns = (_RESERVATION.c.document, _RESERVATION.c.line, _RESERVATION.c.item, _RESERVATION.c.quantity, _RESERVATION.c.cause, _RESERVATION.c.at)
    fresh = all_of(connection.execute(statement.returning(*columns), [values_of(one) for one in reservations]), Reservation)
    differences: dict[str, Decimal] = {}
    for one in fresh:
        differences[one.item] = differences.get(one.item, _ZERO) + one.quantity
    _add_reserved(connection, differences)
    return fresh


def release(connection: Connection, document: str, cause: str, at: datetime, lines: Collection[str] | None = None) -> list[Reservation]:
    """Give back what is still reserved for a document (or some of its lines): a cancel, a rejection, a short close."""
    left = reserved_for(connection, document)
    return reserve(
        connection,
        [
            Reservation(document=document, line=line, item=item, quantity=-quantity, cause=cause, at=at)
            for (line, item), quantity in left.items()
            if quantity and (lines is None or line in lines)
        ],
    )


def reserved_for(connection: Connection, document: str) -> dict[tuple[str, str], Decimal]:
    """(line, item) -> what is reserved for a document now."""
    query = select(_RESERVATION.c.line, _RESERVATION.c.item, _RESERVATION.c.quantity).where(_RESERVATION.c.document == document)
    sums: dict[tuple[str, str], Decimal] = {}
    for line, item, quantity in connection.execute(query.order_by(_RESERVATION.c.line, _RESERVATION.c.item)):
        sums[line, item] = sums.get((line, item), _ZERO) + quantity
    return sums


def levels(connection: Connection, items: Collection[str]) -> dict[str, StockLevel]:
    """What can be promised of items. In a writing transaction on PostgreSQL their rows are locked: two workers never promise the same piece."""
    wanted = sorted(set(items))
    lock = connection.dialect.name == "postgresql" and not connection.get_execution_options().get("postgresql_readonly")
    found: dict[str, StockLevel] = {}
    for start in range(0, len(wanted), _MANY):
        part = wanted[start : start + _MANY]
        query = select(_STOCK).where(_STOCK.c.item.in_(part)).order_by(_STOCK.c.item)
        stocks = all_of(connection.execute(query.with_for_update() if lock else query), Stock)
        # asked after the lock: what another worker reserved before it let go counts
        promised = {row.item: row.quantity for row in connection.execute(select(_RESERVED).where(_RESERVED.c.item.in_(part)))}
        for one in stocks:
            found[one.item] = StockLevel(item=one.item, available=one.on_hand - promised.get(one.item, _ZERO), restock_on=one.restock_on)
    return found


def check_reserved(connection: Connection) -> list[str]:
    """Items whose kept sum is not the sum of their reservations: empty unless somebody else wrote to the database."""
    sums: dict[str, Decimal] = {}
    for item, quantity in connection.execute(select(_RESERVATION.c.item, _RESERVATION.c.quantity)):
        sums[item] = sums.get(item, _ZERO) + quantity
    kept = {row.item: row.quantity for row in connection.execute(select(_RESERVED))}
    return sorted(item for item in {*sums, *kept} if sums.get(item, _ZERO) != kept.get(item, _ZERO))


def _add_reserved(connection: Connection, differences: Mapping[str, Decimal]) -> None:
    items = sorted(differences)
    if connection.dialect.name == "postgresql" and items:
        connection.execute(insert(connection, _RESERVED).on_conflict_do_nothing(), [{"item": item, "quantity": _ZERO} for item in items])
    for start in range(0, len(items), _MANY):
        part = items[start : start + _MANY]
        query = select(_RESERVED).where(_RESERVED.c.item.in_(part)).order_by(_RESERVED.c.item).with_for_update()
        before = {row.item: row.quantity for row in connection.execute(query)}
        rows = [{"item": item, "quantity": before.get(item, _ZERO) + differences[item]} for item in part]
        for row in rows:
            if row["quantity"] < 0:
                raise StaleState(f"more of item {row['item']} would be released than is reserved")
        upsert(connection, _RESERVED, rows)
