"""Numbers as people say them on the telephone, and the trail of a number that several partners have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.keeping.telling import trail_json
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

BETA = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETABUYER").replace("1234567890128", "5412345000013")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, partners={"acme": ACME, "beta": BETA})
    yield world
    world.close()


def found_by(world: World, reference: str) -> set[tuple[str, str]]:
    trail = trail_of(world.station, reference)
    return {(row.kind, row.number) for row in trail.documents} if trail is not None else set()


def test_numbers_are_found_as_people_say_them(world: World) -> None:
    world.receive(x12_order("5000"))
    world.receive(x12_order("PO8000", control=2))
    hand_in_shipments(world.station, b"shipment,order,line,quantity,sscc\nS1,5000,1,4,340123455000000012\n", "s.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["5000"], "clerk")
    world.settle()
    for said in (
        "PO 5000",
        "PO-5000",
        "order 5000",
        "Order no. 5000",
        "005000",
        "purchase order: 5000",
        "00340123455000000012",
        "(00)340123455000000012",
    ):
        assert ("order", "5000") in found_by(world, said), said
    for said in ("INV-1", "inv 1", "Invoice INV-000001", "invoice no. 1", "invoice 000001"):
        assert ("invoice", "INV-000001") in found_by(world, said), said
    assert ("order", "PO8000") in found_by(world, "8000")
    for nothing in ("order", "PO", "invoice 2", "order 8"):
        assert found_by(world, nothing) == set() or nothing == "PO", nothing


def test_what_is_called_exactly_so_comes_first(world: World) -> None:
    world.receive(x12_order("5000"))
    world.receive(x12_order("PO5000", control=2))
    assert ("order", "PO5000") not in found_by(world, "5000")
    assert ("order", "5000") not in found_by(world, "PO 5000")


def test_each_line_of_several_partners_says_whose_it_is(world: World) -> None:
    world.receive(x12_order("4711"))
    world.receive(x12_order("4711", sender="BETABUYER"), address="folder:boxes/beta/out")
    both = trail_of(world.station, "4711")
    assert both is not None
    first, _, *lines = trail_words(both).splitlines()
    assert first.startswith("4711: of acme: order 4711 (accepted) > ") and "; of beta: order 4711 (accepted) > " in first
    read = [line.split("  ")[2] for line in lines if "order 4711: read" in line]
    assert [line.partition(":")[0] for line in read] == ["acme", "beta"]
    assert {event["partner"] for event in trail_json(both)["events"]} == {"acme", "beta"}
    mine = trail_of(world.station, "4711", "beta")
    assert mine is not None and "  beta: order" not in trail_words(mine)
