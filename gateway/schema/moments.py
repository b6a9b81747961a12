"""Dates, times and periods in the forms that files have them in, each by its name or its code of the standard. Pure.

A text that is no date gives None, never an exception: the caller makes a Problem of it.
"""

import contextlib
import re
from calendar import monthrange
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo

_DIGITS = re.compile(r"[0-9]+")

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
