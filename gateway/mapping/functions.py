"""What mappings do to a value: dates and times, decimals, text functions, check digits. Pure, and each by its name.

Conversions remember what they have seen: the same dates, quantities and item numbers come again and again in one file.
A value that is none gives None, never an exception: the caller makes a Problem of it.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from typing import TypeVar

_KEPT = 20_000
#: texts that are longer are not remembered: no file may fill the memory
_LONG = 64
_MOST_DIGITS = 40
#: power of ten of the largest whole number that every reader of JSON takes
_MOST_WHOLE = 14
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DIGITS = re.compile(r"[0-9]+")
Answer = TypeVar("Answer")


class Remembered(dict[Any, Answer | None]):
    """A conversion that keeps its answers, up to a number of them."""

    def __init__(self, convert: Callable[[Any], Answer | None]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, asked: Any) -> Answer | None:
        if len(asked if isinstance(asked, str) else asked[0]) > _LONG:
            return self._convert(asked)
        if len(self) >= _KEPT:
            self.clear()
        answer = self._convert(asked)
        self[asked] = answer
        return answer


# Numbers ----------------------------------------------------------------------------------------------------------------


def to_decimal(text: str) -> Decimal | None:
    """The number with its digits as sent but for leading zeros; a decimal comma is a point. None where it is no number."""
    text = text.strip()
    if "," in text:
        text = text.replace(",", ".", 1)
    if len(text) > _MOST_DIGITS or not _DECIMAL.fullmatch(text):
        return None
    return Decimal(text)


def to_integer(text: str) -> int | None:
    """A whole number; `30.0` is one."""
    number = to_decimal(text)
    if number is None or number.adjusted() > _MOST_WHOLE or number != number.to_integral_value():
        return None
    return int(number)


def implied_decimal(digits: int) -> Callable[[str], Decimal | None]:
    """X12 N2: so many digits stand behind a point that is not written."""

    def convert(text: str) -> Decimal | None:
        number = to_decimal(text)
        if number is None or "." in text:
            return number
        return number.scaleb(-digits)

    return convert
