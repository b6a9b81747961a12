"""What we answer to a change of an order: taken, taken in part, refused or held; the order's next version, the stock that its lines take,
and the answer. Pure and repeatable.

Before anything has left, the lines that a change is about are decided like those of an order; the others keep what was promised. What has
left is the floor of its line. An order that waits for a person is changed and decided again, and answered when it is decided. The rules come
in as a function: each version that is tried is judged.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from gateway.kinds import rule
from gateway.model.amendment import AmendedLine
from gateway.model.amendment import Amendment
from gateway.model.amendment import amend
from gateway.model.catalogue import find_item
from gateway.model.change import OrderChange
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import REACHABLE_STATES
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.response import OrderResponse
from gateway.model.standing import StandingLine
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
from gateway.trade.lines import decide_lines
from gateway.trade.lines import line_net
from gateway.trade.lines import order_currency
from gateway.trade.lines import order_total

_ZERO = Decimal(0)

Judge = Callable[[Order], list[Problem]]


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
        index = line_index(problem)
        if problem.outcome is Outcome.REJECT and index is not None and index < len(change.lines):
            refused.setdefault(change.lines[index].number, problem)
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


class _Tried(Value, frozen=True, kw_only=True):
    """One version that was tried: its lines decided, and what speaks against it."""

    amendment: Amendment
    lines: tuple[DecidedLine, ...]
    #: numbers of the lines that were decided anew
    anew: frozenset[str]
    problems: tuple[Problem, ...]
    refused: dict[str, Problem]


def _in_standing_order(
    change: OrderChange, order: StandingOrder, found: tuple[Problem, ...], refused: dict[str, Problem], facts: Facts, policy: AcceptancePolicy,
    today: date, judge: Judge, released: frozenset[str],
) -> ChangeDecision:  # fmt: skip
    """What is not despatched is decided anew where the change is about it; lines that cannot be are left as they are."""
    refused = dict(refused)
    while True:
        tried = _try(change, order, refused, facts, policy, today, judge, released)
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
    if any(problem.outcome is Outcome.HOLD and _number_of(change, problem) not in refused for problem in judged):
        return ChangeDecision(state="held", problems=judged)
    decided = {line.number: line for line in tried.lines}
    below = {number: problem for problem in judged if problem.code == rule.CHANGE_BELOW_DESPATCHED.code and (number := _number_of(change, problem))}
    told = {one.number for one in tried.amendment.lines}
    answered = [_answer_of(one, decided.get(one.number), below.get(one.number), _left(order, one.number)) for one in tried.amendment.lines]
    # a change of the head alone (another day) moves lines that it does not name
    answered += [
        Answered(number=line.number, asked="change", line=tried.amendment.order.lines[line.index], decided=line, left=_left(order, line.number))
        for line in tried.lines
        if line.number in tried.anew and line.number not in told
    ]
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


def _number_of(change: OrderChange, problem: Problem) -> str | None:
    index = line_index(problem)
    return change.lines[index].number if index is not None and index < len(change.lines) else None


def _try(
    change: OrderChange, order: StandingOrder, refused: Mapping[str, Problem], facts: Facts, policy: AcceptancePolicy, today: date,
    judge: Judge, released: frozenset[str],
) -> _Tried:  # fmt: skip
    floors = {line.number: line.despatched for line in order.lines if line.despatched}
    amendment = amend(order.order, change, refused=refused, floors=floors)
    about = {one.number for one in amendment.lines if one.after is not None and one.after != one.before}
    before, after = order.order, amendment.order
    if (after.delivery, after.currency) != (before.delivery, before.currency):
        about |= {line.number for line in order.lines if line.outstanding and not line.rejected}
    places = {one.number: one.index for one in amendment.lines}
    judged: list[Problem] = []
    if after.lines:
        judged = [let_pass(one, released) for one in _of_change(judge(after), before, after, about, places)]
    lines, stock, anew_refused = _lines(amendment, order, about, places, judged, facts, policy, today, released)
    for problem in judged:
        number = _number_of(change, problem)
        if problem.outcome is Outcome.REJECT and number is not None:
            anew_refused.setdefault(number, problem)
    return _Tried(amendment=amendment, lines=lines, anew=frozenset(about), problems=(*judged, *stock), refused=anew_refused)


def _of_change(judged: Iterable[Problem], before: Order, after: Order, about: set[str], places: Mapping[str, int | None]) -> list[Problem]:
    """What was found about the next version, told of the change: at its own lines; what it is not about was judged before."""
    told = []
    for problem in judged:
        index = line_index(problem)
        if index is None:
            part = (problem.place.field or "").partition(".")[0]
            if getattr(before, part, None) != getattr(after, part, None) or not hasattr(after, part):
                told.append(problem)
            continue
        number = after.lines[index].number
        if number in about:
            told.append(_moved(problem, places.get(number)))
    return told


def _moved(problem: Problem, index: int | None) -> Problem:
    field = problem.place.field or ""
    rest = field.partition("]")[2]
    return msgspec.structs.replace(problem, place=Place(field=f"lines[{index}]{rest}" if index is not None else "lines"))


def _lines(
    amendment: Amendment, order: StandingOrder, about: set[str], places: Mapping[str, int | None], judged: list[Problem], facts: Facts,
    policy: AcceptancePolicy, today: date, released: frozenset[str],
) -> tuple[tuple[DecidedLine, ...], list[Problem], dict[str, Problem]]:  # fmt: skip
    """Every line of the next version: those that the change is about decided anew for what has not left, the others as they were promised."""
    after = amendment.order
    given_back = _stock_with(order, about | {one.number for one in amendment.lines if one.after is None}, facts)
    open_lines, open_numbers = [], []
    for line in after.lines:
        left = _left(order, line.number)
        if line.number in about and (line.quantity or _ZERO) > left:
            open_lines.append(msgspec.structs.replace(line, quantity=(line.quantity or _ZERO) - left, deliveries=() if left else line.deliveries))
            open_numbers.append(line.number)
    sub_order = msgspec.structs.replace(after, lines=tuple(open_lines))
    position = {number: index for index, number in enumerate(open_numbers)}
    numbers = {index: number for number, index in places.items() if index is not None}
    priced = [
        msgspec.structs.replace(problem, place=Place(field=f"lines[{position[numbers[index]]}].price"))
        for problem in judged
        if problem.code == rule.PRICE_DIFFERS.code and (index := line_index(problem)) in numbers and numbers[index] in position
    ]
    decided, stock = decide_lines(sub_order, {}, priced, given_back, policy, today, released)
    stock = [_moved(problem, places.get(open_numbers[index])) for problem in stock if (index := line_index(problem)) is not None]
    refused = {one.number: next(problem for problem in stock if problem.code == one.reason_code) for one in decided if one.action == "rejected"}
    anew = {one.number: one for one in decided}
    currency = order.currency or order_currency(after, facts, policy)
    lines = tuple(
        _decided(index, after, order, anew.get(line.number), line.number in about, facts, currency) for index, line in enumerate(after.lines)
    )
    return lines, stock, refused


def _left(order: StandingOrder, number: str) -> Decimal:
    far = order.line(number)
    return far.despatched if far is not None else _ZERO


def _stock_with(order: StandingOrder, numbers: set[str], facts: Facts) -> Facts:
    """The facts with what these lines have reserved given back: they are decided anew."""
    if not facts.stock or order.test:
        return facts
    stock = dict(facts.stock)
    for line in order.lines:
        if line.number in numbers and line.item in stock and line.reserved:
            level = stock[line.item]
            stock[line.item] = msgspec.structs.replace(level, available=level.available + line.reserved)
    return msgspec.structs.replace(facts, stock=stock)


def _decided(
    index: int, after: Order, order: StandingOrder, anew: DecidedLine | None, about: bool, facts: Facts, currency: str | None
) -> DecidedLine:
    line, far = after.lines[index], order.line(after.lines[index].number)
    if not about and far is not None:
        return _as_promised(index, after, far, facts, currency)
    left = far.despatched if far is not None else _ZERO
    item = find_item(line.identifiers, facts)
    if anew is None:
        price, base, unit = (far.price, far.price_base, None) if far is not None else (line.price, line.price_base, line.price_unit)
        net = line_net(line, left, price, base, unit, item, currency)
        return DecidedLine(
            number=line.number, index=index, item=far.item if far else None, action="accepted", ordered=line.quantity, quantity=left, unit=line.unit,
            price=price, price_base=base, price_unit=unit, net_amount=net, promised_on=far.promised_on if far else None,
        )  # fmt: skip
    net = line_net(line, left + anew.quantity + anew.back_ordered, anew.price, anew.price_base, anew.price_unit, item, currency)
    if left and far is not None and far.price is not None and net is not None:
        # what has left keeps the price that it left with
        was, would = (
            line_net(line, left, *price, item, currency)
            for price in ((far.price, far.price_base, None), (anew.price, anew.price_base, anew.price_unit))
        )
        net += (was or _ZERO) - (would or _ZERO)
    return msgspec.structs.replace(anew, index=index, ordered=line.quantity, quantity=left + anew.quantity, net_amount=net)


def _as_promised(index: int, after: Order, far: StandingLine, facts: Facts, currency: str | None) -> DecidedLine:
    line = after.lines[index]
    net = line_net(line, far.accepted, far.price, far.price_base, None, find_item(line.identifiers, facts), currency)
    return DecidedLine(
        number=line.number, index=index, item=far.item, action="rejected" if far.rejected else "back_ordered" if far.back_ordered else "accepted",
        ordered=line.quantity, quantity=far.accepted - far.back_ordered, back_ordered=far.back_ordered, unit=line.unit, price=far.price,
        price_base=far.price_base, net_amount=_ZERO if far.rejected else net, promised_on=far.promised_on,
    )  # fmt: skip


def _reserved(order: StandingOrder, tried: _Tried) -> dict[str, tuple[str, Decimal]]:
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
