"""Accepted orders are given to a warehouse that ships for us: a partner with an agreement that sends a `warehouse-order` (what X12
calls a 940). What comes back, a `warehouse-shipment` (945), is a shipment like one that was handed in.
"""

import msgspec

from gateway.model import document as canonical
from gateway.model.order import Order
from gateway.model.values import ItemIdentifiers
from gateway.pipeline.answers.work import Work
from gateway.pipeline.answers.work import answer_endpoint
from gateway.pipeline.answers.work import own_document
from gateway.store.records import documents
from gateway.trade.acceptance import Decision

#: last parts of specs
ORDERS = ("warehouse-order",)
_PRICES = ("price", "price_base", "price_unit", "price_type", "gross_price", "net_amount")


def tell_warehouses(work: Work, row: documents.Document, order: Order, decision: Decision, version: int = 1) -> None:
    """Send what was accepted of an order to each warehouse. Test orders move no goods."""
    if row.test:
        return
    for loaded in work.station.installation.directory.partners.values():
        agreement = loaded.partner.sending(*ORDERS)
        endpoint = answer_endpoint(work, loaded.partner, agreement, None) if agreement is not None else None
        if agreement is None or endpoint is None:
            continue
        asked = accepted_part(order, decision)
        if not asked.lines:
            continue
        made = own_document(
            work,
            "warehouse_order",
            order.number,
            loaded.partner.id,
            agreement,
            row.id,
            version,
            test=False,
            currency=None,
            body=canonical.encode(asked).decode(),
        )
        work.send(made, loaded, agreement, endpoint, relation="fulfils", cause=row)


def accepted_part(order: Order, decision: Decision) -> Order:
    """The order with what is to be shipped of its lines, under our item numbers. Prices are none of the warehouse's business."""
    lines = []
    for decided in decision.lines:
        if not decided.quantity:
            continue
        line = order.lines[decided.index]
        identifiers = line.identifiers or ItemIdentifiers()
        if decided.item:
            identifiers = msgspec.structs.replace(identifiers, seller=decided.item)
        asked = {"quantity": decided.quantity, "unit": decided.unit or line.unit, "identifiers": identifiers}
        lines.append(msgspec.structs.replace(line, **asked, **dict.fromkeys(_PRICES)))
    return msgspec.structs.replace(order, lines=tuple(lines), totals=None, allowances_charges=())
