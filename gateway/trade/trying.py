"""One version of an order that a change asks for, tried: what is not despatched is decided anew where the change is about it, the other lines
stand as they were promised, and what speaks against it is told of the change.

Pure. Which version is taken in the end is trade.changing's.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from gateway.kinds import rule
from gateway.model.amendment import Amendment
from gateway.model.amendment import amend
from gateway.model.catalogue import find_item
from gateway.model.change import OrderChange
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.standing import StandingLine
from gateway.model.standing import StandingOrder
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.acceptance import let_pass
from gateway.trade.acceptance import line_index
from gateway.trade.lines import AcceptancePolicy
from gateway.trade.lines import DecidedLine
from gateway.trade.lines import decide_lines
from gateway.trade.lines import line_net
from gateway.trade.lines import order_currency

_ZERO = Decimal(0)

#: what the rules find in a version
Judge = Callable[[Order], list[Problem]]


class Tried(Value, frozen=True, kw_only=True):
    """One version that was tried: its lines decided, and what speaks against it."""

    amendment: Amendment
    lines: tuple[DecidedLine, ...]
    #: numbers of the lines that were decided anew
    anew: frozenset[str]
    problems: tuple[Problem, ...]
    refused: dict[str, Problem]


def try_version(
    change: OrderChange, order: StandingOrder, refused: Mapping[str, Problem], facts: Facts, policy: AcceptancePolicy, today: date,
    judge: Judge, released: frozenset[str],
) -> Tried:  # fmt: skip
    """The order as the change would have it, without the lines that are `refused` already."""
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
        number = number_of(change, problem)
        if problem.outcome is Outcome.REJECT and number is not None:
            anew_refused.setdefault(number, problem)
    return Tried(amendment=amendment, lines=lines, anew=frozenset(about), problems=(*judged, *stock), refused=anew_refused)


def left_of(order: StandingOrder, number: str) -> Decimal:
    """How much of a line has left."""
    far = order.line(number)
    return far.despatched if far is not None else _ZERO


def number_of(change: OrderChange, problem: Problem) -> str | None:
    """The number of the changed line that a problem is about."""
    index = line_index(problem)
    return change.lines[index].number if index is not None and index < len(change.lines) else None


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
        left = left_of(order, line.number)
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
