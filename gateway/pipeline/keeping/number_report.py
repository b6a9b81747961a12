"""The control numbers exchanged with a partner, both directions and every level: what was used, what comes next, what is missing."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from gateway.exchange.partner import Partner
from gateway.exchange.timing import Numbering
from gateway.pipeline.station import Station
from gateway.store.outgoing import controls
from gateway.store.outgoing import numbers
from gateway.store.outgoing import outbox

#: rows that never left, of which a report tells
_MOST_LOST = 100
_LEVELS = ("interchange", "group", "transaction")


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One counting. `next` and `maximum` are known of our own numbers only."""

    direction: str
    identity: str
    level: str
    #: document type, where types count for themselves
    type: str
    test: bool
    last: int
    next: int | None = None
    maximum: int | None = None
    used: int
    #: runs of numbers that were all used, lowest first; of this round
    runs: list[tuple[int, int]]
    missing: list[tuple[int, int]]
    repeated: int
    last_repeated: int | None
    #: how often the counting began anew, and when last
    rolled: int
    rolled_at: datetime | None
    changed_at: datetime


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A number of ours that was drawn and never reached the partner."""

    interchange: str
    row: str
    spec: str
    reason: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All countings of a partner."""

    partner: str
    levels: list[Level]
    #: drawn, but given up before they reached the partner: gaps in its eyes
    not_delivered: list[Lost]


def report_of(station: Station, partner: Partner) -> Report:
    """What the ledger says of a partner."""
    with station.database.read() as connection:
        counted = numbers.countings(connection, partner.id)
        levels = [_level(connection, partner, one) for one in sorted(counted, key=lambda one: (one.direction == "in", one.test, _place(one)))]
        dead = outbox.search(connection, state="dead", partner=partner.id, limit=_MOST_LOST)
    lost = [
        Lost(interchange=entry.interchange_control, row=entry.id, spec=entry.spec, reason=entry.last_error or "")
        for entry in dead
        if entry.interchange_control is not None
    ]
    return Report(partner=partner.id, levels=levels, not_delivered=lost)


def _place(counting: numbers.Counting) -> tuple[str, int, str]:
    """Interchanges first, then what stands in them."""
    return counting.identity, _LEVELS.index(counting.level), counting.kind


def _level(connection: Connection, partner: Partner, counting: numbers.Counting) -> Level:
    runs = numbers.runs(connection, counting.key, counting.round)
    following = maximum = None
    if counting.direction == "out":
        numbering = _numbering(partner, counting.level)
        named = f"{counting.level}:{counting.kind}" if counting.kind else counting.level
        drawn = {(one.our_id, one.level): one.last for one in controls.ledger(connection, partner.id)}
        last = drawn.get((counting.identity, named), counting.latest)
        maximum = numbering.maximum
        following = numbering.start if last + 1 > maximum else max(last + 1, numbering.start)
    return Level(
        direction=counting.direction,
        identity=counting.identity,
        level=counting.level,
        type=counting.kind,
        test=counting.test,
        last=counting.latest,
        next=following,
        maximum=maximum,
        used=counting.used,
        runs=[(run.first, run.last) for run in runs],
        missing=numbers.gaps(runs),
        repeated=counting.repeated,
        last_repeated=counting.last_repeated,
        rolled=counting.round,
        rolled_at=counting.rolled_at,
        changed_at=counting.changed_at,
    )


def _numbering(partner: Partner, level: str) -> Numbering:
    given: dict[str, Numbering | None] = {
        "interchange": partner.control_numbers.interchange,
        "group": partner.control_numbers.group,
        "transaction": partner.control_numbers.transaction,
    }
    return given.get(level) or Numbering()


def words_of(report: Report) -> str:
    """The report for people."""
    if not report.levels:
        return f"No control numbers were exchanged with {report.partner} yet."
    lines: list[str] = []
    head = ""
    for level in report.levels:
        ours = f"we send to {report.partner} as {level.identity}"
        title = (ours if level.direction == "out" else f"{report.partner} sends as {level.identity}") + (", test" if level.test else "")
        if title != head:
            lines.append(title)
            head = title
        lines.append(f"  {' '.join(part for part in (level.level, level.type) if part):<16} {_state(level)}")
    for lost in report.not_delivered:
        lines.append(f"never delivered: interchange {lost.interchange} ({lost.spec}, given up: {lost.reason})")
    return "\n".join(lines)


def span(first: int, last: int) -> str:
    """`7`, or `7 to 9`."""
    return str(first) if first == last else f"{first} to {last}"


def _state(level: Level) -> str:
    shown = [span(*run) for run in level.runs[-3:]]
    parts = [("..., " if len(level.runs) > 3 else "") + ", ".join(shown)]
    if level.next is not None:
        parts.append(f"next {level.next} of {level.maximum}")
    if level.missing:
        more = f" and {len(level.missing) - 5} more gaps" if len(level.missing) > 5 else ""
        parts.append("missing " + ", ".join(span(*gap) for gap in level.missing[-5:]) + more)
    else:
        parts.append("no gap")
    if level.repeated:
        parts.append(f"{level.repeated} repeated, last {level.last_repeated}")
    if level.rolled_at is not None:
        parts.append(f"began anew {level.rolled} time{'s' if level.rolled > 1 else ''}, last on {level.rolled_at:%Y-%m-%d}")
    return "; ".join(parts)
