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


def plain_decimal(number: Decimal) -> str:
    """All digits, no exponent."""
    return format(number, "f")


def short_decimal(number: Decimal) -> str:
    """All digits that count: `12.500` is `12.5` (X12 forbids nothing, but R elements are counted by their digits)."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# Check digits -----------------------------------------------------------------------------------------------------------

_LENGTHS_OF = {"gtin": (8, 12, 13, 14), "gln": (13,), "sscc": (18, 20)}


def check_digit_fault(name: str) -> Callable[[str], str | None]:
    """A function that gives the expected form of a GTIN, GLN or SSCC whose check digit or length is wrong, else None (GS1 mod 10)."""
    lengths = _LENGTHS_OF[name]

    # ASCII digits are 48 + value: what the 48s alone add up to
    right = {length: 48 * (3 * (length // 2) + (length + 1) // 2) % 10 for length in lengths}

    def fault(text: str) -> str | None:
        length = len(text)
        digits = text.encode(errors="replace")
        if length not in right or not digits.isdigit():
            return f"{' or '.join(map(str, lengths))} digits"
        if length == 20:
            # with its application identifier 00
            digits = b"00" + digits[2:]
        wrong = (3 * sum(digits[-2::-2]) + sum(digits[::-2]) - right[length]) % 10
        return f"check digit {(digits[-1] - 48 - wrong) % 10}" if wrong else None

    return fault
