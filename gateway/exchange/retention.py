"""How long payloads are kept, by document type: in config.yaml for everybody, in a partner's file what is different for it. Pure: days in,
days out.
"""

import re
from datetime import date
from datetime import timedelta
from typing import Annotated
from typing import Literal

import pydantic

from gateway.exchange.keys import Keys
from gateway.model.document import KINDS
from gateway.yaml_source import did_you_mean

_PERIOD = re.compile(r"([1-9]\d{0,4})\s*([dmy])\Z")
#: days that a unit has at least
_DAYS = {"d": 1, "m": 28, "y": 365}
FOREVER = "forever"
#: how long what strangers post is kept: as long as the pages tell of it
STRANGERS = "90d"
_BY_US, _BY_NOBODY = " of config.yaml", ", where config.yaml says nothing"


def _period(value: str) -> str:
    if value != FOREVER and not _PERIOD.match(value):
        raise ValueError(f"'{value}' is no time to keep something: write it like 10y, 18m, 90d or forever")
    return value


Period = Annotated[str, pydantic.AfterValidator(_period)]


class Retention(Keys):
    """How long payloads and what is in them are kept. Nothing is erased where nothing is said, but what strangers post."""

    #: whatever `types` does not name
    payloads: Period | None = None
    #: by kind of document: order, invoice, ...
    types: dict[str, Period] = {}
    #: AS2 messages that were refused; in a partner's file, those that came under its names
    refused: Period | None = None
    #: what came over AS2 under names that nobody has; in config.yaml alone
    strangers: Period | None = None
    #: the period begins when the file came or left, or at the end of that year
    count_from: Literal["arrival", "year_end"] | None = None

    def periods(self) -> tuple[str, ...]:
        """All periods that are said here of files and documents."""
        return (*([self.payloads] if self.payloads is not None else []), *self.types.values())

    def request_periods(self) -> tuple[str, ...]:
        """All periods that could hold for an AS2 request."""
        return (*self.periods(), *(one for one in (self.refused, self.strangers) if one is not None))

    @pydantic.field_validator("types")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"'{kind}' is no kind of document{did_you_mean(kind, KINDS)}")
        return value


class Rule(pydantic.BaseModel):
    """What holds for one kind of document of one partner, and who says so."""

    model_config = pydantic.ConfigDict(frozen=True)

    period: str
    year_end: bool
    words: str

    def due_on(self, came_on: date) -> date | None:
        """The first day on which it may be erased; None: never."""
        match = _PERIOD.match(self.period)
        if match is None:
            return None
        count, unit = int(match.group(1)), match.group(2)
        start = date(came_on.year, 12, 31) if self.year_end else came_on
        if unit == "d":
            return _later(start, count)
        months = start.year * 12 + start.month - 1 + count * (12 if unit == "y" else 1)
        return _later(_day_in(months, start.day), 1 if self.year_end else 0)


def rule_for(kind: str, partner: str, theirs: Retention | None, ours: Retention) -> Rule | None:
    """The rule for a kind of document of a partner: the partner's file before config.yaml, the type before the rest; None where none holds."""
    for retention, said_by in ((theirs, f"partner {partner}"), (ours, "config.yaml")):
        if retention is None:
            continue
        for period, what in ((retention.types.get(kind), f"types.{kind}"), (retention.payloads, "payloads")):
            if period is not None:
                return _rule(period, what, said_by, theirs, ours)
    return None


def rule_for_request(partner: str, theirs: Retention | None, ours: Retention) -> Rule | None:
    """The rule for an AS2 request of which nothing was taken; partner "": of nobody that we know, and those stay for a short time only."""
    if not partner:
        said = ours.strangers
        return Rule(period=said or STRANGERS, year_end=False, words=f"retention.strangers: {said or STRANGERS}{_BY_US if said else _BY_NOBODY}")
    for retention, said_by in ((theirs, f"partner {partner}"), (ours, "config.yaml")):
        for period, what in ((retention.refused, "refused"), (retention.payloads, "payloads")) if retention is not None else ():
            if period is not None:
                return _rule(period, what, said_by, theirs, ours)
    return None


def _rule(period: str, what: str, said_by: str, theirs: Retention | None, ours: Retention) -> Rule:
    year_end = ((theirs.count_from if theirs is not None else None) or ours.count_from) == "year_end"
    words = f"retention.{what}: {period} of {said_by}{', counted from the end of the year' if year_end else ''}"
    return Rule(period=period, year_end=year_end, words=words)


def latest_start(today: date, *periods: str) -> date | None:
    """The last day on which something may have come that any of these periods could make due today; None where none ends."""
    days = [_DAYS[match.group(2)] * int(match.group(1)) for match in map(_PERIOD.match, periods) if match is not None]
    return _later(today, -min(days)) if days else None


def _day_in(months: int, day: int) -> date:
    year, month = min(months // 12, 9998), months % 12 + 1
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def _later(day: date, count: int) -> date:
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return date.max if count > 0 else date.min
