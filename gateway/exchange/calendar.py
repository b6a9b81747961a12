"""When something is due: deadlines that run on workdays only, and the times at which a batch leaves. Pure: the clock is handed in.

All times that come in and go out are aware; days and hours are those of the calendar's zone, summer time included.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from zoneinfo import ZoneInfo

#: days that are looked through for one that is worked on
_FARTHEST = 400
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that count. `workdays_only`: Monday to Friday without the holidays; else every day."""

    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()
    workdays_only: bool = False

    def counts(self, day: date) -> bool:
        """Whether the hours of this day count."""
        return not self.workdays_only or (day.weekday() < _SATURDAY and day not in self.holidays)


def deadline(start: datetime, within: timedelta, calendar: Calendar) -> datetime:
    """When `within` has run out since `start`, counting only the hours of days that count."""
    if not calendar.workdays_only:
        return start + within
    moment, rest = start, within
    for _ in range(_FARTHEST):
        day = moment.astimezone(ZoneInfo(calendar.zone)).date()
        midnight = _at(day + timedelta(days=1), time(), calendar.zone)
        if calendar.counts(day):
            left = midnight - moment
            if rest <= left:
                return (moment + rest).astimezone(UTC)
            rest -= left
        moment = midnight
    return moment


def next_full_hour(now: datetime, calendar: Calendar) -> datetime:
    """The next full hour of a day that counts; now, where it is one."""
    local = now.astimezone(ZoneInfo(calendar.zone))
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    hour = now - past + (timedelta(hours=1) if past else timedelta())
    for _ in range(_FARTHEST * 24):
        if calendar.counts(hour.astimezone(ZoneInfo(calendar.zone)).date()):
            break
        hour += timedelta(hours=1)
    return hour.astimezone(UTC)


def next_time(now: datetime, times: Collection[time], calendar: Calendar) -> datetime:
    """The next of these times on a day that counts; now, where it is one of them."""
    today = now.astimezone(ZoneInfo(calendar.zone)).date()
    for ahead in range(_FARTHEST):
        day = today + timedelta(days=ahead)
        if not calendar.counts(day):
            continue
        for one in sorted(times):
            at = _at(day, one, calendar.zone)
            if at >= now:
                return at
    return now


def _at(day: date, at: time, zone: str) -> datetime:
    """A time of day as a point in time; one that summer time leaves out is as late as the clock that was not put forward would show it."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
