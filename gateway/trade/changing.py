"""What we answer to a change of an order: taken, taken in part, refused or held; the order's next version, the stock that its lines take,
and the answer. Pure and repeatable.

Before anything has left, the lines that a change is about are decided like those of an order; the others keep what was promised. What has
left is the floor of its line. An order that waits for a person is changed and decided again, and answered when it is decided. The rules come
in as a function: each version that is tried is judged.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from gateway.kinds import rule
from gateway.model.amendment import AmendedLine
from gateway.model.amendment import amend
from gateway.model.change import OrderChange
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import REACHABLE_STATES
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.response import OrderResponse
from gateway.model.standing import StandingOrder
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.acceptance import Decision
from gateway.trade.acceptance import decide
from gateway.trade.acceptance import let_pass
from gateway.trade.acceptance import line_index
from gateway.trade.change_response import Answered
from gateway.trade.change_response import build_change_response
from gateway.trade.credit import check_credit
from gateway.trade.lines import AcceptancePolicy
from gateway.trade.lines import DecidedLine
from gateway.trade.lines import order_currency
from gateway.trade.lines import order_total
from gateway.trade.trying import Judge
from gateway.trade.trying import Tried
from gateway.trade.trying import left_of
from gateway.trade.trying import number_of
from gateway.trade.trying import try_version

_ZERO = Decimal(0)


class ChangeDecision(Value, frozen=True, kw_only=True):
    """What became of a change. `state`: accepted, rejected, held, cancelled, or waiting: it is in an order that waits for a person."""

    state: str
    response: OrderResponse | None = None
    problems: tuple[Problem, ...] = ()
    #: the order's next version; None where the order stands as it was
    order: Order | None = None
    #: what the order becomes; None where it stays as it is
    order_state: str | None = None
    #: the order as it is promised now: its lines, value and currency; of an order that waited, its new decision
    decision: Decision | None = None
    #: line number -> (item, quantity) that is to be reserved for it now, in the item's base unit
    reserved: dict[str, tuple[str, Decimal]] = {}


def decide_change(
    change: OrderChange,
    known: tuple[StandingOrder, ...],
    problems: Iterable[Problem],
    facts: Facts,
    policy: AcceptancePolicy,
    today: date,
    judge: Judge,
    *,
    released: frozenset[str] = frozenset(),
    released_order: frozenset[str] = frozenset(),
) -> ChangeDecision:
    """The decision on a change. `released` are codes of problems that a person let pass on it, `released_order` those on its order. `facts`
    leave the order itself out of exposure and earlier orders."""
    found = tuple(let_pass(problem, released) for problem in problems)
    standing = [order for order in known if order.state not in ENDED_STATES]
    if _whole(found, Outcome.REJECT):
        return _refused(change, known, found, today)
    if any(problem.outcome is Outcome.HOLD for problem in found):
        return ChangeDecision(state="held", problems=found)
    if len(standing) != 1:
        return _without_order(change, known, found, today)
    order = standing[0]
    if change.purpose == "cancel" and order.state in REACHABLE_STATES:
        return _cancelled(change, order, found, today)
    refused = _by_number(change, found)
    if refused and policy.rejected_line == "order":
        return _refused(change, known, _as_whole(found), today)
    if order.state in REACHABLE_STATES and order.state != "accepted":
        return _in_waiting_order(change, order, found, refused, facts, policy, today, judge, released | released_order)
    return _in_standing_order(change, order, found, refused, facts, policy, today, judge, released | released_order)


def reject_change_by_hand(
    change: OrderChange, known: tuple[StandingOrder, ...], problems: Iterable[Problem], today: date, reason: str
) -> ChangeDecision:
    """The decision when a person rejects a change; the buyer reads `reason`, and the order stands as it was."""
    ours = rule.REJECTED_BY_HAND.at(Place(field="order_number"), reason, found=change.order_number, outcome=Outcome.REJECT)
    noted = [msgspec.structs.replace(problem, outcome=Outcome.WARN) if problem.outcome is Outcome.REJECT else problem for problem in problems]
    return _refused(change, known, (ours, *noted), today)


def answer_in_order(change: OrderChange, order: Order, decision: Decision, today: date) -> OrderResponse:
    """The answer to a change that was in its order while that waited, now that the order is decided."""
    decided = {line.number: line for line in decision.lines}
    lines = {line.number: line for line in order.lines}
    answered = []
    for line in change.lines:
        if line.action == "no_change":
            continue
        there = lines.get(line.number)
        answered.append(
            Answered(number=line.number, asked=line.action, asked_source=line.action_source, line=there or line, decided=decided.get(line.number))
        )
    return build_change_response(change, order, answered, decision.problems, decision.currency, today, rejected=decision.state == "rejected")


# --- without more ado -------------------------------------------------------------------------------------------------------


def _whole(found: Iterable[Problem], outcome: Outcome) -> bool:
    return any(problem.outcome is outcome and line_index(problem) is None for problem in found)


def _by_number(change: OrderChange, found: Iterable[Problem]) -> dict[str, Problem]:
    """Line number -> why the change of that line is refused."""
    refused: dict[str, Problem] = {}
    for problem in found:
        number = number_of(change, problem)
        if problem.outcome is Outcome.REJECT and number is not None:
            refused.setdefault(number, problem)
    return refused


def _as_whole(found: tuple[Problem, ...]) -> tuple[Problem, ...]:
    first = next(problem for problem in found if problem.outcome is Outcome.REJECT)
    return (msgspec.structs.replace(first, place=Place(field="lines"), message=f"The whole change is rejected: {first.message}"), *found)


def _refused(change: OrderChange, known: tuple[StandingOrder, ...], found: tuple[Problem, ...], today: date) -> ChangeDecision:
    """Nothing of the change is taken: each line says why, and what stands."""
    rejecting = [problem for problem in found if problem.outcome is Outcome.REJECT]
    # where each line has its reason, the first one of them stands for none
    whole = next((problem for problem in rejecting if line_index(problem) is None), rejecting[0])
    own = _by_number(change, found)
    order = known[-1] if known else None
    answered = [_stays(change, index, order, own.get(line.number, whole)) for index, line in enumerate(change.lines) if line.action != "no_change"]
    response = build_change_response(
        change, order.order if order else None, answered, found, order.currency if order else change.currency, today, rejected=True
    )
    return ChangeDecision(state="rejected", response=response, problems=found)


def _stays(change: OrderChange, index: int, order: StandingOrder | None, problem: Problem) -> Answered:
    """A line whose change is refused, with what stands of it."""
    asked = change.lines[index]
    before = next((line for line in order.order.lines if line.number == asked.number), None) if order else None
    far = order.line(asked.number) if order else None
    return Answered(
        number=asked.number, asked=asked.action, asked_source=asked.action_source, line=before or asked, asked_quantity=asked.quantity,
        left=far.despatched if far is not None else _ZERO,
        stands=far.accepted if far is not None and before is not None else None, problem=problem,
    )  # fmt: skip


def _without_order(change: OrderChange, known: tuple[StandingOrder, ...], found: tuple[Problem, ...], today: date) -> ChangeDecision:
    """A cancel of what is cancelled is answered as done; anything else is refused, now that nobody waits for the order any more."""
    if change.purpose == "cancel" and any(order.state == "cancelled" for order in known):
        response = build_change_response(change, known[-1].order, [], found, known[-1].currency, today)
        return ChangeDecision(state="cancelled", response=response, problems=found)
    message = f"There is no order {change.order_number} that could be changed"
    missing = rule.CHANGE_ORDER_UNKNOWN.at(
        Place(field="order_number"), message, found=change.order_number, expected="an order", outcome=Outcome.REJECT
    )
    return _refused(change, known, (missing, *found), today)


def _cancelled(change: OrderChange, order: StandingOrder, found: tuple[Problem, ...], today: date) -> ChangeDecision:
    answered = [Answered(number=line.number, asked="delete", line=line) for line in order.order.lines]
    response = build_change_response(change, order.order, answered, found, order.currency, today)
    return ChangeDecision(state="cancelled", response=response, problems=found, order_state="cancelled")


# --- an order that waits for a person ---------------------------------------------------------------------------------------


def _in_waiting_order(
    change: OrderChange, order: StandingOrder, found: tuple[Problem, ...], refused: dict[str, Problem], facts: Facts, policy: AcceptancePolicy,
    today: date, judge: Judge, released: frozenset[str],
) -> ChangeDecision:  # fmt: skip
    """The order with the change is decided again. Where it still waits the change waits with it: both are answered when it is decided."""
    amendment = amend(order.order, change, refused=refused)
    if not amendment.lines and refused:
        return _refused(change, (order,), found, today)
    if not amendment.order.lines:
        return _cancelled(change, order, found, today)
    decision = decide(amendment.order, judge(amendment.order), facts, policy, today, released=released)
    if decision.state == "held":
        return ChangeDecision(state="waiting", problems=found, order=amendment.order, order_state="held", decision=decision)
    decided = {line.number: line for line in decision.lines}
    answered = [_answer_of(one, decided.get(one.number)) for one in amendment.lines]
    answered += [_stays(change, _index_of(change, number), order, problem) for number, problem in refused.items()]
    rejected = decision.state == "rejected"
    told = (*found, *decision.problems) if rejected else found
    response = build_change_response(change, amendment.order, answered, told, decision.currency, today, rejected=rejected)
    state = "rejected" if rejected else "accepted"
    return ChangeDecision(
        state=state, response=response, problems=found, order=amendment.order, order_state=decision.state, decision=decision,
    )  # fmt: skip


def _index_of(change: OrderChange, number: str) -> int:
    return next(index for index, line in enumerate(change.lines) if line.number == number)


def _answer_of(one: AmendedLine, decided: DecidedLine | None, problem: Problem | None = None, left: Decimal = _ZERO) -> Answered:
    line = one.after or one.before
    assert line is not None
    return Answered(
        number=one.number, asked=one.asked or (one.action if one.action != "change" else None), asked_source=one.asked_source, line=line,
        asked_quantity=one.asked_quantity, decided=decided, problem=problem, left=left,
        floored=one.asked == "delete" and one.after is not None and one.after != one.before,
    )  # fmt: skip


# --- an order that was accepted ---------------------------------------------------------------------------------------------


def _in_standing_order(
    change: OrderChange, order: StandingOrder, found: tuple[Problem, ...], refused: dict[str, Problem], facts: Facts, policy: AcceptancePolicy,
    today: date, judge: Judge, released: frozenset[str],
) -> ChangeDecision:  # fmt: skip
    """What is not despatched is decided anew where the change is about it; lines that cannot be are left as they are."""
    refused = dict(refused)
    while True:
        tried = try_version(change, order, refused, facts, policy, today, judge, released)
        fresh = {number: problem for number, problem in tried.refused.items() if number not in refused}
        if not fresh:
            break
        refused |= fresh
        if policy.rejected_line == "order":
            return _refused(change, (order,), _as_whole((*found, *tried.problems)), today)
    judged = (*found, *tried.problems, *(problem for number, problem in refused.items() if problem not in found and problem not in tried.problems))
    if _whole(judged, Outcome.REJECT):
        return _refused(change, (order,), judged, today)
    if not order.lines_left() and all(line.action == "rejected" for line in tried.lines):
        return _cancelled(change, order, judged, today)
    asked = [line.number for line in change.lines if line.action != "no_change"]
    if refused and all(number in refused for number in asked) and not tried.anew and not tried.amendment.lines:
        return _refused(change, (order,), judged, today)
    currency = order.currency or order_currency(tried.amendment.order, facts, policy)
    total = order_total(tried.amendment.order, tried.lines, currency)
    if not order.test and (total is None or total > order.total):
        more = total - order.invoiced if total is not None else None
        credit = check_credit(more, currency, facts.credit, Outcome(policy.credit))
        judged = (*judged, *(let_pass(problem, released) for problem in credit))
    if total is None:
        # what is known of it: lines without a price are worth nothing yet
        total = max(sum((line.net_amount or _ZERO for line in tried.lines), _ZERO), order.invoiced)
    if any(problem.outcome is Outcome.HOLD and number_of(change, problem) not in refused for problem in judged):
        return ChangeDecision(state="held", problems=judged)
    answered = _answers(change, order, tried, judged)
    answered += [_stays(change, _index_of(change, number), order, problem) for number, problem in refused.items() if number in asked]
    next_order = tried.amendment.order
    changed = next_order != msgspec.structs.replace(order.order, totals=next_order.totals)
    return ChangeDecision(
        state="accepted",
        response=build_change_response(change, next_order, answered, judged, currency, today),
        problems=judged,
        order=next_order if changed else None,
        order_state=_state_after(order, tried.lines) if changed else None,
        decision=Decision(state="accepted", lines=tried.lines, problems=judged, total=total, currency=currency, books=not order.test)
        if changed
        else None,
        reserved=_reserved(order, tried) if changed and not order.test else {},
    )


def _answers(change: OrderChange, order: StandingOrder, tried: Tried, judged: Iterable[Problem]) -> list[Answered]:
    """What is said about the lines of the version that is taken."""
    decided = {line.number: line for line in tried.lines}
    below = {number: problem for problem in judged if problem.code == rule.CHANGE_BELOW_DESPATCHED.code and (number := number_of(change, problem))}
    told = {one.number for one in tried.amendment.lines}
    answered = [_answer_of(one, decided.get(one.number), below.get(one.number), left_of(order, one.number)) for one in tried.amendment.lines]
    # a change of the head alone (another day) moves lines that it does not name
    answered += [
        Answered(number=line.number, asked="change", line=tried.amendment.order.lines[line.index], decided=line, left=left_of(order, line.number))
        for line in tried.lines
        if line.number in tried.anew and line.number not in told
    ]
    return answered


def _reserved(order: StandingOrder, tried: Tried) -> dict[str, tuple[str, Decimal]]:
    """What each line that was decided anew or is gone is to have reserved; lines that are not named keep what they have."""
    wanted: dict[str, tuple[str, Decimal]] = {}
    kept = {line.number: line for line in tried.lines}
    for far in order.lines:
        if far.number not in kept and far.item is not None:
            wanted[far.number] = (far.item, _ZERO)
    for line in tried.lines:
        if line.number not in tried.anew:
            continue
        if line.reservation is not None:
            wanted[line.number] = (line.reservation.item, line.reservation.quantity)
        elif line.item is not None:
            wanted[line.number] = (line.item, _ZERO)
    return wanted


def _state_after(order: StandingOrder, lines: Iterable[DecidedLine]) -> str:
    if order.state == "accepted":
        return "accepted"
    far = {line.number: line for line in order.lines}
    promised = {line.number: line.quantity + line.back_ordered for line in lines if line.action != "rejected"}
    if any(quantity > (far[number].despatched if number in far else _ZERO) for number, quantity in promised.items()):
        return "part_despatched"
    billed = all(far[number].invoiced >= quantity for number, quantity in promised.items() if number in far)
    return "invoiced" if billed else "despatched"
