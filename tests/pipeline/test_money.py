"""What is owed and paid, by the whole walk: nothing is credited or booked twice, and nothing is swallowed."""

from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_credit
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.store.trading import ledger
from gateway.trade.crediting import CreditLine
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


def test_what_is_credited_twice_in_one_step_is_credited_once(world: World) -> None:
    """A double click, two clerks; and a shipment that is handed in together with its invoice stands in it."""
    world.receive(x12_order("PO1", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "5.00", "SKU2"))))
    hand_in_shipments(world.station, b"order,line,quantity\nPO1,1,10\nPO1,2,4\n", "ship.csv", "warehouse")
    release_invoices(world.station, ["PO1"], "clerk")
    world.settle()
    [invoice] = [text for text in world.sent() if "ST*810" in text]
    assert ["REF", "SI", "DN-000001"] in tags(invoice, "REF")
    for lines in ((CreditLine(line="1"),), (CreditLine(line="1"),), (), ()):
        release_credit(world.station, "INV-000001", lines, "returned", "clerk")
    world.settle()
    with world.station.database.read() as connection:
        owed = {one.number: one.amount_minor for one in ledger.open_items(connection)}
    assert owed == {"INV-000001": 11250, "CN-000001": -9250, "CN-000002": -2000}
