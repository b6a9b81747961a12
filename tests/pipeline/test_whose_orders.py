"""Whose order is shipped and billed, where several partners have the same number, and where a test order came before the real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import NotTaken
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.store.records import documents
from gateway.store.trading import orders
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

BETA = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETABUYER").replace("1234567890128", "5412345000013")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, partners={"acme": ACME, "beta": BETA})
    yield world
    world.close()


def order_of(world: World, partner: str, number: str, control: int = 1, usage: str = "P") -> None:
    """An order of a partner."""
    sender = f"{partner.upper()}BUYER"
    [row] = world.receive(x12_order(number, control=control, sender=sender, usage=usage), address=f"folder:boxes/{partner}/out").documents
    assert row.state == "accepted"


def ship(world: World, text: str, partner: str | None = None) -> list[documents.Document]:
    """What became of shipments that were handed in."""
    ids = hand_in_shipments(world.station, f"shipment,order,line,quantity\n{text}".encode(), "s.csv", "warehouse", partner)
    world.settle()
    return found(world, ids)


def bill(world: World, numbers: list[str], partner: str | None = None) -> list[documents.Document]:
    ids = release_invoices(world.station, numbers, "clerk", partner)
    world.settle()
    return found(world, ids)


def found(world: World, ids: list[str]) -> list[documents.Document]:
    with world.station.database.read() as connection:
        rows = documents.get_many(connection, ids)
    return [rows[id] for id in ids]


def states(rows: list[documents.Document]) -> list[tuple[str, str]]:
    return [(row.partner, row.state) for row in rows]


def refusal(error: "pytest.ExceptionInfo[NotTaken]") -> list[tuple[str, str | None]]:
    return [(problem.code, problem.found) for problem in error.value.problems]


def test_a_test_order_of_somebody_else_stands_in_nobodys_way(world: World) -> None:
    order_of(world, "acme", "1001")
    order_of(world, "acme", "1002", control=2)
    order_of(world, "beta", "1001", usage="T")
    assert states(ship(world, "S1,1001,1,4\nS2,1002,1,4\n")) == [("acme", "done"), ("acme", "done")]
    assert states(bill(world, ["1001"])) == [("acme", "done")]
    # the test order is shipped where it is meant
    assert states(ship(world, "S1,1001,1,4\n", partner="beta")) == [("beta", "done")]


def test_an_order_of_two_partners_is_asked_back_with_both_and_goes_by_the_partner(world: World) -> None:
    order_of(world, "acme", "1001")
    order_of(world, "beta", "1001")
    with pytest.raises(NotTaken) as error:
        ship(world, "S1,1001,1,4\n")
    assert refusal(error) == [("SHIPMENT-ORDER-AMBIGUOUS", "1001")]
    assert "acme" in str(error.value) and "beta" in str(error.value)
    assert states(ship(world, "S1,1001,1,4\n", partner="beta")) == [("beta", "done")]
    # only one of them has anything to bill, and what is ended or has left is no candidate
    assert states(bill(world, ["1001"])) == [("beta", "done")]
    assert states(ship(world, "S2,1001,1,6\n", partner="beta")) == [("beta", "done")]
    assert states(ship(world, "S3,1001,1,4\n")) == [("acme", "done")]
    with pytest.raises(NotTaken) as error:
        bill(world, ["1001"])
    assert refusal(error) == [("BILLING-ORDER-AMBIGUOUS", "1001")]


def test_a_shipment_that_was_booked_is_known_though_its_order_is_through(world: World) -> None:
    """Else the same file would ship somebody else's order of that number."""
    order_of(world, "acme", "1001")
    order_of(world, "beta", "1001")
    [booked] = ship(world, "S1,1001,1,10\n", partner="acme")
    assert [row.id for row in ship(world, "S1,1001,1,10\n")] == [booked.id]
    with world.station.database.read() as connection:
        [order] = orders.find(connection, "beta", ["1001"])
    assert order.state == "accepted"


def test_the_partner_that_has_all_orders_of_a_shipment_is_meant(world: World) -> None:
    order_of(world, "acme", "1001")
    order_of(world, "acme", "1002", control=2)
    order_of(world, "beta", "1001")
    assert states(ship(world, "S1,1001,1,4\nS1,1002,1,4\n")) == [("acme", "done")]


def test_a_partner_that_is_not_there_or_has_no_such_order_is_refused_at_the_door(world: World) -> None:
    order_of(world, "acme", "1001")
    for hand_in, codes in ((ship, "SHIPMENT"), (lambda *given: bill(given[0], ["1001"], given[2]), "BILLING")):
        with pytest.raises(NotTaken) as error:
            hand_in(world, "S1,1001,1,4\n", "nosuch")
        assert refusal(error) == [(f"{codes}-PARTNER-UNKNOWN", "nosuch")]
        with pytest.raises(NotTaken) as error:
            hand_in(world, "S1,1001,1,4\n", "beta")
        assert refusal(error) == [(f"{codes}-ORDER-UNKNOWN", "1001")]
        assert "acme" in str(error.value)


def test_a_file_may_say_whose_orders_it_ships(world: World) -> None:
    order_of(world, "acme", "1001")
    order_of(world, "beta", "1001")
    rows = b"shipment,partner,order,line,quantity\nS1,beta,1001,1,4\nS2,acme,1001,1,3\n"
    ids = hand_in_shipments(world.station, rows, "s.csv", "warehouse")
    world.settle()
    assert states(found(world, ids)) == [("beta", "done"), ("acme", "done")]
    with pytest.raises(NotTaken) as error:
        hand_in_shipments(world.station, rows.replace(b"beta", b"nosuch"), "s.csv", "warehouse")
    assert refusal(error) == [("SHIPMENT-PARTNER-UNKNOWN", "nosuch")]
    with pytest.raises(NotTaken) as error:
        hand_in_shipments(world.station, rows, "s.csv", "warehouse", "acme")
    assert refusal(error) == [("SHIPMENT-UNREADABLE", "beta")]


def test_a_real_order_is_shipped_and_billed_though_a_test_order_had_its_number(world: World) -> None:
    order_of(world, "acme", "NW-1", usage="T")
    order_of(world, "acme", "NW-1", control=2)
    [shipped] = ship(world, "S1,NW-1,1,4\n")
    assert (shipped.state, shipped.problems) == ("done", ())
    assert states(bill(world, ["NW-1"])) == [("acme", "done")]
    invoice = next(text for text in world.sent() if "ST*810" in text)
    assert (tags(invoice, "ISA")[0][15], tags(invoice, "BIG")[0][2]) == ("P", "INV-000001")


def test_a_live_order_that_waits_is_never_shipped_as_the_test_order_before_it(world: World) -> None:
    order_of(world, "acme", "NW-1", usage="T")
    [row] = world.receive(x12_order("NW-1", control=2, lines=(("1", "0", "9.25", "SKU1"),))).documents
    assert row.state in {"held", "rejected"}
    if row.state == "held":
        assert states(ship(world, "S1,NW-1,1,4\n")) == [("acme", "rejected")]
