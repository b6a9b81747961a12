"""Accepted orders as fulfilment and billing see them, put together from what is stored."""

from collections.abc import Collection
from collections.abc import Sequence

from gateway.model.catalogue import find_item
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.pipeline.answers.work import Work
from gateway.pipeline.trading.judging import orders_as_they_are
from gateway.pipeline.trading.owners import counting
from gateway.store.records import documents
from gateway.store.trading import masterdata
from gateway.store.trading import orders
from gateway.trade.open_order import OpenLine
from gateway.trade.open_order import OpenOrder

#: states of an order that goods can still leave for, or that can still be invoiced
OPEN = frozenset({"accepted", "part_despatched", "despatched"})


def open_orders(work: Work, partner: str, numbers: Collection[str]) -> tuple[list[OpenOrder], Facts]:
    """The partner's open orders of these numbers, and the facts about their items. A test order before a real one counts no more."""
    sales = [order for order in counting(orders.find(work.connection, partner, numbers)) if order.state in OPEN]
    rows = documents.get_many(work.connection, [order.document for order in sales])
    documents_ = [rows[order.document] for order in sales]
    sent = dict(zip((row.id for row in documents_), orders_as_they_are(work, documents_, [row.id for row in documents_]), strict=True))
    facts = masterdata.facts_for(work.connection, partner, list(sent.values()), work.now.date())
    lines: dict[str, list[orders.OrderLine]] = {}
    for line in orders.lines_of(work.connection, [order.document for order in sales], lock=True):
        lines.setdefault(line.document, []).append(line)
    return [_open(order, sent[order.document], lines.get(order.document, []), facts) for order in sales], facts


def standing(work: Work, partner: str, numbers: Collection[str]) -> dict[str, str]:
    """How the partner's orders of these numbers stand, the newest of each."""
    return {order.number: order.state for order in counting(orders.find(work.connection, partner, numbers))}


def _open(sales: orders.SalesOrder, order: Order, lines: Sequence[orders.OrderLine], facts: Facts) -> OpenOrder:
    return OpenOrder(
        document=sales.document,
        order=order,
        currency=sales.currency,
        test=sales.test,
        extras_billed=sales.invoiced_minor > 0,
        lines=tuple(_line(line, order, facts) for line in lines if line.state != "rejected"),
    )


def _line(line: orders.OrderLine, order: Order, facts: Facts) -> OpenLine:
    sent = order.lines[line.ordinal - 1]
    item = find_item(sent.identifiers, facts)
    said = sent.taxes[0] if sent.taxes else None
    category, rate = (item.tax_category, item.tax_rate) if item and item.tax_category else (said.category, said.rate) if said else (None, None)
    return OpenLine(
        number=line.number,
        ordered=line.ordered,
        accepted=line.accepted,
        despatched=line.despatched,
        invoiced=line.invoiced,
        unit=sent.unit,
        unit_source=sent.unit_source,
        price=line.price,
        price_base=line.price_base,
        item=line.item,
        name=item.name if item else None,
        identifiers=sent.identifiers,
        description=sent.description,
        allowances_charges=sent.allowances_charges,
        tax_category=category,
        tax_rate=rate,
    )
