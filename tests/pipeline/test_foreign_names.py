"""Interchanges under a partner's name that come over somebody else's endpoint: nothing of them is looked up, counted, answered or applied."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.pipeline.arriving.handing_in import Became
from gateway.pipeline.trading import holding
from gateway.store import tables
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

#: where ACME's X12 may not come from; all but the first are somebody's doors, or could be
DOORS = ["folder:boxes/euroco/out", "as2:EUROCO", "https:euroco", "mail:edi@euroco.example"]
HEAD = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260106*1200*U*00401*000000001*0*P*>~"
UNB = "UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+1'"
ORDERS = (
    "UNH+1+ORDERS:D:96A:UN'BGM+220+A1+9'DTM+137:20260105:102'NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'CUX+2:EUR:9'"
    "LIN+1++4000862141404:EN'QTY+21:10'PRI+AAA:5'UNS+S'UNT+11+1'"
)


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path, partners={"acme": ACME, "euroco": EUROCO})
    yield made
    made.close()


def is_held(became: Became) -> bool:
    return became.transmission.state == "held" and [problem.code for problem in became.waits_for] == ["PARTNER-NOT-ENTITLED"]


@pytest.mark.parametrize("door", DOORS)
def test_an_interchange_without_transactions_uses_up_no_number_of_anothers(world: World, door: str) -> None:
    assert is_held(world.receive(f"{HEAD}IEA*0*000000001~".encode(), "empty.edi", door))
    ours = world.receive(x12_order("PO1", control=1))
    assert (ours.problems, [row.number for row in ours.documents]) == ([], ["PO1"])


def test_nor_does_one_in_edifact(world: World) -> None:
    assert is_held(world.receive(f"{UNB}UNZ+0+1'".encode(), "empty.edi", "folder:boxes/acme/out"))
    became = world.receive(f"{UNB}{ORDERS}UNZ+1+1'".encode(), "orders.edi", "folder:boxes/euroco/out")
    assert (became.problems, [row.number for row in became.documents]) == ([], ["A1"])


def test_a_ta1_over_anothers_endpoint_rejects_nothing(world: World) -> None:
    world.receive(x12_order("PO1"))
    with world.station.database.read() as connection:
        [sent] = [row for row in outbox.search(connection) if row.kind == "order_response"]
    advice = f"TA1*{int(str(sent.interchange_control)):09d}*260106*0900*R*023~"
    assert is_held(world.receive(f"{HEAD}{advice}IEA*0*000000001~".replace("000000001*0", "000000777*0").encode(), "ta1.edi", DOORS[0]))
    with world.station.database.read() as connection:
        [sent] = [row for row in outbox.search(connection) if row.kind == "order_response"]
        assert (sent.state, sent.ack_state) == ("sent", None)


@pytest.mark.parametrize("door", DOORS)
def test_a_copy_over_anothers_endpoint_is_held_and_its_sender_hears_nothing(world: World, door: str) -> None:
    world.receive(x12_order())
    before = len(world.sent())
    assert is_held(world.receive(x12_order(), "copy.edi", door))
    assert len(world.sent()) == before


def test_a_copy_in_edifact_is_held_as_well(world: World) -> None:
    orders = f"{UNB}{ORDERS}UNZ+1+1'".encode()
    world.receive(orders, "orders.edi", "folder:boxes/euroco/out")
    before = len(world.sent("euroco"))
    assert is_held(world.receive(orders, "copy.edi", "folder:boxes/acme/out"))
    assert len(world.sent("euroco")) == before


def test_what_a_person_vouches_for_is_taken(world: World) -> None:
    world.receive(f"{HEAD}IEA*0*000000001~".encode(), "empty.edi", DOORS[0])
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "they moved")
    world.settle()
    with world.station.database.read() as connection:
        assert connection.execute(select(tables.interchange.c.state)).scalars().all() == ["done"]
