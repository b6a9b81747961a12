"""Deadlines and windows, with weekends, holidays and summer time."""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

import pytest

from gateway.exchange.calendar import Calendar
from gateway.exchange.calendar import deadline
from gateway.exchange.calendar import next_full_hour
from gateway.exchange.calendar import next_time

ALWAYS = Calendar()
WORKDAYS = Calendar(workdays_only=True)
BERLIN = Calendar("Europe/Berlin", workdays_only=True)
CHRISTMAS = Calendar("Europe/Berlin", frozenset({date(2026, 12, 25)}), workdays_only=True)
HOURS = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "end"),
    [
        (ALWAYS, "2026-01-09 22:00", 4, "2026-01-10 02:00"),
        (WORKDAYS, "2026-01-08 10:00", 4, "2026-01-08 14:00"),
        # Friday 22:00 leaves two hours for Monday
        (WORKDAYS, "2026-01-09 22:00", 4, "2026-01-12 02:00"),
        (WORKDAYS, "2026-01-10 12:00", 4, "2026-01-12 04:00"),
        # in Berlin the Friday ends an hour earlier than in UTC
        (BERLIN, "2026-01-09 22:00", 4, "2026-01-12 02:00"),
        (BERLIN, "2026-01-09 23:30", 4, "2026-01-12 03:00"),
        # Thursday 24 December: Friday is a holiday, then comes the weekend
        (CHRISTMAS, "2026-12-24 22:00", 2, "2026-12-28 00:00"),
        (CHRISTMAS, "2026-12-24 10:00", 48, "2026-12-29 10:00"),
        # the night in which the clocks go forward is a weekend: nothing of it counts
        (BERLIN, "2026-03-27 22:00", 2, "2026-03-29 23:00"),
    ],
)
def test_a_deadline_counts_only_days_that_count(calendar: Calendar, start: str, hours: int, end: str) -> None:
    assert deadline(at(start), hours * HOURS, calendar) == at(end)


def test_a_day_with_an_hour_less_has_an_hour_less() -> None:
    everyday = Calendar("Europe/Berlin", frozenset({date(2026, 3, 30)}), workdays_only=True)
    assert deadline(at("2026-03-27 23:00"), HOURS, everyday) == at("2026-03-30 23:00"), "Saturday, Sunday and the holiday are left out"


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-01-08 06:59", "2026-01-08 07:00"),
        ("2026-01-08 07:00", "2026-01-08 07:00"),
        ("2026-01-08 07:00:01", "2026-01-08 15:00"),
        ("2026-01-08 15:01", "2026-01-09 07:00"),
        # in summer 08:00 in Berlin is 06:00
        ("2026-07-08 05:00", "2026-07-08 06:00"),
    ],
)
def test_a_batch_leaves_at_its_times_in_its_zone(now: str, leaves: str) -> None:
    assert next_time(at(now), (time(16), time(8)), Calendar("Europe/Berlin")) == at(leaves)


def test_a_batch_on_workdays_waits_for_monday() -> None:
    assert next_time(at("2026-01-09 15:30"), (time(16),), BERLIN) == at("2026-01-12 15:00")
    assert next_full_hour(at("2026-01-09 22:30"), BERLIN) == at("2026-01-11 23:00"), "Monday begins in Berlin an hour before UTC"


def test_hourly_means_the_full_hour_of_the_zone() -> None:
    assert next_full_hour(at("2026-01-08 10:01"), ALWAYS) == at("2026-01-08 11:00")
    assert next_full_hour(at("2026-01-08 10:00"), ALWAYS) == at("2026-01-08 10:00")
    assert next_full_hour(at("2026-01-08 10:01"), Calendar("Asia/Kolkata")) == at("2026-01-08 10:30")


def test_a_time_that_summer_time_leaves_out_comes_once() -> None:
    assert next_time(at("2026-03-28 23:30"), (time(2, 30),), Calendar("Europe/Berlin")) == at("2026-03-29 01:30")
