"""Test traffic (ISA15 `T`, UNB 0035) through the running service: all the way, answered as test, and nothing of it in the books."""

from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select

from gateway.store import tables
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.trading import masterdata
from gateway.store.trading import orders
from gateway.store.trading import stock
from gateway.store.verifying.verification import verify
from tests.integration.house import House
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import texts
from tests.integration.house import until
from tests.integration.orders import edifact_order
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, {"acme": ACME.replace("credit: none", 'credit: {limit: "200 USD", first_order: accept}'), "euroco": EUROCO})
    made.configure("erp: {folder: erp}\n")
    with made.station() as station, station.database.begin() as connection:
        for kind, row in (("items", {"number": "SKU1", "name": "Widget"}), ("stock", {"item": "SKU1", "on_hand": "100"})):
            _, wrong = masterdata.import_rows(connection, kind, [row], station.clock())
            assert not wrong
    return made


def books(house: House) -> dict[str, object]:
    """Everything that test traffic must not change."""
    with house.station() as station, station.database.read() as connection:
        on_hand = connection.execute(select(tables.stock.c.on_hand)).scalar_one()
        level = stock.levels(connection, ["SKU1"])["SKU1"]
        return {
            "stock": (on_hand, level.available),
            "committed": orders.committed_minor(connection, "acme"),
            "exposure": ledger.exposure(connection, "acme", "USD"),
            "open items": len(ledger.open_items(connection)),
            "series": {
                row.name: row.last
                for row in connection.execute(select(tables.series.c.name, tables.series.c.last))
                if row.name in {"invoice", "credit_note"}
            },
            "handovers": connection.execute(select(func.count()).select_from(tables.handover)).scalar_one(),
            "payments": connection.execute(select(func.count()).select_from(tables.payment)).scalar_one(),
            "erp": names(house.folder / "erp"),
        }


def test_a_test_order_walks_to_its_invoice_and_touches_nothing(house: House) -> None:
    before = books(house)
    with house.service():
        put(house.box("acme", "out"), "test.edi", x12_order("T1", control=1, usage="T"))
        put(house.box("euroco", "out"), "test.edi", edifact_order("T2", 2, test=True))
        until(lambda: answered(house.box("acme"), "T1") and answered(house.box("euroco"), "T2"), "the answers")
        for name, text in (("ship.csv", "shipment,order,line,quantity\nTS1,T1,1,10\n"), ("ship2.csv", "shipment,order,line,quantity\nTS2,T2,1,10\n")):
            (house.folder / name).write_text(text)
            done = house.command("ship", name)
            assert done.returncode == 0 and "sent" in done.stdout, done.stdout + done.stderr
        done = house.command("invoice", "T1", "T2")
        assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: any("ST*810*" in text for text in texts(house.box())), "the invoice of the X12 order")
        until(lambda: any("INVOIC" in text for text in texts(house.box("euroco"))), "the invoice of the EDIFACT order")
        number = next(tags(text, "BIG")[0][2] for text in texts(house.box()) if "ST*810*" in text)
        assert number.startswith("TEST-")
        done = house.command("invoice", "--credit", number, "--reason", "a test")
        assert done.returncode == 0, done.stdout + done.stderr
    assert {tags(text, "ISA")[0][15] for text in texts(house.box())} == {"T"}
    heads = [text.partition("'")[0] for text in texts(house.box("euroco"))]
    assert all(head.split("+")[11:] == ["1"] for head in heads), heads
    assert len(texts(house.box())) >= 4 and len(texts(house.box("euroco"))) >= 4
    assert books(house) == before
    with house.station() as station, station.database.read() as connection:
        rows = documents.search(connection, documents.Filters(), limit=100)
        assert [row for row in rows if not row.test and row.kind not in {"shipment", "invoice_release"}] == []
        assert verify(station.database, station.archive, station.journal_key()).ok


def test_after_test_traffic_the_first_real_invoice_has_the_first_number(house: House) -> None:
    with house.service():
        for control, (number, usage) in enumerate((("T1", "T"), ("R1", "P")), 1):
            put(house.box("acme", "out"), f"{number}.edi", x12_order(number, control=control, usage=usage))
            until(lambda number=number: answered(house.box(), number), "the answer")
        (house.folder / "ship.csv").write_text("shipment,order,line,quantity\nTS1,T1,1,10\nS1,R1,1,10\n")
        assert house.command("ship", "ship.csv").returncode == 0
        done = house.command("invoice", "T1", "R1")
        assert done.returncode == 0 and "INV-000001" in done.stdout, done.stdout + done.stderr
        until(lambda: names(house.folder / "erp"), "the real order's handover")
    assert len(names(house.folder / "erp")) == 1
    seen = books(house)
    assert seen["stock"] == (90, 90) and seen["open items"] == 1 and seen["exposure"] == 9250
