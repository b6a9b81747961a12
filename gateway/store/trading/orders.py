"""Sales orders and their lines: what was ordered, accepted, despatched and invoiced. One row an order document, the document's id is its key.

Quantities are exact decimals and never sum up in SQL. Orders of test traffic are kept like others and marked; figures leave them out.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from msgspec import UNSET
from msgspec import UnsetType
from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import one_of
from gateway.store.rows import values_of

STATES = ("registered", "held", "accepted", "rejected", "cancelled", "replaced", "part_despatched", "despatched", "invoiced", "closed")
#: accepted and not yet (wholly) invoiced: what counts as exposure beside the open items
COMMITTED = ("accepted", "part_despatched", "despatched")
_TABLE = tables.sales_order
_LINE = tables.order_line
_MANY = 500


class SalesOrder(Row, frozen=True, kw_only=True):
    """An order as we follow it through."""

    document: str
    partner: str
    number: str
    release: str | None = None
    purpose: str | None = None
    #: SHA-256 of what was ordered (trade.acceptance.fingerprint)
    fingerprint: str | None = None
    state: str = "registered"
    currency: str
    #: value of what was accepted (before the decision: of what was ordered)
    total_minor: int
    invoiced_minor: int = 0
    test: bool = False
    issued_on: date | None = None
    requested_on: date | None = None
    promised_on: date | None = None
    created_at: datetime
    changed_at: datetime


class OrderLine(Row, frozen=True, kw_only=True):
    """A line and how far it is, in its unit."""

    document: str
    number: str
    ordinal: int
    item: str | None = None
    unit: str | None = None
    price: Decimal | None = None
    price_base: Decimal | None = None
    #: open, rejected, closed, ...
    state: str = "open"
    promised_on: date | None = None
    ordered: Decimal
    accepted: Decimal = Decimal(0)
    back_ordered: Decimal = Decimal(0)
    despatched: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


class LineChange(Row, frozen=True, kw_only=True):
    """Quantities that a shipment or an invoice adds to a line (negative takes back)."""

    document: str
    line: str
    despatched: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


_ORDER_OF = attrgetter(*SalesOrder.__struct_fields__)
_LINE_OF = attrgetter(*OrderLine.__struct_fields__)
_INSERT = many_inserts(_TABLE, SalesOrder.__struct_fields__, ignore=("document",))
_INSERT_LINES = many_inserts(_LINE, OrderLine.__struct_fields__, ignore=("document", "number"))


def create(connection: Connection, orders: Sequence[SalesOrder], lines: Sequence[OrderLine]) -> None:
    """Insert orders with their lines; an order that is there already keeps what it has, and so do its lines."""
    _INSERT.run(connection, map(_ORDER_OF, orders))
    _INSERT_LINES.run(connection, map(_LINE_OF, lines))


def change_state(
    connection: Connection,
    document: str,
    expected: str | Collection[str],
    state: str,
    *,
    at: datetime,
    total_minor: int | UnsetType = UNSET,
    add_invoiced_minor: int = 0,
    promised_on: date | None | UnsetType = UNSET,
    fingerprint: str | UnsetType = UNSET,
) -> None:
    """Move an order on; StaleState where it is in none of the expected states."""
    states = (expected,) if isinstance(expected, str) else tuple(expected)
    given = {"total_minor": total_minor, "promised_on": promised_on, "fingerprint": fingerprint}
    changes: dict[str, Any] = {"state": state, "changed_at": at, **{name: value for name, value in given.items() if value is not UNSET}}
    if add_invoiced_minor:
        changes["invoiced_minor"] = _TABLE.c.invoiced_minor + add_invoiced_minor
    if connection.execute(update(_TABLE).where(_TABLE.c.document == document, _TABLE.c.state.in_(states)).values(changes)).rowcount != 1:
        there = connection.execute(select(_TABLE.c.state).where(_TABLE.c.document == document)).scalar_one_or_none()
        raise StaleState(f"order {document} is {there or 'unknown'}, expected {' or '.join(states)}")


def put_lines(connection: Connection, document: str, lines: Sequence[OrderLine]) -> None:
    """Replace an order's lines by these (a decision, a change). What is despatched or invoiced already is for the caller to carry over."""
    connection.execute(delete(_LINE).where(_LINE.c.document == document))
    if lines:
        connection.execute(_LINE.insert(), [values_of(line) for line in lines])


def decide_lines(connection: Connection, lines: Sequence[OrderLine]) -> None:
    """Write accepted and back-ordered quantities, states and promises of many lines at once."""
    if not lines:
        return
    names = ("item", "unit", "price", "price_base", "state", "promised_on", "accepted", "back_ordered")
    statement = update(_LINE).where(_LINE.c.document == bindparam("key_document"), _LINE.c.number == bindparam("key_number"))
    connection.execute(
        statement.values({name: bindparam(name) for name in names}),
        [{"key_document": line.document, "key_number": line.number, **{name: getattr(line, name) for name in names}} for line in lines],
    )


def add_quantities(connection: Connection, changes: Sequence[LineChange]) -> dict[tuple[str, str], OrderLine]:
    """Add despatched and invoiced quantities; returns the lines as they are then. StaleState names a line that does not exist.

    Nothing is capped here: whether more may be despatched than was accepted is trade's decision.
    """
    present = {(line.document, line.number): line for line in lines_of(connection, {change.document for change in changes}, lock=True)}
    for change in changes:
        line = present.get((change.document, change.line))
        if line is None:
            raise StaleState(f"order {change.document} has no line {change.line}")
        fields = values_of(line)
        fields["despatched"] += change.despatched
        fields["invoiced"] += change.invoiced
        present[change.document, change.line] = OrderLine(**fields)
    changed = {(change.document, change.line) for change in changes}
    if changed:
        statement = update(_LINE).where(_LINE.c.document == bindparam("key_document"), _LINE.c.number == bindparam("key_number"))
        connection.execute(
            statement.values(despatched=bindparam("despatched"), invoiced=bindparam("invoiced")),
            [
                {"key_document": key[0], "key_number": key[1], "despatched": present[key].despatched, "invoiced": present[key].invoiced}
                for key in sorted(changed)
            ],
        )
    return {key: present[key] for key in sorted(changed)}


def get(connection: Connection, document: str) -> SalesOrder | None:
    """The order of this document."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.document == document)), SalesOrder)


def get_many(connection: Connection, documents: Collection[str]) -> dict[str, SalesOrder]:
    """The orders of these documents, by document; those that are none are left out."""
    wanted = sorted(set(documents))
    found: list[SalesOrder] = []
    for start in range(0, len(wanted), _MANY):
        found += all_of(connection.execute(select(_TABLE).where(_TABLE.c.document.in_(wanted[start : start + _MANY]))), SalesOrder)
    return {order.document: order for order in found}


def find(connection: Connection, partner: str, numbers: Collection[str]) -> list[SalesOrder]:
    """All orders of a partner with one of these numbers, oldest first."""
    wanted = sorted(set(numbers))
    found: list[SalesOrder] = []
    for start in range(0, len(wanted), _MANY):
        found += all_of(
            connection.execute(select(_TABLE).where(_TABLE.c.partner == partner, _TABLE.c.number.in_(wanted[start : start + _MANY]))), SalesOrder
        )
    return sorted(found, key=lambda order: (order.created_at, order.document))


def lines_of(connection: Connection, documents: Collection[str], *, lock: bool = False) -> list[OrderLine]:
    """The lines of orders, order by order; `lock` keeps others from changing them until the transaction ends."""
    wanted = sorted(set(documents))
    found: list[OrderLine] = []
    for start in range(0, len(wanted), _MANY):
        query = select(_LINE).where(_LINE.c.document.in_(wanted[start : start + _MANY])).order_by(_LINE.c.document, _LINE.c.ordinal, _LINE.c.number)
        found += all_of(connection.execute(query.with_for_update() if lock else query), OrderLine)
    return found


def search(
    connection: Connection,
    *,
    partner: str | None = None,
    states: Collection[str] | None = None,
    test: bool | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[SalesOrder]:
    """Newest first; `after` is (created_at, document) of the last one of the page before."""
    query = select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.document.desc()).limit(limit)
    if partner is not None:
        query = query.where(_TABLE.c.partner == partner)
    if states is not None:
        query = query.where(_TABLE.c.state.in_(sorted(states)))
    if test is not None:
        query = query.where(_TABLE.c.test == test)
    if after is not None:
        query = query.where(_TABLE.c.created_at <= after[0], or_(_TABLE.c.created_at < after[0], _TABLE.c.document < after[1]))
    return all_of(connection.execute(query), SalesOrder)


def committed_minor(connection: Connection, partner: str, excluding: Collection[str] = ()) -> Mapping[str, int]:
    """Currency -> value of accepted orders that is not invoiced yet. Test orders count nothing."""
    query = select(_TABLE.c.currency, func.sum(_TABLE.c.total_minor - _TABLE.c.invoiced_minor)).where(
        _TABLE.c.partner == partner, _TABLE.c.state.in_(COMMITTED), _TABLE.c.test.is_(False), _TABLE.c.total_minor > _TABLE.c.invoiced_minor
    )
    if excluding:
        query = query.where(_TABLE.c.document.not_in(sorted(excluding)))
    return {currency: int(total) for currency, total in connection.execute(query.group_by(_TABLE.c.currency))}


def accepted_count(connection: Connection, partner: str) -> int:
    """How many orders of a partner were accepted, ever (test orders left out)."""
    query = (
        select(func.count())
        .select_from(_TABLE)
        .where(_TABLE.c.partner == partner, _TABLE.c.test.is_(False), _TABLE.c.state.in_((*COMMITTED, "invoiced", "closed")))
    )
    return int(connection.execute(query).scalar_one())
