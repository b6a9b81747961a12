"""Credit: limit, overdue days, first order, currency; and sums that never mix currencies."""

from decimal import Decimal

import pytest

from gateway.model.facts import CreditFacts
from gateway.problem import Outcome
from gateway.trade.credit import check_credit
from gateway.trade.credit import exposure

D = Decimal
KNOWN = CreditFacts(currency="USD", limit=D(50000), exposure=D(49800), accepted_orders=1)


def test_the_sentence_says_order_exposure_and_limit() -> None:
    [problem] = check_credit(D("1200"), "USD", KNOWN)
    assert problem.message == "This order of 1,200.00 USD would raise the exposure to 51,000.00 USD; the limit is 50,000.00 USD"
    assert (problem.code, problem.outcome) == ("CREDIT-LIMIT", Outcome.HOLD)


def test_the_limit_itself_is_allowed() -> None:
    assert check_credit(D("200.00"), "USD", KNOWN) == []
    assert [problem.code for problem in check_credit(D("200.01"), "USD", KNOWN)] == ["CREDIT-LIMIT"]


def test_without_credit_facts_no_credit_rule_applies() -> None:
    assert check_credit(D(10**9), "USD", None) == []


def test_the_first_order_of_a_new_partner_waits() -> None:
    fresh = CreditFacts(currency="USD")
    assert [problem.code for problem in check_credit(D(1), "USD", fresh)] == ["CREDIT-FIRST-ORDER"]
    assert check_credit(D(1), "USD", CreditFacts(currency="USD", vetted=True)) == []
    assert check_credit(D(1), "USD", CreditFacts(currency="USD", accepted_orders=1)) == []


def test_overdue_invoices_hold_after_the_days_that_are_allowed() -> None:
    late = CreditFacts(currency="USD", accepted_orders=1, hold_days_overdue=15, oldest_overdue_days=16)
    [problem] = check_credit(D(1), "USD", late)
    assert problem.message == "The oldest open invoice is overdue by 16 days; orders are held after 15 days"
    assert problem.code == "CREDIT-OVERDUE"
    assert check_credit(D(1), "USD", CreditFacts(currency="USD", accepted_orders=1, hold_days_overdue=15, oldest_overdue_days=15)) == []
    assert check_credit(D(1), "USD", CreditFacts(currency="USD", accepted_orders=1, oldest_overdue_days=400)) == []


def test_another_currency_waits_for_a_person() -> None:
    [problem] = check_credit(D(1), "EUR", KNOWN)
    assert (problem.code, problem.found, problem.expected) == ("CREDIT-CURRENCY", "EUR", "USD")


def test_an_order_of_unknown_value_cannot_be_checked() -> None:
    assert [problem.code for problem in check_credit(None, "USD", KNOWN)] == ["CREDIT-AMOUNT-UNKNOWN"]


def test_credit_may_only_warn() -> None:
    assert check_credit(D(1200), "USD", KNOWN, Outcome.WARN)[0].outcome is Outcome.WARN


def test_exposure_adds_items_and_orders_and_takes_money_off() -> None:
    assert exposure("EUR", [(D("100.10"), "EUR"), (D("-20"), "EUR")], [(D("50"), "EUR")], [(D("30"), "EUR")]) == D("100.10")


def test_exposure_never_mixes_currencies() -> None:
    with pytest.raises(ValueError, match="exposure in EUR cannot add an amount in USD"):
        exposure("EUR", [(D(1), "USD")], [])
