"""Checks of the lines: quantities, items, units and prices. Those about items and prices apply only where such data is loaded."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from gateway.kinds import rule
from gateway.model.catalogue import identifier_pairs
from gateway.model.catalogue import list_price
from gateway.model.catalogue import same_unit
from gateway.model.catalogue import unit_price
from gateway.model.catalogue import unit_size
from gateway.model.facts import Item
from gateway.model.facts import Price
from gateway.model.money import number_words
from gateway.rules.plan import Tolerance
from gateway.rules.view import Finding
from gateway.rules.view import LineView
from gateway.rules.view import View


def quantities(view: View) -> Iterator[Finding]:
    """Each line orders more than nothing."""
    for line in view.lines:
        quantity = line.line.quantity
        if quantity is None:
            yield Finding(rule.QUANTITY_NOT_POSITIVE, f"{line.field}.quantity", f"{line.words} has no quantity", None, "more than 0")
        elif quantity <= 0:
            yield Finding(
                rule.QUANTITY_NOT_POSITIVE,
                f"{line.field}.quantity",
                f"{line.words} orders {number_words(quantity)}, more than 0 is expected",
                number_words(quantity),
                "more than 0",
            )


def deliveries(view: View) -> Iterator[Finding]:
    """The deliveries of a line add up to its quantity."""
    for line in view.lines:
        if line.line.deliveries and line.line.quantity is not None:
            total = sum((delivery.quantity for delivery in line.line.deliveries), Decimal(0))
            if total != line.line.quantity:
                yield Finding(
                    rule.DELIVERIES_DIFFER,
                    f"{line.field}.deliveries",
                    f"{line.words} orders {number_words(line.line.quantity)}, its deliveries add up to {number_words(total)}",
                    number_words(total),
                    number_words(line.line.quantity),
                )


def items(view: View) -> Iterator[Finding]:
    """Each line names an item of ours, and one only."""
    if not view.facts.items_loaded:
        return
    for line in view.lines:
        pairs = identifier_pairs(line.line.identifiers)
        shown = ", ".join(f"{scheme} {value}" for scheme, value in pairs) or "no item number"
        if not line.items:
            message = f"{line.words} names {shown}, which is none of our items" if pairs else f"{line.words} names no item number"
            yield Finding(rule.ITEM_UNKNOWN, f"{line.field}.identifiers", message, shown, "an item of ours")
        elif len(line.items) > 1:
            numbers = " and ".join(item.number for item in line.items)
            yield Finding(
                rule.ITEM_AMBIGUOUS,
                f"{line.field}.identifiers",
                f"{line.words} names {shown}, which are different items: {numbers}",
                shown,
                "one item",
            )
        elif line.items[0].discontinued:
            yield Finding(
                rule.ITEM_DISCONTINUED,
                f"{line.field}.identifiers",
                f"{line.words}: item {line.items[0].number} is no longer sold",
                line.items[0].number,
                "an item that is sold",
            )


def units(view: View) -> Iterator[Finding]:
    """Units are those in which the item is sold and priced."""
    if not view.facts.items_loaded:
        return
    for line in view.lines:
        if line.item is None:
            continue
        for field, unit in (("unit", line.line.unit), ("price_unit", line.line.price_unit)):
            if unit is not None and unit_size(line.item, unit) is None:
                known = ", ".join([line.item.base_unit, *line.item.units])
                yield Finding(
                    rule.UNIT_UNKNOWN,
                    f"{line.field}.{field}",
                    f"{line.words} counts in {unit}; item {line.item.number} is known in {known}",
                    unit,
                    known,
                )


def minimum_and_multiple(view: View) -> Iterator[Finding]:
    """The quantity is at least the item's minimum, and a multiple of what it is sold by, in its base unit."""
    if not view.facts.items_loaded:
        return
    for line in view.lines:
        quantity = line.base_quantity
        if line.item is None or quantity is None or quantity <= 0:
            continue
        shown = f"{number_words(quantity)} {line.item.base_unit}"
        minimum, multiple = line.item.minimum_quantity, line.item.multiple
        if minimum is not None and quantity < minimum:
            expected = f"at least {number_words(minimum)} {line.item.base_unit}"
            yield Finding(rule.MINIMUM_QUANTITY, f"{line.field}.quantity", f"{line.words} orders {shown}, {expected} is sold", shown, expected)
        if multiple and quantity % Fraction(multiple) != 0:
            expected = f"a multiple of {number_words(multiple)} {line.item.base_unit}"
            yield Finding(rule.ORDER_MULTIPLE, f"{line.field}.quantity", f"{line.words} orders {shown}, {expected} is sold", shown, expected)


def negative_prices(view: View) -> Iterator[Finding]:
    """No price is below 0."""
    for line in view.lines:
        if line.line.price is not None and line.line.price < 0:
            shown = number_words(line.line.price)
            yield Finding(
                rule.PRICE_NEGATIVE, f"{line.field}.price", f"{line.words} has the price {shown}, 0 or more is expected", shown, "0 or more"
            )


def _listed_currencies(view: View) -> set[str]:
    return {price.currency for line in view.lines if line.item for price in view.facts.prices.get(line.item.number, ())}


def currencies(view: View) -> Iterator[Finding]:
    """Once for the order: its items have prices, but none in its currency."""
    if not view.facts.prices_loaded or view.currency is None:
        return
    listed = _listed_currencies(view)
    if listed and view.currency not in listed:
        shown = ", ".join(sorted(listed))
        yield Finding(rule.CURRENCY_DIFFERS, "currency", f"The order is in {view.currency}, the price list in {shown}", view.currency, shown)


def prices(view: View) -> Iterator[Finding]:
    """Price against list, both brought to the price of one base unit. Another currency is one finding for the order, not one a line."""
    if not view.facts.prices_loaded:
        return
    listed_in = _listed_currencies(view)
    if view.currency is not None and listed_in and view.currency not in listed_in:
        return
    tolerance, on = view.tolerance(rule.PRICE_DIFFERS), view.order.issued_on or view.facts.today
    for line in view.lines:
        if line.item is None or (line.line.price is not None and line.line.price < 0):
            continue
        listed = list_price(line.item, view.currency, line.base_quantity, on, view.facts)
        if listed is None:
            yield _not_listed(line, line.item)
        elif line.line.price is not None:
            yield from _compare(line, line.item, line.line.price, listed, tolerance)


def _not_listed(line: LineView, item: Item) -> Finding:
    if line.line.price is None:
        return Finding(
            rule.PRICE_MISSING, f"{line.field}.price", f"{line.words} has no price, and the list has none for item {item.number}", None, "a price"
        )
    shown = number_words(line.line.price)
    return Finding(
        rule.PRICE_NOT_LISTED,
        f"{line.field}.price",
        f"{line.words} has the price {shown}, the list has none for item {item.number}",
        shown,
        "a list price",
    )


def _compare(line: LineView, item: Item, said: Decimal, listed: Price, tolerance: Tolerance) -> Iterator[Finding]:
    unit = line.line.price_unit or line.line.unit
    if said == listed.amount and listed.base == (line.line.price_base or 1) and same_unit(unit or item.base_unit, listed.unit or item.base_unit):
        return
    found, expected = unit_price(said, line.line.price_base, unit, item), unit_price(listed.amount, listed.base, listed.unit, item)
    if found is None or expected is None or tolerance.allows(found, expected):
        return
    shown, wanted = number_words(said) + _per(line.line.price_base, unit, item), number_words(listed.amount) + _per(listed.base, listed.unit, item)
    apart = f" ({_percent(abs(found - expected) / expected)} % apart)" if expected else ""
    allowed = f", {tolerance.words()} tolerated" if tolerance.amount else ""
    yield Finding(
        rule.PRICE_DIFFERS, f"{line.field}.price", f"{line.words} has the price {shown}, the list says {wanted}{apart}{allowed}", shown, wanted
    )


def _percent(share: Fraction) -> str:
    return number_words((Decimal(share.numerator) * 100 / Decimal(share.denominator)).quantize(Decimal("0.01")))


def _per(base: Decimal | None, unit: str | None, item: Item) -> str:
    return f" per {number_words(base)} {unit or item.base_unit}" if base and base != 1 else f" per {unit or item.base_unit}"
