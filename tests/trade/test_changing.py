"""Changes of orders: what is taken, what is the floor, what the buyer reads; and laws that hold whatever comes after whatever."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.model.amendment import amend
from gateway.model.amendment import change_of
from gateway.model.amendment import numbered
from gateway.model.change import OrderChange
from gateway.model.differences import differences
from gateway.model.differences import public_words
from gateway.model.facts import CreditFacts
from gateway.model.facts import Facts
from gateway.model.facts import StockLevel
from gateway.model.standing import StandingLine
from gateway.model.standing import StandingOrder
from gateway.rules.apply import judge
from gateway.rules.apply import judge_change
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import decide
from gateway.trade.change_response import change_response_number
from gateway.trade.changing import ChangeDecision
from gateway.trade.changing import decide_change
from tests.rules.world import TODAY
from tests.rules.world import base_plan
from tests.rules.world import change
from tests.rules.world import earlier_change
from tests.rules.world import facts
from tests.rules.world import order
from tests.rules.world import standing

D = Decimal
PLAN = base_plan()
POLICY = AcceptancePolicy()


def decided(
    one: OrderChange,
    known: StandingOrder | None = None,
    known_facts: Facts | None = None,
    policy: AcceptancePolicy = POLICY,
    released: frozenset[str] = frozenset(),
) -> ChangeDecision:
    orders = (known,) if known is not None else (standing(),)
    given_facts = msgspec.structs.replace(known_facts or facts(stock={"BOLT": StockLevel(item="BOLT", available=D(90))}), earlier={})
    problems = judge_change(numbered(one, orders[0].order), orders, PLAN, given_facts)
    judged = partial(judge, plan=PLAN, facts=given_facts)
    return decide_change(numbered(one, orders[0].order), orders, problems, given_facts, policy, TODAY, judged, released=released)


def answers(decision: ChangeDecision) -> list[tuple[str, str, str]]:
    assert decision.response is not None
    return [(line.number, line.action, str(line.quantity)) for line in decision.response.lines]


def test_more_of_a_line_takes_more_stock_and_no_more_than_it_needs() -> None:
    decision = decided(change([{"number": "1", "action": "quantity_increase", "quantity": "15"}]))
    assert (decision.state, decision.order_state, answers(decision)) == ("accepted", "accepted", [("1", "accepted", "15")])
    assert decision.reserved == {"1": ("BOLT", D(15))}
    assert decision.decision is not None and decision.decision.total == D("75.00")


def test_a_line_competes_with_others_and_not_with_itself() -> None:
    nothing_left = facts(stock={"BOLT": StockLevel(item="BOLT", available=D(0))})
    decision = decided(change([{"number": "1", "action": "quantity_increase", "quantity": "12"}]), known_facts=nothing_left)
    assert answers(decision) == [("1", "back_ordered", "10")]
    assert decision.reserved == {"1": ("BOLT", D(10))}


def test_a_line_that_is_not_named_keeps_what_was_promised() -> None:
    two = order([{}, {"quantity": "50"}])
    far = {"2": {"accepted": "50", "back_ordered": "20", "reserved": "30"}}
    decision = decided(change([{"number": "1", "action": "delete"}]), standing(of=two, lines=far))
    assert decision.decision is not None
    [kept] = decision.decision.lines
    assert (kept.number, kept.quantity, kept.back_ordered) == ("2", D(30), D(20))
    assert decision.reserved == {"1": ("BOLT", D(0))}
    assert answers(decision) == [("1", "deleted", "0")]


def test_another_day_moves_every_line_that_has_not_left() -> None:
    two = order([{}, {}])
    known = standing("part_despatched", two, lines={"2": {"despatched": "10", "reserved": "0"}})
    decision = decided(change(delivery={"requested_on": "2026-12-24"}), known)
    assert decision.response is not None
    assert [(line.number, line.promised_on) for line in decision.response.lines] == [("1", date(2026, 12, 24))]


def test_a_price_that_is_not_the_lists_holds_the_change_and_the_order_stands() -> None:
    decision = decided(change([{"number": "1", "action": "price_change", "price": "4.00"}]))
    assert (decision.state, decision.response, decision.order) == ("held", None, None)
    assert [problem.code for problem in decision.problems] == ["RULE-PRICE-DIFFERS"]
    assert decision.problems[0].place.field == "lines[0].price"
    passed = decided(change([{"number": "1", "action": "price_change", "price": "4.00"}]), released=frozenset({"RULE-PRICE-DIFFERS"}))
    assert (passed.state, passed.decision and passed.decision.total) == ("accepted", D("40.00"))


def test_a_line_that_cannot_be_taken_leaves_the_others() -> None:
    lines = [{"number": "2", "action": "add", "quantity": "1", "identifiers": {"buyer": "B-OLD"}}, {"number": "1", "quantity": "11"}]
    decision = decided(change(lines))
    assert decision.state == "accepted"
    assert answers(decision) == [("1", "accepted", "11"), ("2", "rejected", "0")]
    assert decision.response is not None and decision.response.response == "accepted_with_changes"
    whole = decided(change(lines), policy=AcceptancePolicy(rejected_line="order"))
    assert (whole.state, whole.order, answers(whole)) == ("rejected", None, [("1", "rejected", "10"), ("2", "rejected", "0")])


def test_only_an_order_that_becomes_worth_more_is_asked_for_credit() -> None:
    over = facts(
        stock={"BOLT": StockLevel(item="BOLT", available=D(90))}, credit=CreditFacts(currency="EUR", limit=D(60), exposure=D(20), accepted_orders=1)
    )
    more, less = ([{"number": "1", "quantity": quantity}] for quantity in ("11", "9"))
    held = decided(change(more), known_facts=over)
    assert (held.state, [problem.code for problem in held.problems]) == ("held", ["CREDIT-LIMIT"])
    assert decided(change(less), known_facts=over).state == "accepted"


def test_a_change_of_a_line_that_was_rejected_may_cure_it() -> None:
    two = order([{}, {"identifiers": {"buyer": "B-OLD"}}])
    known = standing(of=two, lines={"2": {"accepted": "0", "reserved": "0", "rejected": True}})
    decision = decided(change([{"number": "2", "action": "change", "identifiers": {"buyer": "B-BOLT"}}]), known)
    assert answers(decision) == [("2", "accepted", "10")]
    assert decision.reserved == {"2": ("BOLT", D(10))}


def test_what_left_keeps_the_price_that_it_left_with() -> None:
    known = standing("part_despatched", lines={"1": {"despatched": "4", "invoiced": "4", "reserved": "6"}})
    decision = decided(change([{"number": "1", "price": "4.90"}]), known, released=frozenset({"RULE-PRICE-DIFFERS"}))
    assert decision.decision is not None and decision.decision.total == D("49.40")


def test_a_line_may_be_named_by_its_item() -> None:
    two = order([{}, {"identifiers": {"buyer": "B-NUT"}, "quantity": "20", "unit": "H87", "price": "0.08"}])
    decision = decided(change([{"action": "quantity_increase", "quantity": "12", "identifiers": {"buyer": "B-BOLT"}}]), standing(of=two))
    assert answers(decision) == [("1", "accepted", "12")]


def test_a_held_order_is_changed_and_decided_again() -> None:
    held = order([{"price": "4.00"}])
    cured = decided(change([{"number": "1", "price": "5.00"}]), standing("held", held))
    assert (cured.state, cured.order_state, cured.decision and cured.decision.state) == ("accepted", "accepted", "accepted")
    still = decided(change([{"number": "1", "quantity": "9"}]), standing("held", held))
    assert (still.state, still.order_state, still.response) == ("waiting", "held", None)


def test_the_number_of_an_answer_follows_from_the_change_and_fits_every_syntax() -> None:
    assert change_response_number(change(sequence="2")) == "OC-PO1-2"
    assert change_response_number(change(number="C-9")) == "OC-PO1-C-9"
    assert change_response_number(change(number="PO1-C9")) == "OC-PO1-C9"
    assert change_response_number(change()).startswith("OC-PO1-D")
    assert len(change_response_number(change(number="X" * 60))) <= 35
    assert change_response_number(change(sequence="2"), again=True) != change_response_number(change(sequence="2"))


def test_a_rejected_change_may_be_sent_again() -> None:
    one = change([{"number": "1", "quantity": "11"}], number="C1")
    assert decided(one, standing(changes=(earlier_change(one, "rejected"),))).state == "accepted"
    assert decided(one, standing(changes=(earlier_change(one),))).state == "rejected"


# --- what a change makes of an order ----------------------------------------------------------------------------------------


def test_a_change_lays_over_the_order_only_what_it_gives() -> None:
    before = order(
        [{"description": "Bolt", "net_amount": "50.00", "deliveries": [{"quantity": "10", "requested_on": "2026-12-01"}]}],
        ship_to={"name": "Store", "identifiers": {"gln": "4012345500011"}, "address": {"city": "Bonn"}},
        references=[{"type": "contract", "value": "C1"}, {"type": "promotion", "value": "P1"}],
        totals={"lines": "50.00"},
    )
    after = amend(
        before,
        change(
            [{"number": "1", "quantity": "12", "identifiers": {"seller": "BOLT"}}],
            ship_to={"identifiers": {"gln": "4012345500011"}, "contacts": [{"name": "Anna"}]},
            references=[{"type": "contract", "value": "C2"}],
        ),
    ).order
    [line] = after.lines
    assert (line.description, line.price, line.net_amount, line.deliveries[0].quantity) == ("Bolt", D("5.00"), None, D(12))
    assert line.identifiers is not None and (line.identifiers.buyer, line.identifiers.seller) == ("B-BOLT", "BOLT")
    assert after.ship_to is not None and after.ship_to.address is not None and after.ship_to.contacts[0].name == "Anna"
    assert [one.value for one in after.references] == ["P1", "C2"]
    assert after.totals is None
    told = {one.field: (one.before, one.after) for one in differences(before, after)}
    assert told["line 1 quantity"] == ("10", "12")
    assert "Anna" not in public_words(differences(before, after))


def test_another_item_and_another_place_replace_what_was_there() -> None:
    before = order(ship_to={"name": "Store", "identifiers": {"gln": "4012345500011"}})
    after = amend(before, change([{"number": "1", "identifiers": {"buyer": "B-NUT"}}], ship_to={"identifiers": {"buyer_assigned": "0012"}})).order
    assert after.lines[0].identifiers is not None and after.lines[0].identifiers.seller is None
    assert after.ship_to is not None and after.ship_to.name is None


def test_a_quantity_change_is_about_the_quantity_alone() -> None:
    line = {"number": "1", "action": "quantity_change", "quantity": "12", "price": "9.99", "description": "Other"}
    [after] = amend(order(), change([line])).order.lines
    assert (after.quantity, after.price, after.description) == (D(12), D("5.00"), None)


def test_a_replacement_is_all_that_the_order_has() -> None:
    after = amend(order([{}, {}]), change([{"number": "2", "quantity": "1"}, {"number": "7", "quantity": "2"}], purpose="replace")).order
    assert [(line.number, line.quantity, line.price) for line in after.lines] == [("2", D(1), None), ("7", D(2), None)]


def test_a_replacement_in_the_orders_own_message_is_the_same_change() -> None:
    again = order([{"quantity": "8"}], purpose="replace")
    assert amend(order(), change_of(again)).order.lines[0].quantity == D(8)


# --- laws -------------------------------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from(["1", "2", "3", "4"])
CHANGED_LINE = st.fixed_dictionaries(
    {"number": NUMBERS, "action": st.sampled_from(["add", "delete", "change", "quantity_change", "replace", None])},
    optional={"quantity": st.integers(0, 40).map(str), "price": st.sampled_from(["5.00", "4.50"]), "identifiers": st.just({"buyer": "B-BOLT"})},
)
STEP = st.one_of(
    st.tuples(st.just("change"), st.lists(CHANGED_LINE, max_size=3, unique_by=lambda line: line["number"])),
    st.tuples(st.just("replace"), st.lists(CHANGED_LINE, min_size=1, max_size=3, unique_by=lambda line: line["number"])),
    st.tuples(st.just("cancel"), st.just([])),
    st.tuples(st.just("ship"), st.tuples(NUMBERS, st.integers(1, 30))),
    st.tuples(st.just("invoice"), st.just([])),
)


class House:
    """One order, the stock that it is served from, and what the pipeline would write."""

    def __init__(self, on_hand: int) -> None:
        self.on_hand = D(on_hand)
        ordered = order([{"quantity": "10"}, {"quantity": "20"}])
        decision = decide(ordered, [], self.facts(D(0)), POLICY, TODAY)
        self.order = StandingOrder(
            document="d1",
            order=ordered,
            state="accepted",
            currency="EUR",
            total=decision.total or D(0),
            lines=tuple(
                StandingLine(
                    number=line.number, accepted=line.quantity + line.back_ordered, back_ordered=line.back_ordered, price=line.price, item="BOLT",
                    reserved=line.reservation.quantity if line.reservation else D(0),
                )
                for line in decision.lines
            ),
        )  # fmt: skip

    @property
    def reserved(self) -> Decimal:
        return sum((line.reserved for line in self.order.lines), D(0))

    def facts(self, reserved: Decimal) -> Facts:
        return facts(stock={"BOLT": StockLevel(item="BOLT", available=self.on_hand - reserved)}, prices_loaded=False)

    def change(self, purpose: str, lines: list[dict[str, Any]]) -> ChangeDecision:
        one = change(lines, purpose=purpose)
        known = self.facts(self.reserved)
        judged = partial(judge, plan=PLAN, facts=known)
        problems = judge_change(one, (self.order,), PLAN, known)
        decision = decide_change(one, (self.order,), problems, known, POLICY, TODAY, judged)
        if decision.order_state == "cancelled":
            self.order = msgspec.structs.replace(
                self.order, state="cancelled", total=D(0), lines=tuple(msgspec.structs.replace(line, reserved=D(0)) for line in self.order.lines)
            )
        elif decision.order is not None:
            self._next(decision)
        return decision

    def _next(self, decision: ChangeDecision) -> None:
        assert decision.order is not None and decision.decision is not None and decision.order_state is not None
        before = {line.number: line for line in self.order.lines}
        lines = []
        for line in decision.decision.lines:
            was = before.get(line.number, StandingLine(number=line.number))
            wanted = decision.reserved.get(line.number)
            rejected = line.action == "rejected"
            lines.append(
                msgspec.structs.replace(
                    was, accepted=D(0) if rejected else line.quantity + line.back_ordered, back_ordered=line.back_ordered, price=line.price,
                    item=line.item, reserved=wanted[1] if wanted else was.reserved, rejected=rejected,
                )
            )  # fmt: skip
        self.order = msgspec.structs.replace(
            self.order, order=decision.order, state=decision.order_state, version=self.order.version + 1, lines=tuple(lines),
            total=decision.decision.total or D(0),
        )  # fmt: skip

    def ship(self, number: str, quantity: int) -> None:
        if self.order.state not in {"accepted", "part_despatched"}:
            return
        lines = []
        for line in self.order.lines:
            goes = min(D(quantity), line.outstanding, line.reserved) if line.number == number else D(0)
            self.on_hand -= goes
            lines.append(msgspec.structs.replace(line, despatched=line.despatched + goes, reserved=line.reserved - goes))
        gone = all(not line.outstanding for line in lines)
        some = any(line.despatched for line in lines)
        self.order = msgspec.structs.replace(
            self.order, lines=tuple(lines), state="despatched" if gone else "part_despatched" if some else "accepted"
        )

    def invoice(self) -> None:
        if self.order.state not in {"part_despatched", "despatched"}:
            return
        lines = tuple(msgspec.structs.replace(line, invoiced=line.despatched) for line in self.order.lines)
        billed = sum(((line.invoiced - was.invoiced) * (line.price or 0) for line, was in zip(lines, self.order.lines, strict=True)), D(0))
        whole = all(line.invoiced >= line.accepted for line in lines)
        self.order = msgspec.structs.replace(
            self.order, lines=lines, invoiced=self.order.invoiced + billed, state="invoiced" if whole else self.order.state
        )

    def check(self) -> None:
        """What must hold after every step."""
        assert D(0) <= self.reserved <= self.on_hand
        assert self.order.total - self.order.invoiced >= 0
        for line in self.order.lines:
            assert line.accepted >= line.despatched >= line.invoiced >= 0
            assert D(0) <= line.reserved <= line.outstanding
            assert D(0) <= line.back_ordered <= line.accepted
        if self.order.state == "cancelled":
            return
        ordered = {line.number: line for line in self.order.order.lines}
        assert set(ordered) == {line.number for line in self.order.lines}
        for line in self.order.lines:
            assert line.rejected or line.accepted <= (ordered[line.number].quantity or 0)


@settings(max_examples=150, deadline=None)
@given(on_hand=st.integers(0, 60), steps=st.lists(STEP, max_size=8))
def test_whatever_happens_nothing_is_promised_twice_and_nothing_that_left_is_taken_back(on_hand: int, steps: list[tuple[str, Any]]) -> None:
    house = House(on_hand)
    house.check()
    for kind, what in steps:
        despatched = {line.number: line.despatched for line in house.order.lines}
        if kind == "ship":
            house.ship(*what)
        elif kind == "invoice":
            house.invoice()
        else:
            decision = house.change(kind, what)
            assert decision.state in {"accepted", "rejected", "held", "cancelled"}
            assert (decision.response is None) == (decision.state == "held")
            left = {line.number: line.despatched for line in house.order.lines}
            assert all(left.get(number, D(0)) >= quantity for number, quantity in despatched.items() if quantity)
        house.check()


@settings(max_examples=80, deadline=None)
@given(lines=st.lists(CHANGED_LINE, min_size=1, max_size=3, unique_by=lambda line: line["number"]))
def test_the_same_change_again_changes_nothing_more(lines: list[dict[str, Any]]) -> None:
    once = amend(order([{}, {"quantity": "20"}]), change([{**line, "action": None} if line["action"] == "add" else line for line in lines])).order
    twice = amend(once, change([{**line, "action": None} if line["action"] == "add" else line for line in lines])).order
    assert twice == once


@pytest.mark.parametrize("purpose", ["change", "replace", "cancel"])
def test_a_decision_is_repeatable(purpose: str) -> None:
    one = change([{"number": "1", "quantity": "12"}], purpose=purpose)
    assert decided(one) == decided(one)
