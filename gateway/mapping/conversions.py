"""From text to the value of a field, one remembered conversion for each way that a mapping asks for. Pure."""

from collections.abc import Callable
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import tzinfo
from decimal import ROUND_DOWN
from decimal import ROUND_HALF_EVEN
from decimal import ROUND_HALF_UP
from decimal import ROUND_UP
from decimal import Decimal
from decimal import DecimalException
from typing import Any
from zoneinfo import ZoneInfo

from gateway.mapping.functions import Remembered
from gateway.mapping.functions import implied_decimal
from gateway.mapping.functions import to_decimal
from gateway.mapping.functions import to_integer
from gateway.mapping.plan import Leaf
from gateway.schema.moments import by_code
from gateway.schema.moments import by_length
from gateway.schema.moments import day_of
from gateway.schema.moments import moment
from gateway.schema.moments import shifted
from gateway.schema.moments import time_of

ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

#: what is expected, in the words of a problem
EXPECTED = {"decimal": "a number", "integer": "a whole number", "date": "a date", "datetime": "a date and time", "boolean": "true or false"}


def zone_of(leaf: Leaf) -> tzinfo:
    """The time zone that the mapping names; UTC without."""
    return ZoneInfo(leaf.zone) if leaf.zone else UTC


def is_changed(leaf: Leaf) -> bool:
    """Whether a number is calculated with, so that it is no copy any more."""
    return any(held is not None for held in (leaf.divide, leaf.multiply, leaf.round)) or has_factor(leaf) or bool(leaf.implied)


def has_factor(leaf: Leaf) -> bool:
    """Whether it is divided or multiplied by something that stands in the document."""
    return leaf.divide_by is not None or leaf.multiply_by is not None


def calculated(number: Decimal, leaf: Leaf, divide: Decimal | None = None, multiply: Decimal | None = None) -> Decimal:
    """divide, multiply, round: in this order. A power of ten moves the point and keeps the digits (1250 cents are 12.50).
    `divide` and `multiply` are the factors that were found in the document. Raises ArithmeticError."""
    for divisor in (Decimal(leaf.divide) if leaf.divide is not None else None, divide):
        if divisor is not None:
            number = _scaled(number, divisor, divide=True)
    for factor in (Decimal(leaf.multiply) if leaf.multiply is not None else None, multiply):
        if factor is not None:
            number = _scaled(number, factor, divide=False)
    if leaf.round is not None:
        number = number.quantize(Decimal(1).scaleb(-leaf.round), rounding=ROUNDINGS[leaf.rounding])
    return number


def _scaled(number: Decimal, factor: Decimal, *, divide: bool) -> Decimal:
    normal = factor.normalize()
    if normal.as_tuple().digits == (1,):
        exponent = int(normal.as_tuple().exponent)
        moved = _point_moved(number, -exponent if divide else exponent)
        return -moved if normal.is_signed() else moved
    return number / factor if divide else number * factor


def _point_moved(number: Decimal, places: int) -> Decimal:
    moved = number.scaleb(places)
    # 12E+2 is 1200
    return moved.quantize(Decimal(1)) if int(moved.as_tuple().exponent) > 0 else moved


def _decimal_converter(leaf: Leaf) -> Callable[[str], Decimal | None]:
    read = implied_decimal(leaf.implied) if leaf.implied else to_decimal
    if has_factor(leaf) or (leaf.divide is None and leaf.multiply is None and leaf.round is None):
        # what is calculated with a factor of the document is calculated when that is known
        return read

    def convert(text: str) -> Decimal | None:
        number = read(text)
        try:
            return calculated(number, leaf) if number is not None else None
        except DecimalException:
            # more digits than we calculate with
            return None

    return convert


_PLAIN_DECIMALS: Remembered[Decimal] = Remembered(to_decimal)


def converter(kind: str, leaf: Leaf, syntax: str, *, coded: bool) -> Remembered[Any]:
    """The conversion of a leaf. `coded`: it is asked with (text, 2379 code)."""
    if kind == "decimal":
        plain = not leaf.implied and leaf.divide is None and leaf.multiply is None and leaf.round is None
        return _PLAIN_DECIMALS if plain else Remembered(_decimal_converter(leaf))
    if kind == "integer":
        return Remembered(to_integer)
    if kind == "boolean":
        return Remembered(lambda text: _WORDS.get(text.lower()))
    zone = zone_of(leaf)
    end, days = leaf.period == "end", leaf.add_days
    kept: Callable[[datetime | None], date | datetime | None] = day_of if kind == "date" else time_of
    finish = kept if not days else lambda found: kept(shifted(found, days))
    if coded:
        return Remembered(lambda asked: finish(by_code(asked[0], asked[1], zone, end=end)))
    if leaf.form is not None:
        form = leaf.form
        return Remembered(lambda text: finish(moment(text, form, zone, end=end)))
    if syntax in ("x12", "edifact"):
        return Remembered(lambda text: finish(by_length(text, zone, end=end)))
    return Remembered(lambda text: finish(moment(text, "ISO", zone)))
