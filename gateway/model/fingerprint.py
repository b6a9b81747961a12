"""What is ordered, as one digest: tells a true duplicate from a number that was used again."""

import hashlib
from datetime import date
from decimal import Decimal

import msgspec

from gateway.model.facts import EarlierOrder
from gateway.model.facts import Facts
from gateway.model.money import is_handy
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Party

_ENCODE = msgspec.json.Encoder().encode


def _number(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = str(value)
    if len(text) >= 16 or "E" in text:
        if not is_handy(value):
            return text
        text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def _item(identifiers: ItemIdentifiers | None) -> list[str | None] | None:
    return [identifiers.buyer, identifiers.seller, identifiers.gtin, identifiers.manufacturer] if identifiers is not None else None


def _party(party: Party | None) -> object:
    if party is None:
        return None
    if party.identifiers is not None:
        return [party.identifiers.gln, party.identifiers.buyer_assigned, party.identifiers.seller_assigned, party.identifiers.duns]
    return [party.name, party.address]


def _line(line: OrderLine) -> list[object]:
    return [
        line.number,
        _number(line.quantity),
        line.unit,
        _number(line.price),
        _number(line.price_base),
        _item(line.identifiers),
        line.description if line.identifiers is None else None,
        _day(line.requested_on),
        _party(line.ship_to) if line.ship_to else None,
        [[_number(part.quantity), _day(part.requested_on), _party(part.ship_to)] for part in line.deliveries],
    ]


#: the order that was asked for last, with its digest: rules, decision and store ask one after the other
_newest: tuple[Order, str] | None = None


def fingerprint(order: Order) -> str:
    """SHA-256 of what is ordered: items, quantities, prices, dates and places; not when or in which interchange it was sent."""
    global _newest
    newest = _newest
    if newest is not None and newest[0] is order:
        return newest[1]
    digest = _fingerprint(order)
    _newest = (order, digest)
    return digest


def _fingerprint(order: Order) -> str:
    delivery = order.delivery
    dates = (
        [_day(getattr(delivery, name)) for name in delivery.__struct_fields__ if name.endswith(("_on", "_before", "_after"))] if delivery else None
    )
    content = [order.currency, _party(order.ship_to), dates, [_line(line) for line in order.lines]]
    return hashlib.sha256(_ENCODE(content)).hexdigest()


def is_test(order: Order) -> bool:
    """Whether the order came as test traffic."""
    return order.source is not None and order.source.test


def earlier_orders(order: Order, facts: Facts) -> tuple[EarlierOrder, ...]:
    """Orders of the same number and release in the same traffic (test or not). Without a release a cancel means all of the number."""
    test, any_release = is_test(order), order.purpose == "cancel" and order.release is None
    return tuple(
        earlier
        for earlier in facts.earlier.get(order.number, ())
        if earlier.test == test and earlier.purpose not in NOT_ORDERING and (any_release or earlier.release == order.release)
    )


#: purposes of documents that order nothing by themselves
NOT_ORDERING = frozenset({"cancel", "confirm", "duplicate", "copy", "change"})
