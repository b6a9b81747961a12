"""The same entry of a bank in a corrected statement, or in a daily and a weekly one, is money once; what stands twice in one is money twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.trading import bank_entries
from gateway.pipeline.trading.bank_entries import minor_of
from gateway.store import tables
from gateway.store.records import documents
from gateway.store.trading import ledger
from tests.pipeline.test_money import advised
from tests.pipeline.test_money import books
from tests.pipeline.test_money import entry
from tests.pipeline.test_money import owe
from tests.pipeline.test_money import told_by_bank
from tests.pipeline.test_money import words
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def named(text: str, reference: str) -> str:
    """An entry to which the bank gives a reference of its own, or none."""
    return text.replace("<NtryDtls>", f"<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls>") if reference else text


def called(world: World) -> list[str]:
    """The names of money that is not used up."""
    with world.station.database.read() as connection:
        return sorted(one.bank_reference for one in ledger.unapplied_payments(connection))


@pytest.mark.parametrize(("reference", "names"), [("BANK-{}", ["BANK-0/1", "BANK-1/1", "BANK-2/2", "BANK-2/4"]), ("", ["1", "2", "3", "4"])])
def test_a_corrected_statement_books_what_is_new_in_it(both: World, reference: str, names: list[str]) -> None:
    """One entry more at its head: all others stand elsewhere then."""
    new, one, two = (named(entry(f"{at}.00", f"{at}", f"E{at}", reference=""), reference.format(at // 10)) for at in (5, 10, 20))
    told_by_bank(both, "S1", one, two)
    assert words(both, told_by_bank(both, "S1", new, one, two, two)) == "done: 4 payments, 2 of them known, 0 applied"
    assert words(both, told_by_bank(both, "S1", new, one, two, two)) == "done: 4 payments, 4 of them known, 0 applied"
    assert books(both)[1] == [("on_account", 500), ("on_account", 1000), ("on_account", 2000), ("on_account", 2000)]
    assert called(both) == sorted(names)


def test_an_entry_with_the_banks_reference_is_the_same_money_in_every_statement(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 9250})
    first = named(entry("92.50", "INV-000002", "E1"), "BANK-1")
    told_by_bank(world, "DAY1", first)
    weekly = told_by_bank(world, "WEEK1", named(entry("92.50", "x", "E9", day="2026-01-30"), "BANK-1"), first.replace("R1", "R7"))
    assert words(world, weekly) == "done: 2 payments, 1 of them known, 1 applied", "of another day it is other money: some banks begin anew"
    assert books(world) == ({}, [])
    other = named(entry("92.50", "INV-000002", "E2"), "BANK-1")
    told_by_bank(world, "MONTH1", first, other)
    assert books(world) == ({}, [("on_account", 9250)]), "another payer's trace under the same reference: a constant of the bank's"


def test_alike_entries_of_two_statements_without_the_banks_reference_wait_for_a_person(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 9250})
    daily = entry("92.50", "INV-000002", "E1")
    told_by_bank(world, "DAY1", daily)
    for _ in range(2):
        told_by_bank(world, "WEEK1", daily)
    assert books(world) == ({"INV-000001": 9250}, [("unapplied", 9250)])
    with world.station.database.read() as connection:
        [money] = ledger.unapplied_payments(connection)
        [row] = documents.search(connection, documents.Filters(number="WEEK1"), limit=1)
    assert "alike in all it says is booked from bank statement DAY1" in money.details["why"] and row.kind == "bank_statement"


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("reference", ["BANK-1", ""])
def test_the_entry_of_an_advice_is_known_where_it_stands_elsewhere(world: World, reference: str, before: bool) -> None:
    owe(world, {"INV-000001": 9250})
    advised(world, "92.50", "INV-000001")
    mine = named(entry("92.50", "x", reference=""), reference)
    told_by_bank(world, "S1", mine)
    if before:
        # as it was written down until entries had an identity
        with world.station.database.begin() as connection:
            entry_of = f"DE89370400440532013000|S1|{reference + '/' if reference else ''}1"
            connection.execute(tables.payment.update().values(details={"entry": entry_of}))
    told_by_bank(world, "S1", *([] if before and not reference else [entry("5.00", "new", "E0", reference="")]), mine)
    told_by_bank(world, "WEEK1", mine)
    money = [] if before and not reference else [("on_account", 500)]
    if not reference:
        money.append(("on_account" if before else "unapplied", 9250))
    assert books(world) == ({}, sorted(money))


def test_an_invoice_that_is_paid_twice_pays_no_other_one(world: World) -> None:
    for number in (1, 2):
        world.receive(x12_order(f"PO{number}", control=number))
        hand_in_shipments(world.station, f"order,quantity\nPO{number},10\n".encode(), f"ship{number}.csv", "warehouse")
        world.settle()
        release_invoices(world.station, [f"PO{number}"], "clerk")
        world.settle()
    told_by_bank(world, "S3", entry("150.00", "INV-000001 INV-000002", "E3"), entry("150.00", "thanks", "E4"))
    told_by_bank(world, "S1", entry("92.50", "inv 000002", "E1"))
    told_by_bank(world, "S2", entry("92.50", "inv 000002", "E2"))
    assert books(world) == ({"INV-000001": 9250}, [("on_account", 9250), ("on_account", 15000), ("on_account", 15000)])
    for number in (1, 2):
        trail = trail_of(world.station, f"INV-00000{number}", "acme")
        assert trail is not None
        said = trail_words(trail)
        assert ("what it names is settled already (its number stands in the text)" in said) == (number == 2)
        assert "150.00 USD from acme put on account by the gateway: the amount is not that of what it names" in said
        assert "and not what for" not in said, "money that names nothing of it stands elsewhere"


def test_the_entry_of_an_advice_is_the_same_money_on_a_corrected_day(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 9250})
    advised(world, "92.50", "INV-000001")
    moved = named(entry("92.50", "x", day="2026-02-03"), "BANK-1")
    told_by_bank(world, "S1", named(entry("92.50", "x"), "BANK-1"))
    assert words(world, told_by_bank(world, "S1", moved)) == "done: 1 payments, 1 of them known, 0 applied"
    assert books(world) == ({"INV-000002": 9250}, [])
    told_by_bank(world, "S1", moved, moved.replace("BANK-1", "BANK-2"))
    assert books(world) == ({}, []), "another entry is other money"


def test_a_statement_is_compared_by_amount_and_not_each_entry_with_each_payment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a busy account's day: that is done while nobody else can write."""
    fitted, called, many = list[str](), bank_entries._is_called, 30
    monkeypatch.setattr(bank_entries, "_is_called", lambda one, money: (fitted.append(one.id), called(one, money))[1])
    monkeypatch.setattr(bank_entries, "minor_of", lambda money: (fitted.append(money.id), minor_of(money))[1])
    daily, weekly = ([named(entry(f"{at}.00", "x", f"E{at}"), f"B{at}") for at in range(start, start + many)] for start in (100, 500))
    told_by_bank(world, "DAY1", *daily)
    told_by_bank(world, "DAY2", *weekly)
    assert words(world, told_by_bank(world, "WEEK1", *daily, *weekly)) == f"done: {2 * many} payments, {2 * many} of them known, 0 applied"
    assert len(fitted) < 20 * many
