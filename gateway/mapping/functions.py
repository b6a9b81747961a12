"""What mappings do to a value: dates and times, decimals, text functions, check digits. Pure, and each by its name.

Conversions remember what they have seen: the same dates, quantities and item numbers come again and again in one file.
A value that is none gives None, never an exception: the caller makes a Problem of it.
"""

import contextlib
import re
from calendar import monthrange
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
    "YYWW": "week",
    "CCYYMM": "%Y%m",
    "CCYY": "%Y",
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
    "602": "CCYY",
    "610": "CCYYMM",
    "615": "YYWW",
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
    "YYWW": 4,
    "CCYYMM": 6,
    "CCYY": 4,
}
#: periods, and the form of their begin and their end: EDIFACT 2379, X12 1250
PERIODS = {"711": "CCYYMMDD", "713": "YYMMDDHHMM", "717": "YYMMDD", "718": "CCYYMMDD", "719": "CCYYMMDDHHMM", "RD8": "CCYYMMDD", "RD6": "YYMMDD"}
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


def moment(text: str, form: str, zone: tzinfo = UTC, *, end: bool = False) -> datetime | None:
    """The moment that `text` means in a format by name; None where it is none. Of a period (a week, a month, a year too) the
    begin, or with `end` its last day."""
    text = text.strip()
    if form in PERIODS:
        form = PERIODS[form]
        text = _half(text, _LENGTHS[form], end=end)
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
            year = int(text[:-2]) if form == "CCYYWW" else _century(int(text[:-2]))
            return _only(date.fromisocalendar(year, int(text[-2:]), 7 if end else 1))
        found = datetime.strptime(text, pattern).replace(tzinfo=zone)
    except ValueError:
        return None
    if end and form in ("CCYYMM", "CCYY"):
        return _only(_last_day(found.year, found.month if form == "CCYYMM" else 12))
    if "%y" in pattern:
        try:
            found = found.replace(year=_century(found.year % 100))
        except ValueError:
            return None
    return found if "%H" in pattern else _only(found.date())


def _century(short: int) -> int:
    return (2000 if short < _PIVOT else 1900) + short


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _half(text: str, length: int, *, end: bool) -> str:
    """The begin or the end of a period; the hyphen between them may be left out. A begin alone has no end."""
    if "-" in text:
        return text.split("-")[-1 if end else 0]
    return text[length:] if end else text[:length]


def by_length(text: str, zone: tzinfo = UTC, *, end: bool = False) -> datetime | None:
    """X12 dates without a word about their form: CCYYMMDD or YYMMDD, with or without a time, or a period of two days (RD8, RD6)."""
    text = text.strip()
    if "-" in text:
        return moment(text, "RD8" if len(text) == 17 else "RD6", zone, end=end) if len(text) in (13, 17) else None
    form = {6: "YYMMDD", 8: "CCYYMMDD", 12: "CCYYMMDDHHMM", 14: "CCYYMMDDHHMMSS"}.get(min(len(text), 14))
    if form is None:
        return None
    return moment(text[:14], form, zone)


def by_code(text: str, code: str, zone: tzinfo = UTC, *, end: bool = False) -> datetime | None:
    """EDIFACT: the form that a 2379 code names; of a period its begin (or its end). Without a code the length tells."""
    if not code:
        return by_length(text, zone, end=end)
    form = code if code in PERIODS else CODES_2379.get(code)
    return moment(text, form, zone, end=end) if form is not None else None


def shifted(found: datetime | None, days: int) -> datetime | None:
    """So many days later (or earlier); None where the calendar ends."""
    if found is None or not days:
        return found
    try:
        return found + timedelta(days=days)
    except OverflowError:
        return None


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
        return f"{year:04}{week:02}"[-_LENGTHS[form] :]
    return value.strftime(pattern).zfill(_LENGTHS.get(form, 0))


# Check digits -----------------------------------------------------------------------------------------------------------

_LENGTHS_OF = {"gtin": (8, 12, 13, 14), "gln": (13,), "sscc": (18, 20)}


def check_digit_fault(name: str) -> Callable[[str], str | None]:
    """A function that gives the expected form of a GTIN, GLN or SSCC whose check digit or length is wrong, else None (GS1 mod 10)."""
    lengths = _LENGTHS_OF[name]

    # ASCII digits are 48 + value: what the 48s alone add up to
    right = {length: 48 * (3 * (length // 2) + (length + 1) // 2) % 10 for length in lengths}

    def fault(text: str) -> str | None:
        length = len(text)
        if length not in right or not (text.isdecimal() and text.isascii()):
            return f"{' or '.join(map(str, lengths))} digits"
        digits = text.encode()
        if length == 20:
            # with its application identifier 00
            digits = b"00" + digits[2:]
        wrong = (3 * sum(digits[-2::-2]) + sum(digits[::-2]) - right[length]) % 10
        return f"check digit {(digits[-1] - 48 - wrong) % 10}" if wrong else None

    return fault
