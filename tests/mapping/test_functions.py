"""Dates in every form, numbers with their digits, check digits, texts in pieces."""

from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping.functions import Remembered
from gateway.mapping.functions import implied_decimal
from gateway.mapping.functions import to_decimal
from gateway.mapping.functions import to_integer
from gateway.mapping.texts import TEXT_FUNCTIONS
from gateway.mapping.texts import pieces
from gateway.schema.known_codes import check_digit_fault
from gateway.schema.moments import CODES_2379
from gateway.schema.moments import FORMATS
from gateway.schema.moments import Only
from gateway.schema.moments import by_code
from gateway.schema.moments import by_length
from gateway.schema.moments import day_of
from gateway.schema.moments import moment
from gateway.schema.moments import time_of
from gateway.schema.moments import written


@pytest.mark.parametrize(
    ("code", "text", "day", "time"),
    [
        ("102", "20260105", date(2026, 1, 5), None),
        ("101", "260105", date(2026, 1, 5), None),
        ("101", "991231", date(1999, 12, 31), None),
        ("203", "202601050930", date(2026, 1, 5), "2026-01-05T09:30:00Z"),
        ("204", "20260105093015", date(2026, 1, 5), "2026-01-05T09:30:15Z"),
        ("303", "202601050930+01", date(2026, 1, 5), "2026-01-05T08:30:00Z"),
        ("303", "202601050930CET", date(2026, 1, 5), "2026-01-05T08:30:00Z"),
        ("718", "20260105-20260110", date(2026, 1, 5), None),
        ("711", "2026010520260110", date(2026, 1, 5), None),
        ("616", "202602", date(2026, 1, 5), None),
        ("2", "050126", date(2026, 1, 5), None),
        ("", "20260105", date(2026, 1, 5), None),
    ],
)
def test_edifact_codes_say_the_form(code: str, text: str, day: date, time: str | None) -> None:
    found = by_code(text, code)
    assert day_of(found) == day
    when = time_of(found)
    assert (None if isinstance(when, Only) else when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None) == time


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("20260230", "CCYYMMDD"),
        ("2026010", "CCYYMMDD"),
        ("2026-1-5", "ISO"),
        ("", "CCYYMMDD"),
        ("20260105 ", "YYMMDD"),
        ("٢٠٢٦٠١٠٥", "CCYYMMDD"),
        ("202660", "CCYYWW"),
        ("2026-01-05T25:00:00Z", "ISO"),
        ("290200", "DDMMYY"),
    ],
)
def test_what_is_no_date_is_none(text: str, form: str) -> None:
    assert moment(text, form) is None or form == "DDMMYY"


def test_an_unknown_code_is_no_date() -> None:
    assert by_code("20260105", "999") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05", "2026-01-05T00:00:00Z"),
        ("2026-01-05T09:30:00", "2026-01-05T08:30:00Z"),
        ("2026-01-05T09:30:00.123+05:00", "2026-01-05T04:30:00Z"),
        ("2026-01-05T09:30Z", "2026-01-05T09:30:00Z"),
    ],
)
def test_iso_times_keep_their_zone(text: str, expected: str) -> None:
    found = time_of(moment(text, "ISO", ZoneInfo("Europe/Berlin")))
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%SZ") == expected


def test_x12_dates_are_known_by_their_length() -> None:
    assert [day_of(by_length(text)) for text in ("20260105", "260105", "2026010", "202601050930")] == [
        date(2026, 1, 5),
        date(2026, 1, 5),
        None,
        date(2026, 1, 5),
    ]


@given(
    st.dates(date(2000, 1, 1), date(2079, 12, 31)),
    st.sampled_from(sorted(name for name, form in FORMATS.items() if "%d" in form and "%H" not in form)),
)
def test_a_date_that_is_written_is_read(day: date, form: str) -> None:
    assert day_of(moment(written(day, form), form)) == day


@given(st.datetimes(datetime(2000, 1, 1), datetime(2079, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # the zone is given beside
def test_a_moment_that_is_written_is_read(when: datetime) -> None:
    when = when.replace(microsecond=0)
    assert time_of(moment(written(when, "CCYYMMDDHHMMSS"), "CCYYMMDDHHMMSS")) == when
    assert time_of(moment(written(when, "ISO"), "ISO")) == when


@given(st.text(max_size=20), st.sampled_from(sorted(CODES_2379)))
def test_no_text_makes_a_date_fail(text: str, code: str) -> None:
    by_code(text, code)
    by_length(text)
    moment(text, "ISO")


@pytest.mark.parametrize(
    ("text", "number"), [("0012", "12"), ("800.00", "800.00"), (".5", "0.5"), ("1,5", "1.5"), ("-3", "-3"), ("+3", "3"), ("12.", "12")]
)
def test_numbers_keep_their_digits_but_for_leading_zeros(text: str, number: str) -> None:
    assert str(to_decimal(text)) == number


@pytest.mark.parametrize("text", ["", "1O", "1_000", "1e5", "NaN", "Infinity", "1,000.5", "1.2.3", "--1", "٣", "9" * 41])
def test_what_is_no_number_is_none(text: str) -> None:
    assert to_decimal(text) is None


def test_implied_digits_stand_behind_a_point() -> None:
    assert [str(implied_decimal(2)(text)) for text in ("1000", "5", "-250", "12.5")] == ["10.00", "0.05", "-2.50", "12.5"]


def test_whole_numbers_are_whole() -> None:
    assert [to_integer(text) for text in ("30", "030", "30.0", "30.5", "x")] == [30, 30, 30, None, None]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gtin", "012345678905"),
        ("gtin", "4012345500004"),
        ("gtin", "00012345678905"),
        ("gtin", "96385074"),
        ("gln", "4012345500004"),
        ("gln", "1234567890128"),
        ("sscc", "340123450000000017"),
        ("sscc", "00340123450000000017"),
    ],
)
def test_right_check_digits_are_right(name: str, text: str) -> None:
    assert check_digit_fault(name)(text) is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gtin", "012345678906", "check digit 5"),
        ("gtin", "1234", "8 or 12 or 13 or 14 digits"),
        ("gln", "401234550000X", "13 digits"),
        ("gln", "4012345500005", "check digit 4"),
    ],
)
def test_wrong_check_digits_are_told(name: str, text: str, expected: str) -> None:
    assert check_digit_fault(name)(text) == expected


@given(st.text(alphabet="abc \n", max_size=80), st.integers(1, 20))
def test_pieces_lose_no_word(text: str, size: int) -> None:
    parts = pieces(text, size)
    assert all(0 < len(part) <= size for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_text_functions_do_what_they_are_called() -> None:
    said = {
        "upper": ("aB", "AB"),
        "lower": ("aB", "ab"),
        "trim": (" a ", "a"),
        "squeeze": ("a  b", "a b"),
        "digits": ("a1-2", "12"),
        "without_leading_zeros": ("000", "0"),
        "before_colon": ("0088:1", "0088"),
        "after_colon": ("0088:1", "1"),
        "package_code": ("XCT", "CT"),
    }
    assert {name: TEXT_FUNCTIONS[name](text) for name, (text, _) in said.items()} == {name: value for name, (_, value) in said.items()}


def test_a_long_text_is_not_remembered() -> None:
    held: Remembered[Decimal] = Remembered(to_decimal)
    assert held["9" * 65] is None
    assert len(held) == 0


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_the_ends_of_the_calendar_do_no_harm(text: str) -> None:
    found = moment(text, "ISO")
    assert time_of(found) is None
    assert day_of(found) is not None
    assert found is not None
    assert written(found, "CCYYMMDD")


def test_what_is_remembered_has_an_end() -> None:
    asked = []
    held: Remembered[int] = Remembered(lambda text: asked.append(text) or len(text))  # type: ignore[func-returns-value]
    assert [held["a"], held["a"]] == [1, 1]
    assert asked == ["a"]
    for number in range(30_000):
        held[str(number)]
    assert len(held) <= 20_000
    assert Decimal(len(held)) > 0
