"""Values that several documents share. Identifiers are text; amounts, prices and quantities are Decimals as they were sent."""

from datetime import date
from datetime import datetime
from decimal import Decimal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of all parts of documents: absent values are left out when written."""


class OtherIdentifier(Value, frozen=True, kw_only=True):
    """An identifier under a scheme that has no key of its own."""

    scheme: str
    value: str


class PartyIdentifiers(Value, frozen=True, kw_only=True):
    """Who a party is. gln = X12 `UL`, EDIFACT 3055 `9`, scheme 0088; duns = X12 `1`/`9`, 3055 `16`, scheme 0060."""

    gln: str | None = None
    duns: str | None = None
    vat: str | None = None
    #: the number that the buyer gave this party (X12 `92`, EDIFACT 3055 `92`)
    buyer_assigned: str | None = None
    #: the number that the seller gave this party (X12 `91`, EDIFACT 3055 `91`)
    seller_assigned: str | None = None
    other: tuple[OtherIdentifier, ...] = ()


class ItemIdentifiers(Value, frozen=True, kw_only=True):
    """What an item is called, by whom."""

    buyer: str | None = None
    seller: str | None = None
    gtin: str | None = None
    manufacturer: str | None = None
    other: tuple[OtherIdentifier, ...] = ()


class Address(Value, frozen=True, kw_only=True):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Contact(Value, frozen=True, kw_only=True):
    """A person or desk at a party."""

    role: str | None = None
    name: str | None = None
    phone: str | None = None
    fax: str | None = None
    email: str | None = None


class Party(Value, frozen=True, kw_only=True):
    """A party in its role; the role is the field it stands in, or `role` in a list of further parties."""

    role: str | None = None
    name: str | None = None
    identifiers: PartyIdentifiers | None = None
    #: electronic address, `scheme:id` (Peppol endpoint)
    endpoint: str | None = None
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()


class Reference(Value, frozen=True, kw_only=True):
    """A reference to something else, typed by our word; `source_code` is the code as sent."""

    type: str
    value: str
    issued_on: date | None = None
    line: str | None = None
    source_code: str | None = None


class Note(Value, frozen=True, kw_only=True):
    """Free text, typed by our word."""

    text: str
    type: str | None = None
    language: str | None = None
    source_code: str | None = None


class Tax(Value, frozen=True, kw_only=True):
    """A tax as said on a line, an allowance or a charge. `category` as in UNCL 5305 (S, Z, E, AE, K, G, O)."""

    type: str | None = None
    category: str | None = None
    rate: Decimal | None = None
    amount: Decimal | None = None
    exemption_reason: str | None = None
    exemption_code: str | None = None


class AllowanceCharge(Value, frozen=True, kw_only=True):
    """An allowance (`kind: allowance`) or a charge (`kind: charge`)."""

    kind: str
    reason_code: str | None = None
    reason: str | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    base_amount: Decimal | None = None
    rate: Decimal | None = None
    quantity: Decimal | None = None
    tax: Tax | None = None
    source_code: str | None = None


class Discount(Value, frozen=True, kw_only=True):
    """Cash discount: `percent` if paid within `days` (or until `due_on`)."""

    percent: Decimal | None = None
    amount: Decimal | None = None
    days: int | None = None
    due_on: date | None = None


class PaymentTerms(Value, frozen=True, kw_only=True):
    """When to pay. `basis`: invoice_date, delivery_date, receipt_date, order_date, end_of_month."""

    basis: str | None = None
    net_days: int | None = None
    due_on: date | None = None
    discounts: tuple[Discount, ...] = ()
    text: str | None = None


class DeliveryTerms(Value, frozen=True, kw_only=True):
    """Incoterms code and place, and who pays the freight (`prepaid`, `collect`, ...)."""

    incoterm: str | None = None
    place: str | None = None
    freight: str | None = None


class Transport(Value, frozen=True, kw_only=True):
    """How goods travel. `mode`: road, rail, air, sea, parcel, ..."""

    mode: str | None = None
    scac: str | None = None
    carrier: str | None = None
    service: str | None = None
    vehicle: str | None = None
    #: number of the consignment: bill of lading, waybill, tracking
    consignment: str | None = None


class Attribute(Value, frozen=True, kw_only=True):
    """A property of an item, such as color or size."""

    type: str
    value: str


class Packaging(Value, frozen=True, kw_only=True):
    """How an item is packed. `type` is a Recommendation 21 code with its X."""

    type: str | None = None
    units_per_pack: Decimal | None = None
    quantity: Decimal | None = None


class Source(Value, frozen=True, kw_only=True):
    """The interchange that a document came in (or goes out by)."""

    syntax: str
    type: str
    version: str | None = None
    association: str | None = None
    customization: str | None = None
    profile: str | None = None
    sender: str | None = None
    receiver: str | None = None
    interchange_control_number: str | None = None
    group_control_number: str | None = None
    transaction_control_number: str | None = None
    #: test traffic (ISA15 `T`, UNB 0035) never touches stock, credit, receivables or figures
    test: bool


class TaxSubtotal(Value, frozen=True, kw_only=True):
    """One (category, rate) of an invoice: EN 16931 BG-23."""

    type: str | None = None
    category: str
    rate: Decimal | None = None
    taxable: Decimal
    tax: Decimal
    exemption_reason: str | None = None
    exemption_code: str | None = None


class Totals(Value, frozen=True, kw_only=True):
    """Sums of a document, as sent or as computed."""

    lines: Decimal | None = None
    allowances: Decimal | None = None
    charges: Decimal | None = None
    #: without tax (BT-109)
    net: Decimal | None = None
    tax: Decimal | None = None
    #: with tax (BT-112)
    gross: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None
    line_count: int | None = None
    quantity_hash: Decimal | None = None


class Moment(Value, frozen=True, kw_only=True):
    """A point in time where only the date may be known."""

    on: date | None = None
    at: datetime | None = None
