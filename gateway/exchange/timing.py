"""What an agreement says about time and numbers of what we send: how long we wait for the answer, when a batch leaves, how we number; and
what is thought of the partner's own numbers. Checked when the partner's file is loaded."""

import re
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Annotated
from typing import Any
from typing import Literal
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError

import pydantic

from gateway.exchange.bounds import Span
from gateway.exchange.bounds import Within
from gateway.exchange.bounds import day_in_reach
from gateway.exchange.bounds import timedelta_of
from gateway.exchange.calendar import Calendar
from gateway.exchange.calendar import deadline
from gateway.exchange.calendar import next_full_hour
from gateway.exchange.calendar import next_time

#: the most that ISA13, GS06 and ST02 hold; EDIFACT holds more, but nobody needs it
LARGEST = 999_999_999


class _Checked(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{value}' is no time zone that this machine knows: write it like Europe/Berlin or America/Chicago") from None
    return value


Zone = Annotated[str, pydantic.AfterValidator(_zone)]


def _day(value: Any) -> Any:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"'{value}' is no day: write it like 2026-12-25") from None
    return day_in_reach(day) if isinstance(day, date) else day


Day = Annotated[date, pydantic.BeforeValidator(_day)]


class Expectation(_Checked):
    """That we expect the partner's acknowledgment, and how long we wait for it. Without `within` nothing is ever overdue."""

    #: workdays are counted one by one, and not without an end
    within: Annotated[str, Span("0m", "180d")] | None = None
    calendar: Literal["workdays", "always"] = "always"

    @property
    def span(self) -> timedelta | None:
        return timedelta_of(self.within) if self.within else None

    def due(self, sent: datetime, calendar: Calendar) -> datetime | None:
        """When the answer to something sent at this moment is overdue."""
        return deadline(sent, self.span, calendar) if self.span is not None else None


def _expectation(value: Any) -> Any:
    """`true` and `false` are allowed beside the long form."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return Expectation() if value.lower() == "true" else None
    if isinstance(value, bool):
        return Expectation() if value else None
    if isinstance(value, str):
        raise ValueError(f"'{value}' is neither true nor false nor like {{within: 4h, calendar: workdays}}")
    return value


MaybeExpected = Annotated[Expectation | None, pydantic.BeforeValidator(_expectation)]


def _time(value: Any) -> Any:
    if isinstance(value, str):
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value)
        if not found:
            raise ValueError(f"'{value}' is no time of day: write it like 08:00")
        return time(int(found[1]), int(found[2]))
    return value


class Batch(_Checked):
    """When documents leave together, and how: in one interchange, or each in its own."""

    at: Literal["immediately", "hourly"] | tuple[time, ...] = "immediately"
    zone: Zone | None = None
    calendar: Literal["workdays", "always"] = "always"
    interchanges: Literal["one", "several"] = "one"

    @pydantic.field_validator("at", mode="before")
    @classmethod
    def _are_times(cls, value: Any) -> Any:
        if isinstance(value, str) and value not in {"immediately", "hourly"}:
            return (_time(value),)
        if isinstance(value, list | tuple):
            if not value:
                raise ValueError('at: needs a time, like ["08:00", "16:00"]')
            return tuple(sorted({_time(one) for one in value}))
        return value

    @property
    def waits(self) -> bool:
        return self.at != "immediately"

    @property
    def name(self) -> str:
        """What tells documents of one window from those of another: they leave in streams of their own."""
        when = "+".join(f"{one:%H:%M}" for one in self.at) if isinstance(self.at, tuple) else self.at
        return f"{when} {self.zone or ''} {self.calendar} {self.interchanges}".replace("  ", " ")

    def leaves(self, now: datetime, calendar: Calendar) -> datetime:
        """When something that is ready now leaves."""
        if isinstance(self.at, tuple):
            return next_time(now, self.at, calendar)
        return next_full_hour(now, calendar) if self.at == "hourly" else now


def _batch(value: Any) -> Any:
    """`batch: hourly` and `batch: ["08:00"]` are short for `batch: {at: ...}`."""
    return {"at": value} if isinstance(value, str | list | tuple) else value


MaybeBatch = Annotated[Batch | None, pydantic.BeforeValidator(_batch)]


class Numbering(_Checked):
    """How control numbers of one level are drawn. `by_type`: each document type counts for itself."""

    start: Annotated[int, Within(1, LARGEST, "number")] = 1
    maximum: Annotated[int, Within(1, LARGEST, "number")] = LARGEST
    by_type: bool = False

    @pydantic.model_validator(mode="after")
    def _has_room(self) -> "Numbering":
        if self.maximum < self.start + 999:
            raise ValueError(f"from start {self.start} to maximum {self.maximum} there is no room to count: leave at least 1000 numbers")
        return self


def _numbering(value: Any) -> Any:
    """`interchange: 5000` is short for `interchange: {start: 5000}`."""
    return {"start": value} if isinstance(value, str | int) else value


MaybeNumbering = Annotated[Numbering, pydantic.BeforeValidator(_numbering)]


class ControlNumbers(_Checked):
    """The numbering of what we send to a partner. Without `transaction` the transactions of each interchange count from 1."""

    interchange: MaybeNumbering = Numbering()
    group: MaybeNumbering = Numbering()
    transaction: MaybeNumbering | None = None

    @pydantic.model_validator(mode="after")
    def _interchanges_count_together(self) -> "ControlNumbers":
        if self.interchange.by_type:
            raise ValueError("interchanges have no document type: by_type goes with group or transaction")
        return self


Check = Literal["strict", "warn", "none"]


class NumberChecks(_Checked):
    """What is thought of gaps and repeats in the numbers that a partner uses, level by level. `strict`: an interchange behind a gap waits for
    a person; an interchange that comes twice is refused whatever stands here."""

    interchange: Check = "warn"
    group: Literal["warn", "none"] = "warn"
    transaction: Literal["warn", "none"] = "none"


def _checks(value: Any) -> Any:
    """`check_control_numbers: strict` is short for interchanges, with notices for groups."""
    return {"interchange": value, "group": "none" if value == "none" else "warn"} if isinstance(value, str) else value


MaybeChecks = Annotated[NumberChecks, pydantic.BeforeValidator(_checks)]
