"""What is owed and paid, by the whole walk: nothing is credited or booked twice, and nothing is swallowed."""

from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline.arriving.handing_in import Became
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_credit
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.inbound.walk import Inbound
from gateway.pipeline.trading import cycle
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.trade import cash
from gateway.trade.crediting import CreditLine
from tests.cli.test_working import camt
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


ADVICE = (
    "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*{control:09d}*0*P*>~GS*RA*ACMEBUYER*SELLERCO*20260201*1200*{control}*X*004010~"
    "ST*820*0001~BPR*C*{amount}*C*ACH************20260201~TRN*1*{trace}~CUR*PR*USD~N1*PR*ACME CORP~ENT*1~RMR*IV*{invoice}**{amount}~"
    "SE*8*0001~GE*1*{control}~IEA*1*{control:09d}~"
)


def advised(world: World, amount: str, invoice: str, trace: str = "PAYRUN", control: int = 50) -> Became:
    """An 820 of acme that comes with its payment."""
    return world.receive(ADVICE.format(amount=amount, invoice=invoice, trace=trace, control=control).encode(), "remit.edi")


def test_a_banks_entry_and_its_advice_at_one_moment_are_the_same_money(
    tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its own stream, as two workers have them: while one is in the midst of it, the other tries."""
    world = World(tmp_path, database=migrated_postgres_url)
    advice = ADVICE.format(amount="50.00", invoice="INV-9", trace="T1", control=50).encode()
    register(world.station, [Arrival(address="folder:boxes/acme/out", name="r.edi", identity="1", data=advice)])
    register(world.station, [Arrival(address="command", name="b.xml", identity="2", data=camt("50.00", "hello", "T1").encode())])
    for stream in ("in:folder:boxes/acme/out", "in:command"):
        while Inbound().step(world.station, stream):
            pass
    with world.station.database.read() as connection:
        [bank] = documents.search(connection, documents.Filters(kind="bank_statement"))
    match, found = cash.match, list[bool]()

    def meanwhile(*looked_at: Any, **more: Any) -> list[cash.Matched]:
        found.append(cycle.step(world.station, "trade:acme"))
        return match(*looked_at, **more)

    monkeypatch.setattr(cash, "match", meanwhile)
    while cycle.step(world.station, bank.stream):
        pass
    monkeypatch.undo()
    world.settle()
    with world.station.database.read() as connection:
        assert [(one.trace, one.amount_minor) for one in ledger.unapplied_payments(connection)] == [("T1", 5000)]
    assert found == [False], "the advice waits until the bank's entry is booked"
    world.close()
