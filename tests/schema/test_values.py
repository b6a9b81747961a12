"""The forms of values."""

import pytest

from gateway.schema.values import date_bad
from gateway.schema.values import decimal_bad
from gateway.schema.values import digits_of
from gateway.schema.values import edifact_number_bad
from gateway.schema.values import edifact_number_oddity
from gateway.schema.values import integer_bad
from gateway.schema.values import period_bad
from gateway.schema.values import period_words
from gateway.schema.values import time_bad
from gateway.schema.values import x12_period_bad


@pytest.mark.parametrize("value", ["20260131", "20240229", "20000229", "19991231", "260131", "240229"])
def test_days_of_the_calendar_are_dates(value: str) -> None:
    assert not date_bad(value)


@pytest.mark.parametrize(
    "value", ["20260230", "20230229", "19000229", "20261301", "20260100", "00000101", "2026-1-1", "2026011", "202601011", "", "\u0662" * 8]
)
def test_others_are_not(value: str) -> None:
    assert date_bad(value)


@pytest.mark.parametrize(
    ("value", "bad"),
    [
        ("0000", False),
        ("2359", False),
        ("235959", False),
        ("2359599", False),
        ("23595999", False),
        ("2400", True),
        ("2360", True),
        ("235960", True),
        ("12", True),
        ("12345", True),
        ("12:30", True),
        ("", True),
    ],
)
def test_times_have_hours_minutes_and_perhaps_seconds(value: str, bad: bool) -> None:
    assert time_bad(value) is bad


@pytest.mark.parametrize(
    ("value", "integer", "decimal", "number"),
    [
        ("0", True, True, True),
        ("-12", True, True, True),
        ("0012", True, True, True),
        ("1.50", False, True, True),
        (".5", False, True, True),
        ("5.", False, True, False),
        ("1,5", False, False, True),
        ("1E5", False, True, False),
        ("-1.5E-3", False, True, False),
        ("+1", False, False, False),
        ("1.2.3", False, False, False),
        ("1.2,3", False, False, False),
        ("--1", False, False, False),
        ("", False, False, False),
        ("-", False, False, False),
        (".", False, False, False),
        (" 1", False, False, False),
        ("1 ", False, False, False),
        ("\u0661", False, False, False),
        ("1_0", False, False, False),
        ("NaN", False, False, False),
    ],
)
def test_numbers_are_what_the_standards_call_numbers(value: str, integer: bool, decimal: bool, number: bool) -> None:
    assert integer_bad(value, 1, 9) is not integer
    assert decimal_bad(value, 1, 9) is not decimal
    assert edifact_number_bad(value, 1, 9) is not number


def test_sign_and_decimal_mark_do_not_count() -> None:
    assert digits_of("-12.50") == 4
    assert not decimal_bad("-1234.56789", 1, 9) and decimal_bad("-12345.67890", 1, 9)
    assert not edifact_number_bad("-1234,56789", 1, 9) and edifact_number_bad("12345,67890", 1, 9)
    assert not integer_bad("-123456789", 1, 9) and integer_bad("1", 2, 9)


@pytest.mark.parametrize(
    ("value", "form", "bad"),
    [
        ("20260131", "102", False),
        ("20260231", "102", True),
        ("202601311430", "203", False),
        ("20260131", "203", True),
        ("20260131143059", "204", False),
        ("202601312400", "203", False),
        ("202601312500", "203", True),
        ("202601311430+01", "303", False),
        ("202601311430UTC", "303", False),
        ("310126", "2", False),
        ("260131", "101", False),
        ("202601", "610", False),
        ("202613", "610", True),
        ("202653", "616", False),
        ("202654", "616", True),
        ("2026010120260131", "718", False),
        ("20260101-20260131", "718", False),
        ("2026010120260232", "718", True),
        ("2026", "602", False),
        ("1430", "401", False),
        ("30", "804", False),
        ("anything", "804", True),
        ("anything", "999", False),
        ("202601312401", "203", True),
        ("31012026", "4", False),
        ("310120261430", "5", False),
        ("20260131T1430", "10", False),
        ("202601311430", "10", True),
        ("2026011", "6", False),
        ("2026013", "6", True),
        ("26054", "103", False),
        ("26058", "103", True),
        ("26366", "105", False),
        ("0131", "106", False),
        ("0230", "106", True),
        ("14301500", "501", False),
        ("1430-1500", "501", False),
        ("260", "603", True),
        ("20264", "608", False),
        ("20265", "608", True),
        ("2026012026", "710", True),
        ("202601202602", "710", False),
        ("202601-202602", "710", False),
        ("202605202606", "716", False),
        ("1080071800", "720", False),
        ("1080081800", "720", True),
        ("+0100", "406", False),
        ("000000", "101", True),
        ("anything", "", False),
        ("", "102", True),
        ("20260131X", "102", True),
    ],
)
def test_edifact_dates_have_the_format_that_is_named(value: str, form: str, bad: bool) -> None:
    assert period_bad(value, form) is bad


@pytest.mark.parametrize(
    ("value", "form", "bad"),
    [
        ("20260131", "D8", False),
        ("20260131-20260201", "RD8", False),
        ("20260131", "RD8", True),
        ("1", "D8", True),
        ("20260231", "D8", True),
        ("202601311430", "DT", False),
        ("202601311460", "DT", True),
        ("260131", "D6", False),
        ("20260131", "D6", True),
        ("202601", "CM", False),
        ("202613", "CM", True),
        ("20264", "CQ", False),
        ("20265", "CQ", True),
        ("01312026", "DB", False),
        ("13312026", "DB", True),
        ("0131", "MD", False),
        ("0431", "MD", True),
        ("1430", "TM", False),
        ("1460", "TM", True),
        ("143059", "TS", False),
        ("26001", "TU", False),
        ("26367", "TU", True),
        ("20260101-20260132", "RD8", True),
        ("2601-2602", "RMY", False),
        ("2601-2613", "RMY", True),
        ("0800-1700", "RTM", False),
        ("0800-2570", "RTM", True),
        ("20260131-202602011200", "DDT", False),
        ("Q", "UN", False),
        ("JAN2026", "CD", False),
    ],
)
def test_x12_periods_have_the_format_that_is_named(value: str, form: str, bad: bool) -> None:
    assert x12_period_bad(value, form) is bad


def test_formats_are_said_as_their_list_says_them() -> None:
    assert [period_words(form, False) for form in ("203", "304", "405", "608", "720", "804", "10")] == [
        "CCYYMMDDHHMM",
        "CCYYMMDDHHMMSSZZZ",
        "MMMMSS",
        "CCYYQ",
        "DHHMM-DHHMM",
        "a number",
        "CCYYMMDDTHHMM",
    ]
    assert period_words("RD8", True) == "CCYYMMDD-CCYYMMDD"


@pytest.mark.parametrize(
    ("value", "odd"), [("-12,50", None), (".5", None), ("12", None), ("+12", "a plus sign"), ("12.", "a decimal mark that no digit follows")]
)
def test_numbers_that_are_oddly_written(value: str, odd: str | None) -> None:
    assert edifact_number_oddity(value) == odd
