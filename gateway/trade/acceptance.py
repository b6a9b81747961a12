"""What we answer to an order: accepted, held, rejected or cancelled, with the response that goes to the buyer and the stock that it
takes. Pure and repeatable: the same order, problems and facts lead to the same decision, the same number included.

The rules' problems come in with their outcomes; stock and credit are decided here. The lines stand in trade.lines, the response
is written in trade.response.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from gateway.kinds import rule
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import REACHABLE_STATES
from gateway.model.facts import EarlierOrder
from gateway.model.facts import Facts
from gateway.model.fingerprint import earlier_orders
from gateway.model.fingerprint import fingerprint
from gateway.model.fingerprint import is_test
from gateway.model.order import Order
from gateway.model.response import OrderResponse
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.trade.credit import check_credit
from gateway.trade.lines import AcceptancePolicy
from gateway.trade.lines import DecidedLine
from gateway.trade.lines import Reservation
from gateway.trade.lines import decide_lines
from gateway.trade.lines import order_currency
from gateway.trade.lines import order_total
from gateway.trade.lines import policy_from_words
from gateway.trade.response import build_response
from gateway.trade.response import response_number

__all__ = [
    "AcceptancePolicy",
    "DecidedLine",
    "Decision",
    "Reservation",
    "decide",
    "facts_after",
    "fingerprint",
    "policy_from_words",
    "reject_by_hand",
    "response_number",
]

_REPEATS = frozenset({"confirm", "duplicate", "copy"})


class Decision(Value, frozen=True, kw_only=True):
    """What became of an order. `response` is None while it is held, and where nothing is answered because nothing is booked."""

    #: accepted, held, rejected, cancelled
    state: str
    response: OrderResponse | None = None
    lines: tuple[DecidedLine, ...] = ()
    #: stock to be taken; empty unless accepted, and for test traffic
    reservations: tuple[Reservation, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: value of what we accept, back-orders included, without tax; None where a price is not known
    total: Decimal | None = None
    currency: str | None = None
    #: whether this order counts: exposure, accepted orders, handover, figures. False for test traffic, copies and cancels
    books: bool = False
    #: documents of earlier orders that this one cancels
    ends: tuple[str, ...] = ()


def decide(
    order: Order, problems: Iterable[Problem], facts: Facts, policy: AcceptancePolicy, today: date, *, released: frozenset[str] = frozenset()
) -> Decision:
    """The decision on an order. `released` holds the codes of problems that a person let pass: they no longer hold it."""
    found = tuple(let_pass(problem, released) for problem in problems)
    if order.purpose == "cancel":
        return _decide_cancel(order, found, facts, today)
    if order.purpose in _REPEATS and not _holds(found) and _standing(order, facts):
        return Decision(state="accepted", problems=found, currency=order_currency(order, facts, policy))
    return _decide_order(order, found, facts, policy, today, released)


def _decide_order(
    order: Order, found: tuple[Problem, ...], facts: Facts, policy: AcceptancePolicy, today: date, released: frozenset[str]
) -> Decision:
    test, currency = is_test(order), order_currency(order, facts, policy)
    if any(problem.outcome is Outcome.REJECT and line_index(problem) is None for problem in found):
        return _rejected(order, found, facts, policy, today)
    lines, stock_problems = decide_lines(order, _rejected_lines(order, found), found, facts, policy, today, released)
    found = (*found, *stock_problems)
    rejected = [line for line in lines if line.action == "rejected"]
    if not lines or len(rejected) == len(lines) or (rejected and policy.rejected_line == "order"):
        return _rejected(order, found, facts, policy, today)
    total = order_total(order, lines, currency)
    if not test:
        outcome = Outcome(policy.credit)
        found = (*found, *(let_pass(problem, released) for problem in check_credit(total, currency, facts.credit, outcome)))
    gone = {line.index for line in rejected}
    if any(problem.outcome is Outcome.HOLD and line_index(problem) not in gone for problem in found):
        return Decision(state="held", lines=lines, problems=found, total=total, currency=currency)
    reservations = () if test else tuple(line.reservation for line in lines if line.reservation is not None)
    response = build_response(order, lines, found, currency, today)
    return Decision(
        state="accepted",
        response=response,
        lines=lines,
        reservations=reservations,
        problems=found,
        total=total,
        currency=currency,
        books=not test,
    )


def reject_by_hand(order: Order, problems: Iterable[Problem], facts: Facts, policy: AcceptancePolicy, today: date, reason: str) -> Decision:
    """The decision when a person rejects a held order; the buyer reads `reason`, and nothing of what held it."""
    ours = rule.REJECTED_BY_HAND.at(Place(field="number"), reason, found=order.number, outcome=Outcome.REJECT)
    noted = [msgspec.structs.replace(problem, outcome=Outcome.WARN) if problem.outcome is Outcome.REJECT else problem for problem in problems]
    return _rejected(order, (ours, *noted), facts, policy, today)


def _rejected(order: Order, found: tuple[Problem, ...], facts: Facts, policy: AcceptancePolicy, today: date) -> Decision:
    """All of the order is rejected: each line says why."""
    currency = order_currency(order, facts, policy)
    reasons = _rejected_lines(order, found)
    whole = next((problem for problem in found if problem.outcome is Outcome.REJECT and line_index(problem) is None), None)
    if whole is None:
        first = next(problem for problem in found if problem.outcome is Outcome.REJECT)
        whole = msgspec.structs.replace(first, message=f"The whole order is rejected: {first.message}")
    else:
        reasons = {}
    every = {index: reasons.get(index, whole) for index in range(len(order.lines))}
    lines, _ = decide_lines(order, every, found, facts, policy, today, frozenset())
    again = any(problem.code == rule.DUPLICATE_ORDER.code for problem in found)
    response = build_response(order, lines, found, currency, today, rejected=True, again=again)
    return Decision(state="rejected", response=response, lines=lines, problems=found, total=Decimal(0), currency=currency)


def _decide_cancel(order: Order, found: tuple[Problem, ...], facts: Facts, today: date) -> Decision:
    """A cancel reaches an order that has not left; one that is ended already is answered as cancelled again."""
    if _holds(found):
        return Decision(state="held", problems=found, currency=order.currency)
    earlier = earlier_orders(order, facts)
    left = [one for one in earlier if one.state not in REACHABLE_STATES and one.state not in ENDED_STATES]
    refused = any(problem.outcome is Outcome.REJECT for problem in found) or bool(left) or not earlier
    response = build_response(order, (), found, order.currency, today, rejected=refused)
    reached = () if refused else tuple(one.document for one in earlier if one.state in REACHABLE_STATES)
    return Decision(state="rejected" if refused else "cancelled", response=response, problems=found, currency=order.currency, ends=reached)


def let_pass(problem: Problem, released: frozenset[str]) -> Problem:
    """The problem, no longer holding anything where a person let it pass."""
    if problem.outcome is Outcome.HOLD and problem.code in released:
        return msgspec.structs.replace(problem, outcome=Outcome.WARN, severity=Severity.WARNING)
    return problem


def _holds(problems: Iterable[Problem]) -> bool:
    return any(problem.outcome is Outcome.HOLD for problem in problems)


def _standing(order: Order, facts: Facts) -> list[EarlierOrder]:
    return [earlier for earlier in earlier_orders(order, facts) if earlier.state not in ENDED_STATES]


def line_index(problem: Problem) -> int | None:
    """The index of the line that a problem stands in, from its field `lines[3].price`."""
    field = problem.place.field or ""
    if not field.startswith("lines["):
        return None
    digits = field[6:].partition("]")[0]
    return int(digits) if digits.isdigit() else None


def _rejected_lines(order: Order, problems: Iterable[Problem]) -> dict[int, Problem]:
    rejected: dict[int, Problem] = {}
    for problem in problems:
        index = line_index(problem)
        if problem.outcome is Outcome.REJECT and index is not None and index < len(order.lines):
            rejected.setdefault(index, problem)
    return rejected


def facts_after(facts: Facts, order: Order, decision: Decision, document: str) -> Facts:
    """The facts as they are for the next document of the same batch, once this decision is written."""
    earlier = [
        one if one.document not in decision.ends else msgspec.structs.replace(one, state="cancelled") for one in facts.earlier.get(order.number, ())
    ]
    if order.purpose not in ("cancel", *_REPEATS) or decision.books:
        earlier.append(
            EarlierOrder(
                document=document,
                number=order.number,
                release=order.release,
                purpose=None if decision.books else order.purpose,
                state=decision.state,
                fingerprint=fingerprint(order),
                test=is_test(order),
            )
        )
    stock, credit = facts.stock, facts.credit
    if decision.reservations:
        stock = dict(stock)
        for reservation in decision.reservations:
            level = stock[reservation.item]
            stock[reservation.item] = msgspec.structs.replace(level, available=level.available - reservation.quantity)
    if credit is not None and decision.books and decision.state == "accepted":
        same = decision.currency == credit.currency and decision.total is not None
        credit = msgspec.structs.replace(
            credit, accepted_orders=credit.accepted_orders + 1, exposure=credit.exposure + (decision.total or 0) if same else credit.exposure
        )
    return msgspec.structs.replace(facts, earlier={**facts.earlier, order.number: tuple(earlier)}, stock=stock, credit=credit)
