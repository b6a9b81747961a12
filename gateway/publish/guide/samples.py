"""Sample documents of a guide: a small order and what it leads to, between us and the partner, as canonical documents.

They show the fields that partners ask about and nothing that stands for a real company: names and numbers come from the files of both sides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.change import ChangeLine
from gateway.model.change import OrderChange
from gateway.model.despatch import DespatchAdvice
from gateway.model.despatch import DespatchLine
from gateway.model.despatch import DespatchOrder
from gateway.model.despatch import HandlingUnit
from gateway.model.document import Document
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.invoice import InvoiceLine
from gateway.model.order import Delivery
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.payment import RemittanceAdvice
from gateway.model.payment import RemittanceLine
from gateway.model.response import OrderResponse
from gateway.model.response import ResponseLine
from gateway.model.values import Address
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.model.values import PaymentTerms
from gateway.model.values import Tax
from gateway.model.values import TaxSubtotal
from gateway.model.values import Totals
from gateway.model.values import Transport

#: GTIN and SSCC with check digits that are right, out of the range for samples of nobody's goods
_GTIN = "04012345000009"
_SSCC = "040123450000000015"
_ONE = Decimal("12")
_PRICE = Decimal("8.50")
_NET = Decimal("102.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Who the samples are between, and when."""

    buyer: Party
    seller: Party
    currency: str
    at: datetime
    tax: Decimal


def party(name: str, *, gln: str | None, vat: str | None, endpoint: str | None, country: str | None, address: Address | None = None) -> Party:
    """One side with what its file tells of it."""
    identifiers = PartyIdentifiers(gln=gln, vat=vat, buyer_assigned=None if gln else "100")
    place = (
        address
        if address is not None and address.city
        else Address(lines=("1 SAMPLE STREET",), city="SAMPLETOWN", postal_code="12345", country=country or "DE")
    )
    return Party(name=name, identifiers=identifiers, endpoint=endpoint, address=place)


def sample_of(kind: str, sides: Sides) -> Document | None:
    """The sample of a kind of document; None where we have none."""
    make = _MAKERS.get(kind)
    return make(sides) if make else None


def _item() -> ItemIdentifiers:
    return ItemIdentifiers(buyer="B2033", seller="V5179", gtin=_GTIN)


def _ship_to(sides: Sides) -> Party:
    return Party(
        role="ship_to",
        name=f"{sides.buyer.name} STORE 12",
        identifiers=PartyIdentifiers(buyer_assigned="0012"),
        address=sides.buyer.address,
    )


def _day(sides: Sides) -> date:
    return sides.at.date()


def _later(sides: Sides, days: int) -> date:
    return date.fromordinal(_day(sides).toordinal() + days)


def _order(sides: Sides) -> Order:
    return Order(
        number="PO-1001",
        type="standard",
        purpose="original",
        issued_on=_day(sides),
        currency=sides.currency,
        buyer=sides.buyer,
        seller=sides.seller,
        ship_to=_ship_to(sides),
        delivery=Delivery(requested_on=_later(sides, 14)),
        lines=(
            OrderLine(number="1", quantity=_ONE, unit="EA", price=_PRICE, identifiers=_item(), description="WIDGET BLUE LARGE"),
            OrderLine(
                number="2",
                quantity=Decimal("5"),
                unit="EA",
                price=Decimal("20.00"),
                identifiers=ItemIdentifiers(buyer="B2034"),
                description="BRACKET",
            ),
        ),
        totals=Totals(line_count=2, quantity_hash=Decimal("17")),
    )


def _change(sides: Sides) -> OrderChange:
    return OrderChange(
        number="C-1",
        sequence="1",
        order_number="PO-1001",
        order_issued_on=_day(sides),
        purpose="change",
        issued_on=_later(sides, 2),
        currency=sides.currency,
        buyer=sides.buyer,
        seller=sides.seller,
        lines=(
            ChangeLine(
                number="1",
                action="quantity_change",
                quantity=Decimal("20"),
                previous_quantity=_ONE,
                unit="EA",
                price=_PRICE,
                identifiers=_item(),
            ),
            ChangeLine(number="2", action="delete", identifiers=ItemIdentifiers(buyer="B2034")),
        ),
    )


def _remittance(sides: Sides) -> RemittanceAdvice:
    line = RemittanceLine(type="invoice", number="INV-000123", issued_on=_later(sides, 11), paid=_NET, gross=_NET)
    return RemittanceAdvice(
        number="TRACE-77",
        trace="TRACE-77",
        issued_on=_later(sides, 40),
        paid_on=_later(sides, 41),
        currency=sides.currency,
        amount=_NET,
        method="credit_transfer",
        payer=sides.buyer,
        payee=sides.seller,
        lines=(line,),
    )


def _response(sides: Sides) -> OrderResponse:
    line = ResponseLine(
        number="1",
        action="accepted",
        ordered_quantity=_ONE,
        quantity=_ONE,
        unit="EA",
        price=_PRICE,
        identifiers=_item(),
        promised_on=_later(sides, 14),
    )
    short = ResponseLine(
        number="2",
        action="changed",
        ordered_quantity=Decimal("5"),
        quantity=Decimal("3"),
        unit="EA",
        price=Decimal("20.00"),
        identifiers=ItemIdentifiers(buyer="B2034"),
        promised_on=_later(sides, 14),
    )
    return OrderResponse(
        number="R-1001",
        order_number="PO-1001",
        order_issued_on=_day(sides),
        response="accepted_with_changes",
        purpose="original",
        issued_on=_day(sides),
        issued_at=sides.at,
        currency=sides.currency,
        buyer=sides.buyer,
        seller=sides.seller,
        ship_to=_ship_to(sides),
        lines=(line, short),
    )


def _despatch(sides: Sides) -> DespatchAdvice:
    line = DespatchLine(
        number="1",
        order_number="PO-1001",
        order_line="1",
        quantity=_ONE,
        unit="EA",
        ordered_quantity=_ONE,
        identifiers=_item(),
        description="WIDGET BLUE LARGE",
    )
    return DespatchAdvice(
        number="S-1001",
        purpose="original",
        issued_on=_later(sides, 10),
        issued_at=sides.at,
        despatched_on=_later(sides, 10),
        estimated_delivery_on=_later(sides, 12),
        buyer=sides.buyer,
        seller=sides.seller,
        ship_from=sides.seller,
        ship_to=_ship_to(sides),
        transport=Transport(mode="road", carrier="CARRIER"),
        orders=(DespatchOrder(number="PO-1001", issued_on=_day(sides), units=(HandlingUnit(sscc=_SSCC, type="XPX", lines=(line,)),)),),
        package_count=1,
    )


def _line(sides: Sides) -> InvoiceLine:
    return InvoiceLine(
        number="1",
        order_number="PO-1001",
        order_line="1",
        quantity=_ONE,
        unit="EA",
        price=_PRICE,
        net_amount=_NET,
        identifiers=_item(),
        name="WIDGET BLUE LARGE",
        tax=Tax(type="VAT", category="S", rate=sides.tax) if sides.tax else None,
    )


def _taxed(sides: Sides) -> tuple[tuple[TaxSubtotal, ...], Totals]:
    tax = (_NET * sides.tax / 100).quantize(Decimal("0.01"))
    taxes = (TaxSubtotal(type="VAT", category="S", rate=sides.tax, taxable=_NET, tax=tax),) if sides.tax else ()
    return taxes, Totals(lines=_NET, net=_NET, tax=tax if sides.tax else None, gross=_NET + tax, payable=_NET + tax)


def _invoice(sides: Sides) -> Invoice:
    taxes, totals = _taxed(sides)
    return Invoice(
        number="INV-000123",
        issued_on=_later(sides, 11),
        due_on=_later(sides, 41),
        currency=sides.currency,
        order_number="PO-1001",
        order_issued_on=_day(sides),
        despatch_number="S-1001",
        despatched_on=_later(sides, 10),
        buyer_reference="PO-1001",
        buyer=sides.buyer,
        seller=sides.seller,
        ship_to=_ship_to(sides),
        payment_terms=(PaymentTerms(basis="invoice_date", net_days=30, due_on=_later(sides, 41)),),
        lines=(_line(sides),),
        taxes=taxes,
        totals=totals,
    )


def _credit_note(sides: Sides) -> CreditNote:
    taxes, totals = _taxed(sides)
    return CreditNote(
        number="CN-000007",
        issued_on=_later(sides, 20),
        currency=sides.currency,
        order_number="PO-1001",
        invoice_number="INV-000123",
        invoice_issued_on=_later(sides, 11),
        reason="goods came back",
        buyer_reference="PO-1001",
        buyer=sides.buyer,
        seller=sides.seller,
        lines=(_line(sides),),
        taxes=taxes,
        totals=totals,
    )


_MAKERS: dict[str, Callable[[Sides], Document]] = {
    "order": _order,
    "order_change": _change,
    "remittance_advice": _remittance,
    "order_response": _response,
    "despatch_advice": _despatch,
    "invoice": _invoice,
    "credit_note": _credit_note,
}
