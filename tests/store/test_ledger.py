"""Open items, payments and allocations: money is neither lost nor doubled."""

import threading
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.identity import new_id
from gateway.store.rows import StaleState
from gateway.store.trading import ledger
from gateway.store.trading import orders
from gateway.store.trading.ledger import Allocation
from gateway.store.trading.ledger import OpenItem
from gateway.store.trading.ledger import Payment
from tests.store.made import NOW
from tests.store.made import document
from tests.store.made import insert

TODAY = date(2026, 3, 1)


def item(id: str = "INV1", amount: int = 10_000, **fields: Any) -> OpenItem:
    return OpenItem(
        **{
            "id": id,
            "partner": "acme",
            "kind": "invoice" if amount >= 0 else "credit_note",
            "number": id,
            "currency": "USD",
            "amount_minor": amount,
            "open_minor": amount,
            "issued_on": date(2026, 1, 1),
            "due_on": date(2026, 1, 31),
            "created_at": NOW,
            **fields,
        }
    )


def payment(id: str = "PAY1", amount: int = 10_000, **fields: Any) -> Payment:
    return Payment(
        **{
            "id": id,
            "source": "DE00",
            "bank_reference": f"ref-{id}",
            "partner": "acme",
            "currency": "USD",
            "amount_minor": amount,
            "unapplied_minor": amount,
            "booked_on": date(2026, 2, 1),
            "created_at": NOW,
            **fields,
        }
    )


def allocation(
    amount: int, *, item: str = "INV1", payment: str | None = "PAY1", kind: str = "payment", currency: str = "USD", id: str = ""
) -> Allocation:
    return Allocation(
        id=id or new_id(), payment=payment, open_item=item, kind=kind, currency=currency, amount_minor=amount, actor="ann", reason="test", at=NOW
    )


def left(connection: Connection) -> tuple[int, int]:
    found, money = ledger.get_item(connection, "INV1"), ledger.get_payment(connection, "PAY1")
    assert found is not None and money is not None
    return found.open_minor, money.unapplied_minor


@pytest.fixture
def booked(database: Database) -> Database:
    with database.begin() as connection:
        ledger.add_items(connection, [item()])
        ledger.add_payments(connection, [payment()])
    return database


def test_a_bank_statement_read_twice_is_harmless(booked: Database) -> None:
    with booked.begin() as connection:
        assert ledger.add_payments(connection, [payment("PAY9", bank_reference="ref-PAY1")]) == []
        assert [
            one.id
            for one in ledger.add_payments(connection, [payment("PAY9", bank_reference="ref-PAY1"), payment("PAY2"), payment("PAY3", source="X")])
        ] == ["PAY2", "PAY3"]
        assert ledger.add_items(connection, [item("other", number="INV1")]) == []


def test_a_payment_settles_an_invoice_with_discount_and_deduction(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.allocate(connection, [allocation(9_000), allocation(200, kind="discount"), allocation(800, kind="deduction")])
        assert left(connection) == (0, 1_000)
        assert ledger.open_items(connection) == []
        assert [one.id for one in ledger.unapplied_payments(connection, partner="acme")] == ["PAY1"]
        assert len(ledger.allocations_of(connection, item="INV1")) == 3
        assert len(ledger.allocations_of(connection, payment="PAY1")) == 3
        assert ledger.check_sums(connection) == []


@pytest.mark.parametrize(
    "wrong",
    [
        [allocation(10_001)],
        [allocation(6_000), allocation(5_000)],
        [allocation(1_000, currency="EUR")],
        [allocation(1, item="none")],
        [allocation(1, payment="none")],
        [allocation(-1)],
        [allocation(10_000, kind="write_off"), allocation(1)],
    ],
)
def test_more_than_is_left_or_another_currency_is_refused(booked: Database, wrong: list[Allocation]) -> None:
    with pytest.raises(StaleState):
        with booked.begin() as connection:
            ledger.allocate(connection, wrong)
    with booked.read() as connection:
        assert left(connection) == (10_000, 10_000)


@pytest.mark.parametrize("wrong", [allocation(0), allocation(1, kind="gift"), allocation(1, payment=None)])
def test_an_allocation_that_makes_no_sense_is_our_mistake(booked: Database, wrong: Allocation) -> None:
    with pytest.raises(ValueError, match="allocation"):
        with booked.begin() as connection:
            ledger.allocate(connection, [wrong])


def test_a_new_item_is_wholly_open(database: Database) -> None:
    with pytest.raises(ValueError, match="still open"):
        with database.begin() as connection:
            ledger.add_items(connection, [item(open_minor=5)])


def test_money_is_not_spent_twice_by_two_clerks_at_once(database_url: str) -> None:
    database = open_database(database_url)
    with database.begin() as connection:
        ledger.add_items(connection, [item("INV1"), item("INV2")])
        ledger.add_payments(connection, [payment()])
    outcomes: list[str] = []

    def work(number: int) -> None:
        try:
            with database.begin() as connection:
                ledger.allocate(connection, [allocation(10_000, item=f"INV{number}")])
            outcomes.append("done")
        except StaleState:
            outcomes.append("stale")

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "stale"]
    with database.read() as connection:
        assert ledger.check_sums(connection) == []
    database.close()


def test_an_allocation_is_taken_back_once(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.allocate(connection, [allocation(4_000, id="A")])
        back = ledger.reverse(connection, "A", id="B", actor="ann", reason="wrong invoice", at=NOW)
        assert (back.amount_minor, back.reverses) == (-4_000, "A")
        assert left(connection) == (10_000, 10_000)
        for id in ("A", "B", "none"):
            with pytest.raises(StaleState):
                ledger.reverse(connection, id, id="C", actor="ann", reason="again", at=NOW)
        assert ledger.check_sums(connection) == []


def test_a_credit_note_settles_an_invoice_and_can_be_taken_back(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.add_items(connection, [item("CN1", -3_000)])
        common = {"credit_item": "CN1", "invoice_item": "INV1", "currency": "USD", "actor": "ann", "at": NOW}
        ledger.apply_credit(connection, id="X", amount_minor=2_500, reason="returned goods", **common)  # type: ignore[arg-type]
        assert [(one.id, one.open_minor) for one in ledger.open_items(connection)] == [("CN1", -500), ("INV1", 7_500)]
        with pytest.raises(StaleState, match="by itself"):
            ledger.reverse(connection, "X/credit", id="Y", actor="ann", reason="", at=NOW)
        ledger.apply_credit(connection, id="X2", amount_minor=-2_500, reason="mistake", **common)  # type: ignore[arg-type]
        assert [(one.id, one.open_minor) for one in ledger.open_items(connection)] == [("CN1", -3_000), ("INV1", 10_000)]
        assert ledger.check_sums(connection) == []
    with pytest.raises(StaleState):
        with booked.begin() as connection:
            ledger.apply_credit(connection, id="Z", amount_minor=3_001, reason="too much", **common)  # type: ignore[arg-type]


def test_money_that_goes_back_opens_the_invoice_again(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.allocate(connection, [allocation(10_000)])
        ledger.add_payments(connection, [payment("BACK", -10_000)])
        ledger.allocate(connection, [allocation(-10_000, payment="BACK")])
        assert left(connection) == (10_000, 0)
        back = ledger.get_payment(connection, "BACK")
        assert back is not None and back.unapplied_minor == 0
        assert ledger.check_sums(connection) == []


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["payment", "discount", "reverse"]), st.integers(1, 400), st.integers(0, 3), st.integers(0, 3)), max_size=25
    )
)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_tried_the_sums_hold_and_nothing_exceeds_the_money(sqlite_url: str, steps: list[tuple[str, int, int, int]]) -> None:
    database = open_database(sqlite_url)
    prefix = new_id()
    with database.begin() as connection:
        ledger.add_items(connection, [item(f"{prefix}I{n}", (-300 if n == 3 else 500)) for n in range(4)])
        ledger.add_payments(connection, [payment(f"{prefix}P{n}", (-300 if n == 3 else 400)) for n in range(4)])
    made: list[str] = []
    for kind, amount, of_item, of_payment in steps:
        id = new_id()
        try:
            with database.begin() as connection:
                if kind == "reverse":
                    if made:
                        ledger.reverse(connection, made[amount % len(made)], id=id, actor="a", reason="r", at=NOW)
                else:
                    sign = -1 if of_item == 3 or of_payment == 3 else 1
                    ledger.allocate(
                        connection, [allocation(sign * amount, item=f"{prefix}I{of_item}", payment=f"{prefix}P{of_payment}", kind=kind, id=id)]
                    )
                    made.append(id)
        except StaleState:
            made = [one for one in made if one != id]
    with database.read() as connection:
        assert ledger.check_sums(connection) == []
        for n in range(4):
            one, money = ledger.get_item(connection, f"{prefix}I{n}"), ledger.get_payment(connection, f"{prefix}P{n}")
            assert one is not None and money is not None
            assert 0 <= abs(one.open_minor) <= abs(one.amount_minor) and one.open_minor * one.amount_minor >= 0
            assert 0 <= abs(money.unapplied_minor) <= abs(money.amount_minor) and money.unapplied_minor * money.amount_minor >= 0
    database.close()


def test_somebody_who_writes_past_us_is_found(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.allocate(connection, [allocation(4_000)])
        connection.exec_driver_sql("UPDATE open_item SET open_minor = 1")
        connection.exec_driver_sql("UPDATE payment SET unapplied_minor = 2")
        assert ledger.check_sums(connection) == ["open_item INV1: 1 left, expected 6000", "payment PAY1: 2 left, expected 6000"]


def test_exposure_is_open_items_less_money_on_account_and_accepted_orders_not_invoiced(booked: Database) -> None:
    with booked.begin() as connection:
        ledger.add_items(connection, [item("EUR1", 77, currency="EUR"), item("ELSE", 55, partner="beta")])
        for id, state, total, invoiced, test in (
            ("O1", "accepted", 500, 0, False),
            ("O2", "part_despatched", 900, 300, False),
            ("O3", "held", 5_000, 0, False),
            ("O4", "accepted", 7_000, 0, True),
            ("O5", "invoiced", 100, 100, False),
        ):
            insert(connection, document(id))
            orders.create(
                connection,
                [
                    orders.SalesOrder(
                        document=id,
                        partner="acme",
                        number=id,
                        state=state,
                        currency="USD",
                        total_minor=total,
                        invoiced_minor=invoiced,
                        test=test,
                        created_at=NOW,
                        changed_at=NOW,
                    )
                ],
                [],
            )
        assert ledger.exposure(connection, "acme", "USD") == 10_000 - 10_000 + 500 + 600
        assert ledger.exposure(connection, "acme", "USD", excluding_orders=["O1"]) == 600
        assert ledger.exposure(connection, "acme", "EUR") == 77
        assert ledger.exposure(connection, "nobody", "USD") == 0
        assert orders.accepted_count(connection, "acme") == 3


def test_ageing_counts_days_past_due(database: Database) -> None:
    with database.begin() as connection:
        ledger.add_items(
            connection,
            [
                item("A", 1, due_on=TODAY),
                item("B", 10, due_on=TODAY - timedelta(days=1)),
                item("C", 100, due_on=TODAY - timedelta(days=30)),
                item("D", 1_000, due_on=TODAY - timedelta(days=31)),
                item("E", 10_000, due_on=TODAY - timedelta(days=400)),
                item("F", -7, due_on=TODAY),
            ],
        )
        rows = ledger.ageing(connection, TODAY)
        assert [(row.bucket, row.amount_minor, row.count) for row in rows] == [(-1, -6, 2), (0, 110, 2), (30, 1_000, 1), (90, 10_000, 1)]
        assert ledger.oldest_due(connection, "acme") == TODAY - timedelta(days=400)
        assert ledger.oldest_due(connection, "nobody") is None
        assert ledger.ageing(connection, TODAY, partner="nobody") == []


def test_pages_and_searches(database: Database) -> None:
    with database.begin() as connection:
        ledger.add_items(connection, [item(f"I{n}", due_on=TODAY + timedelta(days=n // 2)) for n in range(5)])
        ledger.add_payments(connection, [payment("P", trace="T-1", state="unapplied", partner=None)])
        seen: list[str] = []
        after = None
        while page := ledger.open_items(connection, partner="acme", currency="USD", after=after, limit=2):
            seen += [one.id for one in page]
            after = (page[-1].due_on, page[-1].id)
        assert seen == ["I0", "I1", "I2", "I3", "I4"]
        assert [one.id for one in ledger.find_items(connection, ["I3", "I1", "none"])] == ["I1", "I3"]
        assert ledger.find_items(connection, ["I3"], partner="beta") == []
        assert [one.id for one in ledger.find_by_trace(connection, ["T-1", "x"])] == ["P"]
        assert ledger.set_payment(connection, "P", "unapplied", "on_account", partner="acme")
        assert not ledger.set_payment(connection, "P", "unapplied", "on_account")
        assert ledger.payments_of(connection, "none") == []
