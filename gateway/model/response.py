"""The order response: what the seller says to an order (855, ORDRSP, UBL OrderResponse)."""

from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.order import Delivery
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Note
from gateway.model.values import Party
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Totals
from gateway.model.values import Value


class Schedule(Value, frozen=True, kw_only=True):
    """A part of a line as we will deliver it."""

    quantity: Decimal
    promised_on: date | None = None


class ResponseLine(Value, frozen=True, kw_only=True):
    """Our answer to one line. `action`: accepted, changed, back_ordered, rejected; of a change also deleted. A rejected change leaves the
    line as it was."""

    number: str
    action: str
    #: what a change asked for: add, delete, quantity_change, ... (model.change)
    change: str | None = None
    #: the same as it was sent
    change_source: str | None = None
    #: what the buyer ordered
    ordered_quantity: Decimal | None = None
    #: what we will deliver now
    quantity: Decimal | None = None
    back_ordered_quantity: Decimal | None = None
    #: of a change: what has not left yet
    outstanding_quantity: Decimal | None = None
    unit: str | None = None
    unit_source: str | None = None
    price: Decimal | None = None
    price_base: Decimal | None = None
    price_unit: str | None = None
    net_amount: Decimal | None = None
    identifiers: ItemIdentifiers | None = None
    description: str | None = None
    promised_on: date | None = None
    schedule: tuple[Schedule, ...] = ()
    #: why, as our problem code and in words
    reason_code: str | None = None
    reason: str | None = None


class OrderResponse(Value, frozen=True, kw_only=True, tag="order_response", tag_field="kind"):
    """Answer to an order. `response`: accepted, accepted_with_changes, rejected."""

    number: str
    order_number: str
    order_release: str | None = None
    order_type: str | None = None
    order_issued_on: date | None = None
    response: str
    #: purpose of the order answered: original, change, cancel, ...
    purpose: str | None = None
    #: the change that is answered: its own number, which one it is, its day
    change_number: str | None = None
    change_sequence: str | None = None
    change_issued_on: date | None = None
    issued_on: date | None = None
    issued_at: datetime | None = None
    currency: str | None = None
    buyer: Party | None = None
    seller: Party | None = None
    bill_to: Party | None = None
    ship_to: Party | None = None
    parties: tuple[Party, ...] = ()
    delivery: Delivery | None = None
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    lines: tuple[ResponseLine, ...] = ()
    totals: Totals | None = None
    source: Source | None = None
