"""Checks of the order as a whole: test traffic, its own counts and totals."""

from collections.abc import Callable
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from operator import attrgetter
from typing import get_args
from typing import get_type_hints

from gateway.kinds import rule
from gateway.model.catalogue import line_value
from gateway.model.facts import Item
from gateway.model.fingerprint import is_test
from gateway.model.money import is_handy
from gateway.model.money import number_words
from gateway.model.money import round_fraction
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.values import AllowanceCharge
from gateway.model.values import Value
from gateway.rules.view import Finding
from gateway.rules.view import LineView
from gateway.rules.view import View

_ZERO = Fraction(0)


def test_traffic(view: View) -> Iterator[Finding]:
    """An order that is test traffic."""
    if is_test(view.order):
        yield Finding(rule.TEST_TRAFFIC, "source.test", "The order is test traffic: it is judged and answered, nothing is booked")


def odd_numbers(order: Order) -> Iterator[Finding]:
    """Numbers that nobody means, such as 1E999999: nothing is reckoned with them, so this is asked before anything else, of the whole order."""
    if order.totals is not None:
        yield from _odd(order.totals, "totals")
    for index, entry in enumerate(order.allowances_charges):
        yield from _odd(entry, "allowances_charges", index)
    for index, line in enumerate(order.lines):
        yield from _odd(line, "lines", index)
        for position, entry in enumerate(line.allowances_charges):
            yield from _odd(entry, "lines", index, f".allowances_charges[{position}]")
        for position, delivery in enumerate(line.deliveries):
            yield from _odd(delivery, "lines", index, f".deliveries[{position}]")


def _odd(value: Value, top: str, index: int | None = None, rest: str = "") -> list[Finding]:
    names, numbers = _decimals_of(type(value))
    found = []
    for name, number in zip(names, numbers(value), strict=True):
        if number is not None and not is_handy(number):
            field = f"{top}{'' if index is None else f'[{index}]'}{rest}.{name}"
            shown = str(number)[:40]
            message = f"{field} is {shown}, below 10^15 with at most 15 decimals is expected"
            found.append(Finding(rule.NUMBER_OUT_OF_RANGE, top, message, shown, "below 10^15"))
    return found


@cache
def _decimals_of(kind: type[Value]) -> tuple[tuple[str, ...], Callable[[Value], tuple[Decimal | None, ...]]]:
    """The names of a value's numbers, and how to get them all."""
    names = tuple(name for name, hint in get_type_hints(kind).items() if Decimal in (hint, *get_args(hint)))
    if len(names) == 1:
        only = names[0]
        return names, lambda value: (getattr(value, only),)
    return names, attrgetter(*names)


def no_lines(view: View) -> Iterator[Finding]:
    """An order without lines."""
    if not view.order.lines:
        yield Finding(rule.NO_LINES, "lines", "The order has no lines", "0 lines", "at least 1 line")


def line_numbers(view: View) -> Iterator[Finding]:
    """Each line number stands once."""
    seen: set[str] = set()
    for line in view.lines:
        number = line.line.number
        if number in seen:
            yield Finding(
                rule.LINE_NUMBER_TWICE, f"{line.field}.number", f"Line number '{number}' stands in the order twice", number, "each number once"
            )
        seen.add(number)


def line_count(view: View) -> Iterator[Finding]:
    """The number of lines that the order declares (X12 CTT01, EDIFACT CNT) against those that are there."""
    said, counted = view.order.totals.line_count if view.order.totals else None, len(view.order.lines)
    if said is not None and said != counted:
        yield Finding(rule.LINE_COUNT, "totals.line_count", f"The order says that it has {said} lines, {counted} are there", str(said), str(counted))


def _digits(number: Decimal) -> int:
    return int(format(number.copy_abs(), "f").replace(".", ""))


def hash_total(view: View) -> Iterator[Finding]:
    """The plain sum (EDIFACT CNT), or X12's sum of the digits without their points, cut on the left to ten digits (CTT02)."""
    said = view.order.totals.quantity_hash if view.order.totals else None
    if said is None:
        return
    quantities = [line.quantity for line in view.order.lines if line.quantity is not None]
    total = sum(quantities, Decimal(0))
    digits = sum(_digits(quantity) for quantity in quantities)
    if said in (total, digits, digits % 10**10):
        return
    yield Finding(
        rule.HASH_TOTAL,
        "totals.quantity_hash",
        f"The hash total is {number_words(said)}, the quantities add up to {number_words(total)}",
        number_words(said),
        number_words(total),
    )


def _sum_of(kind: str, entries: tuple[AllowanceCharge, ...]) -> Fraction | None:
    """Sum of the allowances or of the charges; None where one of them has no amount."""
    total = _ZERO
    for entry in entries:
        if entry.kind == kind:
            if entry.amount is None:
                return None
            total += Fraction(entry.amount)
    return total


def _bare_value(line: OrderLine, item: Item | None) -> Fraction | None:
    if line.quantity is None or line.price is None:
        return None
    return line_value(line.quantity, line.unit, line.price, line.price_base, line.price_unit, item)


def _line_net(line: OrderLine, item: Item | None) -> Fraction | None:
    """Quantity times price with the line's own allowances and charges, not rounded; None where it is not known."""
    value = _bare_value(line, item)
    if value is None or not line.allowances_charges:
        return value
    charges, allowances = _sum_of("charge", line.allowances_charges), _sum_of("allowance", line.allowances_charges)
    return None if charges is None or allowances is None else value + charges - allowances


def line_amounts(view: View) -> Iterator[Finding]:
    """A line's amount with or without its own allowances and charges: partners do either."""
    tolerance, currency = view.tolerance(rule.LINE_AMOUNT_DIFFERS), view.currency or "XXX"
    for line in view.lines:
        said = line.line.net_amount
        if said is None:
            continue
        net, bare = _line_net(line.line, line.item), _bare_value(line.line, line.item)
        if net is None or bare is None or tolerance.allows(Fraction(said), net) or tolerance.allows(Fraction(said), bare):
            continue
        expected = number_words(round_fraction(net, currency))
        yield Finding(
            rule.LINE_AMOUNT_DIFFERS,
            f"{line.field}.net_amount",
            f"{line.words} amounts to {number_words(said)}, quantity times price is {expected}",
            number_words(said),
            expected,
        )


def _lines_sums(lines: tuple[LineView, ...], currency: str) -> list[Fraction]:
    """What the lines may add up to: from their own amounts, rounded each (EN 16931), and rounded only at the end; empty where not known."""
    sent, rounded, exact = _ZERO, _ZERO, _ZERO
    for line in lines:
        net = _line_net(line.line, line.item)
        if net is None:
            if line.line.net_amount is None:
                return []
            net = Fraction(line.line.net_amount)
        rounded += Fraction(round_fraction(net, currency))
        exact += net
        sent += Fraction(line.line.net_amount) if line.line.net_amount is not None else Fraction(round_fraction(net, currency))
    return [sent, rounded, exact]


def totals(view: View) -> Iterator[Finding]:
    """Each total against its parts, where all of its parts are known."""
    said, entries = view.order.totals, view.order.allowances_charges
    if said is None:
        return
    currency = view.currency or "XXX"
    amounts = [said.lines, said.allowances, said.charges, said.net, said.gross, said.payable]
    if all(amount is None for amount in amounts):
        return
    sums = _lines_sums(view.lines, currency) if view.order.lines else []
    allowances, charges = _sum_of("allowance", entries), _sum_of("charge", entries)
    yield from _differs(view, "lines", said.lines, sums, "the lines add up to")
    if entries:
        yield from _differs(view, "allowances", said.allowances, _one(allowances), "the allowances add up to")
        yield from _differs(view, "charges", said.charges, _one(charges), "the charges add up to")
    allowances = Fraction(said.allowances) if said.allowances is not None else allowances
    charges = Fraction(said.charges) if said.charges is not None else charges
    nets: list[Fraction] = []
    if allowances is not None and charges is not None:
        nets = [base - allowances + charges for base in ([Fraction(said.lines)] if said.lines is not None else sums)]
    yield from _differs(view, "net", said.net, nets, "lines less allowances plus charges are")
    if said.net is not None:
        nets = [Fraction(said.net)]
    grosses = [net + Fraction(said.tax) for net in nets] if said.tax is not None else []
    yield from _differs(view, "gross", said.gross, grosses, "net plus tax is")
    if said.gross is not None:
        grosses = [Fraction(said.gross)]
    payables = [gross - Fraction(said.prepaid or 0) + Fraction(said.rounding or 0) for gross in grosses]
    yield from _differs(view, "payable", said.payable, payables, "with tax, less what is prepaid, it is")


def _one(value: Fraction | None) -> list[Fraction]:
    return [] if value is None else [value]


def _differs(view: View, name: str, said: Decimal | None, expectations: list[Fraction], words: str) -> Iterator[Finding]:
    tolerance = view.tolerance(rule.TOTAL_DIFFERS)
    if said is None or not expectations or any(tolerance.allows(Fraction(said), expected) for expected in expectations):
        return
    shown = number_words(round_fraction(expectations[0], view.currency or "XXX"))
    yield Finding(
        rule.TOTAL_DIFFERS,
        f"totals.{name}",
        f"The order says {number_words(said)} for its total '{name}', {words} {shown}",
        number_words(said),
        shown,
    )
