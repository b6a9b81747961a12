"""From a shipment to the despatch advice: what left, what is still to come, what cannot be."""

from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.model.document import decode
from gateway.model.document import encode
from gateway.trade.fulfilment import Despatch
from gateway.trade.fulfilment import build_despatch_advice
from gateway.trade.open_order import OpenOrder
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import ShipmentRow
from gateway.trade.sscc import make_sscc
from tests.rules.world import order
from tests.trade.world import SELLER
from tests.trade.world import accepted
from tests.trade.world import despatched

D = Decimal
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE, TWO = make_sscc("4012345", 1), make_sscc("4012345", 2)
STORE = {"identifiers": {"buyer_assigned": "0012"}}
TWO_LINES = accepted(order([{}, {"quantity": "5"}], ship_to=STORE))


def row(quantity: Any, line: str | None = "1", number: str = "PO1", **fields: Any) -> ShipmentRow:
    return ShipmentRow(order=number, line=line, quantity=D(str(quantity)), **fields)


def ship(*rows: ShipmentRow, orders: tuple[OpenOrder, ...] = (TWO_LINES,), **fields: Any) -> Despatch:
    return build_despatch_advice(orders, Shipment(rows=rows, scac="UPSN", tracking="1Z"), "DA1", AT, seller=SELLER, **fields)


def codes(despatch: Despatch) -> list[str]:
    assert despatch.advice is None
    assert despatch.updates == ()
    return [problem.code for problem in despatch.problems]


def test_a_whole_order_leaves_on_two_pallets() -> None:
    despatch = ship(row(10, sscc=ONE, type="XPX", weight=D("100.5")), row(3, "2", sscc=ONE), row(2, "2", sscc=TWO, type="XPX", weight=D(20)))
    advice = despatch.advice
    assert advice is not None
    assert (advice.number, advice.package_count, advice.gross_weight, advice.weight_unit, advice.despatched_at) == ("DA1", 2, D("120.5"), "KGM", AT)
    assert advice.transport is not None
    assert (advice.transport.scac, advice.transport.consignment) == ("UPSN", "1Z")
    [sent] = advice.orders
    assert [(unit.sscc, unit.type, [(line.order_line, line.quantity) for line in unit.lines]) for unit in sent.units] == [
        (ONE, "XPX", [("1", D(10)), ("2", D(3))]),
        (TWO, "XPX", [("2", D(2))]),
    ]
    assert despatch.complete == ("d1",)
    assert decode(encode(advice)) == advice


def test_a_short_shipment_leaves_the_rest_outstanding() -> None:
    despatch = ship(row(4))
    assert [(update.line, update.quantity, update.outstanding) for update in despatch.updates] == [("1", D(4), D(6))]
    assert despatch.complete == ()
    assert despatch.advice is not None
    line = despatch.advice.orders[0].lines[0]
    assert (line.ordered_quantity, line.outstanding_quantity, line.identifiers and line.identifiers.buyer) == (D(10), D(6), "B-BOLT")


def test_the_second_shipment_completes_the_order() -> None:
    despatch = ship(row(6), row(5, "2"), orders=(despatched(TWO_LINES, 4, 0),))
    assert despatch.complete == ("d1",)


def test_more_than_is_outstanding_is_refused_over_all_rows() -> None:
    despatch = ship(row(6), row(5, sscc=ONE))
    assert codes(despatch) == ["SHIPMENT-TOO-MUCH"]
    assert despatch.problems[0].message == "11 of line 1 of order PO1 were shipped, 10 are still to come"


def test_a_little_more_may_be_allowed() -> None:
    despatch = ship(row(11), over_delivery=D(10))
    assert despatch.updates[0].outstanding == 0
    assert codes(ship(row(12), over_delivery=D(10))) == ["SHIPMENT-TOO-MUCH"]


def test_an_unknown_order_or_line_stops_the_whole_shipment() -> None:
    assert codes(ship(row(1), row(1, number="PO9"), row(1, "7"))) == ["SHIPMENT-ORDER-UNKNOWN", "SHIPMENT-LINE-UNKNOWN"]


def test_a_number_that_two_open_orders_have_is_not_guessed() -> None:
    assert codes(ship(row(1), orders=(TWO_LINES, accepted(order(), "d2")))) == ["SHIPMENT-ORDER-UNKNOWN"]


def test_a_line_is_found_by_its_item_where_that_is_one() -> None:
    one = accepted(order([{}, {"identifiers": {"buyer": "B-NUT"}, "quantity": "20", "price": "0.08"}]))
    assert ship(row(1, None, item="B-NUT"), orders=(one,)).updates[0].line == "2"
    assert ship(row(1, None, item="BOLT"), orders=(one,)).updates[0].line == "1"
    assert codes(ship(row(1, None, item="X"), orders=(one,))) == ["SHIPMENT-LINE-UNKNOWN"]
    assert codes(ship(row(1, None), orders=(one,))) == ["SHIPMENT-LINE-UNKNOWN"]
    assert ship(row(1, None), orders=(accepted(order()),)).updates[0].line == "1"


def test_another_unit_is_refused() -> None:
    assert codes(ship(row(1, unit="XCS"))) == ["SHIPMENT-UNIT"]
    assert ship(row(1, unit="H87")).advice is not None


def test_a_wrong_sscc_is_refused() -> None:
    assert codes(ship(row(1, sscc="340123450000000018"))) == ["SHIPMENT-SSCC"]


def test_an_empty_shipment_is_refused() -> None:
    assert codes(ship()) == ["SHIPMENT-EMPTY"]


def test_two_orders_of_one_place_share_a_shipment_and_a_pallet() -> None:
    other = accepted(order(number="PO2", ship_to=STORE), "d2")
    despatch = ship(row(10, sscc=ONE), row(10, number="PO2", sscc=ONE), orders=(TWO_LINES, other))
    assert despatch.advice is not None
    assert [(one.number, one.units[0].sscc) for one in despatch.advice.orders] == [("PO1", ONE), ("PO2", ONE)]
    assert (despatch.advice.package_count, despatch.complete) == (1, ("d2",))


def test_two_places_are_two_shipments() -> None:
    other = accepted(order(number="PO2", ship_to={"identifiers": {"buyer_assigned": "0013"}}), "d2")
    assert codes(ship(row(1), row(1, number="PO2"), orders=(TWO_LINES, other))) == ["SHIPMENT-PARTIES"]


def test_test_and_live_orders_never_leave_together() -> None:
    other = accepted(order(number="PO2", ship_to=STORE, source={"syntax": "x12", "type": "850", "test": True}), "d2")
    assert codes(ship(row(1), row(1, number="PO2"), orders=(TWO_LINES, other))) == ["SHIPMENT-PARTIES"]
    assert ship(row(1, number="PO2"), orders=(other,)).test


def test_cartons_without_sscc_are_named_and_parcels_keep_their_tracking_number() -> None:
    despatch = ship(row(4, handling_unit="A", tracking="1Z1"), row(6, handling_unit="B", tracking="1Z2"))
    assert despatch.advice is not None
    units = despatch.advice.orders[0].units
    assert (len(units), units[0].sscc, units[1].lines[0].references[0].value) == (2, None, "1Z2")
