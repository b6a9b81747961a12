"""The order: what a buyer wants from a seller. CONTRACT.md fixes its JSON form."""

from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.values import AllowanceCharge
from gateway.model.values import Attribute
from gateway.model.values import DeliveryTerms
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Note
from gateway.model.values import Packaging
from gateway.model.values import Party
from gateway.model.values import PaymentTerms
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Tax
from gateway.model.values import Totals
from gateway.model.values import Transport
from gateway.model.values import Value


class Delivery(Value, frozen=True, kw_only=True):
    """When and where the whole order is wanted."""

    requested_on: date | None = None
    requested_at: datetime | None = None
    promised_on: date | None = None
    deliver_not_before: date | None = None
    deliver_not_after: date | None = None
    ship_not_before: date | None = None
    ship_not_after: date | None = None
    ship_on: date | None = None
    cancel_after: date | None = None


class LineDelivery(Value, frozen=True, kw_only=True):
    """A part of a line's quantity with its own date or place; the parts add up to the line's quantity."""

    quantity: Decimal
    requested_on: date | None = None
    deliver_not_before: date | None = None
    deliver_not_after: date | None = None
    ship_to: Party | None = None


class SubLine(Value, frozen=True, kw_only=True):
    """What a line is made of. `quantity_basis`: per_parent or total; `relation`: component, service, included, ..."""

    number: str | None = None
    relation: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    unit_source: str | None = None
    quantity_basis: str | None = None
    price: Decimal | None = None
    identifiers: ItemIdentifiers | None = None
    description: str | None = None


class OrderLine(Value, frozen=True, kw_only=True):
    """One line. `unit` is a Recommendation 20 code (packages: Recommendation 21 with its X)."""

    number: str
    #: only in changes: add, delete, change, no_change, replace
    action: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    unit_source: str | None = None
    price: Decimal | None = None
    #: the price is for this many of `price_unit`
    price_base: Decimal | None = None
    price_unit: str | None = None
    #: net, gross, contract, ...
    price_type: str | None = None
    gross_price: Decimal | None = None
    net_amount: Decimal | None = None
    identifiers: ItemIdentifiers | None = None
    description: str | None = None
    attributes: tuple[Attribute, ...] = ()
    packaging: tuple[Packaging, ...] = ()
    requested_on: date | None = None
    ship_to: Party | None = None
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    deliveries: tuple[LineDelivery, ...] = ()
    sub_lines: tuple[SubLine, ...] = ()


class Order(Value, frozen=True, kw_only=True, tag="order", tag_field="kind"):
    """An order. `purpose`: original, change, replace, cancel, confirm, duplicate, copy."""

    number: str
    release: str | None = None
    #: standard, blanket, release, drop_ship, rush, sample, other
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
    lines: tuple[OrderLine, ...] = ()
    totals: Totals | None = None
    source: Source | None = None
