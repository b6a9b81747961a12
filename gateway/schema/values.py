"""Forms of values: numbers, dates, times and periods as X12 (X12.6) and EDIFACT (ISO 9735) write them.

Each test gets text and answers yes or no; nothing here knows of segments, places or problems. The quick answers for ordinary
values are inlined by segment_check.py; what is asked here is what was not ordinary.
"""

import re
from functools import lru_cache

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
#: X12.6 allows an exponent in R; two digits of it are plenty, and no number can be made to fill the memory
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee]-?[0-9]{1,2})?", re.ASCII)
#: a time zone: letters (UTC), digits with a sign (+01, +0100), and what senders put before them; nobody agrees on its form
_ZONE = re.compile(r"[A-Za-z0-9+-]{1,8}", re.ASCII)
#: ISO 9735: comma or point (UNA is advice only), one of them, never with thousands
_EDIFACT_MARKS = re.compile(r"[-+]?[0-9][0-9.,]*[.,][0-9.,]*", re.ASCII)
_EDIFACT_NUMBER = re.compile(r"[-+]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)", re.ASCII)


def digits_of(value: str) -> int:
    """The length of a number as the standards count it: without sign, decimal mark and exponent letter."""
    return len(value) - sum(value.count(mark) for mark in "+-.,Ee")


def integer_bad(value: str, shortest: int, longest: int) -> bool:
    """Whether `value` is no X12 N of that length."""
    return not (_INTEGER.fullmatch(value) and shortest <= digits_of(value) <= longest)


def decimal_bad(value: str, shortest: int, longest: int) -> bool:
    """Whether `value` is no X12 R of that length."""
    return not (_DECIMAL.fullmatch(value) and shortest <= digits_of(value) <= longest)


def edifact_number_bad(value: str, shortest: int, longest: int) -> bool:
    """Whether `value` is no EDIFACT n of that length, or one that is oddly written."""
    return not (_EDIFACT_NUMBER.fullmatch(value) and shortest <= digits_of(value) <= longest) or edifact_number_oddity(value) is not None


def edifact_number_oddity(value: str) -> str | None:
    """What a number has that ISO 9735 does not write, though anybody can read it: a plus sign, a decimal mark that no digit follows."""
    if value[:1] == "+":
        return "a plus sign"
    return "a decimal mark that no digit follows" if value[-1:] in {".", ","} else None


def edifact_number_odd(value: str, shortest: int, longest: int) -> bool:
    """The same, or whether it starts with its decimal mark, which is worth a word."""
    return edifact_number_bad(value, shortest, longest) or value.lstrip("+-")[0] in ".,"


def is_integer(value: str) -> bool:
    """`-12`"""
    return _INTEGER.fullmatch(value) is not None


def is_decimal(value: str) -> bool:
    """`-12.50`"""
    return _DECIMAL.fullmatch(value) is not None


def is_edifact_number(value: str) -> bool:
    """`-12,50`"""
    return _EDIFACT_NUMBER.fullmatch(value) is not None


def has_marks_only(value: str) -> bool:
    """`1.234,50`: nothing but digits and marks, and yet no number."""
    return _EDIFACT_MARKS.fullmatch(value) is not None


def _is_day(year: int, month: int, day: int) -> bool:
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    return month != 2 or day < 29 or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


@lru_cache(maxsize=8192)
def date_bad(value: str) -> bool:
    """Whether `value` is no date CCYYMMDD or YYMMDD."""
    if not (value.isdecimal() and value.isascii()):
        return True
    if len(value) == 8:
        return not _is_day(int(value[:4]), int(value[4:6]), int(value[6:])) or value[:4] == "0000"
    return len(value) != 6 or not _is_day(2000 + int(value[:2]), int(value[2:4]), int(value[4:]))


@lru_cache(maxsize=8192)
def time_bad(value: str) -> bool:
    """Whether `value` is no time HHMM, HHMMSS, HHMMSSD or HHMMSSDD."""
    if not (value.isdecimal() and value.isascii() and len(value) in {4, 6, 7, 8}):
        return True
    return int(value[:2]) > 23 or int(value[2:4]) > 59 or (len(value) > 4 and int(value[4:6]) > 59)


#: pieces that a format is made of: number of digits, least and greatest value. A letter with a digit is one digit up to that:
#: S2 a half year, Q4 a quarter, P3 four months, A3 ten days, B2 half a month, W5 a week of a month, D7 a day of the week, S9 a shift
_PIECES = {
    "CC": (2, 0, 99),
    "CCYY": (4, 1, 9999),
    "YY": (2, 0, 99),
    "Y": (1, 0, 9),
    "MM": (2, 1, 12),
    "WW": (2, 1, 53),
    "DD": (2, 1, 31),
    "DDD": (3, 1, 366),
    "PP": (2, 0, 99),
    "HH": (2, 0, 24),
    "MI": (2, 0, 59),
    "MMMI": (4, 0, 9999),
    "SS": (2, 0, 59),
    **{name: (1, 1, int(name[1])) for name in ("S2", "Q4", "P3", "A3", "B2", "W5", "D7", "S9")},
}

#: UN/EDIFACT 2379 and X12 1250: the pieces of a moment or a period. A format that does not stand here is not looked at.
_EDIFACT_FORMATS = {
    "2": "DD MM YY",
    "3": "MM DD YY",
    "4": "DD MM CCYY",
    "5": "DD MM CCYY HH MI",
    "6": "CCYY MM B2",
    "7": "CCYY MM W5",
    "8": "CCYY MM DD S9",
    "9": "CCYY MM DD PP",
    "10": "CCYY MM DD T HH MI",
    "101": "YY MM DD",
    "102": "CCYY MM DD",
    "103": "YY WW D7",
    "104": "MM W5 - MM W5",
    "105": "YY DDD",
    "106": "MM DD",
    "107": "DDD",
    "108": "WW",
    "109": "MM",
    "110": "DD",
    "201": "YY MM DD HH MI",
    "202": "YY MM DD HH MI SS",
    "203": "CCYY MM DD HH MI",
    "204": "CCYY MM DD HH MI SS",
    "205": "CCYY MM DD HH MI Z",
    "301": "YY MM DD HH MI Z",
    "302": "YY MM DD HH MI SS Z",
    "303": "CCYY MM DD HH MI Z",
    "304": "CCYY MM DD HH MI SS Z",
    "305": "MM DD HH MI",
    "306": "DD HH MI",
    "401": "HH MI",
    "402": "HH MI SS",
    "404": "HH MI SS Z",
    "405": "MMMI SS",
    "406": "Z",
    "501": "HH MI - HH MI",
    "502": "HH MI SS - HH MI SS",
    "600": "CC",
    "601": "YY",
    "602": "CCYY",
    "603": "YY S2",
    "604": "CCYY S2",
    "608": "CCYY Q4",
    "609": "YY MM",
    "610": "CCYY MM",
    "613": "YY MM A3",
    "614": "CCYY MM A3",
    "615": "YY WW",
    "616": "CCYY WW",
    "701": "YY - YY",
    "702": "CCYY - CCYY",
    "703": "YY S2 - YY S2",
    "704": "CCYY S2 - CCYY S2",
    "705": "YY P3 - YY P3",
    "706": "CCYY P3 - CCYY P3",
    "707": "YY Q4 - YY Q4",
    "708": "CCYY Q4 - CCYY Q4",
    "709": "YY MM - YY MM",
    "710": "CCYY MM - CCYY MM",
    "711": "CCYY MM DD - CCYY MM DD",
    "713": "YY MM DD HH MI - YY MM DD HH MI",
    "715": "YY WW - YY WW",
    "716": "CCYY WW - CCYY WW",
    "717": "YY MM DD - YY MM DD",
    "718": "CCYY MM DD - CCYY MM DD",
    "719": "CCYY MM DD HH MI - CCYY MM DD HH MI",
    "720": "D7 HH MI - D7 HH MI",
}
#: 2379 that says of what the value is a number: years, months, weeks, days, ...
_EDIFACT_COUNTS = frozenset(str(code) for code in range(801, 815))
_X12_FORMATS = {
    "CM": "CCYY MM",
    "CQ": "CCYY Q4",
    "CY": "CCYY",
    "D6": "YY MM DD",
    "D8": "CCYY MM DD",
    "DA": "DD - DD",
    "DB": "MM DD CCYY",
    "DD": "DD",
    "DDT": "CCYY MM DD - CCYY MM DD HH MI",
    "DT": "CCYY MM DD HH MI",
    "DTD": "CCYY MM DD HH MI - CCYY MM DD",
    "DTS": "CCYY MM DD HH MI SS - CCYY MM DD HH MI SS",
    "EH": "Y DDD",
    "MCY": "MM CCYY",
    "MD": "MM DD",
    "MM": "MM",
    "RD": "MM DD CCYY - MM DD CCYY",
    "RD2": "YY - YY",
    "RD4": "CCYY - CCYY",
    "RD5": "CCYY MM - CCYY MM",
    "RD6": "YY MM DD - YY MM DD",
    "RD8": "CCYY MM DD - CCYY MM DD",
    "RDM": "YY MM DD - MM DD",
    "RDT": "CCYY MM DD HH MI - CCYY MM DD HH MI",
    "RMD": "MM DD - MM DD",
    "RMY": "YY MM - YY MM",
    "RTM": "HH MI - HH MI",
    "RTS": "CCYY MM DD HH MI SS",
    "TC": "DDD",
    "TM": "HH MI",
    "TQ": "MM YY",
    "TR": "DD MM YY HH MI",
    "TS": "HH MI SS",
    "TT": "MM DD YY",
    "TU": "YY DDD",
    "YM": "YY MM",
    "YY": "YY",
}


def _form_bad(value: str, form: str) -> bool:
    """Whether the digits of `value` do not make the pieces of `form`. A hyphen between two moments may be sent or left out."""
    rest, pieces, year, month, midnight = value, form.split(), 2000, 0, False
    for position, name in enumerate(pieces):
        if name == "-":
            rest = rest.removeprefix("-")
            continue
        if name == "T":
            if not rest.startswith("T"):
                return True
            rest = rest[1:]
            continue
        if name == "Z":
            zone = _ZONE.match(rest)
            if zone is None:
                return True
            rest = rest[zone.end() :]
            continue
        length, least, most = _PIECES[name]
        part, rest = rest[:length], rest[length:]
        if len(part) != length or not (part.isdecimal() and part.isascii()) or not least <= int(part) <= most:
            return True
        number = int(part)
        if name == "YY":
            year = 2000 + number
        elif name == "CCYY":
            year = number
        elif name == "MM":
            month = number
        elif name == "DD" and position and pieces[position - 1] == "MM" and not _is_day(year, month, number):
            return True
        elif name == "HH":
            midnight = number == 24
        elif midnight and number:
            return True
    return rest != ""


@lru_cache(maxsize=8192)
def period_bad(value: str, form: str) -> bool:
    """Whether `value` does not have the EDIFACT format 2379 `form`."""
    known = _EDIFACT_FORMATS.get(form)
    if known is None:
        return form in _EDIFACT_COUNTS and not is_edifact_number(value)
    return _form_bad(value, known)


@lru_cache(maxsize=8192)
def x12_period_bad(value: str, form: str) -> bool:
    """Whether `value` does not have the X12 format 1250 `form`."""
    known = _X12_FORMATS.get(form)
    return known is not None and _form_bad(value, known)


def period_words(form: str, x12: bool) -> str:
    """What the format asks for, in words: `CCYYMMDDHHMM`."""
    if not x12 and form in _EDIFACT_COUNTS:
        return "a number"
    pieces = (_X12_FORMATS if x12 else _EDIFACT_FORMATS).get(form, form).split()
    written = {"MI": "MM", "MMMI": "MMMM", "Z": "ZZZ"}
    return "".join(written.get(piece, piece[0] if piece[-1].isdigit() and len(piece) == 2 else piece) for piece in pieces)
