"""Invoices from what left, and credit notes that never exceed them."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from gateway.model.document import decode
from gateway.model.document import encode
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.values import PaymentTerms
from gateway.trade.billing import Billed
from gateway.trade.billing import BillingPolicy
from gateway.trade.billing import build_invoice
from gateway.trade.billing import due_date
from gateway.trade.crediting import CreditLine
from gateway.trade.crediting import build_credit_note
from gateway.trade.open_order import OpenOrder
from gateway.trade.reference import is_rf_reference
from gateway.trade.reference import rf_reference
from tests.rules.world import order
from tests.trade.world import AMERICAN
from tests.trade.world import GERMAN
from tests.trade.world import accepted
from tests.trade.world import despatched

D = Decimal
DAY = date(2026, 11, 22)


def bill(*orders: OpenOrder, policy: BillingPolicy = GERMAN, **fields: Any) -> Billed:
    return build_invoice(orders, "INV-000017", DAY, policy, **fields)


def invoice(*orders: OpenOrder, policy: BillingPolicy = GERMAN) -> Invoice:
    billed = bill(*orders, policy=policy)
    assert billed.invoice is not None, billed.problems
    return billed.invoice


def codes(billed: Billed) -> list[str]:
    assert billed.invoice is None
    return [problem.code for problem in billed.problems]


def test_an_invoice_over_what_left() -> None:
    one = despatched(accepted(order([{}, {"quantity": "3"}])), 4, 3)
    billed = bill(one, despatch_number="DA1", despatched_on=DAY)
    made = billed.invoice
    assert made is not None
    assert made.totals is not None
    assert [(line.order_line, line.quantity, line.net_amount, line.tax and line.tax.rate) for line in made.lines] == [
        ("1", D(4), D("20.00"), D(19)),
        ("2", D(3), D("15.00"), D(19)),
    ]
    assert (made.totals.lines, made.totals.tax, made.totals.payable) == (D("35.00"), D("6.65"), D("41.65"))
    assert (made.order_number, made.despatch_number, made.due_on, made.currency) == ("PO1", "DA1", date(2026, 12, 22), "EUR")
    assert made.payment_means[0].reference == "RF25INV000017"
    assert [(update.line, update.quantity) for update in billed.updates] == [("1", D(4)), ("2", D(3))]
    assert decode(encode(made)) == made


def test_what_is_invoiced_is_not_invoiced_again() -> None:
    one = despatched(accepted(order()), 7)
    rest = msgspec.structs.replace(one, lines=(msgspec.structs.replace(one.lines[0], invoiced=D(4)),))
    assert invoice(rest).lines[0].quantity == 3
    done = msgspec.structs.replace(one, lines=(msgspec.structs.replace(one.lines[0], invoiced=D(7)),))
    assert codes(bill(done)) == ["BILLING-NOTHING"]


def test_sales_in_the_us_have_no_tax() -> None:
    made = invoice(despatched(accepted(order(currency="USD", lines=[{"price": "6.00"}]))), policy=AMERICAN)
    assert made.totals is not None
    assert (made.taxes, made.lines[0].tax, made.totals.tax, made.totals.payable) == ((), None, None, D("60.00"))


def test_the_price_keeps_its_base_and_the_line_is_rounded_once() -> None:
    made = invoice(despatched(accepted(order([{"price": "333.33", "price_base": "100", "quantity": "7"}]))))
    line = made.lines[0]
    assert (line.price, line.price_base, line.price_unit, line.net_amount) == (D("333.33"), D(100), "EA", D("23.33"))


@pytest.mark.parametrize(
    ("unit", "price_unit", "price", "base"), [("EA", "XCS", D(60), D(12)), ("XCS", "EA", D(720), None), ("EA", "H87", D(60), None)]
)
def test_the_price_is_brought_to_the_unit_of_the_quantity(unit: str, price_unit: str, price: Decimal, base: Decimal | None) -> None:
    made = invoice(despatched(accepted(order([{"unit": unit, "price_unit": price_unit, "price": "60"}]))))
    assert (made.lines[0].price, made.lines[0].price_base) == (price, base)


def test_a_price_for_a_strange_unit_cannot_be_invoiced() -> None:
    assert codes(bill(despatched(accepted(order([{"price_unit": "KGM"}]))))) == ["BILLING-PRICE-MISSING"]


def test_a_line_without_a_price_cannot_be_invoiced() -> None:
    one = despatched(accepted(order()))
    bare = msgspec.structs.replace(one, lines=(msgspec.structs.replace(one.lines[0], price=None),))
    assert codes(bill(bare)) == ["BILLING-PRICE-MISSING"]


def test_two_orders_share_an_invoice_and_each_line_names_its_order() -> None:
    made = invoice(despatched(accepted(order())), despatched(accepted(order(number="PO2"), "d2")))
    assert (made.order_number, [line.order_number for line in made.lines], [line.number for line in made.lines]) == (None, ["PO1", "PO2"], ["1", "2"])


def test_currencies_and_buyers_are_never_mixed() -> None:
    one, usd = despatched(accepted(order())), despatched(accepted(order(number="PO2", currency="USD"), "d2"))
    other = despatched(accepted(order(number="PO3", buyer={"name": "Other"}), "d3"))
    assert codes(bill(one, usd)) == ["BILLING-PARTIES"]
    assert codes(bill(one, other)) == ["BILLING-PARTIES"]
    assert codes(bill(despatched(accepted(order(currency=None))), policy=AMERICAN)) == ["BILLING-PARTIES"]


def test_a_tax_that_cannot_be_right_stops_the_invoice() -> None:
    policy = msgspec.structs.replace(GERMAN, tax=msgspec.structs.replace(GERMAN.tax, category="AE"), buyer=None)
    assert codes(bill(despatched(accepted(order())), policy=policy)) == ["BILLING-TAX"]


def test_an_orders_freight_is_in_its_first_invoice_and_its_percents_in_each() -> None:
    entries = [{"kind": "charge", "reason": "Freight", "amount": "10.00"}, {"kind": "allowance", "percent": "2"}]
    one = despatched(accepted(order(allowances_charges=entries)), 4)
    made = invoice(one)
    assert made.totals is not None
    assert [(entry.reason, entry.amount, entry.base_amount) for entry in made.allowances_charges] == [
        ("Freight", D("10.00"), None),
        ("Discount", D("0.40"), D("20.00")),
    ]
    assert (made.totals.net, made.totals.tax) == (D("29.60"), D("5.62"))
    assert [entry.amount for entry in invoice(msgspec.structs.replace(one, extras_billed=True)).allowances_charges] == [D("0.40")]


@given(parts=st.lists(st.integers(1, 40), min_size=1, max_size=6), amount=st.decimals(min_value=D("0.01"), max_value=100, places=2))
def test_a_lines_allowance_is_parted_over_its_invoices_without_a_rest(parts: list[int], amount: Decimal) -> None:
    whole = accepted(order([{"quantity": str(sum(parts)), "allowances_charges": [{"kind": "allowance", "amount": str(amount)}]}]))
    given_back, done = D(0), D(0)
    for part in parts:
        line = msgspec.structs.replace(whole.lines[0], invoiced=done, despatched=done + part)
        made = invoice(msgspec.structs.replace(whole, lines=(line,)))
        given_back += made.lines[0].allowances_charges[0].amount or 0
        done += part
    assert given_back == amount


def test_a_lines_percent_is_taken_of_each_invoice() -> None:
    entry = {"kind": "allowance", "percent": "10", "reason_code": "95"}
    line = invoice(despatched(accepted(order([{"allowances_charges": [entry]}])), 4)).lines[0]
    assert (line.net_amount, line.allowances_charges[0].amount, line.allowances_charges[0].base_amount) == (D("18.00"), D("2.00"), D("20.00"))


def test_what_we_know_completes_the_orders_buyer_and_never_overrules_it() -> None:
    made = invoice(despatched(accepted(order(buyer={"name": "ACME", "identifiers": {"gln": "1234567890128"}}))))
    assert made.buyer is not None
    assert made.buyer.identifiers is not None
    assert (made.buyer.name, made.buyer.identifiers.gln, made.buyer.identifiers.vat) == ("ACME", "1234567890128", "DE987654321")
    assert made.buyer.address is not None


def test_terms_say_when_an_invoice_is_due() -> None:
    assert due_date((), DAY) is None
    assert due_date((PaymentTerms(due_on=date(2027, 1, 1)),), DAY) == date(2027, 1, 1)
    assert due_date((PaymentTerms(basis="end_of_month", net_days=10),), DAY) == date(2026, 12, 10)
    assert due_date((PaymentTerms(basis="delivery_date", net_days=10),), DAY, delivered_on=date(2026, 11, 1)) == date(2026, 11, 11)
    assert due_date((PaymentTerms(basis="delivery_date", net_days=10),), DAY) == date(2026, 12, 2)


@given(st.text(alphabet="ABCXYZ0123456789-/ ", min_size=1, max_size=40).filter(lambda text: any(sign.isalnum() for sign in text)))
def test_the_payment_reference_is_an_iso_11649_reference(number: str) -> None:
    reference = rf_reference(number)
    assert iso11649.is_valid(reference)
    assert is_rf_reference(reference)
    assert is_rf_reference(f"{reference[:4]} {reference[4:]}".lower())


def test_a_number_without_letters_and_digits_has_no_reference() -> None:
    with pytest.raises(ValueError, match="no letter or digit"):
        rf_reference("-/-")
    assert not is_rf_reference("RF00INV")


# --- credit notes -----------------------------------------------------------------------------------------------------------

ENTRIES = [{"kind": "charge", "reason": "Freight", "amount": "9.99"}]
WHOLE = invoice(despatched(accepted(order([{"quantity": "7", "price": "3.33"}, {"quantity": "3", "price": "0.05"}], allowances_charges=ENTRIES))))


def credit(lines: list[CreditLine] | None = None, earlier: tuple[CreditNote, ...] = (), of: Invoice = WHOLE) -> CreditNote:
    credited = build_credit_note(of, f"CN{len(earlier)}", DAY, lines=lines, reason="Returned", earlier=earlier)
    assert credited.note is not None, credited.problems
    return credited.note


def refused(lines: list[CreditLine] | None, earlier: tuple[CreditNote, ...] = ()) -> list[str]:
    credited = build_credit_note(WHOLE, "CN9", DAY, lines=lines, earlier=earlier)
    assert credited.note is None
    return [problem.code for problem in credited.problems]


def test_a_whole_invoice_is_credited_to_nothing() -> None:
    note = credit()
    assert note.totals == WHOLE.totals
    assert (note.invoice_number, note.invoice_issued_on, note.reason, note.taxes) == ("INV-000017", DAY, "Returned", WHOLE.taxes)
    assert decode(encode(note)) == note
    assert refused(None, (note,)) == ["BILLING-NOTHING"]


def test_some_goods_of_a_line_are_credited() -> None:
    note = credit([CreditLine(line="1", quantity=D(2))])
    assert note.totals is not None
    assert (note.lines[0].quantity, note.lines[0].price, note.totals.net, note.totals.tax) == (D(2), D("3.33"), D("6.66"), D("1.27"))


def test_an_amount_off_the_price_leaves_the_goods_with_the_buyer() -> None:
    lower = credit([CreditLine(line="1", amount=D("7.00"))])
    assert lower.lines[0].net_amount == D("7.00")
    goods = credit([CreditLine(line="1", quantity=D(7))], (lower,))
    assert goods.lines[0].net_amount == D("16.31")


def test_over_credit_is_refused() -> None:
    assert refused([CreditLine(line="1", quantity=D(8))]) == ["BILLING-OVER-CREDIT"]
    assert refused([CreditLine(line="1", amount=D("23.32"))]) == ["BILLING-OVER-CREDIT"]
    assert refused([CreditLine(line="1", quantity=D(4)), CreditLine(line="1", quantity=D(4))]) == ["BILLING-OVER-CREDIT"]
    assert refused([CreditLine(line="1", quantity=D(1))], (credit(),)) == ["BILLING-OVER-CREDIT"]
    assert refused([CreditLine(line="1", quantity=D(0))]) == ["BILLING-OVER-CREDIT"]
    assert refused([CreditLine(line="8")]) == ["BILLING-LINE-UNKNOWN"]


def test_credit_notes_of_other_invoices_do_not_count() -> None:
    other = msgspec.structs.replace(credit(), invoice_number="INV-9")
    assert credit(None, (other,)).totals == WHOLE.totals


STEPS = st.lists(st.tuples(st.sampled_from(["1", "2"]), st.booleans(), st.integers(1, 100)), max_size=8)


@given(STEPS)
def test_credit_notes_together_never_exceed_the_invoice_and_the_last_one_completes_it(steps: list[tuple[str, bool, int]]) -> None:
    earlier: tuple[CreditNote, ...] = ()
    for line, goods, size in steps:
        want = CreditLine(line=line, quantity=D(size % 4 + 1)) if goods else CreditLine(line=line, amount=D(size) / 100)
        credited = build_credit_note(WHOLE, f"CN{len(earlier)}", DAY, lines=[want], earlier=earlier)
        if credited.note is not None:
            earlier = (*earlier, credited.note)
    last = build_credit_note(WHOLE, "CNX", DAY, earlier=earlier)
    notes = (*earlier, last.note) if last.note else earlier
    assert WHOLE.totals is not None
    payable = sum(note.totals.payable or 0 for note in notes if note.totals)
    assert payable == WHOLE.totals.payable
    assert all(sum(note.totals.payable or 0 for note in notes[:count] if note.totals) <= (WHOLE.totals.payable or 0) for count in range(len(notes)))
    for note in notes:
        assert note.totals is not None
        assert note.totals.gross == (note.totals.net or 0) + (note.totals.tax or 0)
        assert abs(note.totals.rounding or 0) <= D("0.05")
