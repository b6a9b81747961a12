"""The control numbers that partners use: entered in the ledger when an interchange is through; what is missing or used again is told.

A gap is a notice: files come in any order, and a late one fills it. Partners that count for several receivers, or begin each interchange
with group 1, are not told about for ever: where gaps or repeats are the rule, they are no news.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.timing import NumberChecks
from gateway.kinds import control as kinds
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store.incoming.interchanges import Interchange
from gateway.store.outgoing import numbers
from gateway.store.outgoing.numbers import Key
from gateway.store.outgoing.numbers import Seen

#: digits of a control number that is a count; EDIFACT takes fourteen
_LONGEST = 14
#: an old number that comes after the highest one is a new round only where the old interchange is older than this
_OLD = timedelta(days=30)
#: gaps that are told whatever else is known of the partner; beyond, one in so many numbers is still news
_FEW, _RARE = 3, 10

_log = structlog.get_logger("numbers")


def counted(control: str) -> int | None:
    """A control number that can be counted; None for one that is a name or a time."""
    return int(control) if control.isascii() and control.isdigit() and len(control) <= _LONGEST else None


def key_of(loaded: LoadedPartner, sender: str, level: str, *, test: bool, kind: str = "") -> Key:
    """The partner's own counting at a level."""
    return Key(partner=loaded.partner.id, direction="in", identity=sender, level=level, kind=kind, test=test)


def still_counts(
    connection: Connection, loaded: LoadedPartner, start: InterchangeStart, earlier: list[Interchange], now: datetime
) -> list[Interchange]:
    """Which of the earlier interchanges with this number make it a duplicate: those of the present round of the partner's counting."""
    number = counted(start.control_number)
    counting = numbers.get(connection, key_of(loaded, start.sender, "interchange", test=start.test)) if number is not None else None
    if counting is None or number is None:
        return earlier
    if numbers.rolls(counting, number):
        return [row for row in earlier if now - row.opened_at < _OLD]
    return [row for row in earlier if counting.rolled_at is None or row.opened_at >= counting.rolled_at]


def must_wait(connection: Connection, loaded: LoadedPartner, start: InterchangeStart) -> Problem | None:
    """Why an interchange of a partner that is checked strictly waits for a person: numbers before it are missing."""
    number = counted(start.control_number)
    if loaded.partner.check_control_numbers.interchange != "strict" or number is None:
        return None
    counting = numbers.get(connection, key_of(loaded, start.sender, "interchange", test=start.test))
    if counting is None or numbers.rolls(counting, number):
        return None
    seen = numbers.ahead(counting, number)
    return _gap(start, "Interchange", start.control_number, seen.missing, Severity.ERROR) if seen.missing is not None else None


def enter(
    connection: Connection,
    loaded: LoadedPartner,
    start: InterchangeStart,
    groups: Iterable[str],
    now: datetime,
    *,
    duplicate: bool,
) -> list[Problem]:
    """Enter the numbers of an interchange and of its groups; what is missing before them or used again."""
    checks: NumberChecks = loaded.partner.check_control_numbers
    if start.syntax not in {Syntax.X12, Syntax.EDIFACT}:
        return []
    found: list[Problem] = []
    number = counted(start.control_number)
    if checks.interchange != "none" and number is not None:
        key = key_of(loaded, start.sender, "interchange", test=start.test)
        # what is refused as a duplicate is no new round, and is told as a duplicate
        seen = numbers.record(connection, key, number, now, rolled=False if duplicate else None)
        if not duplicate:
            found += _told(connection, key, start, "Interchange", start.control_number, seen)
    if checks.group != "none" and not duplicate:
        key = key_of(loaded, start.sender, "group", test=start.test)
        for control in groups:
            number = counted(control)
            if number is not None:
                found += _told(connection, key, start, "Group", control, numbers.record(connection, key, number, now))
    return found


@dataclass(frozen=True, slots=True)
class Used:
    """The numbers of one file: its interchange's, and those of its groups."""

    loaded: LoadedPartner | None
    start: InterchangeStart
    groups: tuple[str, ...]


def enter_many(connection: Connection, files: Sequence[Used], now: datetime) -> list[list[Problem]]:
    """Enter the numbers of several files in their order; what is told about each. Numbers that follow each other beyond all that were used
    are entered as one run: they can neither be repeated nor fill a gap."""
    told: list[list[Problem]] = [[] for _ in files]
    wanted: dict[Key, list[tuple[int, int, str]]] = {}
    for place, used in enumerate(files):
        if used.loaded is None or used.start.syntax not in {Syntax.X12, Syntax.EDIFACT}:
            continue
        checks: NumberChecks = used.loaded.partner.check_control_numbers
        levels = (("interchange", checks.interchange, (used.start.control_number,)), ("group", checks.group, used.groups))
        for level, check, controls in levels:
            key = key_of(used.loaded, used.start.sender, level, test=used.start.test)
            for control in controls if check != "none" else ():
                number = counted(control)
                if number is not None:
                    wanted.setdefault(key, []).append((number, place, control))
    for key, numbered in wanted.items():
        for run in _runs(connection, key, numbered):
            first, place, control = run[0]
            seen = numbers.record(connection, key, first, now, count=len(run))
            told[place] += _told(connection, key, files[place].start, key.level.capitalize(), control, seen)
    return told


def _runs(connection: Connection, key: Key, numbered: Sequence[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """The numbers in their order, those that follow each other beyond the highest one together."""
    counting = numbers.get(connection, key)
    highest = counting.highest if counting is not None else -1
    runs: list[list[tuple[int, int, str]]] = []
    grows = False
    for one in numbered:
        if grows and one[0] == runs[-1][-1][0] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
            grows = one[0] > highest
        highest = max(highest, one[0])
    return runs


def enter_transactions(
    connection: Connection, loaded: LoadedPartner, start: InterchangeStart, transactions: Iterable[tuple[str, str]], now: datetime
) -> list[Problem]:
    """Enter the numbers of transactions, type by type, where the partner counts them through: (type, control number)."""
    if loaded.partner.check_control_numbers.transaction == "none":
        return []
    found: list[Problem] = []
    for kind, control in transactions:
        number = counted(control)
        if number is not None:
            key = key_of(loaded, start.sender, "transaction", test=start.test, kind=kind)
            found += _told(connection, key, start, f"Transaction {kind}", control, numbers.record(connection, key, number, now))
    return found


def _told(connection: Connection, key: Key, start: InterchangeStart, what: str, control: str, seen: Seen) -> list[Problem]:
    if seen.sort not in {"gap", "repeated"}:
        return []
    counting = numbers.get(connection, key)
    if counting is None or not _is_news(connection, key, counting, seen.sort):
        return []
    _log.warning("control numbers", partner=key.partner, level=key.level, number=control, seen=seen.sort, missing=list(seen.missing or ()))
    if seen.missing is not None:
        return [_gap(start, what, control, seen.missing, Severity.WARNING)]
    place = Place(interchange=start.control_number, segment=start.segment[0] if start.segment else None, offset=start.offset)
    words = f"{what} {control} of {start.sender} was used before"
    return [kinds.REPEATED.at(place, words, found=control, expected="a number that was not used before")]


def _is_news(connection: Connection, key: Key, counting: numbers.Counting, sort: str) -> bool:
    times = counting.repeated if sort == "repeated" else len(numbers.runs(connection, key, counting.round)) - 1
    allowed = 0 if sort == "repeated" else _FEW
    return times <= allowed or times * _RARE <= counting.used


def _gap(start: InterchangeStart, what: str, control: str, missing: tuple[int, int] | None, severity: Severity) -> Problem:
    assert missing is not None
    absent = str(missing[0]) if missing[0] == missing[1] else f"{missing[0]} to {missing[1]}"
    place = Place(interchange=start.control_number, segment=start.segment[0] if start.segment else None, offset=start.offset)
    count = missing[1] - missing[0] + 1
    words = f"{what} {control} of {start.sender} came, {absent} did not come" + (" (yet)" if severity is Severity.WARNING else "")
    return kinds.GAP.at(place, words, found=control, expected=f"{count} number{'s' if count > 1 else ''} before it", severity=severity)
