"""Judging: what does not apply is left out, and sentences say what was found and expected."""

from decimal import Decimal

import msgspec
import pytest

from gateway.model.document import encode
from gateway.model.fingerprint import fingerprint
from gateway.model.values import Totals
from gateway.rules.apply import judge
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import decide
from tests.rules.world import TODAY
from tests.rules.world import base_plan
from tests.rules.world import earlier
from tests.rules.world import facts
from tests.rules.world import order

PLAN = base_plan()


def test_a_good_order_has_no_problems() -> None:
    assert judge(order([{}, {"identifiers": {"buyer": "B-NUT"}, "quantity": "30", "price": "8", "price_base": "100"}]), PLAN, facts()) == []


def test_nothing_about_master_data_where_none_is_loaded() -> None:
    bare = facts(items={}, prices={}, stock={}, places={}, items_loaded=False, prices_loaded=False, stock_loaded=False, places_loaded=False)
    odd = order([{"identifiers": {"buyer": "X"}, "unit": "XYZ", "price": "1"}], ship_to={"identifiers": {"gln": "1"}})
    assert judge(odd, PLAN, bare) == []


@pytest.mark.parametrize("flag", ["items_loaded", "prices_loaded", "places_loaded"])
def test_each_kind_of_master_data_has_its_own_switch(flag: str) -> None:
    odd = order([{"identifiers": {"buyer": "X"}}, {"price": "4.00"}], ship_to={"identifiers": {"gln": "1"}})
    about = {"items_loaded": "RULE-ITEM-UNKNOWN", "prices_loaded": "RULE-PRICE-DIFFERS", "places_loaded": "RULE-SHIP-TO-UNKNOWN"}
    found = {problem.code for problem in judge(odd, PLAN, facts(**{flag: False}))}
    assert found == set(about.values()) - {about[flag]}


def test_a_price_difference_says_both_prices_and_the_difference() -> None:
    [problem] = judge(order([{}, {"price": "4.85"}]), PLAN, facts())
    assert problem.message == "Line 2 has the price 4.85 per EA, the list says 5 per EA (3 % apart)"
    assert (problem.found, problem.expected, problem.place.field) == ("4.85 per EA", "5 per EA", "lines[1].price")


def test_another_currency_is_one_problem_not_one_a_line() -> None:
    assert [problem.code for problem in judge(order([{}, {}], currency="CHF"), PLAN, facts())] == ["RULE-CURRENCY-DIFFERS"]


def test_an_order_older_than_the_price_list_is_judged_by_the_prices_of_today() -> None:
    assert judge(order(issued_on="2025-06-01"), PLAN, facts()) == []


def test_a_rejected_duplicate_is_not_judged_further() -> None:
    again = order([{"price": "1"}])
    assert [problem.code for problem in judge(again, PLAN, facts(earlier={"PO1": (earlier("held", again),)}))] == ["RULE-DUPLICATE-ORDER"]


def test_test_traffic_is_not_compared_with_live_orders() -> None:
    assert judge(order(), PLAN, facts(earlier={"PO1": (earlier("accepted", order(), test=True),)})) == []


def test_a_cancel_is_not_judged_by_its_lines() -> None:
    cancel = order([{"price": "1", "quantity": "0"}], purpose="cancel", delivery={"requested_on": "2020-01-01"})
    assert judge(cancel, PLAN, facts(earlier={"PO1": (earlier("held"),)})) == []


def test_every_place_is_named_once() -> None:
    unknown = {"identifiers": {"buyer_assigned": "77"}}
    found = judge(order([{"ship_to": unknown}, {"deliveries": [{"quantity": "10", "ship_to": unknown}]}], ship_to=unknown), PLAN, facts())
    assert [problem.place.field for problem in found] == ["ship_to"]


def test_test_traffic_is_judged_the_same_but_marked() -> None:
    found = judge(order([{"price": "4"}], source={"syntax": "x12", "type": "850", "test": True}), PLAN, facts())
    assert [problem.code for problem in found] == ["RULE-TEST-TRAFFIC", "RULE-PRICE-DIFFERS"]


@pytest.mark.parametrize("number", ["1E999999999", "-1E+40", "1E-999999", "NaN", "Infinity", "0." + "1" * 40])
@pytest.mark.parametrize("field", ["quantity", "price", "price_base", "net_amount"])
def test_numbers_that_nobody_means_reject_the_order_before_anything_is_reckoned(field: str, number: str) -> None:
    odd = order([{}, {}])
    odd = msgspec.structs.replace(odd, lines=(odd.lines[0], msgspec.structs.replace(odd.lines[1], **{field: Decimal(number)})))
    known = facts(earlier={"PO1": (earlier("accepted", odd),)})
    found = judge(odd, PLAN, known)
    assert [(problem.code, problem.place.field) for problem in found] == [("RULE-NUMBER-OUT-OF-RANGE", "lines")]
    assert found[0].message.startswith(f"lines[1].{field} is ")
    assert len(fingerprint(odd)) == 64
    decision = decide(odd, found, known, AcceptancePolicy(), TODAY)
    assert decision.state == "rejected"
    assert decision.response is not None
    assert len(encode(decision.response)) < 3000


def test_the_largest_numbers_that_are_read_are_reckoned_with() -> None:
    large = order([{"quantity": "9" * 15, "price": "9" * 15, "price_base": "0.000000000000001"}] * 3, totals={"lines": "1"})
    bare = facts(items={}, items_loaded=False, prices_loaded=False, stock_loaded=False)
    assert decide(large, judge(large, PLAN, bare), bare, AcceptancePolicy(), TODAY).state == "held"


def test_totals_are_read_as_well() -> None:
    odd = msgspec.structs.replace(order(), totals=Totals(payable=Decimal("1E99")))
    assert judge(odd, PLAN, facts())[0].message == "totals.payable is 1E+99, below 10^15 with at most 15 decimals is expected"
