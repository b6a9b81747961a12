"""Numbers, sizes, spans of time and days that a user writes: each has a least and a most, and a fault says both. Pure.

A waiting time without an end is a document that never leaves, and nobody is told: so no number stands in a model without its bounds, and
neither `inf` nor `nan` is a number.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pydantic
from pydantic_core import CoreSchema
from pydantic_core import core_schema

_SPAN = re.compile(r"([0-9]{1,4}) *([mhd])\Z")
_SIZE = re.compile(r"([0-9]{1,4}) *(kB|MB|GB)\Z")
_BYTES = {"kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
#: days between which everything lies that is written for us; a certificate "until 9999-12-31" would leave no day to come after it
FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Within:
    """The bounds of a number, with what it counts: `Annotated[float, Within(0, 86400, "number of seconds")]`."""

    least: float
    most: float
    what: str
    #: digits behind the point
    places: int = 6

    def __get_pydantic_core_schema__(self, source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minimum": self.least, "maximum": self.most}

    def _read(self, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            number = read(value)
        except pydantic.ValidationError:
            number = None
        # nan is neither above nor below anything
        if number is None or not self.least <= number <= self.most or (isinstance(number, Decimal) and self._places_of(number) > self.places):
            raise ValueError(f"'{value}' is no {self.what} from {_plain(self.least)} to {_plain(self.most)}")
        return number

    @staticmethod
    def _places_of(number: Decimal) -> int:
        return -int(number.as_tuple().exponent)


@dataclass(frozen=True, slots=True)
class Span:
    """The bounds of a span of time: `Annotated[str, Span("1m", "30d")]`."""

    least: str
    most: str

    def __get_pydantic_core_schema__(self, source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": "^[0-9]{1,4} *[mhd]$"}

    def check(self, value: str) -> str:
        """The span as it is written; ValueError where it is none, or out of bounds."""
        if not _SPAN.match(value) or not timedelta_of(self.least) <= timedelta_of(value) <= timedelta_of(self.most):
            raise ValueError(f"'{value}' is no span of time from {self.least} to {self.most}: write it like 30m, 4h or 2d")
        return value


@dataclass(frozen=True, slots=True)
class Size:
    """The bounds of a number of bytes: `Annotated[str, Size("1kB", "4GB")]`."""

    least: str
    most: str

    def __get_pydantic_core_schema__(self, source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": "^[0-9]{1,4} *(kB|MB|GB)$"}

    def check(self, value: str) -> str:
        """The size as it is written; ValueError where it is none, or out of bounds."""
        if not _SIZE.match(value) or not bytes_of(self.least) <= bytes_of(value) <= bytes_of(self.most):
            raise ValueError(f"'{value}' is no size from {self.least} to {self.most}: write it like 500kB, 1MB or 2GB")
        return value


def bytes_of(size: str) -> int:
    """A size that was checked when it was loaded: `500kB`, `1MB` or `2GB`."""
    found = _SIZE.match(size)
    assert found is not None, size
    return int(found[1]) * _BYTES[found[2]]


def timedelta_of(span: str) -> timedelta:
    """A span that was checked when it was loaded: `30m`, `4h` or `2d`."""
    found = _SPAN.match(span)
    assert found is not None, span
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def day_in_reach(day: date) -> date:
    """A day, or a moment, between the first and the last that anybody means; ValueError where it is not."""
    if not FIRST_DAY <= date(day.year, day.month, day.day) <= LAST_DAY:
        raise ValueError(f"'{day}' is not between {FIRST_DAY} and {LAST_DAY}: leave the key out where there is no such day")
    return day


def _plain(number: float) -> str:
    return f"{number:.10g}"
