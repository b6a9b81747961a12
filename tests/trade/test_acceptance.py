"""Decisions on orders: what the buyer is told, what is held, what stock is taken."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.document import decode
from gateway.model.document import encode
from gateway.model.facts import CreditFacts
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.rules.apply import judge
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import Decision
from gateway.trade.acceptance import decide
from gateway.trade.acceptance import facts_after
from gateway.trade.acceptance import fingerprint
from gateway.trade.acceptance import policy_from_words
from gateway.trade.acceptance import reject_by_hand
from gateway.trade.acceptance import response_number
from tests.rules.world import TODAY
from tests.rules.world import base_plan
from tests.rules.world import earlier
from tests.rules.world import facts
from tests.rules.world import order

PLAN = base_plan()
POLICY = policy_from_words(PLAN.decisions)
D = Decimal


def decided(one: Order, known: Facts | None = None, released: frozenset[str] = frozenset(), **policy: Any) -> Decision:
    known = known or facts()
    return decide(one, judge(one, PLAN, known), known, msgspec.structs.replace(POLICY, **policy), TODAY, released=released)


def codes(decision: Decision) -> list[str]:
    return [problem.code for problem in decision.problems]


def test_the_base_rules_say_the_default_policy() -> None:
    assert AcceptancePolicy() == POLICY


def test_a_good_order_is_accepted_and_takes_its_stock() -> None:
    decision = decided(
        order(
            ship_to={"identifiers": {"buyer_assigned": "0012"}},
            delivery={"requested_on": "2026-12-01"},
            references=[{"type": "contract", "value": "C1"}],
        )
    )
    assert (decision.state, decision.total, decision.currency, decision.books) == ("accepted", D("50.00"), "EUR", True)
    assert [(one.item, one.quantity) for one in decision.reservations] == [("BOLT", D(10))]
    response = decision.response
    assert response is not None
    assert (response.number, response.response, response.order_number, response.purpose, response.issued_on) == (
        "OR-PO1",
        "accepted",
        "PO1",
        "original",
        TODAY,
    )
    assert response.references[0].value == "C1"
    line = response.lines[0]
    assert (line.action, line.quantity, line.price, line.net_amount, line.promised_on) == (
        "accepted",
        D(10),
        D("5.00"),
        D("50.00"),
        date(2026, 12, 1),
    )
    assert decode(encode(response)) == response


def test_a_date_that_has_passed_is_promised_for_the_earliest_day() -> None:
    decision = decided(order(delivery={"requested_on": "2026-01-20"}), lead_days=3)
    assert decision.state == "accepted"
    assert codes(decision) == ["RULE-REQUESTED-DATE-PASSED"]
    assert decision.response is not None
    assert decision.response.lines[0].promised_on == date(2026, 11, 25)


def test_a_short_line_is_delivered_in_part_and_the_rest_later() -> None:
    decision = decided(order([{"quantity": "150", "price": "4.50"}]))
    assert decision.state == "accepted"
    assert decision.response is not None
    line = decision.response.lines[0]
    assert (decision.response.response, line.action, line.quantity, line.back_ordered_quantity) == (
        "accepted_with_changes",
        "back_ordered",
        D(100),
        D(50),
    )
    assert [(part.quantity, part.promised_on) for part in line.schedule] == [(D(100), TODAY), (D(50), date(2026, 12, 10))]
    assert (line.reason_code, line.reason) == ("STOCK-SHORT", "Line 1 orders 150 EA of item BOLT, 100 is in stock")
    assert decision.total == D("675.00")
    assert decision.reservations[0].quantity == D(100)


@pytest.mark.parametrize(
    ("policy", "action", "now", "later", "reserved"),
    [
        ("partial", "back_ordered", 100, 50, 100),
        ("change", "changed", 100, 0, 100),
        ("back_order", "back_ordered", 0, 150, 0),
        ("accept", "accepted", 150, 0, 0),
    ],
)
def test_the_stock_policy_decides_about_a_short_line(policy: str, action: str, now: int, later: int, reserved: int) -> None:
    decision = decided(order([{"quantity": "150", "price": "4.50"}]), stock_short=policy)
    line = decision.lines[0]
    assert (line.action, line.quantity, line.back_ordered) == (action, now, later)
    assert sum(one.quantity for one in decision.reservations) == reserved


def test_a_short_line_may_be_rejected_alone() -> None:
    decision = decided(order([{"quantity": "150", "price": "4.50"}, {"quantity": "5"}]), stock_short="reject")
    assert [line.action for line in decision.lines] == ["rejected", "accepted"]
    assert decision.response is not None
    assert (decision.response.response, decision.total) == ("accepted_with_changes", D("25.00"))


def test_a_short_line_may_wait_for_a_person_and_is_then_delivered_in_part() -> None:
    short = order([{"quantity": "150", "price": "4.50"}])
    held = decided(short, stock_short="hold")
    assert (held.state, held.response, held.reservations, codes(held)) == ("held", None, (), ["STOCK-SHORT"])
    released = decided(short, stock_short="hold", released=frozenset({"STOCK-SHORT"}))
    assert (released.state, released.lines[0].quantity, released.lines[0].back_ordered) == ("accepted", D(100), D(50))


def test_nothing_in_stock_is_back_ordered_or_rejected() -> None:
    nuts = order([{"identifiers": {"buyer": "B-NUT"}, "quantity": "30", "price": "0.08"}])
    line = decided(nuts).lines[0]
    assert (line.action, line.quantity, line.back_ordered, line.reason_code, line.promised_on) == ("back_ordered", 0, D(30), "STOCK-NONE", None)
    rejected = decided(nuts, stock_none="reject")
    assert rejected.state == "rejected"
    assert rejected.response is not None
    assert rejected.response.lines[0].reason == "Line 1 orders 30 EA of item NUT, nothing is in stock"


def test_two_lines_of_one_item_share_the_stock_in_their_order() -> None:
    decision = decided(order([{"quantity": "80"}, {"quantity": "30"}]))
    assert [(line.quantity, line.back_ordered) for line in decision.lines] == [(D(80), D(0)), (D(20), D(10))]


def test_cases_are_filled_only_whole() -> None:
    decision = decided(order([{"quantity": "10", "unit": "XCS", "price": "54.00"}]))
    assert (decision.lines[0].quantity, decision.lines[0].back_ordered) == (D(8), D(2))
    assert decision.reservations[0].quantity == D(96)


def test_deliveries_of_a_line_are_promised_one_by_one() -> None:
    parts = [{"quantity": "80", "requested_on": "2026-12-01"}, {"quantity": "70", "requested_on": "2027-01-10"}]
    line = decided(order([{"quantity": "150", "price": "4.50", "deliveries": parts}])).lines[0]
    assert [(part.quantity, part.promised_on) for part in line.schedule] == [
        (D(80), date(2026, 12, 1)),
        (D(20), date(2027, 1, 10)),
        (D(50), date(2026, 12, 10)),
    ]


def test_an_item_that_is_not_kept_in_stock_is_accepted() -> None:
    oil = order([{"identifiers": {"buyer": "B-OIL"}, "unit": "LTR"}])
    decision = decided(oil, facts(prices_loaded=False))
    assert (decision.state, decision.reservations) == ("accepted", ())


def test_a_held_order_is_not_answered() -> None:
    decision = decided(order([{"price": "4.00"}]))
    assert (decision.state, decision.response, decision.reservations, decision.books, decision.total) == ("held", None, (), False, D("40.00"))


def test_a_released_price_is_accepted_as_ordered() -> None:
    decision = decided(order([{"price": "4.00"}]), released=frozenset({"RULE-PRICE-DIFFERS"}))
    assert decision.response is not None
    assert (decision.state, decision.response.response, decision.response.lines[0].price) == ("accepted", "accepted", D("4.00"))
    assert decision.problems[0].outcome == "warn"


def test_a_released_price_may_be_answered_with_the_list_price() -> None:
    decision = decided(order([{"price": "4.00"}]), released=frozenset({"RULE-PRICE-DIFFERS"}), price="list")
    line = decision.lines[0]
    assert (line.action, line.price, line.net_amount, line.reason) == ("changed", D("5.00"), D("50.00"), "The price is 5 instead of 4")


def test_a_price_within_its_tolerance_stays_as_ordered() -> None:
    line = decided(order([{"price": "5.00"}, {"price": "4.00"}]), released=frozenset({"RULE-PRICE-DIFFERS"}), price="list").lines[0]
    assert (line.action, line.price) == ("accepted", D("5.00"))


def test_a_list_price_for_pieces_answers_an_order_of_cases() -> None:
    decision = decided(order([{"price": None, "unit": "XCS", "quantity": "2"}]))
    assert (decision.lines[0].price, decision.lines[0].price_unit, decision.total) == (D("5.00"), "EA", D("120.00"))


def test_allowances_and_charges_count_by_what_is_delivered() -> None:
    extras = [{"kind": "allowance", "amount": "15"}, {"kind": "charge", "percent": "10"}, {"kind": "charge"}]
    short = order([{"quantity": "150", "price": "4.50", "allowances_charges": extras}], allowances_charges=[{"kind": "charge", "amount": "20"}])
    assert decided(short).total == D("675.00") - 15 + D("67.50") + 20
    assert decided(short, stock_short="change").total == D("450.00") - 10 + 45 + 20


def test_an_order_of_unknown_value_has_no_total() -> None:
    decision = decided(order([{"price": None}, {"price_unit": "KGM"}]), facts(prices_loaded=False), released=frozenset({"RULE-UNIT-UNKNOWN"}))
    assert (decision.state, decision.total) == ("accepted", None)


def test_a_release_lets_pass_only_what_it_names() -> None:
    both = order([{"price": "4.00", "deliveries": [{"quantity": "1"}]}])
    assert decided(both, released=frozenset({"RULE-PRICE-DIFFERS"})).state == "held"
    assert decided(both, released=frozenset({"RULE-PRICE-DIFFERS", "RULE-DELIVERIES-DIFFER"})).state == "accepted"


def test_an_order_without_prices_is_accepted_at_the_list_price() -> None:
    decision = decided(order([{"price": None}]))
    assert decision.response is not None
    assert (decision.state, decision.response.lines[0].price, decision.total) == ("accepted", D("5.00"), D("50.00"))


def test_a_rejected_line_leaves_its_neighbours() -> None:
    decision = decided(order([{}, {"identifiers": {"buyer": "B-OLD"}}]))
    assert decision.response is not None
    assert (decision.state, decision.response.response, [line.action for line in decision.lines]) == (
        "accepted",
        "accepted_with_changes",
        ["accepted", "rejected"],
    )
    assert decision.response.lines[1].reason == "Line 2: item OLD is no longer sold"


def test_a_rejected_line_may_reject_the_whole_order() -> None:
    decision = decided(order([{}, {"quantity": "0"}]), rejected_line="order")
    assert decision.response is not None
    assert (decision.state, decision.response.response, decision.total) == ("rejected", "rejected", 0)
    assert decision.response.lines[0].reason == "The whole order is rejected: Line 2 orders 0, more than 0 is expected"


def test_an_order_without_lines_is_rejected_with_a_reason() -> None:
    decision = decided(order([]))
    assert decision.response is not None
    assert (decision.state, decision.response.notes[0].text) == ("rejected", "The order has no lines")


def test_a_duplicate_is_rejected_under_a_number_of_its_own() -> None:
    decision = decided(
        order(source={"syntax": "x12", "type": "850", "test": False, "interchange_control_number": "7"}),
        facts(earlier={"PO1": (earlier("accepted", order()),)}),
    )
    assert decision.state == "rejected"
    assert decision.response is not None
    assert decision.response.number.startswith("OR-PO1-D")
    assert decision.reservations == ()


def test_credit_holds_an_order_and_a_release_lets_it_pass() -> None:
    credit = CreditFacts(currency="EUR", limit=D(1000), exposure=D(980), accepted_orders=4)
    held = decided(order(), facts(credit=credit))
    assert (held.state, codes(held)) == ("held", ["CREDIT-LIMIT"])
    assert decided(order(), facts(credit=credit), released=frozenset({"CREDIT-LIMIT"})).state == "accepted"
    assert decided(order(), facts(credit=credit), credit="warn").state == "accepted"


def test_what_credit_says_is_never_told_to_the_buyer() -> None:
    credit = CreditFacts(currency="EUR", limit=D(10), accepted_orders=4)
    known = facts(credit=credit)
    rejected = reject_by_hand(order(), decided(order(), known).problems, known, POLICY, TODAY, "We cannot deliver this order")
    assert rejected.response is not None
    assert rejected.problems[0].code == "RULE-REJECTED-BY-HAND"
    told = encode(rejected.response).decode()
    assert rejected.state == "rejected"
    assert "We cannot deliver this order" in told
    assert "exposure" not in told
    assert "CREDIT" not in told
    warned = decided(order(), known, credit="warn").response
    assert warned is not None
    assert b"exposure" not in encode(warned)


def test_test_traffic_is_answered_and_touches_nothing() -> None:
    one = order(source={"syntax": "x12", "type": "850", "test": True})
    decision = decided(one, facts(credit=CreditFacts(currency="EUR", limit=D(1))))
    assert (decision.state, decision.books, decision.reservations, codes(decision)) == ("accepted", False, (), ["RULE-TEST-TRAFFIC"])
    assert decision.response is not None


# --- purposes other than original -------------------------------------------------------------------------------------------


def test_a_cancel_reaches_a_held_order() -> None:
    decision = decided(order(purpose="cancel"), facts(earlier={"PO1": (earlier("held"),)}))
    assert (decision.state, decision.ends) == ("cancelled", ("d1",))
    assert decision.response is not None
    assert (decision.response.number, decision.response.purpose, decision.response.response) == ("OR-PO1-C", "cancel", "accepted")


@pytest.mark.parametrize("state", ["registered", "accepted"])
def test_a_cancel_reaches_whatever_has_not_left(state: str) -> None:
    assert decided(order(purpose="cancel"), facts(earlier={"PO1": (earlier(state),)})).state == "cancelled"


@pytest.mark.parametrize("state", ["part_despatched", "despatched", "invoiced", "closed"])
def test_a_cancel_comes_too_late(state: str) -> None:
    decision = decided(order(purpose="cancel"), facts(earlier={"PO1": (earlier(state),)}))
    assert (decision.state, decision.ends) == ("rejected", ())
    assert decision.response is not None
    assert decision.response.notes[0].text == f"Order PO1 cannot be cancelled any more, it is {state}"


def test_a_second_cancel_is_answered_as_the_first() -> None:
    decision = decided(order(purpose="cancel"), facts(earlier={"PO1": (earlier("cancelled"),)}))
    assert (decision.state, decision.ends) == ("cancelled", ())


def test_a_cancel_of_an_unknown_order_is_rejected() -> None:
    assert decided(order(purpose="cancel")).state == "rejected"


def test_a_cancel_with_a_release_reaches_that_release_alone() -> None:
    known = facts(earlier={"PO1": (earlier("held", release="1"), earlier("held", release="2", document="d2"))})
    assert decided(order(purpose="cancel", release="2"), known).ends == ("d2",)
    assert decided(order(purpose="cancel"), known).ends == ("d1", "d2")


@pytest.mark.parametrize("purpose", ["confirm", "duplicate", "copy"])
def test_a_confirmation_or_copy_books_nothing(purpose: str) -> None:
    decision = decided(order(purpose=purpose), facts(earlier={"PO1": (earlier("accepted", order()),)}))
    assert (decision.state, decision.books, decision.response, decision.reservations) == ("accepted", False, None, ())


@pytest.mark.parametrize(("purpose", "code"), [("confirm", "RULE-CONFIRM-UNKNOWN"), ("copy", "RULE-COPY-UNKNOWN")])
def test_a_copy_of_nothing_waits_and_is_booked_when_released(purpose: str, code: str) -> None:
    held = decided(order(purpose=purpose))
    assert (held.state, codes(held)) == ("held", [code])
    released = decided(order(purpose=purpose), released=frozenset({code}))
    assert (released.state, released.books) == ("accepted", True)


# --- a batch ----------------------------------------------------------------------------------------------------------------


def test_the_next_order_of_a_batch_sees_what_the_first_one_took() -> None:
    credit = CreditFacts(currency="EUR", limit=D(500), vetted=True)
    known, first = facts(credit=credit), order([{"quantity": "60"}])
    after = facts_after(known, first, decided(first, known), "d1")
    assert (after.stock["BOLT"].available, after.credit and after.credit.exposure, after.credit and after.credit.accepted_orders) == (
        D(40),
        D("300.00"),
        1,
    )
    assert decided(first, after).state == "rejected"
    second = decided(order([{"quantity": "60"}], number="PO2"), after)
    assert codes(second) == ["STOCK-SHORT", "CREDIT-LIMIT"]


def test_the_next_order_of_a_batch_sees_a_cancel() -> None:
    known = facts(earlier={"PO1": (earlier("held"),)})
    cancel = order(purpose="cancel")
    after = facts_after(known, cancel, decided(cancel, known), "d2")
    assert [(one.document, one.state) for one in after.earlier["PO1"]] == [("d1", "cancelled")]


# --- names and digests ------------------------------------------------------------------------------------------------------


def test_the_response_number_follows_from_the_order_and_fits_every_syntax() -> None:
    assert response_number(order(release="7")) == "OR-PO1-7"
    long = response_number(order(number="X" * 60))
    assert len(long) <= 35
    assert long == response_number(order(number="X" * 60))
    assert long != response_number(order(number="X" * 61))


def test_the_fingerprint_is_of_what_is_ordered() -> None:
    base = fingerprint(order())
    assert (
        fingerprint(order([{"price": "5.0", "quantity": "10.00"}], issued_on="2026-11-22", source={"syntax": "x12", "type": "850", "test": False}))
        == base
    )
    for other in (
        order([{"quantity": "11"}]),
        order([{"price": "5.01"}]),
        order([{}, {}]),
        order(currency="USD"),
        order([{"identifiers": {"buyer": "B-NUT"}}]),
    ):
        assert fingerprint(other) != base
    assert fingerprint(order(delivery={"requested_on": "2026-12-01"})) != base


@given(
    quantities=st.lists(st.integers(1, 200), min_size=1, max_size=6),
    there=st.integers(-5, 400),
    short=st.sampled_from(["partial", "change", "back_order", "reject"]),
)
def test_stock_is_never_promised_twice(quantities: list[int], there: int, short: str) -> None:
    known = facts(prices_loaded=False)
    known = msgspec.structs.replace(known, stock={"BOLT": msgspec.structs.replace(known.stock["BOLT"], available=D(there))})
    decision = decided(order([{"quantity": str(quantity)} for quantity in quantities]), known, stock_short=short)
    assert sum(one.quantity for one in decision.reservations) <= max(there, 0)
    for line in decision.lines:
        assert line.ordered is not None
        assert line.quantity + line.back_ordered <= line.ordered
        if line.action in ("accepted", "back_ordered"):
            assert line.quantity + line.back_ordered == line.ordered
    assert decision.total == sum(line.net_amount or 0 for line in decision.lines)
