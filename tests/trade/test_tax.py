"""EN 16931 arithmetic: laws that hold for any lines, and the categories."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.values import Address
from gateway.model.values import AllowanceCharge
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.model.values import Tax
from gateway.trade.tax import TaxPolicy
from gateway.trade.tax import reckon
from gateway.trade.tax import tax_faults
from gateway.trade.tax import tax_for

D = Decimal
GERMANY = TaxPolicy(country="DE", rate=D(19))


def party(country: str, vat: str | None = None) -> Party:
    return Party(identifiers=PartyIdentifiers(vat=vat), address=Address(country=country))


AT_HOME, FRENCH, FRENCH_CONSUMER, SWISS = party("DE"), party("FR", "FR12345678901"), party("FR"), party("CH")
RATES = st.sampled_from(
    [
        Tax(type="VAT", category="S", rate=D(19)),
        Tax(type="VAT", category="S", rate=D(7)),
        Tax(type="VAT", category="S", rate=D("5.5")),
        Tax(type="VAT", category="Z", rate=D(0)),
    ]
)
MONEY = st.decimals(min_value=D("-99999.99"), max_value=D("999999.99"), places=2)


@given(
    lines=st.lists(st.tuples(MONEY, RATES), min_size=1, max_size=12),
    extras=st.lists(st.tuples(st.sampled_from(["allowance", "charge"]), MONEY, RATES), max_size=3),
    prepaid=st.decimals(min_value=0, max_value=1000, places=2),
)
def test_totals_never_drift_from_lines(lines: list[tuple[Decimal, Tax]], extras: list[tuple[str, Decimal, Tax]], prepaid: Decimal) -> None:
    entries = [AllowanceCharge(kind=kind, amount=amount, tax=tax) for kind, amount, tax in extras]
    taxes, totals = reckon(lines, entries, "EUR", prepaid=prepaid)
    charges = sum((entry.amount or D(0)) * (1 if entry.kind == "charge" else -1) for entry in entries)
    assert totals.lines == sum(net for net, _ in lines)
    assert totals.net == totals.lines + charges
    assert totals.tax == sum(subtotal.tax for subtotal in taxes)
    assert totals.gross == (totals.net or 0) + (totals.tax or 0)
    assert totals.payable == (totals.gross or 0) - prepaid
    assert sum(subtotal.taxable for subtotal in taxes) == totals.net
    assert len({(subtotal.category, subtotal.rate) for subtotal in taxes}) == len(taxes)
    for subtotal in taxes:
        exact = subtotal.taxable * (subtotal.rate or 0) / 100
        assert abs(subtotal.tax - exact) <= D("0.005")
        assert subtotal.tax == subtotal.tax.quantize(D("0.01"))


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    half = Tax(type="VAT", category="S", rate=D(10))
    assert reckon([(D("0.05"), half)], (), "EUR")[1].tax == D("0.01")
    assert reckon([(D("-0.05"), half)], (), "EUR")[1].tax == D("-0.01")


def test_tax_is_rounded_once_a_subtotal_not_once_a_line() -> None:
    tax = Tax(type="VAT", category="S", rate=D(19))
    assert reckon([(D("0.02"), tax)] * 3, (), "EUR")[1].tax == D("0.01")


def test_without_tax_there_is_no_subtotal() -> None:
    taxes, totals = reckon([(D(10), None)], (), "USD")
    assert (taxes, totals.tax, totals.gross, totals.payable) == ((), None, D(10), D(10))


def test_currencies_without_cents_are_rounded_to_whole_units() -> None:
    assert reckon([(D(105), Tax(type="VAT", category="S", rate=D(10)))], (), "JPY")[1].tax == D(11)


@pytest.mark.parametrize(
    ("category", "rate", "buyer", "ship_to", "expected"),
    [
        (None, None, AT_HOME, None, ("S", D(19))),
        ("S", D(7), AT_HOME, None, ("S", D(7))),
        ("Z", None, AT_HOME, None, ("Z", D(0))),
        ("S", D(0), AT_HOME, None, ("Z", D(0))),
        ("E", None, AT_HOME, None, ("E", D(0))),
        ("AE", None, FRENCH, None, ("AE", D(0))),
        (None, None, FRENCH, None, ("K", D(0))),
        (None, None, FRENCH_CONSUMER, None, ("S", D(19))),
        (None, None, SWISS, None, ("G", D(0))),
        (None, None, SWISS, AT_HOME, ("S", D(19))),
        ("O", None, AT_HOME, None, ("O", None)),
    ],
)
def test_the_category_follows_item_buyer_and_place(
    category: str | None, rate: Decimal | None, buyer: Party, ship_to: Party | None, expected: tuple[str, Decimal]
) -> None:
    tax = tax_for(category, rate, GERMANY, buyer, ship_to)
    assert tax is not None
    assert (tax.category, tax.rate) == expected
    assert bool(tax.exemption_reason) == (expected[0] not in ("S", "Z"))


def test_reasons_carry_their_codes() -> None:
    assert [getattr(tax_for(category, None, GERMANY, AT_HOME, None), "exemption_code", None) for category in ("AE", "O", "E")] == [
        "VATEX-EU-AE",
        "VATEX-EU-O",
        None,
    ]


def test_sales_without_vat_have_no_tax_or_category_o() -> None:
    assert tax_for("S", D(19), TaxPolicy(regime="none"), AT_HOME, None) is None
    outside = tax_for("S", D(19), TaxPolicy(regime="none", outside_scope=True), AT_HOME, None)
    assert outside is not None
    assert (outside.category, outside.rate) == ("O", None)


@pytest.mark.parametrize(
    ("taxes", "message"),
    [
        ([Tax(category="S", rate=D(19)), None], "Some lines have a tax"),
        ([Tax(category="X", rate=D(1))], "'X' is not known"),
        ([Tax(category="S")], "need a rate above 0"),
        ([Tax(category="O"), Tax(category="S", rate=D(19))], "BR-O-11"),
        ([Tax(category="K", rate=D(0))], "BR-IC-02"),
        ([Tax(category="AE", rate=D(0))], "the buyer's VAT number (BR-AE-02)"),
    ],
)
def test_what_cannot_be_right_about_taxes(taxes: list[Tax | None], message: str) -> None:
    found = tax_faults(taxes, party("DE", "DE1"), AT_HOME)
    assert message in found[0].message
    assert found[0].code == "BILLING-TAX"
