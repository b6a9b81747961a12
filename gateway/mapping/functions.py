"""What mappings do to a value: dates and times, decimals, text functions, check digits. Pure, and each by its name.

Conversions remember what they have seen: the same dates, quantities and item numbers come again and again in one file.
A value that is none gives None, never an exception: the caller makes a Problem of it.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
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


# Dates and times --------------------------------------------------------------------------------------------------------

#: names of formats and the EDIFACT 2379 codes that mean them
FORMATS: dict[str, str] = {
    "CCYYMMDD": "%Y%m%d",
    "YYMMDD": "%y%m%d",
    "DDMMYY": "%d%m%y",
    "MMDDYY": "%m%d%y",
    "DDMMCCYY": "%d%m%Y",
    "MMDDCCYY": "%m%d%Y",
    "CCYY-MM-DD": "%Y-%m-%d",
    "DD.MM.CCYY": "%d.%m.%Y",
    "MM/DD/CCYY": "%m/%d/%Y",
    "CCYYMMDDHHMM": "%Y%m%d%H%M",
    "CCYYMMDDHHMMSS": "%Y%m%d%H%M%S",
    "YYMMDDHHMM": "%y%m%d%H%M",
    "YYMMDDHHMMSS": "%y%m%d%H%M%S",
    "HHMM": "%H%M",
    "HHMMSS": "%H%M%S",
    "HH:MM:SS": "%H:%M:%S",
    "CCYYWW": "week",
    "CCYYMM": "%Y%m",
    "ISO": "iso",
}
CODES_2379: dict[str, str] = {
    "2": "DDMMYY",
    "3": "MMDDYY",
    "4": "DDMMCCYY",
    "101": "YYMMDD",
    "102": "CCYYMMDD",
    "201": "YYMMDDHHMM",
    "202": "YYMMDDHHMMSS",
    "203": "CCYYMMDDHHMM",
    "204": "CCYYMMDDHHMMSS",
    "205": "CCYYMMDDHHMMZ",
    "303": "CCYYMMDDHHMMZ",
    "304": "CCYYMMDDHHMMSSZ",
    "401": "HHMM",
    "402": "HHMMSS",
    "616": "CCYYWW",
    "711": "CCYYMMDD",
    "713": "YYMMDDHHMM",
    "717": "YYMMDD",
    "718": "CCYYMMDD",
    "719": "CCYYMMDDHHMM",
}
_LENGTHS = {
    "CCYYMMDD": 8,
    "YYMMDD": 6,
    "DDMMYY": 6,
    "MMDDYY": 6,
    "DDMMCCYY": 8,
    "MMDDCCYY": 8,
    "CCYYMMDDHHMM": 12,
    "CCYYMMDDHHMMSS": 14,
    "YYMMDDHHMM": 10,
    "YYMMDDHHMMSS": 12,
    "HHMM": 4,
    "HHMMSS": 6,
    "CCYYWW": 6,
    "CCYYMM": 6,
}
_PERIODS = {"711", "713", "717", "718", "719"}
#: two digits of a year are of this century below 80 (a rule without a clock: an archived file means the same for ever)
_PIVOT = 80
_ZONES = {
    "Z": 0,
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "CET": 60,
    "MEZ": 60,
    "CES": 120,
    "EET": 120,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
}
_ISO = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})(?:T(?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?", re.ASCII)


class Only(datetime):
    """A moment of which only the day was sent: good for a date, none for a datetime."""


def moment(text: str, form: str, zone: tzinfo = UTC) -> datetime | None:
    """The moment that `text` means in a format by name; None where it is none."""
    text = text.strip()
    if form == "ISO":
        return _iso(text, zone)
    if form.endswith("Z"):
        return _zoned(text, form[:-1])
    pattern = FORMATS[form]
    length = _LENGTHS.get(form)
    if length is not None and (len(text) != length or not _DIGITS.fullmatch(text)):
        return None
    try:
        if pattern == "week":
            return _only(date.fromisocalendar(int(text[:4]), int(text[4:]), 1))
        found = datetime.strptime(text, pattern).replace(tzinfo=zone)
    except ValueError:
        return None
    if "%y" in pattern:
        short = found.year % 100
        try:
            found = found.replace(year=(2000 if short < _PIVOT else 1900) + short)
        except ValueError:
            return None
    return found if "%H" in pattern else _only(found.date())


def by_length(text: str, zone: tzinfo = UTC) -> datetime | None:
    """X12 dates without a word about their form: CCYYMMDD or YYMMDD, with or without a time."""
    text = text.strip()
    form = {6: "YYMMDD", 8: "CCYYMMDD", 12: "CCYYMMDDHHMM", 14: "CCYYMMDDHHMMSS"}.get(min(len(text), 14))
    if form is None:
        return None
    return moment(text[:14], form, zone)


def by_code(text: str, code: str, zone: tzinfo = UTC) -> datetime | None:
    """EDIFACT: the form that a 2379 code names; the begin of a period. Without a code the length tells."""
    if not code:
        return by_length(text, zone)
    form = CODES_2379.get(code)
    if form is None:
        return None
    if code in _PERIODS:
        text = text.split("-")[0] if "-" in text else text[: _LENGTHS[form]]
    return moment(text, form, zone)


def day_of(found: datetime | None) -> date | None:
    """The day of a moment."""
    return found.date() if found is not None else None


def time_of(found: datetime | None) -> datetime | None:
    """The moment itself in UTC. Where only a day was sent it stays an `Only`, which says nothing about the time."""
    if found is None or isinstance(found, Only):
        return found
    try:
        return found.astimezone(UTC)
    except OverflowError:
        # the first and the last day that there are
        return None


def _only(day: date) -> Only:
    return Only(day.year, day.month, day.day, tzinfo=UTC)


def _iso(text: str, zone: tzinfo) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    try:
        day = date.fromisoformat(match["date"])
        if not match["time"]:
            return _only(day)
        found = datetime.fromisoformat(f"{match['date']}T{match['time']}{match['zone'] or ''}")
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _zoned(text: str, form: str) -> datetime | None:
    length = _LENGTHS[form]
    found = moment(text[:length], form)
    name = text[length:].strip()
    if found is None:
        return None
    if re.fullmatch(r"[+-]\d{2}(?::?\d{2})?", name, re.ASCII):
        digits = name[1:].replace(":", "").ljust(4, "0")
        minutes = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if name[0] == "-" else 1)
    elif not name or name in _ZONES:
        minutes = _ZONES.get(name, 0)
    else:
        return None
    if abs(minutes) >= 24 * 60:
        return None
    return found.replace(tzinfo=timezone(timedelta(minutes=minutes)))


def written(value: date | datetime, form: str, zone: tzinfo = UTC) -> str:
    """A date or a moment in a format by name."""
    pattern = FORMATS[form]
    if isinstance(value, datetime):
        with contextlib.suppress(OverflowError):
            value = value.astimezone(UTC if pattern == "iso" else zone)
    if pattern == "iso":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value.isoformat()
    if pattern == "week":
        year, week, _ = value.isocalendar()
        return f"{year:04}{week:02}"
    return value.strftime(pattern).zfill(_LENGTHS.get(form, 0))


# Text -------------------------------------------------------------------------------------------------------------------

#: `make:` words of the language
TEXT_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "trim": str.strip,
    "squeeze": lambda text: " ".join(text.split()),
    "digits": lambda text: "".join(character for character in text if character in "0123456789"),
    "without_leading_zeros": lambda text: text.lstrip("0") or text[-1:],
    "before_colon": lambda text: text.partition(":")[0],
    "after_colon": lambda text: text.partition(":")[2] or text,
    # a package of UN/ECE Recommendation 20 (XCT) as Recommendation 21 has it (CT)
    "package_code": lambda text: text[1:] if len(text) == 3 and text.startswith("X") else text,
}


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters, cut between words where there are any; its lines start anew."""
    answer = []
    for line in text.splitlines():
        rest = line.strip()
        while len(rest) > size:
            cut = rest.rfind(" ", 0, size + 1)
            cut = cut if cut > size // 2 else size
            answer.append(rest[:cut].rstrip())
            rest = rest[cut:].lstrip()
        if rest:
            answer.append(rest)
    return answer


# Check digits -----------------------------------------------------------------------------------------------------------

_LENGTHS_OF = {"gtin": (8, 12, 13, 14), "gln": (13,), "sscc": (18, 20)}


def check_digit_fault(name: str) -> Callable[[str], str | None]:
    """A function that gives the expected form of a GTIN, GLN or SSCC whose check digit or length is wrong, else None (GS1 mod 10)."""
    lengths = _LENGTHS_OF[name]

    def fault(text: str) -> str | None:
        if len(text) not in lengths or not _DIGITS.fullmatch(text):
            return f"{' or '.join(map(str, lengths))} digits"
        number = text[2:] if name == "sscc" and len(text) == 20 else text
        digits = number.encode()
        # ASCII digits are 48 + value, taken away at the end
        odd, even = digits[-2::-2], digits[-3::-2]
        total = (sum(odd) - 48 * len(odd)) * 3 + sum(even) - 48 * len(even)
        right = str(-total % 10)
        return None if right == number[-1] else f"check digit {right}"

    return fault
