"""What the demo's partners write is what the gateway reads: no fault, and the same numbers."""

from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.config import default_resolver
from gateway.demo import messages_bank
from gateway.demo import messages_x12
from gateway.demo.cast import ACME
from gateway.demo.cast import BUYERS
from gateway.demo.cast import DRILL
from gateway.demo.cast import EUROCO
from gateway.demo.cast import HAMMER
from gateway.demo.cast import NORDIC
from gateway.demo.cast import Company
from gateway.demo.cast import Purchase
from gateway.demo.cast import asked
from gateway.demo.cast import with_check_digit
from gateway.demo.cast import with_vat
from gateway.demo.dialects import X12
from gateway.demo.dialects import Dialect
from gateway.demo.dialects import Edifact
from gateway.demo.dialects import Ubl
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def documents(data: bytes) -> list[Any]:
    plans = Plans(default_resolver())
    _, items = read_payload(iter([data]), plans, stateless(plans, None, None))
    found = [item for item in items if isinstance(item, Read)]
    assert [problem for item in found for problem in item.problems] == []
    return [item.document for item in found]


def purchase(currency: str, *, cancels: bool = False) -> Purchase:
    lines = (asked(HAMMER, 24, currency), asked(DRILL, 6, currency, "80.00"))
    return Purchase(number="PO-1", lines=lines, issued_on=date(2026, 3, 2), requested_on=date(2026, 3, 9), cancels=cancels)


@pytest.mark.parametrize(("buyer", "dialect"), [(ACME, X12()), (EUROCO, Edifact()), (NORDIC, Ubl())], ids=["x12", "edifact", "ubl"])
def test_an_order_is_read_as_it_was_meant(buyer: Company, dialect: Dialect) -> None:
    _, data = dialect.order(buyer, [purchase(buyer.currency)], 7, AT)
    [order] = documents(data)
    assert (order.number, order.currency, order.issued_on, order.purpose) == ("PO-1", buyer.currency, date(2026, 3, 2), "original")
    assert order.buyer.identifiers.gln == buyer.gln
    assert order.delivery.requested_on == date(2026, 3, 9)
    assert [(line.quantity, line.price, line.identifiers.seller) for line in order.lines] == [
        (Decimal(24), HAMMER.price(buyer.currency), HAMMER.number),
        (Decimal(6), Decimal("80.00"), DRILL.number),
    ]


@pytest.mark.parametrize(("buyer", "dialect"), [(ACME, X12()), (EUROCO, Edifact())], ids=["x12", "edifact"])
def test_a_cancel_says_so(buyer: Company, dialect: Dialect) -> None:
    _, data = dialect.order(buyer, [purchase(buyer.currency, cancels=True)], 8, AT)
    assert [order.purpose for order in documents(data)] == ["cancel"]


def test_several_orders_travel_in_one_interchange() -> None:
    first, second = purchase("USD"), purchase("USD")
    assert len(documents(messages_x12.orders(ACME, [first, second], 9, AT))) == 2


def test_a_remittance_adds_up() -> None:
    paid = [messages_x12.Remitted(invoice="INV-1", amount=Decimal("10.00")), messages_x12.Remitted(invoice="INV-2", amount=Decimal("2.50"))]
    [advice] = documents(messages_x12.remittance(ACME, "TR-1", paid, 10, AT))
    assert (advice.amount, advice.trace) == (Decimal("12.50"), "TR-1")
    assert [(line.number, line.paid) for line in advice.lines] == [("INV-1", Decimal("10.00")), ("INV-2", Decimal("2.50"))]


def test_a_statement_says_who_paid_what() -> None:
    entries = [
        messages_bank.Arrived(amount=Decimal("5.00"), payer="A & B", iban=EUROCO.iban, reference="RF18539007547034"),
        messages_bank.Arrived(amount=Decimal("6.00"), payer="C", iban=NORDIC.iban, text="INV-1 <thanks>"),
    ]
    [statement] = documents(messages_bank.statement("S-1", entries, AT))
    assert [(entry.amount, entry.payer_name, entry.structured_references, entry.text) for entry in statement.entries] == [
        (Decimal("5.00"), "A & B", ("RF18539007547034",), None),
        (Decimal("6.00"), "C", (), "INV-1 <thanks>"),
    ]
    assert len({entry.reference for entry in statement.entries}) == 2


def test_identifiers_have_right_check_digits() -> None:
    for company in BUYERS.values():
        assert with_check_digit(company.gln[:-1]) == company.gln
    assert with_check_digit("400638133393") == "4006381333931"


def test_vat_is_rounded_half_up() -> None:
    assert with_vat(Decimal("367.50")) == Decimal("437.33")


def test_a_partner_makes_nothing_of_what_is_not_for_it() -> None:
    for dialect in (X12(), Edifact(), Ubl()):
        for data in (b"", b"ISA*00", b"<a", b"hello"):
            assert dialect.acknowledged(data, 1) is None
            assert dialect.answered(data, "PO-1") is None
            assert dialect.bill(data, "PO-1") is None
            assert not dialect.is_advice(data, "PO-1")
