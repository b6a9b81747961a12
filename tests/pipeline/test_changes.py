"""Changes of orders, from the file to the answer: before anything has left, after some has, while the order waits, and before it came."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.trading import masterdata
from gateway.store.trading import orders
from gateway.store.trading import stock
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import tags
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order

D = Decimal
CHANGING = ACME.replace(
    "  - {send: x12/004010/855, to: box}",
    '  - {receive: x12/004010/860, from: box, acknowledge: "997"}\n  - {send: x12/004010/855, to: box}\n  - {send: x12/004010/865, to: box}',
)
LIMITED = CHANGING.replace("credit: none", 'credit: {limit: "200 USD", first_order: accept}')
TWO = (("1", "10", "9.25", "SKU1"), ("2", "4", "5.00", "SKU2"))


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path, partners={"acme": CHANGING})
    yield made
    made.close()


@pytest.fixture
def on_both(tmp_path: Path, database_url: str):
    """The same on SQLite and on PostgreSQL."""
    made = World(tmp_path, database=database_url, partners={"acme": CHANGING})
    yield made
    made.close()


def stocked(world: World, **on_hand: str) -> None:
    """Items with stock, at the prices that the orders have."""
    rows = [{"number": item, "name": item, "base_unit": "EA"} for item in on_hand]
    with world.station.database.begin() as connection:
        masterdata.import_rows(connection, "items", rows, world.clock())
        masterdata.import_rows(connection, "stock", [{"item": item, "on_hand": level} for item, level in on_hand.items()], world.clock())


def order_of(world: World, number: str = "PO1") -> orders.SalesOrder:
    with world.station.database.read() as connection:
        return orders.find(connection, "acme", [number])[-1]


def lines_of(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    """line -> (accepted, despatched)."""
    with world.station.database.read() as connection:
        return {line.number: (line.accepted, line.despatched) for line in orders.lines_of(connection, [order_of(world).document])}


def reserved(world: World) -> dict[str, Decimal]:
    with world.station.database.read() as connection:
        assert stock.check_reserved(connection) == []
        return {line: quantity for (line, _), quantity in stock.reserved_for(connection, order_of(world).document).items()}


def exposure(world: World) -> int:
    with world.station.database.read() as connection:
        return ledger.exposure(connection, "acme", "USD")


def answer(world: World) -> str:
    """The last 865 that left."""
    return [text for text in world.sent() if "ST*865*" in text][-1]


def state_of(result, number: int = 0) -> str:
    return result.documents[number].state


def ship(world: World, *goods: str) -> None:
    rows = "".join(f"PO1,{one}\n" for one in goods)
    hand_in_shipments(world.station, f"order,line,quantity\n{rows}".encode(), "ship.csv", "test")
    world.settle()


def test_a_quantity_change_before_despatch_makes_a_new_version_and_is_answered(world: World) -> None:
    stocked(world, SKU1="100")
    world.receive(x12_order())
    before = exposure(world)
    result = world.receive(x12_change(lines=(poc("1", "QI", "15", "9.25", "SKU1"),), sequence="1"))
    assert [(row.kind, row.number, row.state) for row in result.documents] == [("order_change", "PO1-1", "accepted")]
    assert lines_of(world) == {"1": (D(15), D(0))}
    assert reserved(world) == {"1": D(15)}
    assert (exposure(world) - before, order_of(world).total_minor) == (4625, 13875)
    text = answer(world)
    assert tags(text, "BCA")[0][1:7] == ["04", "AD", "PO1", "", "1", "20260105"]
    assert tags(text, "POC")[0][1:6] == ["1", "QI", "15", "15", "EA"]
    assert [one[1:4] for one in tags(text, "ACK")] == [["IA", "15", "EA"]]
    trail = trail_of(world.station, "PO1")
    assert trail is not None
    assert "line 1 quantity 10 > 15" in trail_words(trail)
    with world.station.database.read() as connection:
        version = changes.version(connection, order_of(world).document, 2)
        first = documents.get(connection, order_of(world).document)
    assert version is not None and version.body is not None and '"quantity":"15"' in version.body
    assert first is not None and first.body is not None and '"quantity":"10"' in first.body
    assert [step.state for step in _history(world, order_of(world).document)] == ["registered", "accepted", "accepted"]


def _history(world: World, document: str) -> list[documents.Transition]:
    with world.station.database.read() as connection:
        return documents.history(connection, document)


def test_lines_come_go_and_change_their_price_in_one_change(world: World) -> None:
    stocked(world, SKU1="100", SKU2="100", SKU3="2")
    world.receive(x12_order(lines=TWO))
    lines = (poc("1", "PC", price="9.00"), poc("2", "DI"), poc("3", "AI", "5", "1.00", "SKU3"))
    assert state_of(world.receive(x12_change(lines=lines))) == "accepted"
    assert lines_of(world) == {"1": (D(10), D(0)), "3": (D(5), D(0))}
    assert {line: quantity for line, quantity in reserved(world).items() if quantity} == {"1": D(10), "3": D(2)}
    assert order_of(world).total_minor == 9500
    assert [one[1:3] for one in tags(answer(world), "ACK")] == [["IA", "10"], ["ID", "0"], ["IA", "2"], ["IB", "3"]]
    assert tags(answer(world), "BCA")[0][2] == "AC"
    # lines are found by their number, whatever came before them
    ship(world, "3,2")
    release_invoices(world.station, ["PO1"], "test")
    world.settle()
    [bill] = [text for text in world.sent() if "ST*810*" in text]
    assert tags(bill, "IT1")[0][1:5] == ["3", "2", "EA", "1.00"]


def test_the_order_sent_again_after_a_change_is_a_duplicate(world: World) -> None:
    world.receive(x12_order())
    world.receive(x12_change(lines=(poc("1", "QI", "15"),)))
    for control, quantity in ((3, "10"), (4, "15")):
        again = world.receive(x12_order(control=control, lines=(("1", quantity, "9.25", "SKU1"),)))
        assert [problem.code for problem in again.documents[0].problems] == ["RULE-DUPLICATE-ORDER"]


def test_what_has_left_is_the_floor(on_both: World) -> None:
    world = on_both
    stocked(world, SKU1="100", SKU2="100")
    world.receive(x12_order(lines=TWO))
    ship(world, "1,6", "2,4")
    lines = (poc("1", "QD", "5", item="SKU1"), poc("2", "DI"))
    assert state_of(world.receive(x12_change(lines=lines))) == "accepted"
    assert lines_of(world) == {"1": (D(6), D(6)), "2": (D(4), D(4))}
    assert order_of(world).state == "despatched"
    assert reserved(world) == {"1": D(0), "2": D(0)}
    assert order_of(world).total_minor == 7550
    text = answer(world)
    assert tags(text, "BCA")[0][2] == "AC"
    assert [one[1:3] for one in tags(text, "ACK")] == [["IC", "6"], ["IR", "4"]]
    assert [one[1:5] for one in tags(text, "POC")] == [["1", "QD", "5", "0"], ["2", "DI", "4", "0"]]
    told = " ".join(one[1] for one in tags(text, "MSG"))
    assert "it ends with 6; the rest of 4 will not come" in told and "Line 2 has left (4): it cannot be deleted" in told
    release_invoices(world.station, ["PO1"], "test")
    world.settle()
    assert order_of(world).state == "invoiced"


def test_more_of_a_line_may_come_after_it_has_left(world: World) -> None:
    stocked(world, SKU1="100", SKU2="100")
    world.receive(x12_order(lines=TWO))
    ship(world, "2,4")
    assert state_of(world.receive(x12_change(lines=(poc("2", "QI", "6", item="SKU2"),)))) == "accepted"
    assert lines_of(world)["2"] == (D(6), D(4))
    assert (order_of(world).state, reserved(world)["2"]) == ("part_despatched", D(2))
    ship(world, "1,10", "2,2")
    assert order_of(world).state == "despatched"


def test_a_cancel_after_some_has_left_ends_the_rest(world: World) -> None:
    stocked(world, SKU1="100", SKU2="100")
    world.receive(x12_order(lines=TWO))
    ship(world, "1,6")
    assert state_of(world.receive(x12_change(purpose="01"))) == "accepted"
    assert lines_of(world) == {"1": (D(6), D(6))}
    assert order_of(world).state == "despatched"
    assert exposure(world) == 5550
    assert [one[1:3] for one in tags(answer(world), "ACK")] == [["IC", "6"], ["ID", "0"]]


def test_a_cancel_in_the_orders_own_message_does_the_same(world: World) -> None:
    world.receive(x12_order(lines=TWO))
    ship(world, "1,6")
    result = world.receive(x12_order(lines=TWO, control=2, purpose="01"))
    assert [(row.kind, row.state) for row in result.documents] == [("order", "accepted")]
    assert (lines_of(world), order_of(world).state) == ({"1": (D(6), D(6))}, "despatched")


def test_nothing_changes_when_all_has_left(world: World) -> None:
    world.receive(x12_order())
    ship(world, "1,10")
    result = world.receive(x12_change(lines=(poc("1", "QI", "15"),)))
    assert state_of(result) == "rejected"
    assert [problem.code for problem in result.documents[0].problems] == ["RULE-CHANGE-TOO-LATE"]
    text = answer(world)
    assert tags(text, "BCA")[0][2] == "RD"
    assert [one[1:3] for one in tags(text, "ACK")] == [["IR", "10"]]


def test_a_change_whose_time_is_over_finds_the_order_that_came_meanwhile(world: World) -> None:
    """As after a long stop: both are due at once, and the change came first."""
    world.receive(x12_change(control=1, sequence="1", lines=(poc("1", "QI", "15", "9.25", "SKU1"),)))
    world.clock.now += timedelta(hours=2)
    address = "folder:boxes/acme/out"
    register(world.station, [Arrival(address=address, name="po.edi", identity="po", data=x12_order(control=2))])
    while steps()["in"](world.station, f"in:{address}"):
        pass
    world.settle()
    assert lines_of(world) == {"1": (D(15), D(0))}
    with world.station.database.read() as connection:
        assert holds.list_open(connection) == []


def test_a_cancel_before_despatch_frees_the_stock(world: World) -> None:
    stocked(world, SKU1="100")
    world.receive(x12_order())
    assert state_of(world.receive(x12_change(purpose="01"))) == "cancelled"
    assert (order_of(world).state, reserved(world), exposure(world)) == ("cancelled", {"1": D(0)}, 0)
    assert tags(answer(world), "BCA")[0][1:3] == ["01", "AD"]
    again = world.receive(x12_change(purpose="01", control=3))
    assert state_of(again) == "cancelled"
    changed = world.receive(x12_change(control=4, lines=(poc("1", "QI", "15"),)))
    assert [problem.code for problem in changed.documents[0].problems] == ["RULE-CHANGE-ORDER-ENDED"]


def test_deleting_every_line_cancels_the_order(world: World) -> None:
    world.receive(x12_order())
    assert state_of(world.receive(x12_change(lines=(poc("1", "DI"),)))) == "cancelled"
    assert order_of(world).state == "cancelled"


def test_a_change_beyond_the_credit_limit_waits_and_the_order_stands(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order())
    result = world.receive(x12_change(lines=(poc("1", "QI", "30", "9.25", "SKU1"),), sequence="1"))
    assert state_of(result) == "held"
    assert lines_of(world) == {"1": (D(10), D(0))}
    assert not [text for text in world.sent() if "ST*865*" in text]
    # the next one waits behind it
    second = world.receive(x12_change(control=3, sequence="2", lines=(poc("1", "QI", "12", "9.25", "SKU1"),)))
    assert [problem.code for problem in second.documents[0].problems] == ["RULE-CHANGE-BEHIND"]
    holding.reject(world.station, result.documents[0].id, "clerk", "too much for now")
    world.settle()
    assert [tags(text, "BCA")[0][2] for text in world.sent() if "ST*865*" in text] == ["RD", "AD"]
    assert lines_of(world) == {"1": (D(12), D(0))}
    with world.station.database.read() as connection:
        assert holds.list_open(connection) == []
    world.close()


def test_less_is_taken_although_the_limit_is_exceeded(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order())
    file = tmp_path / "partners" / "acme.yaml"
    file.write_text(LIMITED.replace("200 USD", "1 USD"))
    world.close()
    assert state_of(world.receive(x12_change(lines=(poc("1", "QD", "9", "9.25", "SKU1"),)))) == "accepted"
    world.close()


def test_a_released_change_is_applied(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order())
    result = world.receive(x12_change(lines=(poc("1", "QI", "30", "9.25", "SKU1"),)))
    holding.release(world.station, result.documents[0].id, "clerk", "they paid by phone")
    world.settle()
    assert lines_of(world) == {"1": (D(30), D(0))}
    assert tags(answer(world), "BCA")[0][2] == "AD"
    world.close()


def test_a_change_cures_a_held_order_and_both_are_answered(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    assert state_of(world.receive(x12_order(lines=(("1", "30", "9.25", "SKU1"),)))) == "held"
    assert state_of(world.receive(x12_change(lines=(poc("1", "QD", "20", "9.25", "SKU1"),)))) == "accepted"
    assert (order_of(world).state, lines_of(world)) == ("accepted", {"1": (D(20), D(0))})
    assert sorted(tags(text, "ST")[0][1] for text in world.sent()) == ["855", "865", "997", "997"]
    with world.station.database.read() as connection:
        assert holds.list_open(connection) == []
    world.close()


def test_a_change_that_does_not_cure_waits_with_its_order_and_is_answered_with_it(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order(lines=(("1", "40", "9.25", "SKU1"),)))
    result = world.receive(x12_change(sequence="1", lines=(poc("1", "QD", "30", "9.25", "SKU1"),)))
    assert state_of(result) == "waiting"
    assert not [text for text in world.sent() if "ST*86" in text or "ST*855" in text]
    assert state_of(world.receive(x12_change(sequence="2", control=3, lines=(poc("1", "QD", "28", "9.25", "SKU1"),)))) == "waiting"
    holding.release(world.station, order_of(world).document, "clerk", "let it pass")
    world.settle()
    assert (order_of(world).state, lines_of(world)) == ("accepted", {"1": (D(28), D(0))})
    assert [tags(text, "PO1")[0][2] for text in world.sent() if "ST*855*" in text] == ["28"]
    assert [(tags(text, "BCA")[0][5], tags(text, "ACK")[0][1:3]) for text in world.sent() if "ST*865*" in text] == [
        ("1", ["IA", "28"]),
        ("2", ["IA", "28"]),
    ]
    world.close()


def test_a_cancel_by_860_reaches_a_held_order(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": LIMITED})
    world.receive(x12_order(lines=(("1", "40", "9.25", "SKU1"),)))
    world.receive(x12_change(sequence="1", lines=(poc("1", "QD", "30", "9.25", "SKU1"),)))
    assert state_of(world.receive(x12_change(purpose="01", control=3))) == "cancelled"
    with world.station.database.read() as connection:
        assert holds.list_open(connection) == []
        rows = documents.search(connection, documents.Filters(direction="in"))
    assert sorted(row.state for row in rows) == ["cancelled", "cancelled", "cancelled"]
    world.close()


def test_a_change_waits_for_its_order(world: World) -> None:
    result = world.receive(x12_change(sequence="1", lines=(poc("1", "QI", "15", "9.25", "SKU1"),)))
    assert state_of(result) == "registered"
    assert not [text for text in world.sent() if "ST*865*" in text]
    assert state_of(world.receive(x12_order(control=3))) == "accepted"
    assert lines_of(world) == {"1": (D(15), D(0))}
    assert len([text for text in world.sent() if "ST*865*" in text]) == 1


def test_a_change_whose_order_never_comes_waits_for_a_person(world: World) -> None:
    result = world.receive(x12_change(lines=(poc("1", "QI", "15"),)))
    world.clock.now += timedelta(minutes=61)
    world.settle()
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert [problem.code for problem in hold.reasons] == ["RULE-CHANGE-ORDER-UNKNOWN"]
    holding.release(world.station, result.documents[0].id, "clerk", "they never sent it")
    world.settle()
    assert tags(answer(world), "BCA")[0][2:4] == ["RD", "PO1"]


def test_changes_out_of_their_sequence_are_put_in_order(on_both: World) -> None:
    world = on_both
    world.receive(x12_order())
    world.receive(x12_change(sequence="1", lines=(poc("1", "QI", "11"),)))
    late = world.receive(x12_change(sequence="3", control=3, lines=(poc("1", "QI", "13"),)))
    assert state_of(late) == "registered"
    world.receive(x12_change(sequence="2", control=4, lines=(poc("1", "QI", "12"),)))
    assert lines_of(world) == {"1": (D(13), D(0))}
    old = world.receive(x12_change(sequence="0", control=5, lines=(poc("1", "QI", "20"),)))
    assert [problem.code for problem in old.documents[0].problems] == ["RULE-CHANGE-SEQUENCE"]


def test_the_same_change_twice_changes_once(world: World) -> None:
    world.receive(x12_order())
    world.receive(x12_change(sequence="1", lines=(poc("1", "QI", "15"),)))
    again = world.receive(x12_change(sequence="1", control=3, lines=(poc("1", "QI", "15"),)))
    assert (state_of(again), [problem.code for problem in again.documents[0].problems]) == ("rejected", ["RULE-CHANGE-DUPLICATE"])
    assert lines_of(world) == {"1": (D(15), D(0))}


def test_a_copy_of_a_change_changes_nothing(world: World) -> None:
    world.receive(x12_order())
    assert state_of(world.receive(x12_change(purpose="22", lines=(poc("1", "QI", "15"),)))) == "done"
    assert lines_of(world) == {"1": (D(10), D(0))}


def test_a_replacement_in_the_orders_own_message_is_a_version(world: World) -> None:
    world.receive(x12_order(lines=TWO))
    result = world.receive(x12_order(control=2, purpose="05", lines=(("1", "8", "9.25", "SKU1"), ("3", "1", "2.00", "SKU3"))))
    assert state_of(result) == "accepted"
    assert lines_of(world) == {"1": (D(8), D(0)), "3": (D(1), D(0))}
    assert order_of(world).total_minor == 7600


def test_a_change_in_the_orders_own_message_waits_for_a_person(world: World) -> None:
    world.receive(x12_order(lines=TWO))
    result = world.receive(x12_order(control=2, purpose="04", lines=(("1", "8", "9.25", "SKU1"),)))
    assert (state_of(result), [problem.code for problem in result.documents[0].problems]) == ("held", ["RULE-CHANGE-IN-ORDER"])
    holding.release(world.station, result.documents[0].id, "clerk", "agreed")
    world.settle()
    assert lines_of(world) == {"1": (D(8), D(0)), "2": (D(4), D(0))}


def test_a_test_change_touches_no_real_order(world: World) -> None:
    stocked(world, SKU1="100")
    world.receive(x12_order())
    world.receive(x12_order(control=7, usage="T"))
    world.receive(x12_change(control=8, usage="T", lines=(poc("1", "QI", "15", "9.25", "SKU1"),)))
    with world.station.database.read() as connection:
        found = {order.test: order for order in orders.find(connection, "acme", ["PO1"])}
        quantities = {line.document: line.accepted for line in orders.lines_of(connection, [order.document for order in found.values()])}
    assert (quantities[found[False].document], quantities[found[True].document]) == (D(10), D(15))
    assert exposure(world) == 9250


def test_the_erp_gets_each_version(tmp_path: Path) -> None:
    world = World(tmp_path, config=CONFIG + "erp: {folder: erp, format: csv}\n", partners={"acme": CHANGING})
    world.receive(x12_order())
    world.receive(x12_change(lines=(poc("1", "QI", "15", "9.25", "SKU1"),)))
    first, second = sorted(path.name for path in (tmp_path / "erp").iterdir())
    assert (first.startswith("order-D-"), second.startswith("order-v2-D-")) == (True, True)
    head, row = (tmp_path / "erp" / second).read_text().splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True)) | {"quantity": "15", "version": "2"} == dict(
        zip(head.split(","), row.split(","), strict=True)
    )
    world.close()


def test_a_partner_without_865_gets_an_855(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": CHANGING.replace("  - {send: x12/004010/865, to: box}\n", "")})
    world.receive(x12_order())
    world.receive(x12_change(lines=(poc("1", "QI", "15"),)))
    assert [tags(text, "BAK")[0][1] for text in world.sent() if "ST*855*" in text] == ["00", "04"]
    world.close()
