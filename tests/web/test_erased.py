"""After retention has erased an order's whole chain, its pages and its trail still tell what happened, and say why the bytes are not there."""

import os
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from gateway.pipeline.arriving.handing_in import hand_in_files
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.keeping.retaining import run_retention
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from tests.cli.test_working import camt
from tests.pipeline.world import CONFIG
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.conftest import load_masterdata
from tests.web.world import serving


def test_an_erased_chain_is_still_told(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "retention: {payloads: 2y}\n", clock=Clock(datetime(2026, 1, 6, 9, tzinfo=UTC)))
    load_masterdata(world)
    world.receive(x12_order("PO1", lines=(("1", "10", "9.25", "SKU1"),)))
    hand_in_shipments(world.station, b"shipment,order,line,quantity\nS1,PO1,1,10\n", "ship.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["PO1"], "clerk")
    world.settle()
    world.clock.now += timedelta(days=366 * 3)
    for path in (tmp_path / "data" / "archive").rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    before = run_retention(world.station)
    assert before.kept["an invoice is not settled"] >= 3
    (tmp_path / "bank.xml").write_text(camt("92.50", "Invoice INV-000001"))
    hand_in_files(world.station, [tmp_path / "bank.xml"], None, "clerk")
    world.settle()
    outcome = run_retention(world.station)
    assert outcome.erased >= 4, outcome
    # the money came today: its file stays, and the chain that it closed may go
    assert verify(world.station.database, world.station.archive, None).ok
    with world.station.database.read() as connection:
        rows = documents.search(connection, documents.Filters(), limit=100)
    found = trail_of(world.station, "PO1")
    assert found is not None
    assert "erased" in trail_words(found)
    with serving(world.station) as site:
        for row in rows:
            page = site.get(f"/documents/{row.id}")
            assert page.status == 200, (row.kind, page.text[-500:])
        [order] = [row for row in rows if row.kind == "order"]
        assert "were erased on 2029-01" in site.get(f"/documents/{order.id}").text
        gone = site.get(f"/documents/{order.id}/payload")
        assert gone.status == 404
        assert "were erased on 2029-01" in gone.text
        for path in ("/", "/documents", "/receivables", "/partners/acme", "/trail?reference=PO1"):
            assert site.get(path).status in {200, 302, 303, 404}, path
    world.close()
