"""Items, places, prices, stock, and the facts about a batch."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event

from gateway.model.facts import Item
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.rows import StaleState
from gateway.store.trading import ledger
from gateway.store.trading import masterdata
from gateway.store.trading import orders
from gateway.store.trading import stock
from gateway.store.trading.masterdata import CreditTerms
from gateway.store.trading.masterdata import ItemReference
from gateway.store.trading.masterdata import ListPrice
from gateway.store.trading.masterdata import PartnerNote
from gateway.store.trading.masterdata import Place
from gateway.store.trading.stock import Reservation
from gateway.store.trading.stock import Stock
from tests.store.made import NOW
from tests.store.made import document
from tests.store.made import insert
from tests.store.test_ledger import item as open_item

TODAY = date(2026, 3, 1)


def line(number: str, **identifiers: str) -> OrderLine:
    return OrderLine(number=number, quantity=Decimal(1), identifiers=ItemIdentifiers(**identifiers))


def order(*lines: OrderLine, number: str = "PO1", ship_to: str | None = None) -> Order:
    party = Party(identifiers=PartyIdentifiers(buyer_assigned=ship_to)) if ship_to else None
    return Order(number=number, lines=lines, ship_to=party)


@pytest.fixture
def loaded(database: Database) -> Database:
    with database.begin() as connection:
        masterdata.put_items(
            connection,
            [
                Item(number="V1", name="Widget", gtin="4012345500004", units={"XCS": Decimal(12)}, multiple=Decimal("0.50")),
                Item(number="V2", base_unit="KGM", discontinued=True),
                Item(number="V3"),
            ],
        )
        masterdata.put_references(
            connection,
            [
                ItemReference(partner="acme", scheme="buyer", value="B1", item="V1"),
                ItemReference(partner="beta", scheme="buyer", value="B1", item="V2"),
                ItemReference(scheme="manufacturer", value="M2", item="V2"),
            ],
        )
        masterdata.put_places(connection, [Place(partner="acme", scheme="buyer_assigned", value="0012", address="S-12")])
        masterdata.put_prices(
            connection,
            [
                ListPrice(item="V1", currency="USD", amount=Decimal("10.00")),
                ListPrice(item="V2", currency="USD", amount=Decimal("5")),
                ListPrice(
                    partner="acme",
                    item="V1",
                    currency="USD",
                    amount=Decimal("9.50"),
                    unit="EA",
                    valid_from=date(2026, 1, 1),
                    minimum_quantity=Decimal(10),
                ),
            ],
        )
        stock.put_stock(connection, [Stock(item="V1", on_hand=Decimal("100.5"), at=NOW, restock_on=date(2026, 4, 1))])
    return database


def test_facts_of_a_batch(loaded: Database) -> None:
    with loaded.begin() as connection:
        facts = masterdata.facts_for(
            connection,
            "acme",
            [
                order(line("1", buyer="B1"), line("2", manufacturer="M2"), line("3", seller="V3"), ship_to="0012"),
                order(line("1", gtin="04012345500004"), line("2", buyer="unknown")),
            ],
            TODAY,
        )
    assert facts.items["buyer", "B1"].number == "V1"
    assert facts.items["buyer", "B1"].units == {"XCS": Decimal(12)}
    assert facts.items["buyer", "B1"].multiple == Decimal("0.50")
    assert facts.items["manufacturer", "M2"].discontinued
    assert facts.items["seller", "V3"].number == "V3"
    assert facts.items["gtin", "4012345500004"].number == "V1"
    assert ("buyer", "unknown") not in facts.items
    assert [(price.amount, price.unit, price.valid_from) for price in facts.prices["V1"]] == [(Decimal("9.50"), "EA", date(2026, 1, 1))]
    assert [(price.amount, price.unit, price.valid_from, price.minimum_quantity) for price in facts.prices["V2"]] == [
        (Decimal("5"), None, None, None)
    ]
    assert facts.stock["V1"].available == Decimal("100.5")
    assert facts.stock["V1"].restock_on == date(2026, 4, 1)
    assert facts.places == {("buyer_assigned", "0012"): "S-12"}
    assert (facts.items_loaded, facts.prices_loaded, facts.stock_loaded, facts.places_loaded) == (True, True, True, True)
    assert facts.credit is None


def test_items_are_found_by_model_catalogue_in_these_facts(loaded: Database) -> None:
    from gateway.model.catalogue import find_item

    with loaded.begin() as connection:
        lines = [line("1", buyer="B1"), line("2", gtin="4012345500004"), line("3", gtin="00004012345500004"[-14:]), line("4", seller="V2")]
        facts = masterdata.facts_for(connection, "acme", [order(*lines)], TODAY)
    assert [getattr(find_item(one.identifiers, facts), "number", None) for one in lines] == ["V1", "V1", "V1", "V2"]


def test_a_partner_has_its_own_names_and_where_nothing_is_loaded_the_flags_say_so(loaded: Database) -> None:
    with loaded.begin() as connection:
        facts = masterdata.facts_for(connection, "beta", [order(line("1", buyer="B1"))], TODAY)
        assert facts.items["buyer", "B1"].number == "V2"
        assert not facts.places_loaded


def test_an_empty_installation_knows_nothing(database: Database) -> None:
    with database.begin() as connection:
        facts = masterdata.facts_for(connection, "acme", [order(line("1", buyer="B1"))], TODAY)
    assert (facts.items_loaded, facts.prices_loaded, facts.stock_loaded, facts.places_loaded) == (False, False, False, False)
    assert (facts.items, facts.prices, facts.stock, facts.earlier) == ({}, {}, {}, {})


def test_facts_cost_the_same_questions_for_one_line_and_for_hundreds(loaded: Database) -> None:
    def questions(lines: int) -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        with loaded.begin() as connection:
            event.listen(connection, "before_cursor_execute", counted)
            masterdata.facts_for(
                connection,
                "acme",
                [order(*(line(str(n), buyer=f"B{n}") for n in range(1, lines + 1)), number=f"PO{m}") for m in range(3)],
                TODAY,
                CreditTerms(currency="USD"),
            )
        return count

    assert questions(1) == questions(100) <= 20


def test_facts_can_be_asked_in_a_reading_transaction(loaded: Database) -> None:
    with loaded.read() as connection:
        assert masterdata.facts_for(connection, "acme", [order(line("1", buyer="B1"))], TODAY).stock["V1"].available == Decimal("100.5")


def test_credit_facts(loaded: Database) -> None:
    with loaded.begin() as connection:
        ledger.add_items(connection, [open_item("A", 12_345, due_on=date(2026, 2, 27)), open_item("B", 1_000_00, due_on=date(2026, 3, 5))])
        masterdata.put_note(connection, PartnerNote(partner="acme", name="vetted", value="yes", actor="ann", reason="known", at=NOW))
        facts = masterdata.facts_for(connection, "acme", [], TODAY, CreditTerms(currency="USD", limit=Decimal(50_000), hold_days_overdue=15)).credit
        assert facts is not None
        assert (facts.exposure, facts.oldest_overdue_days, facts.vetted, facts.limit, facts.accepted_orders) == (
            Decimal("1123.45"),
            2,
            True,
            Decimal(50_000),
            0,
        )
        assert masterdata.notes_of(connection, "acme") == {"vetted": "yes"}


def test_earlier_orders_of_the_same_number_leave_the_judged_one_out(loaded: Database) -> None:
    with loaded.begin() as connection:
        for id, partner in (("O1", "acme"), ("O2", "acme"), ("O3", "beta")):
            insert(connection, document(id))
            orders.create(
                connection,
                [
                    orders.SalesOrder(
                        document=id, partner=partner, number="PO1", currency="USD", total_minor=1, fingerprint=id, created_at=NOW, changed_at=NOW
                    )
                ],
                [],
            )
        facts = masterdata.facts_for(connection, "acme", [order()], TODAY, excluding=["O2"])
        assert [(one.document, one.state, one.fingerprint) for one in facts.earlier["PO1"]] == [("O1", "registered", "O1")]


def reservation(quantity: str, document: str = "D1", cause: str = "reserve", item: str = "V1", line: str = "1") -> Reservation:
    return Reservation(document=document, line=line, item=item, quantity=Decimal(quantity), cause=cause, at=NOW)


def test_a_reservation_lowers_what_can_be_promised_once(loaded: Database) -> None:
    with loaded.begin() as connection:
        insert(connection, document())
        assert len(stock.reserve(connection, [reservation("40.25"), reservation("1", line="2")])) == 2
        assert stock.reserve(connection, [reservation("40.25")]) == []
        assert stock.levels(connection, ["V1", "none"])["V1"].available == Decimal("59.25")
        assert stock.reserved_for(connection, "D1") == {("1", "V1"): Decimal("40.25"), ("2", "V1"): Decimal(1)}
        assert len(stock.release(connection, "D1", "cancel", NOW, lines=["1"])) == 1
        assert len(stock.release(connection, "D1", "cancel", NOW)) == 1
        assert stock.release(connection, "D1", "cancel again", NOW) == []
        assert stock.levels(connection, ["V1"])["V1"].available == Decimal("100.5")
        assert stock.check_reserved(connection) == []
        with pytest.raises(StaleState, match="released"):
            stock.reserve(connection, [reservation("-1", cause="x")])


def test_goods_that_left_are_no_longer_on_hand(loaded: Database) -> None:
    with loaded.begin() as connection:
        stock.move_stock(connection, {"V1": Decimal("-0.5"), "V2": Decimal(1)}, NOW)
        assert stock.levels(connection, ["V1", "V2"]).keys() == {"V1"}
        assert stock.levels(connection, ["V1"])["V1"].available == Decimal("100.0")


def test_two_workers_do_not_promise_the_same_piece(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url)
    with database.begin() as connection:
        masterdata.put_items(connection, [Item(number="V1")])
        stock.put_stock(connection, [Stock(item="V1", on_hand=Decimal(10), at=NOW)])
        insert(connection, *(document(f"D{n}") for n in range(6)))
    promised: list[Decimal] = []

    def work(number: int) -> None:
        with database.begin() as connection:
            wanted = min(Decimal(4), stock.levels(connection, ["V1"])["V1"].available)
            if wanted:
                stock.reserve(connection, [reservation(str(wanted), document=f"D{number}")])
                promised.append(wanted)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(promised) == 10
    database.close()


def test_rows_of_a_file_are_taken_all_or_none(database: Database) -> None:
    with database.begin() as connection:
        rows = [{"number": "V1", "name": "Widget ", "units": "XCS=12 XPX=480", "discontinued": "", "tax_rate": "19.00"}, {"number": "007"}]
        assert masterdata.import_rows(connection, "items", rows, NOW) == (2, [])
        assert masterdata.import_rows(connection, "item_references", [{"partner": "acme", "scheme": "buyer", "value": "B1", "item": "V1"}], NOW) == (
            1,
            [],
        )
        assert masterdata.import_rows(
            connection, "prices", [{"item": "V1", "currency": "USD", "amount": "1.20", "valid_from": "2026-01-01"}], NOW
        ) == (1, [])
        assert masterdata.import_rows(connection, "stock", [{"item": "V1", "on_hand": "5.5"}], NOW) == (1, [])
        assert masterdata.import_rows(connection, "places", [{"partner": "acme", "scheme": "gln", "value": "1", "address": "A"}], NOW) == (1, [])
        facts = masterdata.facts_for(connection, "acme", [order(line("1", buyer="B1"), line("2", seller="007"))], TODAY)
        item = facts.items["buyer", "B1"]
        assert (item.name, item.units, item.tax_rate) == ("Widget", {"XCS": Decimal(12), "XPX": Decimal(480)}, Decimal("19.00"))
        assert facts.items["seller", "007"].number == "007"
        count, faults = masterdata.import_rows(
            connection,
            "stock",
            [{"item": "007", "on_hand": "1"}, {"item": "V1", "on_hand": "many"}, {"item": "V1"}, {"item": "V1", "on_hand": "NaN"}, {"itm": "V1"}],
            NOW,
        )
        assert count == 5
        assert [fault.split(":")[0] for fault in faults] == ["row 2", "row 3", "row 4", "row 5"]
        assert "there is no column 'itm'" in faults[3]
        assert stock.levels(connection, ["007"]) == {}


def test_loading_again_replaces(loaded: Database) -> None:
    with loaded.begin() as connection:
        masterdata.put_items(connection, [Item(number="V1", name="New", units={"XPX": Decimal(480)})])
        found = masterdata.facts_for(connection, "acme", [order(line("1", buyer="B1"))], TODAY).items["buyer", "B1"]
        assert (found.name, found.units, found.gtin) == ("New", {"XPX": Decimal(480)}, None)
