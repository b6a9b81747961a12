"""`gateway ship` and `gateway invoice`, where several partners have orders."""

from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.store.keeping import erasures
from gateway.store.records import documents
from tests.cli.conftest import Command
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

BETA = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETABUYER").replace("1234567890128", "5412345000013")


@pytest.fixture
def world(tmp_path: Path):
    """An installation with two partners, in the folder that commands run in."""
    made = World(tmp_path, partners={"acme": ACME, "beta": BETA})
    yield made
    made.close()


def order_of(world: World, partner: str, number: str, control: int = 1, usage: str = "P") -> None:
    sender = f"{partner.upper()}BUYER"
    world.receive(x12_order(number, control=control, sender=sender, usage=usage), address=f"folder:boxes/{partner}/out")


def ship(world: World, rows: bytes) -> None:
    hand_in_shipments(world.station, b"shipment,partner,order,line,quantity\n" + rows, "s.csv", "warehouse")
    world.settle()


def test_all_bills_each_partners_orders_of_which_something_is_open(world: World, command: Command) -> None:
    """Those that are billed already, that somebody else has, and test orders before real ones, leave no refused releases."""
    order_of(world, "acme", "1001")
    order_of(world, "beta", "1001")
    order_of(world, "acme", "1002", control=2)
    order_of(world, "beta", "NW-1", control=2, usage="T")
    order_of(world, "beta", "NW-1", control=3)
    ship(world, b"S1,acme,1001,1,4\nS2,acme,1002,1,4\nS1,beta,1001,1,4\n")
    only_beta = command("invoice", "--all", "--partner", "beta")
    assert (only_beta.code, only_beta.out.count(": done")) == (0, 1), only_beta
    every = command("invoice", "--all")
    assert (every.code, every.out.count(": done"), every.err) == (0, 2, ""), every
    again = command("invoice", "--all")
    assert (again.code, again.out) == (0, "Nothing is despatched that was not billed.\n"), again
    with world.station.database.read() as connection:
        assert [row.state for row in documents.search(connection, documents.Filters(kind="invoice_release"))] == ["done"] * 3


def test_one_order_that_is_not_there_keeps_all_others_from_nothing(world: World, command: Command) -> None:
    order_of(world, "acme", "1001")
    ship(world, b"S1,acme,1001,1,4\n")
    said = command("invoice", "nosuch", "--all")
    assert (said.code, said.out.count("invoice release INV-000001: done")) == (1, 1), said
    assert said.err.splitlines() == [
        "invoice: BILLING-ORDER-UNKNOWN: There is no order nosuch",
        "    found: nosuch; expected: the number of an order",
        "    what to do: Check the order number, and whose order it is: gateway trail NUMBER shows what is known.",
    ]


def test_of_two_partners_that_wait_under_one_number_each_is_named_and_can_be_meant(world: World, command: Command) -> None:
    for partner in ("acme", "beta"):
        file = world.folder / "partners" / f"{partner}.yaml"
        file.write_text(file.read_text().replace("credit: none\n", ""))
    for partner in ("acme", "beta"):
        order_of(world, partner, "4711")
    said = command("hold", "release", "4711", "--reason", "ok")
    assert (said.code, "(order 4711 of acme)" in said.err, "(order 4711 of beta)" in said.err, "--partner" in said.err) == (2, True, True, True), said
    assert command("hold", "release", "4711", "--partner", "beta", "--reason", "ok").out.endswith("released: order 4711 is accepted\n")
    left = command("hold", "list").out
    assert "order 4711 of acme" in left and "of beta" not in left
    none = command("hold", "reject", "4711", "--partner", "beta", "--reason", "ok")
    assert (none.code, none.err) == (2, "Nothing of beta that waits is called '4711': gateway hold list shows what waits\n")


@pytest.mark.parametrize("words", [("ship", "s.csv"), ("invoice", "--all"), ("pay", "s.csv")])
def test_a_partner_that_is_not_there_is_refused(world: World, command: Command, words: tuple[str, ...]) -> None:
    said = command(*words, "--partner", "nosuch")
    assert (said.code, said.err) == (2, "There is no partner 'nosuch': gateway partner list names them\n")


def test_a_refusal_says_where_what_was_found_and_what_to_do(world: World, command: Command) -> None:
    order_of(world, "acme", "1001")
    (world.folder / "s.csv").write_text("shipment,order,line,quantity\nS1,1001,1,44\n")
    # the log of this process, which a command's own would not tell
    assert [line for line in command("ship", "s.csv").err.splitlines() if not line.startswith("{")] == [
        "shipment: SHIPMENT-TOO-MUCH: line 2: 44 of line 1 of order 1001 were shipped, 10 are still to come",
        "    found: 44; expected: at most 10",
        "    what to do: Correct the quantity, or agree with the buyer on a new order.",
    ]


def test_a_shipment_whose_content_was_erased_is_known_by_its_number(world: World, command: Command) -> None:
    order_of(world, "acme", "1001")
    ship(world, b"S1,acme,1001,1,2\n")
    with world.station.database.begin() as connection:
        [shipment] = documents.search(connection, documents.Filters(kind="shipment"))
        erasures.erase_contents(connection, "-", [shipment.id])
    (world.folder / "s.csv").write_bytes(b"shipment,partner,order,line,quantity\nS1,acme,1001,1,2\n")
    said = command("ship", "s.csv")
    assert said.code == 1 and "SHIPMENT-DUPLICATE" in said.err, said
