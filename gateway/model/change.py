"""The order change: what a buyer wants otherwise in an order that was sent before (860, ORDCHG, UBL OrderChange and OrderCancellation).

What a change leaves out stays as it is; a line says by its action what is meant. How a change meets an order stands in
model.amendment.
"""

from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.order import Delivery
from gateway.model.order import OrderLine
from gateway.model.values import AllowanceCharge
from gateway.model.values import DeliveryTerms
from gateway.model.values import Note
from gateway.model.values import Party
from gateway.model.values import PaymentTerms
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Totals
from gateway.model.values import Transport
from gateway.model.values import Value


class ChangeLine(OrderLine, frozen=True, kw_only=True):
    """A line of a change: an order line with what is to be done. `quantity` is the new one, whole, not the difference.

    `action`: add, delete, change, replace, no_change, quantity_change, quantity_increase, quantity_decrease, price_change, date_change; without
    one the line is added where the order lacks it, and changed where it has it.
    """

    #: empty where the buyer names the line by its item alone
    number: str = ""
    #: the action as it was sent
    action_source: str | None = None
    #: what the buyer says that it was before
    previous_quantity: Decimal | None = None
    #: what the buyer says that is still to come (X12 POC04)
    outstanding_quantity: Decimal | None = None


class OrderChange(Value, frozen=True, kw_only=True, tag="order_change", tag_field="kind"):
    """A change of an order. `purpose`: change, replace (the lines are all that the order has), cancel."""

    #: the change's own number; X12 has none but its sequence
    number: str | None = None
    #: which change of the order it is, as the buyer counts them
    sequence: str | None = None
    order_number: str
    order_release: str | None = None
    order_issued_on: date | None = None
    #: our number of the order, as the buyer knows it
    seller_order_number: str | None = None
    type: str | None = None
    type_source: str | None = None
    purpose: str | None = None
    issued_on: date | None = None
    issued_at: datetime | None = None
    currency: str | None = None
    buyer: Party | None = None
    seller: Party | None = None
    bill_to: Party | None = None
    ship_to: Party | None = None
    payer: Party | None = None
    parties: tuple[Party, ...] = ()
    delivery: Delivery | None = None
    delivery_terms: DeliveryTerms | None = None
    transport: Transport | None = None
    payment_terms: tuple[PaymentTerms, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    lines: tuple[ChangeLine, ...] = ()
    totals: Totals | None = None
    source: Source | None = None
