"""A small world of master data, and orders made from a few words: what the rule and trade tests share."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from gateway.model.amendment import change_fingerprint
from gateway.model.change import OrderChange
from gateway.model.facts import EarlierOrder
from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.facts import Price
from gateway.model.facts import StockLevel
from gateway.model.fingerprint import fingerprint
from gateway.model.order import Order
from gateway.model.standing import EarlierChange
from gateway.model.standing import StandingLine
from gateway.model.standing import StandingOrder
from gateway.rules.load import load_rules
from gateway.rules.plan import RulePlan

TOP = Path(__file__).parent.parent.parent
TODAY = date(2026, 11, 22)

BOLT = Item(number="BOLT", name="Bolt M8", base_unit="EA", units={"XCS": Decimal(12)}, gtin="4012345500004")
NUT = Item(number="NUT", name="Nut M8", base_unit="H87", units={"XBX": Decimal(100)}, minimum_quantity=Decimal(20), multiple=Decimal(10))
OIL = Item(number="OIL", name="Oil", base_unit="LTR")
OLD = Item(number="OLD", name="Bolt M7", discontinued=True)

ITEMS = {
    ("buyer", "B-BOLT"): BOLT,
    ("seller", "BOLT"): BOLT,
    ("gtin", "4012345500004"): BOLT,
    ("buyer", "B-NUT"): NUT,
    ("seller", "NUT"): NUT,
    ("buyer", "B-OIL"): OIL,
    ("buyer", "B-OLD"): OLD,
    ("manufacturer", "M-OIL"): OIL,
}
PRICES = {
    "BOLT": (
        Price(item="BOLT", currency="EUR", amount=Decimal("5.00"), valid_from=date(2026, 1, 1)),
        Price(item="BOLT", currency="EUR", amount=Decimal("4.50"), minimum_quantity=Decimal(100), valid_from=date(2026, 1, 1)),
        Price(item="BOLT", currency="USD", amount=Decimal("6.00")),
    ),
    "NUT": (Price(item="NUT", currency="EUR", amount=Decimal("8.00"), base=Decimal(100)),),
}
STOCK = {"BOLT": StockLevel(item="BOLT", available=Decimal(100), restock_on=date(2026, 12, 10)), "NUT": StockLevel(item="NUT", available=Decimal(0))}
PLACES = {("buyer_assigned", "0012"): "12", ("gln", "4012345500011"): "12"}


class Shelf:
    """Rule files in memory, as a Resolver; without any, those of the checkout."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.files = files

    def text_of(self, name: str) -> tuple[str, str] | None:
        if self.files is not None and name in self.files:
            return name, self.files[name]
        path = TOP / name
        return (name, path.read_text(encoding="utf-8")) if path.is_file() else None

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files or {} if name.startswith(prefix))


def base_plan() -> RulePlan:
    return load_rules(Shelf())


LINE = {"quantity": "10", "unit": "EA", "price": "5.00", "identifiers": {"buyer": "B-BOLT"}}


def order(lines: Sequence[Mapping[str, Any]] = ({},), **fields: Any) -> Order:
    """An order; each line says only what differs from ten bolts at five euros (null takes a field away)."""
    merged = [{"number": str(index + 1), **LINE, **line} for index, line in enumerate(lines)]
    document = {"kind": "order", "number": "PO1", "issued_on": "2026-11-20", "currency": "EUR", "lines": merged, **fields}
    return msgspec.convert(_without_nulls(document), Order, strict=False)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list | tuple) else value


def facts(**fields: Any) -> Facts:
    """All master data loaded, unless `fields` say otherwise."""
    return Facts(
        **{
            "partner": "acme",
            "today": TODAY,
            "items": ITEMS,
            "prices": PRICES,
            "stock": STOCK,
            "places": PLACES,
            "items_loaded": True,
            "prices_loaded": True,
            "stock_loaded": True,
            "places_loaded": True,
            **fields,
        }
    )


def earlier(state: str, of: Order | None = None, **fields: Any) -> EarlierOrder:
    """An order PO1 that came before; `of` gives it its content."""
    return EarlierOrder(**{"document": "d1", "number": "PO1", "state": state, "fingerprint": fingerprint(of) if of else "other", **fields})


def change(lines: Sequence[Mapping[str, Any]] = (), **fields: Any) -> OrderChange:
    """A change of PO1, its lines as they are given."""
    document = {"kind": "order_change", "order_number": "PO1", "purpose": "change", "lines": list(lines), **fields}
    return msgspec.convert(_without_nulls(document), OrderChange, strict=False)


def standing(
    state: str = "accepted", of: Order | None = None, *, lines: Mapping[str, Mapping[str, Any]] | None = None, **fields: Any
) -> StandingOrder:
    """Order PO1 as it stands, accepted as it was ordered and reserved; `lines` say how far each is."""
    ordered = of or order()
    far = tuple(
        StandingLine(
            **{
                "number": line.number,
                "accepted": line.quantity or Decimal(0),
                "price": line.price,
                "item": "BOLT",
                "reserved": line.quantity or Decimal(0),
                **{name: Decimal(value) if name != "rejected" else value for name, value in (lines or {}).get(line.number, {}).items()},
            }
        )
        for line in ordered.lines
    )
    total = sum((line.accepted * (line.price or 0) for line in far), Decimal(0))
    return StandingOrder(**{"document": "d1", "order": ordered, "state": state, "currency": "EUR", "total": total, "lines": far, **fields})


def earlier_change(of: OrderChange, state: str = "accepted") -> EarlierChange:
    """A change of PO1 that came before."""
    return EarlierChange(document="c1", number=of.number, sequence=of.sequence, fingerprint=change_fingerprint(of), state=state)
