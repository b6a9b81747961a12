"""Shipments that could not be booked: they come again under their number, and from the folder they wait for a person with their reason."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.arriving.handing_in import NotTaken
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import poll_folder
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.service.condition import condition_of
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.incoming.holds import Hold
from gateway.store.records import documents
from gateway.transport.folder import FolderBox
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

FIRST_ORDERS_WAIT = ACME.replace("credit: none\n", "")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, partners={"acme": FIRST_ORDERS_WAIT})
    (world.folder / "inbox").mkdir()
    yield world
    world.close()


def file_of(rows: str) -> bytes:
    return f"shipment,order,line,quantity\n{rows}".encode()


def ship(world: World, rows: str) -> tuple[str, list[str]]:
    """What became of one shipment that was handed in: its state, and what is wrong with it."""
    [id] = hand_in_shipments(world.station, file_of(rows), "s.csv", "warehouse")
    world.settle()
    with world.station.database.read() as connection:
        row = documents.get(connection, id)
    assert row is not None
    return row.state, [problem.code for problem in row.problems]


def drop(world: World, rows: str, name: str = "s.csv") -> list[Hold]:
    """A file in the warehouse's folder; what waits for a person then."""
    (world.folder / "inbox" / f".{name}").write_bytes(file_of(rows))
    (world.folder / "inbox" / f".{name}").rename(world.folder / "inbox" / name)
    box, in_the_way = FolderBox(world.folder / "inbox"), FilesInTheWay(world.station, "shipments:inbox")
    end = time.monotonic() + PATIENCE
    while any((world.folder / "inbox").iterdir()):
        poll_folder(world.station, "shipments", box, in_the_way)
        assert time.monotonic() < end, "the folder is not emptied"
    world.settle()
    return waiting(world)


def waiting(world: World) -> list[Hold]:
    with world.station.database.read() as connection:
        return holds.list_open(connection)


def release(world: World, hold: str) -> None:
    holding.release(world.station, hold, "clerk", "it is right now")
    world.settle()


def shipped(world: World) -> int:
    return len([text for text in world.sent() if "ST*856" in text])


def test_what_was_refused_comes_again_and_what_was_booked_does_not(world: World) -> None:
    world.receive(x12_order("4711"))
    assert ship(world, "S1,4711,1,4\n") == ("rejected", ["SHIPMENT-ORDER-UNKNOWN"])
    release(world, "4711")
    assert ship(world, "S1,4711,1,4\n") == ("done", [])
    assert ship(world, "S1,4711,1,4\n") == ("done", [])
    assert shipped(world) == 1
    with pytest.raises(NotTaken) as error:
        ship(world, "S1,4711,1,5\n")
    assert [problem.code for problem in error.value.problems] == ["SHIPMENT-DUPLICATE"]
    assert ship(world, "S2,4711,1,44\n") == ("rejected", ["SHIPMENT-TOO-MUCH"])
    assert ship(world, "S2,4711,1,45\n") == ("rejected", ["SHIPMENT-TOO-MUCH"])
    assert ship(world, "S2,4711,1,6\n") == ("done", [])
    assert shipped(world) == 2


def test_a_refusal_says_how_the_order_stands_and_is_found_under_it(world: World) -> None:
    world.receive(x12_order("4711"))
    ship(world, "S1,4711,1,4\n")
    trail = trail_of(world.station, "4711")
    assert trail is not None
    [refused] = [row for row in trail.documents if row.kind == "shipment"]
    assert [(problem.message, problem.found) for problem in refused.problems] == [("Order 4711 is held", "4711")]
    by_file = trail_of(world.station, "s.csv")
    assert by_file is not None and refused.id in {row.id for row in by_file.documents}


def test_the_folders_file_waits_with_its_reason_and_a_release_ships_it(world: World) -> None:
    [hold] = drop(world, "S50,5000,1,1\n")
    assert [(one.code, one.found, one.place.line) for one in hold.reasons] == [("SHIPMENT-ORDER-UNKNOWN", "5000", 2)]
    world.receive(x12_order("5000"))
    release(world, "5000")
    release(world, hold.id)
    assert (shipped(world), waiting(world)) == (1, [])
    [unread] = drop(world, "S51,5000,1,-1\n", "s51.csv")
    assert [(one.code, one.found) for one in unread.reasons] == [("SHIPMENT-UNREADABLE", "-1")]
    trail = trail_of(world.station, "s51.csv")
    assert trail is not None and [one.id for one in trail.holds] == [unread.id]


def test_what_the_folder_brought_and_could_not_be_booked_waits_for_a_person(world: World) -> None:
    world.receive(x12_order("4711"))
    [order] = waiting(world)
    _, hold = drop(world, "S1,4711,1,4\n")
    assert [one.code for one in hold.reasons] == ["SHIPMENT-ORDER-UNKNOWN"]
    release(world, order.id)
    release(world, hold.id)
    assert (shipped(world), waiting(world)) == (1, [])
    # a corrected file of the same number takes the place of the one that waits
    [wrong] = drop(world, "S2,4711,1,44\n")
    assert [one.code for one in wrong.reasons] == ["SHIPMENT-TOO-MUCH"]
    assert drop(world, "S2,4711,1,6\n") == []
    assert shipped(world) == 2
    with world.station.database.read() as connection:
        assert [(one.state, one.number) for one in documents.search(connection, documents.Filters(kind="shipment"))] == [
            ("done", "S2"),
            ("rejected", "S2"),
            ("done", "S1"),
        ]


def test_what_of_ours_was_refused_is_not_told_as_the_partners(world: World) -> None:
    world.receive(x12_order("4711"))
    ship(world, "S1,4711,1,4\n")
    lately = condition_of(world.station).lately
    assert (lately.rejected, lately.newest) == (0, [])
    assert (lately.own_refused, [one.problems for one in lately.own_newest]) == (1, [("SHIPMENT-ORDER-UNKNOWN",)])
