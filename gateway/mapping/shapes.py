"""What the canonical documents look like, as the mapping language sees them: field names and the kind of each.

Read once from the msgspec Structs of gateway/model; knows no syntax. Its rule: the model alone says which fields exist.
"""

import types
import typing
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from gateway.model.change import ChangeLine
from gateway.model.despatch import DespatchLine
from gateway.model.despatch import DespatchOrder
from gateway.model.despatch import HandlingUnit
from gateway.model.document import KINDS
from gateway.model.invoice import InvoiceLine
from gateway.model.order import LineDelivery
from gateway.model.order import OrderLine
from gateway.model.order import SubLine
from gateway.model.payment import RemittanceLine
from gateway.model.payment import StatementEntry
from gateway.model.response import ResponseLine
from gateway.model.response import Schedule
from gateway.model.values import AllowanceCharge
from gateway.model.values import OtherIdentifier
from gateway.model.values import Party
from gateway.model.values import TaxSubtotal
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import ShipmentRow

#: what mappings read or write: the canonical documents, and what is handed in
MAPPED: dict[str, type] = {**KINDS, "shipment": Shipment}

#: parts that a document may not lose: one that cannot be built is an error; any other is left out with a warning
ESSENTIAL: frozenset[type] = frozenset(
    {
        OrderLine,
        ChangeLine,
        LineDelivery,
        SubLine,
        ResponseLine,
        Schedule,
        InvoiceLine,
        TaxSubtotal,
        AllowanceCharge,
        DespatchOrder,
        DespatchLine,
        HandlingUnit,
        RemittanceLine,
        StatementEntry,
        Shipment,
        ShipmentRow,
        *KINDS.values(),
    }
)

#: identifiers whose last digit is a check digit (GS1)
CHECKED = frozenset({"gtin", "gln", "sscc"})


@dataclass(frozen=True, slots=True)
class Shape:
    """One field: `kind` is text, decimal, integer, boolean, date, datetime, texts, object or objects (with their `struct`)."""

    name: str
    kind: str
    struct: Any
    mandatory: bool
    #: a text that is empty where nothing was sent
    empty: bool = False


_PLAIN = {str: "text", Decimal: "decimal", int: "integer", bool: "boolean", date: "date", datetime: "datetime"}


@cache
def shapes_of(struct: Any) -> dict[str, Shape]:
    """The fields of a Struct by their names, in its order."""
    hints = typing.get_type_hints(struct)
    answer = {}
    for entry in msgspec.structs.fields(struct):
        kind, part = _kind(hints[entry.name])
        answer[entry.name] = Shape(entry.name, kind, part, entry.required, entry.default == "")
    return answer


@cache
def role_fields(struct: Any) -> tuple[str, ...]:
    """Fields of a document that hold one party in its role: buyer, seller, ..."""
    if "parties" not in shapes_of(struct):
        return ()
    return tuple(shape.name for shape in shapes_of(struct).values() if shape.struct is Party and shape.kind == "object")


def is_keyed(struct: Any) -> bool:
    """Whether a part holds identifiers by their kind, others in `other`."""
    other = shapes_of(struct).get("other") if isinstance(struct, type) and issubclass(struct, msgspec.Struct) else None
    return other is not None and other.struct is OtherIdentifier


def _kind(hint: Any) -> tuple[str, Any]:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        assert len(parts) == 1, hint
        return _kind(parts[0])
    if origin is tuple:
        part = typing.get_args(hint)[0]
        return ("texts", None) if part is str else ("objects", part)
    if hint in _PLAIN:
        return _PLAIN[hint], None
    assert isinstance(hint, type) and issubclass(hint, msgspec.Struct), hint
    return "object", hint
