"""Finding items, list prices and units in Facts. Used by rules and by trade, which may not know each other."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.facts import Price
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Party

_ONE = Decimal(1)
_WHOLE = Fraction(1)
_NONE = Fraction(0)

#: units that all mean one piece (UN/ECE Recommendation 20): each, piece, one
PIECES = frozenset({"EA", "H87", "C62"})

#: units of one dimension, and how many of its smallest one they are (UN/ECE Recommendation 20)
_SIZES: dict[str, tuple[str, Decimal]] = {
    **dict.fromkeys(PIECES, ("count", _ONE)),
    "PR": ("count", Decimal(2)),
    "DZN": ("count", Decimal(12)),
    "GRO": ("count", Decimal(144)),
    "CEN": ("count", Decimal(100)),
    "MIL": ("count", Decimal(1000)),
    "GRM": ("mass", _ONE),
    "KGM": ("mass", Decimal(1000)),
    "TNE": ("mass", Decimal(1000000)),
    "MLT": ("volume", _ONE),
    "LTR": ("volume", Decimal(1000)),
    "HLT": ("volume", Decimal(100000)),
    "MMT": ("length", _ONE),
    "CMT": ("length", Decimal(10)),
    "MTR": ("length", Decimal(1000)),
    "KMT": ("length", Decimal(1000000)),
}


def same_unit(one: str | None, other: str | None) -> bool:
    """Whether two units mean the same; an unknown one (None) agrees with any."""
    return one is None or other is None or one == other or (one in PIECES and other in PIECES)


def unit_size(item: Item | None, unit: str | None) -> Fraction | None:
    """How many base units of the item one `unit` is; None where nobody said so. Without an item only equal units convert."""
    if item is None:
        return _WHOLE if unit is None else None
    if unit is None or unit == item.base_unit:
        return _WHOLE
    size = item.units.get(unit)
    if size is None and unit in PIECES:
        size = next((item.units[twin] for twin in PIECES if twin in item.units), None)
    if size is not None:
        return Fraction(size) if size > 0 else None
    ours, theirs = _SIZES.get(item.base_unit), _SIZES.get(unit)
    if ours is None or theirs is None or ours[0] != theirs[0]:
        return None
    return Fraction(theirs[1]) / Fraction(ours[1])


def convert(quantity: Decimal, unit: str | None, into: str | None, item: Item | None) -> Fraction | None:
    """The quantity in another unit, exactly; None where it cannot be converted."""
    if same_unit(unit, into):
        return Fraction(quantity)
    if item is None:
        ours, theirs = _SIZES.get(unit or ""), _SIZES.get(into or "")
        return Fraction(quantity) * Fraction(ours[1]) / Fraction(theirs[1]) if ours and theirs and ours[0] == theirs[0] else None
    one, other = unit_size(item, unit), unit_size(item, into)
    return Fraction(quantity) * one / other if one is not None and other is not None else None


def unit_price(amount: Decimal, base: Decimal | None, unit: str | None, item: Item | None) -> Fraction | None:
    """The price of one base unit of the item, exactly. A base of zero counts as one (EN 16931 BT-149)."""
    size = unit_size(item, unit)
    if not size:
        return None
    price = Fraction(amount) if size is _WHOLE else Fraction(amount) / size
    return price / Fraction(base) if base else price


def _gtin_forms(gtin: str) -> Iterator[str]:
    yield gtin
    if gtin.isdigit():
        bare = gtin.lstrip("0")
        for length in (8, 12, 13, 14):
            if len(bare) <= length:
                yield bare.zfill(length)


def identifier_pairs(identifiers: ItemIdentifiers | None) -> list[tuple[str, str]]:
    """(scheme, value) of each identifier, ours first."""
    if identifiers is None:
        return []
    pairs = [("seller", identifiers.seller), ("buyer", identifiers.buyer), ("gtin", identifiers.gtin), ("manufacturer", identifiers.manufacturer)]
    return [(scheme, value) for scheme, value in pairs if value]


def find_items(identifiers: ItemIdentifiers | None, facts: Facts) -> tuple[Item, ...]:
    """The items that the identifiers name, each once: one where all is well, none if unknown, several if they disagree."""
    if not facts.items:
        return ()
    found: dict[str, Item] = {}
    for scheme, value in identifier_pairs(identifiers):
        for form in _gtin_forms(value) if scheme == "gtin" else (value,):
            item = facts.items.get((scheme, form))
            if item is not None:
                found[item.number] = item
                break
    return tuple(found.values())


def find_item(identifiers: ItemIdentifiers | None, facts: Facts) -> Item | None:
    """The one item that the identifiers name, or None."""
    items = find_items(identifiers, facts)
    return items[0] if len(items) == 1 else None


def list_price(item: Item, currency: str | None, base_quantity: Fraction | None, on: date, facts: Facts) -> Price | None:
    """The list price for so many base units on that day: the best quantity break that is reached, then the newest.

    An order older than the price list is judged by the prices of today.
    """
    prices = [price for price in facts.prices.get(item.number, ()) if currency is None or price.currency == currency]
    valid = [price for price in prices if is_valid(price, on)] or [price for price in prices if is_valid(price, facts.today)]
    best: tuple[Fraction, date, Price] | None = None
    for price in valid:
        size = unit_size(item, price.unit)
        if size is None:
            continue
        needed = Fraction(price.minimum_quantity) * size if price.minimum_quantity else _NONE
        if needed and (base_quantity is None or base_quantity < needed):
            continue
        rank = (needed, price.valid_from or date.min)
        if best is None or rank > best[:2]:
            best = (*rank, price)
    return best[2] if best else None


def is_valid(price: Price, on: date) -> bool:
    """Whether the price holds on that day, both ends included."""
    return (price.valid_from is None or price.valid_from <= on) and (price.valid_until is None or on <= price.valid_until)


def place_pairs(party: Party | None) -> list[tuple[str, str]]:
    """(scheme, value) of each identifier of a place, as `Facts.places` keys them."""
    identifiers = party.identifiers if party else None
    if identifiers is None:
        return []
    pairs = [
        ("gln", identifiers.gln),
        ("buyer_assigned", identifiers.buyer_assigned),
        ("seller_assigned", identifiers.seller_assigned),
        ("duns", identifiers.duns),
        ("vat", identifiers.vat),
        *((other.scheme, other.value) for other in identifiers.other),
    ]
    return [(scheme, value) for scheme, value in pairs if value]


def line_value(
    quantity: Decimal, unit: str | None, price: Decimal, price_base: Decimal | None, price_unit: str | None, item: Item | None
) -> Fraction | None:
    """Quantity times price, not rounded; None where the units do not convert into each other. A base of zero counts as one."""
    priced = convert(quantity, unit, price_unit, item)
    if priced is None:
        return None
    value = priced * Fraction(price)
    return value / Fraction(price_base) if price_base else value
