"""The decision line by line: stock, quantities, prices, promised dates. Knows neither credit nor the response."""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import date
from datetime import timedelta
from decimal import ROUND_FLOOR
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from gateway.kinds import rule
from gateway.model.catalogue import find_item
from gateway.model.catalogue import line_value
from gateway.model.catalogue import list_price
from gateway.model.catalogue import same_unit
from gateway.model.catalogue import unit_size
from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.facts import Price
from gateway.model.money import is_handy
from gateway.model.money import number_words
from gateway.model.money import round_fraction
from gateway.model.money import round_product
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.response import Schedule
from gateway.model.values import AllowanceCharge
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity

_ZERO = Decimal(0)


class AcceptancePolicy(Value, frozen=True, kw_only=True):
    """How we decide for a partner; the words are those of `decisions:` in a rule file (schemas/rules/order.yaml explains them)."""

    stock_short: Literal["partial", "change", "back_order", "reject", "hold", "accept"] = "partial"
    stock_none: Literal["back_order", "reject", "hold", "accept"] = "back_order"
    price: Literal["ordered", "list"] = "ordered"
    rejected_line: Literal["line", "order"] = "line"
    credit: Literal["hold", "warn"] = "hold"
    lead_days: int = 0
    #: minutes that a change waits for its order, or for the change before it
    change_wait: int = 60
    #: what an order without a currency is in
    currency: str | None = None


def policy_from_words(words: Mapping[str, str]) -> AcceptancePolicy:
    """The policy of a loaded rule set (`RulePlan.decisions`); raises msgspec.ValidationError for a word that it does not know."""
    return msgspec.convert(dict(words), AcceptancePolicy, strict=False)


class Reservation(Value, frozen=True, kw_only=True):
    """Stock that a line takes, in base units of the item."""

    line: str
    item: str
    quantity: Decimal


class DecidedLine(Value, frozen=True, kw_only=True):
    """What becomes of one line. `action`: accepted, changed, back_ordered, rejected. `quantity` is delivered now."""

    number: str
    index: int
    item: str | None = None
    action: str
    ordered: Decimal | None = None
    quantity: Decimal = _ZERO
    back_ordered: Decimal = _ZERO
    unit: str | None = None
    price: Decimal | None = None
    price_base: Decimal | None = None
    price_unit: str | None = None
    #: value of what we accept, back-order included, with the line's allowances and charges
    net_amount: Decimal | None = None
    promised_on: date | None = None
    schedule: tuple[Schedule, ...] = ()
    reservation: Reservation | None = None
    reason_code: str | None = None
    reason: str | None = None


def order_currency(order: Order, facts: Facts, policy: AcceptancePolicy) -> str | None:
    """The order's currency; where it names none, the partner's."""
    return order.currency or policy.currency or (facts.credit.currency if facts.credit else None)


def decide_lines(
    order: Order,
    rejected: Mapping[int, Problem],
    problems: Iterable[Problem],
    facts: Facts,
    policy: AcceptancePolicy,
    today: date,
    released: frozenset[str],
) -> tuple[tuple[DecidedLine, ...], list[Problem]]:
    """Each line decided in its order (the first ones get the stock), and what was found about stock."""
    currency = order_currency(order, facts, policy)
    priced = {index for index in (_index(problem) for problem in problems if problem.code == rule.PRICE_DIFFERS.code) if index is not None}
    left = {item: level.available for item, level in facts.stock.items()} if facts.stock_loaded else {}
    lines: list[DecidedLine] = []
    found: list[Problem] = []
    for index, line in enumerate(order.lines):
        if index in rejected:
            lines.append(_rejected_line(index, line, rejected[index]))
            continue
        item = find_item(line.identifiers, facts)
        amount, base, unit, listed = _agreed_price(order, line, item, currency, facts, policy.price == "list" and index in priced)
        stock = _take_stock(line, item, policy, left)
        if stock.problem is not None:
            found.append(_stock_problem(index, stock, released))
        if stock.action == "rejected":
            lines.append(_rejected_line(index, line, found[-1]))
            continue
        quantity, later = stock.quantity, stock.later
        now_on, later_on = _promises(order, line, facts, item, today, policy)
        action, code, reason = stock.action, None, None
        if stock.problem is not None and stock.action != "accepted":
            code, reason = stock.problem.code, stock.problem.message
        elif listed and line.price is not None:
            action, code = "changed", rule.PRICE_DIFFERS.code
            reason = f"The price is {number_words(amount or _ZERO)} instead of {number_words(line.price)}"
        lines.append(
            DecidedLine(
                number=line.number,
                index=index,
                item=item.number if item else None,
                action=action,
                ordered=line.quantity,
                quantity=quantity,
                back_ordered=later,
                unit=line.unit,
                price=amount,
                price_base=base,
                price_unit=unit,
                net_amount=line_net(line, quantity + later, amount, base, unit, item, currency),
                promised_on=now_on if quantity else later_on,
                schedule=_schedule(line, quantity, later, now_on, later_on, today, policy),
                reservation=Reservation(line=line.number, item=item.number, quantity=stock.reserved) if item and stock.reserved else None,
                reason_code=code,
                reason=reason,
            )
        )
    return tuple(lines), found


def _index(problem: Problem) -> int | None:
    field = problem.place.field or ""
    digits = field[6:].partition("]")[0] if field.startswith("lines[") else ""
    return int(digits) if digits.isdigit() else None


def _rejected_line(index: int, line: OrderLine, problem: Problem) -> DecidedLine:
    return DecidedLine(
        number=line.number,
        index=index,
        action="rejected",
        ordered=_handy(line.quantity),
        unit=line.unit,
        price=_handy(line.price),
        price_base=_handy(line.price_base),
        price_unit=line.price_unit,
        net_amount=_ZERO,
        reason_code=problem.code,
        reason=problem.message,
    )


def _handy(number: Decimal | None) -> Decimal | None:
    """The number, unless it is of a size that nobody means: our answer does not repeat it."""
    return number if number is not None and is_handy(number) else None


# --- prices -----------------------------------------------------------------------------------------------------------------


def _agreed_price(
    order: Order, line: OrderLine, item: Item | None, currency: str | None, facts: Facts, by_list: bool
) -> tuple[Decimal | None, Decimal | None, str | None, bool]:
    """Amount, base, unit, and whether it comes from the list: the order's price, or the list's where there is none or `by_list` says so."""
    if line.price is not None and not by_list:
        return line.price, line.price_base, line.price_unit, False
    listed: Price | None = None
    if item is not None and facts.prices_loaded:
        size = unit_size(item, line.unit)
        wanted = Fraction(line.quantity) * size if size is not None and line.quantity is not None else None
        listed = list_price(item, currency, wanted, order.issued_on or facts.today, facts)
    if listed is None:
        return line.price, line.price_base, line.price_unit, False
    unit = listed.unit or (item.base_unit if item else None)
    return listed.amount, listed.base if listed.base != 1 else None, None if line.unit and same_unit(line.unit, unit) else unit, True


def line_net(
    line: OrderLine, quantity: Decimal, price: Decimal | None, base: Decimal | None, unit: str | None, item: Item | None, currency: str | None
) -> Decimal | None:
    """The value of so much of a line at this price, with its share of the line's allowances and charges; None where it is not known."""
    if price is None:
        return None
    if not base and not line.allowances_charges and same_unit(line.unit, unit):
        return round_product(quantity, price, currency or "XXX")
    value = line_value(quantity, line.unit, price, base, unit, item)
    if value is None:
        return None
    net = round_fraction(value, currency or "XXX")
    if not line.allowances_charges:
        return net
    share = Fraction(quantity) / Fraction(line.quantity) if line.quantity else Fraction(1)
    return net + _extras(line.allowances_charges, value, share, currency)


def _extras(entries: tuple[AllowanceCharge, ...], base: Fraction, share: Fraction, currency: str | None) -> Decimal:
    """Charges less allowances: amounts by the share that we deliver, percents of the base."""
    total = _ZERO
    for entry in entries:
        if entry.amount is not None:
            value = Fraction(entry.amount) * share
        elif entry.percent is not None:
            value = base * Fraction(entry.percent) / 100
        else:
            continue
        total += round_fraction(value if entry.kind == "charge" else -value, currency or "XXX")
    return total


def order_total(order: Order, lines: tuple[DecidedLine, ...], currency: str | None) -> Decimal | None:
    """Lines with the order's own allowances and charges, without tax; None where a line's value is not known."""
    total = _ZERO
    for line in lines:
        if line.net_amount is None:
            return None
        total += line.net_amount
    return total + _extras(order.allowances_charges, Fraction(total), Fraction(1), currency)


# --- stock ------------------------------------------------------------------------------------------------------------------


class _Stock(Value, frozen=True, kw_only=True):
    """What stock says to a line: how much now, how much later, in the line's unit; reserved in base units."""

    action: str
    quantity: Decimal = _ZERO
    later: Decimal = _ZERO
    reserved: Decimal = _ZERO
    problem: Problem | None = None


def _take_stock(line: OrderLine, item: Item | None, policy: AcceptancePolicy, left: dict[str, Decimal]) -> _Stock:
    ordered = line.quantity or _ZERO
    size = unit_size(item, line.unit) if item else None
    # An item without a stock record is not kept in stock (services, drop shipments): it is accepted as ordered.
    if item is None or size is None or ordered <= 0 or item.number not in left:
        return _Stock(action="accepted", quantity=ordered)
    needed, there = Fraction(ordered) * size, left[item.number]
    if needed <= there:
        reserved = _decimal(needed)
        left[item.number] = there - reserved
        return _Stock(action="accepted", quantity=ordered, reserved=reserved)
    now = _whole(Fraction(max(there, _ZERO)) / size, ordered, item, size)
    kind, choice = (rule.STOCK_SHORT, policy.stock_short) if now > 0 else (rule.STOCK_NONE, policy.stock_none)
    unit = line.unit or item.base_unit
    message = f"Line {line.number} orders {number_words(ordered)} {unit} of item {item.number}, {number_words(now) if now else 'nothing'} is in stock"
    outcome = {"hold": Outcome.HOLD, "reject": Outcome.REJECT, "accept": Outcome.ACCEPT}.get(choice, Outcome.WARN)
    problem = kind.at(Place(field="quantity"), message, found=number_words(now), expected=number_words(ordered), outcome=outcome)
    if choice == "reject":
        return _Stock(action="rejected", problem=problem)
    if choice == "accept":
        return _Stock(action="accepted", quantity=ordered, problem=problem)
    if choice == "back_order" or now <= 0:
        return _Stock(action="back_ordered", later=ordered, problem=problem)
    reserved = _decimal(Fraction(now) * size)
    left[item.number] = there - reserved
    if choice == "change":
        return _Stock(action="changed", quantity=now, reserved=reserved, problem=problem)
    return _Stock(action="back_ordered", quantity=now, later=ordered - now, reserved=reserved, problem=problem)


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _whole(there: Fraction, ordered: Decimal, item: Item, size: Fraction) -> Decimal:
    """What is there in the line's unit, cut to the digits that were ordered and to full multiples."""
    step = Decimal(1).scaleb(min(int(ordered.as_tuple().exponent), 0))
    now = _decimal(there).quantize(step, rounding=ROUND_FLOOR)
    if item.multiple:
        pack = step * (Fraction(item.multiple) / (Fraction(step) * size)).numerator
        return now // pack * pack
    return now


def _stock_problem(index: int, stock: _Stock, released: frozenset[str]) -> Problem:
    assert stock.problem is not None
    problem = msgspec.structs.replace(stock.problem, place=Place(field=f"lines[{index}].quantity"))
    if problem.outcome is Outcome.HOLD and problem.code in released:
        problem = msgspec.structs.replace(problem, outcome=Outcome.WARN)
    severity = Severity.ERROR if problem.outcome in (Outcome.HOLD, Outcome.REJECT) else Severity.WARNING
    return msgspec.structs.replace(problem, severity=severity)


# --- dates ------------------------------------------------------------------------------------------------------------------


def _promises(order: Order, line: OrderLine, facts: Facts, item: Item | None, today: date, policy: AcceptancePolicy) -> tuple[date, date | None]:
    """The day for what is there, and for what comes later (None where nobody knows when)."""
    earliest = today + timedelta(days=policy.lead_days)
    wanted = [part.requested_on for part in line.deliveries if part.requested_on]
    requested = line.requested_on or (min(wanted) if wanted else None) or _requested(order)
    level = facts.stock.get(item.number) if item else None
    now_on = max(requested, earliest) if requested else earliest
    return now_on, max(now_on, level.restock_on) if level and level.restock_on else None


def _requested(order: Order) -> date | None:
    delivery = order.delivery
    return delivery.requested_on or delivery.deliver_not_before or delivery.ship_on if delivery else None


def _schedule(
    line: OrderLine, now: Decimal, later: Decimal, now_on: date, later_on: date | None, today: date, policy: AcceptancePolicy
) -> tuple[Schedule, ...]:
    """Where a line comes in parts: its own deliveries as far as the quantity reaches, then the back-order."""
    if not later and len(line.deliveries) < 2:
        return ()
    earliest, rest, parts = today + timedelta(days=policy.lead_days), now, []
    for delivery in line.deliveries:
        quantity = min(delivery.quantity, rest)
        if quantity > 0:
            parts.append(Schedule(quantity=quantity, promised_on=max(delivery.requested_on or now_on, earliest)))
            rest -= quantity
    if rest > 0:
        parts.append(Schedule(quantity=rest, promised_on=now_on))
    if later > 0:
        parts.append(Schedule(quantity=later, promised_on=later_on))
    return tuple(parts)
