"""Changes of orders, and the versions that they made of them. An order's first version is the body of its own document; each later one lies
here, beside the change that made it, and is never touched again."""

from collections.abc import Collection
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import values_of

_TABLE = tables.order_change
_MANY = 500


class OrderChange(Row, frozen=True, kw_only=True):
    """A change of an order that we know. `version` and `body` only where it made a version of the order."""

    document: str
    sales_order: str
    number: str | None = None
    sequence: str | None = None
    fingerprint: str
    version: int | None = None
    body: str | None = None
    order_fingerprint: str | None = None
    at: datetime


def put(connection: Connection, change: OrderChange) -> None:
    """Note a change, or what became of it when it was decided again."""
    values = values_of(change)
    statement = insert(connection, _TABLE).values(values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["document"], set_={name: values[name] for name in values if name != "document"})
    )


def of_orders(connection: Connection, orders: Collection[str]) -> dict[str, list[tuple[OrderChange, str]]]:
    """Order document -> its changes with the states that their documents are in, in the order in which they came."""
    document, found = tables.document, dict[str, list[tuple[OrderChange, str]]]()
    for part in _parts(orders):
        query = select(_TABLE, document.c.state).join(document, document.c.id == _TABLE.c.document).where(_TABLE.c.sales_order.in_(part))
        for row in connection.execute(query.order_by(document.c.seq, document.c.id)):
            *values, state = row
            change = OrderChange(**dict(zip((column.name for column in _TABLE.columns), values, strict=True)))
            found.setdefault(change.sales_order, []).append((change, state))
    return found


def newest(connection: Connection, orders: Collection[str]) -> dict[str, OrderChange]:
    """Order document -> the change that made its newest version; orders that were never changed are left out."""
    found: dict[str, OrderChange] = {}
    for part in _parts(orders):
        query = select(_TABLE).where(_TABLE.c.sales_order.in_(part), _TABLE.c.version.is_not(None)).order_by(_TABLE.c.sales_order, _TABLE.c.version)
        found.update({change.sales_order: change for change in all_of(connection.execute(query), OrderChange)})
    return found


def version(connection: Connection, order: str, number: int) -> OrderChange | None:
    """The change that made this version of an order; None where there is none, as for the first one."""
    rows = all_of(connection.execute(select(_TABLE).where(_TABLE.c.sales_order == order, _TABLE.c.version == number)), OrderChange)
    return rows[0] if rows else None


def get(connection: Connection, document: str) -> OrderChange | None:
    """What is noted about the change of this document."""
    rows = all_of(connection.execute(select(_TABLE).where(_TABLE.c.document == document)), OrderChange)
    return rows[0] if rows else None


def _parts(values: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _MANY):
        yield wanted[start : start + _MANY]
