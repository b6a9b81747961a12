"""Shipments: what left becomes a despatch advice for the buyer; lines, stock and reservations follow in the same transaction."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from gateway.exchange.partner import LoadedPartner
from gateway.model import document as canonical
from gateway.model.catalogue import convert
from gateway.model.facts import Facts
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.pipeline.answers.work import Work
from gateway.pipeline.answers.work import answer_endpoint
from gateway.pipeline.answers.work import own_document
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.fulfilling import open_orders
from gateway.pipeline.trading.fulfilling import standing
from gateway.pipeline.trading.judging import partner_of
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import orders
from gateway.store.trading import series
from gateway.store.trading import stock
from gateway.trade.fulfilment import Despatch
from gateway.trade.fulfilment import build_despatch_advice
from gateway.trade.open_order import OpenOrder
from gateway.trade.shipment import Shipment

ADVICES = ("856", "desadv", "despatch-advice")


def us_as_seller(work: Work) -> Party:
    """We, as documents name the seller."""
    us = work.station.installation.settings.us
    address = us.postal()
    return Party(
        name=us.name,
        identifiers=PartyIdentifiers(gln=us.identifiers.gln, duns=us.identifiers.duns, vat=us.identifiers.vat),
        endpoint=us.identifiers.peppol[0] if us.identifiers.peppol else None,
        address=address if address.city or address.lines else None,
    )


def ship(work: Work, rows: Sequence[documents.Document]) -> None:
    """Book shipments that were handed in, one after the other."""
    for row in rows:
        _ship(work, row)


def _ship(work: Work, row: documents.Document) -> None:
    loaded = partner_of(work, row)
    shipment = msgspec.json.decode(row.body or "", type=Shipment)
    opened, facts = open_orders(work, row.partner, {one.order for one in shipment.rows})
    number = shipment.number or f"DN-{series.draw(work.connection, work.station.installation.settings.invoices.entity, 'despatch'):06d}"
    us = us_as_seller(work)
    stand = standing(work, row.partner, {one.order for one in shipment.rows} - {order.order.number for order in opened})
    despatch = build_despatch_advice(opened, shipment, number, work.now, seller=us, ship_from=us, standing=stand)
    if despatch.advice is None:
        _refuse(work, row, shipment, despatch.problems)
        return
    reason = f"despatch advice {number}"
    work.move(row.id, row.state, "done", reason, number=number, problems=())
    work.note(row, "shipment done", {"number": number}, reason=reason)
    by_document = {order.document: order for order in opened}
    _book(work, despatch, by_document, facts, number)
    _advise(work, loaded, row, despatch, number)
    crash.point(46)


def _refuse(work: Work, row: documents.Document, shipment: Shipment, problems: tuple[Problem, ...]) -> None:
    """Nothing of it is booked. Who handed it in is told; what came in a file by itself waits for a person."""
    state = "rejected" if row.transmission is None else "held"
    reason = "; ".join(problem.message for problem in problems)
    work.move(row.id, row.state, state, reason, problems=problems)
    work.note(row, f"shipment {state}", {"number": row.number, "problems": codes(problems)}, reason=reason)
    work.references += [
        references.Reference(document=row.id, kind="order", value=number) for number in dict.fromkeys(one.order for one in shipment.rows)
    ]
    if state == "held":
        hold = holds.Hold(id=short_id("H", row.id, row.transition_no), document=row.id, kind="shipment", reasons=problems, opened_at=work.now)
        work.holds.append(hold)


def _book(work: Work, despatch: Despatch, opened: dict[str, OpenOrder], facts: Facts, number: str) -> None:
    """Lines, orders and stock after goods have left; test orders move no stock."""
    orders.add_quantities(
        work.connection, [orders.LineChange(document=update.document, line=update.line, despatched=update.quantity) for update in despatch.updates]
    )
    for document in dict.fromkeys(update.document for update in despatch.updates):
        sales = orders.get(work.connection, document)
        assert sales is not None
        state = "despatched" if document in despatch.complete else "part_despatched"
        orders.change_state(work.connection, document, sales.state, state, at=work.now)
    if despatch.test:
        return
    moved: dict[str, Decimal] = {}
    freed = []
    for update in despatch.updates:
        line = next(line for line in opened[update.document].lines if line.number == update.line)
        item = next((item for item in facts.items.values() if item.number == line.item), None)
        if item is None:
            continue
        share = convert(update.quantity, line.unit, item.base_unit, item)
        pieces = _decimal(share) if share is not None else update.quantity
        moved[item.number] = moved.get(item.number, Decimal(0)) - pieces
        held = stock.reserved_for(work.connection, update.document).get((update.line, item.number), Decimal(0))
        if held > 0:
            freed.append(
                stock.Reservation(
                    document=update.document, line=update.line, item=item.number, quantity=-min(held, pieces), cause=f"despatch/{number}", at=work.now
                )
            )
    stock.reserve(work.connection, freed)
    stock.move_stock(work.connection, moved, work.now)


def _decimal(value: Fraction | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def _advise(work: Work, loaded: LoadedPartner, row: documents.Document, despatch: Despatch, number: str) -> None:
    """The despatch advice goes out, where the partner takes one; either way it is kept."""
    assert despatch.advice is not None
    ended = list(dict.fromkeys(update.document for update in despatch.updates))
    first = documents.get(work.connection, ended[0])
    assert first is not None
    for document in ended:
        work.links.append(references.Link(from_document=document, to_document=row.id, relation="ships"))
    agreement = loaded.partner.sending(*ADVICES)
    endpoint = answer_endpoint(work, loaded.partner, agreement, first.transmission) if agreement else None
    if agreement is None or endpoint is None:
        work.note(row, "despatch advice not sent", {}, reason="no agreement of the partner says that we send one")
        return
    advice = own_document(
        work,
        "despatch_advice",
        number,
        row.partner,
        agreement,
        row.id,
        test=despatch.test,
        currency=None,
        body=canonical.encode(despatch.advice).decode(),
    )
    work.send(advice, loaded, agreement, endpoint, relation="ships", cause=first)
    for update in despatch.updates:
        work.references.append(references.Reference(document=advice.id, kind="order", value=update.order_number))
    for order in despatch.advice.orders:
        work.references += [references.Reference(document=advice.id, kind="sscc", value=unit.sscc) for unit in order.units if unit.sscc]
    work.links.append(references.Link(from_document=row.id, to_document=advice.id, relation="ships"))
