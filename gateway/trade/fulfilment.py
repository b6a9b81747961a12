"""Goods that left: a shipment and the orders it is for become a despatch advice, and each line learns how far it is.

All or nothing: where a row cannot be right, nobody is told anything and nothing is booked. A short shipment leaves the rest
outstanding. Pure: numbers and times come in.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from gateway.kinds import rule
from gateway.model.catalogue import identifier_pairs
from gateway.model.catalogue import place_pairs
from gateway.model.catalogue import same_unit
from gateway.model.despatch import DespatchAdvice
from gateway.model.despatch import DespatchLine
from gateway.model.despatch import DespatchOrder
from gateway.model.despatch import HandlingUnit
from gateway.model.money import number_words
from gateway.model.values import Party
from gateway.model.values import Reference
from gateway.model.values import Transport
from gateway.model.values import Value
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.open_order import OpenLine
from gateway.trade.open_order import OpenOrder
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import ShipmentRow
from gateway.trade.sscc import sscc_fault

_ZERO = Decimal(0)


class LineUpdate(Value, frozen=True, kw_only=True):
    """What a shipment does to an order line: `quantity` more left, `outstanding` is still to come."""

    document: str
    order_number: str
    line: str
    quantity: Decimal
    outstanding: Decimal


class Despatch(Value, frozen=True, kw_only=True):
    """A shipment as booked; `advice` is None where there are problems."""

    advice: DespatchAdvice | None = None
    updates: tuple[LineUpdate, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: documents of orders that are complete with this shipment
    complete: tuple[str, ...] = ()
    test: bool = False


class _Packed(Value, frozen=True, kw_only=True):
    """A row with the order and line that it is for."""

    row: ShipmentRow
    order: OpenOrder
    line: OpenLine


def build_despatch_advice(
    orders: Sequence[OpenOrder],
    shipment: Shipment,
    number: str,
    at: datetime,
    *,
    seller: Party | None = None,
    ship_from: Party | None = None,
    over_delivery: Decimal = _ZERO,
    standing: Mapping[str, str] | None = None,
) -> Despatch:
    """The despatch advice of a shipment. `over_delivery` is how many percent more than outstanding may leave; `standing`: in which state orders
    are that are not open."""
    packed, problems = _pack(orders, shipment, standing or {})
    problems += _too_much(packed, over_delivery) + _parties(packed)
    if not shipment.rows:
        problems.append(rule.SHIPMENT_EMPTY.at(Place(field="rows"), "The shipment holds no goods", found="0 rows", expected="at least 1 row"))
    if problems:
        return Despatch(problems=tuple(problems))
    updates = _updates(packed)
    left = {(update.document, update.line): update.outstanding for update in updates}
    first = packed[0].order.order
    units: dict[str, list[ShipmentRow]] = {}
    for one in packed:
        if _unit_key(one.row):
            units.setdefault(_unit_key(one.row), []).append(one.row)
    weight = _weight([_weighed(rows) for rows in units.values()])
    advice = DespatchAdvice(
        number=number,
        purpose="original",
        issued_on=at.date(),
        issued_at=at,
        despatched_on=shipment.shipped_on or at.date(),
        despatched_at=at if shipment.shipped_on in (None, at.date()) else None,
        estimated_delivery_on=shipment.delivery_on,
        buyer=first.buyer,
        seller=seller or first.seller,
        ship_from=ship_from,
        ship_to=first.ship_to,
        transport=_transport(shipment),
        delivery_terms=first.delivery_terms,
        gross_weight=weight[0],
        weight_unit=weight[1],
        orders=_orders(packed, left),
        package_count=len(units) or None,
    )
    complete = tuple(
        order.document for order in _distinct(packed) if all(left.get((order.document, line.number), line.outstanding) == 0 for line in order.lines)
    )
    return Despatch(advice=advice, updates=updates, complete=complete, test=packed[0].order.test)


def _pack(orders: Sequence[OpenOrder], shipment: Shipment, standing: Mapping[str, str]) -> tuple[list[_Packed], list[Problem]]:
    by_number: dict[str, list[OpenOrder]] = {}
    for order in orders:
        by_number.setdefault(order.order.number, []).append(order)
    packed: list[_Packed] = []
    problems: list[Problem] = []
    for index, row in enumerate(shipment.rows):
        place = Place(line=row.source_line, field=f"rows[{index}]")
        found = by_number.get(row.order, [])
        if len(found) != 1:
            word = f"is {standing.get(row.order, 'not open')}" if not found else f"stands for {len(found)} open orders"
            problems.append(rule.SHIPMENT_ORDER_UNKNOWN.at(place, f"Order {row.order} {word}", found=row.order, expected="one open order"))
            continue
        line = _find_line(found[0], row)
        if line is None:
            wanted = (
                f"no line {row.line}" if row.line else f"no one line with item {row.item}" if row.item else "several lines, and the row names none"
            )
            known = ", ".join(line.number for line in found[0].lines)
            problems.append(rule.SHIPMENT_LINE_UNKNOWN.at(place, f"Order {row.order} has {wanted}", found=row.line or row.item, expected=known))
            continue
        if not same_unit(row.unit, line.unit):
            problems.append(
                rule.SHIPMENT_UNIT.at(
                    place, f"The row counts in {row.unit}, line {line.number} of order {row.order} in {line.unit}", found=row.unit, expected=line.unit
                )
            )
        fault = sscc_fault(row.sscc) if row.sscc else None
        if fault:
            problems.append(rule.SHIPMENT_SSCC.at(place, fault, found=row.sscc, expected="18 digits with their check digit"))
        packed.append(_Packed(row=row, order=found[0], line=line))
    return packed, problems


def _find_line(order: OpenOrder, row: ShipmentRow) -> OpenLine | None:
    """By the line's number; else by the item where one line has it; else the only line."""
    if row.line is not None:
        return next((line for line in order.lines if line.number == row.line), None)
    lines = list(order.lines)
    if row.item is not None:
        lines = [line for line in lines if row.item == line.item or row.item in {value for _, value in identifier_pairs(line.identifiers)}]
    return lines[0] if len(lines) == 1 else None


def _shipped(packed: list[_Packed]) -> dict[tuple[str, str], tuple[_Packed, Decimal]]:
    """What of each line is in the shipment, in the order of the rows."""
    sums: dict[tuple[str, str], tuple[_Packed, Decimal]] = {}
    for one in packed:
        key = (one.order.document, one.line.number)
        sums[key] = (one, sums[key][1] + one.row.quantity if key in sums else one.row.quantity)
    return sums


def _too_much(packed: list[_Packed], over_delivery: Decimal) -> list[Problem]:
    problems = []
    for one, quantity in _shipped(packed).values():
        allowed = one.line.outstanding + one.line.accepted * over_delivery / 100
        if quantity > allowed:
            shipped, coming = number_words(quantity), number_words(one.line.outstanding)
            message = f"{shipped} of line {one.line.number} of order {one.order.order.number} were shipped, {coming} are still to come"
            problems.append(_at(rule.SHIPMENT_TOO_MUCH, one.row, message, number_words(quantity), f"at most {number_words(allowed)}"))
    return problems


def _parties(packed: list[_Packed]) -> list[Problem]:
    """One advice is for one buyer and one place, and never for test and live orders together."""
    problems = []
    first_rows = list({one.order.document: one for one in reversed(packed)}.values())
    for one in first_rows:
        first, other = packed[0].order, one.order
        for name in ("buyer", "ship_to"):
            mine, theirs = getattr(first.order, name), getattr(other.order, name)
            if _identity(mine) != _identity(theirs):
                message = f"Order {other.order.number} has another {name} than order {first.order.number}"
                problems.append(_at(rule.SHIPMENT_PARTIES, one.row, message, _identity(theirs), _identity(mine)))
        if first.test != other.test:
            problems.append(
                _at(
                    rule.SHIPMENT_PARTIES,
                    one.row,
                    f"Of orders {first.order.number} and {other.order.number} one is test traffic",
                    None,
                    "one kind of traffic",
                )
            )
    return problems


def _identity(party: Party | None) -> str:
    if party is None:
        return ""
    pairs = place_pairs(party)
    return " ".join(":".join(pair) for pair in pairs) if pairs else f"{party.name or ''} {party.address.lines if party.address else ''}".strip()


def _at(kind: Kind, row: ShipmentRow, message: str, found: str | None, expected: str | None) -> Problem:
    return kind.at(Place(line=row.source_line, field="rows"), message, found=found, expected=expected)


def _updates(packed: list[_Packed]) -> tuple[LineUpdate, ...]:
    return tuple(
        LineUpdate(
            document=one.order.document,
            order_number=one.order.order.number,
            line=one.line.number,
            quantity=quantity,
            outstanding=max(one.line.outstanding - quantity, _ZERO),
        )
        for one, quantity in _shipped(packed).values()
    )


def _distinct(packed: list[_Packed]) -> list[OpenOrder]:
    return list({one.order.document: one.order for one in packed}.values())


def _unit_key(row: ShipmentRow) -> str:
    return row.sscc or (f"#{row.handling_unit}" if row.handling_unit else "")


def _orders(packed: list[_Packed], left: dict[tuple[str, str], Decimal]) -> tuple[DespatchOrder, ...]:
    lines: dict[int, DespatchLine] = {}
    for index, one in enumerate(packed):
        row, line = one.row, one.line
        lines[index] = DespatchLine(
            number=str(index + 1),
            order_number=row.order,
            order_line=line.number,
            quantity=row.quantity,
            unit=line.unit,
            unit_source=line.unit_source,
            ordered_quantity=line.ordered or line.accepted,
            outstanding_quantity=left[one.order.document, line.number],
            identifiers=line.identifiers,
            description=line.description or line.name,
            batch=row.batch,
            best_before=row.best_before,
            references=(Reference(type="tracking", value=row.tracking),) if row.tracking else (),
        )
    orders = []
    for order in _distinct(packed):
        mine = [(index, one.row) for index, one in enumerate(packed) if one.order.document == order.document]
        keys = dict.fromkeys(_unit_key(row) for _, row in mine)
        units = tuple(_unit([(index, row) for index, row in mine if _unit_key(row) == key], lines) for key in keys if key)
        loose = tuple(lines[index] for index, row in mine if not _unit_key(row))
        orders.append(DespatchOrder(number=order.order.number, issued_on=order.order.issued_on, units=units, lines=loose))
    return tuple(orders)


def _unit(members: list[tuple[int, ShipmentRow]], lines: dict[int, DespatchLine]) -> HandlingUnit:
    """A handling unit; its type and weight may stand in any of its rows."""
    rows = [row for _, row in members]
    weighed, kind = _weighed(rows), next((row.type for row in rows if row.type), None)
    unit = (weighed.weight_unit or "KGM") if weighed.weight else None
    return HandlingUnit(sscc=rows[0].sscc, type=kind, weight=weighed.weight, weight_unit=unit, lines=tuple(lines[index] for index, _ in members))


def _weighed(rows: list[ShipmentRow]) -> ShipmentRow:
    return next((row for row in rows if row.weight is not None), rows[0])


def _weight(rows: list[ShipmentRow]) -> tuple[Decimal | None, str | None]:
    """The sum of the handling units' weights, where all are known in one unit."""
    units = {row.weight_unit or "KGM" for row in rows}
    weights = [row.weight for row in rows if row.weight is not None]
    if not rows or len(weights) != len(rows) or len(units) != 1:
        return None, None
    return sum(weights, _ZERO), units.pop()


def _transport(shipment: Shipment) -> Transport | None:
    if not (shipment.carrier or shipment.scac or shipment.tracking):
        return None
    return Transport(carrier=shipment.carrier, scac=shipment.scac, consignment=shipment.tracking)
