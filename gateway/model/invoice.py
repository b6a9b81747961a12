"""The invoice and the credit note, shaped by EN 16931 (business terms in the comments)."""

from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.values import AllowanceCharge
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Note
from gateway.model.values import Party
from gateway.model.values import PaymentTerms
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Tax
from gateway.model.values import TaxSubtotal
from gateway.model.values import Totals
from gateway.model.values import Transport
from gateway.model.values import Value


class InvoiceLine(Value, frozen=True, kw_only=True):
    """One line: BG-25. `net_amount` = quantity x price / base, rounded once (BT-131)."""

    number: str
    order_number: str | None = None
    order_line: str | None = None
    despatch_number: str | None = None
    quantity: Decimal
    unit: str | None = None
    unit_source: str | None = None
    price: Decimal
    price_base: Decimal | None = None
    price_unit: str | None = None
    gross_price: Decimal | None = None
    net_amount: Decimal
    identifiers: ItemIdentifiers | None = None
    name: str | None = None
    description: str | None = None
    tax: Tax | None = None
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()


class PaymentMeans(Value, frozen=True, kw_only=True):
    """How to pay: BG-16. `type`: credit_transfer, direct_debit, card, ..."""

    type: str | None = None
    iban: str | None = None
    bic: str | None = None
    account_name: str | None = None
    #: structured reference that the payer repeats (BT-83)
    reference: str | None = None


class _Billing(Value, frozen=True, kw_only=True):
    number: str
    issued_on: date
    issued_at: datetime | None = None
    due_on: date | None = None
    tax_point_on: date | None = None
    currency: str
    order_number: str | None = None
    order_issued_on: date | None = None
    despatch_number: str | None = None
    despatched_on: date | None = None
    delivered_on: date | None = None
    contract_number: str | None = None
    #: what the buyer asked us to quote (BT-10)
    buyer_reference: str | None = None
    buyer: Party | None = None
    seller: Party | None = None
    bill_to: Party | None = None
    ship_to: Party | None = None
    payee: Party | None = None
    parties: tuple[Party, ...] = ()
    transport: Transport | None = None
    payment_terms: tuple[PaymentTerms, ...] = ()
    payment_means: tuple[PaymentMeans, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    lines: tuple[InvoiceLine, ...] = ()
    taxes: tuple[TaxSubtotal, ...] = ()
    totals: Totals | None = None
    source: Source | None = None


class Invoice(_Billing, frozen=True, kw_only=True, tag="invoice", tag_field="kind"):
    """An invoice (UNCL 1001 `380` unless `type` says otherwise)."""

    type: str | None = None


class CreditNote(_Billing, frozen=True, kw_only=True, tag="credit_note", tag_field="kind"):
    """A credit note (`381`): amounts are positive, the kind turns the sign."""

    #: the invoice credited (BG-3)
    invoice_number: str | None = None
    invoice_issued_on: date | None = None
    reason: str | None = None
