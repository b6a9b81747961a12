"""What changes made of an order, field by field: all versions on the page of the order, before and after on the page of a change."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from gateway.model import document as canonical
from gateway.model.amendment import amend
from gateway.model.amendment import change_of
from gateway.model.amendment import numbered
from gateway.model.change import OrderChange
from gateway.model.differences import Difference
from gateway.model.differences import differences
from gateway.model.order import Order
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.records.documents import Document


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an order and what it changed; `asked` only where the change is not (yet) in the order."""

    number: int
    at: datetime
    #: the change's document, and the number that people know it by
    document: str
    words: str
    #: the order's document
    order: str
    differences: tuple[Difference, ...] = ()
    asked: bool = False


def versions_of(connection: Connection, row: Document) -> list[Version]:
    """The versions that stand on a document's page: all of an order, newest first, or the one of a change."""
    if row.direction != "in" or row.kind not in {"order", "order_change"} or row.body is None:
        return []
    own = changes.get(connection, row.id)
    if own is not None:
        return _of_change(connection, row, own)
    made = [change for change, _ in changes.of_orders(connection, [row.id]).get(row.id, []) if change.version is not None]
    rows = documents.get_many(connection, [change.document for change in made])
    shown, before = [], cast(Order, canonical.decode(row.body))
    for change in sorted(made, key=lambda one: one.version or 0):
        after = cast(Order, canonical.decode(change.body or ""))
        shown.append(
            Version(change.version or 0, change.at, change.document, rows[change.document].number, row.id, differences=differences(before, after))
        )
        before = after
    return shown[::-1]


def _of_change(connection: Connection, row: Document, own: changes.OrderChange) -> list[Version]:
    before = _order(connection, own.sales_order, (own.version or 1) - 1 if own.version else None)
    if before is None:
        return []
    if own.body is not None:
        after = cast(Order, canonical.decode(own.body))
        return [Version(own.version or 0, own.at, row.id, row.number, own.sales_order, differences=differences(before, after))]
    if row.state not in {"held", "registered"}:
        return []
    document = canonical.decode(row.body or "")
    change = numbered(change_of(document) if isinstance(document, Order) else cast(OrderChange, document), before)
    wanted = differences(before, amend(before, change).order)
    return [Version(0, own.at, row.id, row.number, own.sales_order, differences=wanted, asked=True)]


def _order(connection: Connection, order: str, version: int | None) -> Order | None:
    """An order in a version; the newest where none is named."""
    if version is None:
        made = changes.newest(connection, [order]).get(order)
    else:
        made = changes.version(connection, order, version)
    if made is not None and made.body is not None:
        return cast(Order, canonical.decode(made.body))
    first = documents.get(connection, order)
    return cast(Order, canonical.decode(first.body)) if first is not None and first.body else None
