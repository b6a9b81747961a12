"""The despatch advice (ASN): what left, in which handling units (856, DESADV, UBL DespatchAdvice)."""

from datetime import date
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.model.values import DeliveryTerms
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Note
from gateway.model.values import Party
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Transport
from gateway.model.values import Value


class DespatchLine(Value, frozen=True, kw_only=True):
    """Goods of one order line in one handling unit (or loose)."""

    number: str
    order_number: str | None = None
    #: number of the line in the order
    order_line: str | None = None
    quantity: Decimal
    unit: str | None = None
    unit_source: str | None = None
    ordered_quantity: Decimal | None = None
    #: still to come from this order line
    outstanding_quantity: Decimal | None = None
    identifiers: ItemIdentifiers | None = None
    description: str | None = None
    batch: str | None = None
    best_before: date | None = None
    serials: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    #: standard pack: the handling units that hold nothing but this line
    units: "tuple[HandlingUnit, ...]" = ()


class HandlingUnit(Value, frozen=True, kw_only=True):
    """A pallet or carton with its SSCC. `type` is a Recommendation 21 code with its X (XPX pallet, XCT carton)."""

    sscc: str | None = None
    type: str | None = None
    weight: Decimal | None = None
    weight_unit: str | None = None
    #: how much of the line is in it, where it stands under a line
    quantity: Decimal | None = None
    lines: tuple[DespatchLine, ...] = ()
    #: cartons on a pallet
    units: "tuple[HandlingUnit, ...]" = ()


def by_item(advice: "DespatchAdvice") -> "DespatchAdvice":
    """The same shipment item first (standard pack): each line once with its whole quantity, and under it the units that hold it.

    Units that hold several lines cannot hang under one of them: an order with such a unit, or with units on others, stays as it is.
    """
    return msgspec.structs.replace(advice, orders=tuple(_order_by_item(order) for order in advice.orders))


def _order_by_item(order: "DespatchOrder") -> "DespatchOrder":
    if not order.units or any(len(unit.lines) != 1 or unit.units for unit in order.units):
        return order
    lines: dict[object, DespatchLine] = {}
    units: dict[object, list[HandlingUnit]] = {}
    for unit in order.units:
        line = unit.lines[0]
        key = (line.order_line or line.number, line.identifiers, line.unit, line.batch, line.best_before)
        known = lines.get(key)
        both = (known.quantity + line.quantity, known.serials + line.serials) if known is not None else (line.quantity, line.serials)
        lines[key] = msgspec.structs.replace(known or line, quantity=both[0], serials=both[1])
        units.setdefault(key, []).append(msgspec.structs.replace(unit, lines=(), quantity=line.quantity))
    gathered = tuple(msgspec.structs.replace(line, units=tuple(units[key])) for key, line in lines.items())
    return msgspec.structs.replace(order, units=(), lines=gathered + order.lines)


class DespatchOrder(Value, frozen=True, kw_only=True):
    """What of one order is in the shipment."""

    number: str
    issued_on: date | None = None
    units: tuple[HandlingUnit, ...] = ()
    #: goods that stand in no handling unit
    lines: tuple[DespatchLine, ...] = ()


class DespatchAdvice(Value, frozen=True, kw_only=True, tag="despatch_advice", tag_field="kind"):
    """A shipment as advised to the buyer."""

    number: str
    purpose: str | None = None
    issued_on: date | None = None
    issued_at: datetime | None = None
    despatched_on: date | None = None
    despatched_at: datetime | None = None
    estimated_delivery_on: date | None = None
    buyer: Party | None = None
    seller: Party | None = None
    ship_from: Party | None = None
    ship_to: Party | None = None
    parties: tuple[Party, ...] = ()
    transport: Transport | None = None
    delivery_terms: DeliveryTerms | None = None
    gross_weight: Decimal | None = None
    weight_unit: str | None = None
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    orders: tuple[DespatchOrder, ...] = ()
    package_count: int | None = None
    source: Source | None = None
