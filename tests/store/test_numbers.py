"""The ledger of control numbers: gaps, repeats, roll-over, numbers that are no counting."""

from datetime import timedelta
from itertools import permutations

import pytest

from gateway.store.database import Database
from gateway.store.outgoing import numbers
from gateway.store.outgoing.numbers import Key
from tests.store.made import NOW

KEY = Key(partner="acme", direction="in", identity="ZZ:ACME", level="interchange")


def enter(database: Database, *given: int, key: Key = KEY) -> list[str]:
    with database.begin() as connection:
        return [numbers.record(connection, key, number, NOW + timedelta(seconds=place)).sort for place, number in enumerate(given)]


def state(database: Database, key: Key = KEY) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Runs and gaps of the present round."""
    with database.read() as connection:
        counting = numbers.get(connection, key)
        assert counting is not None
        runs = numbers.runs(connection, key, counting.round)
        return [(run.first, run.last) for run in runs], numbers.gaps(runs)


def test_numbers_that_follow_each_other_are_one_run_wherever_they_begin(database: Database) -> None:
    assert enter(database, 4711, 4712, 4713) == ["first", "next", "next"]
    assert state(database) == ([(4711, 4713)], [])


def test_a_gap_is_told_once_and_a_late_arrival_fills_it(database: Database) -> None:
    assert enter(database, 1, 2, 5, 6, 3, 4) == ["first", "next", "gap", "next", "late", "late"]
    assert state(database) == ([(1, 6)], [])


def test_a_gap_names_what_is_missing(database: Database) -> None:
    with database.begin() as connection:
        numbers.record(connection, KEY, 7, NOW)
        assert numbers.record(connection, KEY, 10, NOW).missing == (8, 9)
    assert state(database) == ([(7, 7), (10, 10)], [(8, 9)])


def test_a_repeat_is_counted_and_changes_nothing_else(database: Database) -> None:
    assert enter(database, 1, 2, 3, 2) == ["first", "next", "next", "repeated"]
    with database.read() as connection:
        counting = numbers.get(connection, KEY)
    assert counting is not None and (counting.repeated, counting.last_repeated, counting.used, counting.highest) == (1, 2, 3, 3)
    assert state(database) == ([(1, 3)], [])


@pytest.mark.parametrize("order", list(permutations(range(10, 15)))[::7])
def test_whatever_the_order_all_that_came_is_one_run(sqlite_url: str, order: tuple[int, ...]) -> None:
    from gateway.store.database import open_database

    database = open_database(sqlite_url)
    database.migrate()
    enter(database, *order)
    assert state(database) == ([(10, 14)], [])
    database.close()


@pytest.mark.parametrize(("last", "then"), [(9999, 1), (999_999_999, 1), (999_999_990, 5), (9990, 20)])
def test_a_small_number_after_the_largest_is_a_roll_over_and_no_repeat(database: Database, last: int, then: int) -> None:
    assert enter(database, 1, 2, last, then, then + 1)[3:] == ["rolled", "next"]
    assert state(database)[0] == [(then, then + 1)]
    with database.read() as connection:
        counting = numbers.get(connection, KEY)
    assert counting is not None and counting.round == 1 and counting.rolled_at is not None


def test_whoever_knows_better_says_that_it_is_a_repeat(database: Database) -> None:
    enter(database, 5, 6, 9_999)
    with database.begin() as connection:
        assert numbers.record(connection, KEY, 5, NOW, rolled=False).sort == "repeated"


@pytest.mark.parametrize(("last", "then"), [(99, 1), (5000, 4), (9_800, 50)])
def test_a_small_number_is_no_roll_over_where_the_end_was_not_near(database: Database, last: int, then: int) -> None:
    assert enter(database, last - 1, last, then)[2] == "late"


def test_numbers_that_are_times_leave_no_gaps_and_do_not_fill_the_ledger(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "_MOST_RUNS", 10)
    given = [20260105093000 + 5000 * place for place in range(40)]
    assert set(enter(database, *given)[1:]) == {"jump"}
    runs, gaps = state(database)
    assert len(runs) <= 11 and runs[-1][1] == given[-1] and gaps == []


def test_countings_do_not_know_each_other(database: Database) -> None:
    others = [
        Key(partner="acme", direction="out", identity="ZZ:ACME", level="interchange"),
        Key(partner="acme", direction="in", identity="ZZ:OTHER", level="interchange"),
        Key(partner="acme", direction="in", identity="ZZ:ACME", level="group"),
        Key(partner="acme", direction="in", identity="ZZ:ACME", level="interchange", test=True),
        Key(partner="acme", direction="in", identity="ZZ:ACME", level="interchange", kind="850"),
    ]
    enter(database, 1, 2)
    for other in others:
        assert enter(database, 1, key=other) == ["first"]
    with database.read() as connection:
        assert len(numbers.countings(connection, "acme")) == 6
        assert numbers.countings(connection, "acme")[0].direction == "out"
        assert numbers.countings(connection, "beta") == []


def test_several_numbers_are_entered_at_once(database: Database) -> None:
    with database.begin() as connection:
        assert numbers.record(connection, KEY, 1, NOW, count=5).sort == "first"
        assert numbers.record(connection, KEY, 6, NOW, count=20).sort == "next"
        assert numbers.record(connection, KEY, 3, NOW, count=3).sort == "repeated"
        assert numbers.record(connection, KEY, 50, NOW, count=3, rolled=True).sort == "rolled"
    assert state(database) == ([(50, 52)], [])
