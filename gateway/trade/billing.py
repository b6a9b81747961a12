"""Invoices: what was despatched and not yet invoiced becomes one, with EN 16931 arithmetic (facts: BT-131 rounded once a line, tax per
subtotal, totals exact). Numbers and days come in; the series that the number is from is the caller's.
"""

import calendar
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec

from gateway.kinds import rule
from gateway.model.catalogue import identifier_pairs
from gateway.model.catalogue import place_pairs
from gateway.model.invoice import Invoice
from gateway.model.invoice import InvoiceLine
from gateway.model.invoice import PaymentMeans
from gateway.model.money import round_fraction
from gateway.model.order import Order
from gateway.model.values import AllowanceCharge
from gateway.model.values import Party
from gateway.model.values import PaymentTerms
from gateway.model.values import Tax
from gateway.model.values import Value
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.open_order import OpenLine
from gateway.trade.open_order import OpenOrder
from gateway.trade.reference import rf_reference
from gateway.trade.tax import TaxPolicy
from gateway.trade.tax import reckon
from gateway.trade.tax import tax_faults
from gateway.trade.tax import tax_for

_ZERO = Decimal(0)


class BillingPolicy(Value, frozen=True, kw_only=True):
    """What an invoice to a partner says beside the order. `seller` and `buyer` complete the order's parties, never overrule them."""

    tax: TaxPolicy = TaxPolicy()
    seller: Party | None = None
    buyer: Party | None = None
    #: where the order names none
    terms: tuple[PaymentTerms, ...] = (PaymentTerms(basis="invoice_date", net_days=30),)
    #: where the order names none
    currency: str | None = None
    iban: str | None = None
    bic: str | None = None
    account_name: str | None = None


class BilledLine(Value, frozen=True, kw_only=True):
    """What an invoice does to an order line."""

    document: str
    order_number: str
    line: str
    quantity: Decimal


class Billed(Value, frozen=True, kw_only=True):
    """An invoice with what it bills; `invoice` is None where there are problems."""

    invoice: Invoice | None = None
    updates: tuple[BilledLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    test: bool = False


def build_invoice(
    orders: Sequence[OpenOrder],
    number: str,
    issued_on: date,
    policy: BillingPolicy,
    *,
    issued_at: datetime | None = None,
    despatch_number: str | None = None,
    despatched_on: date | None = None,
) -> Billed:
    """One invoice over all that is despatched and not invoiced of these orders: one buyer, one currency, one kind of traffic."""
    billable = [order for order in orders if any(line.billable > 0 for line in order.lines)]
    problems = _faults(billable, policy)
    if problems:
        return Billed(problems=tuple(problems))
    first = billable[0]
    currency = first.currency or policy.currency or ""
    buyer, seller = completed(first.order.buyer, policy.buyer), completed(policy.seller, first.order.seller)
    ship_to = first.order.ship_to
    billed = [(order, line) for order in billable for line in order.lines if line.billable > 0]
    lines = [
        _line(str(number), order, line, tax_for(line.tax_category, line.tax_rate, policy.tax, buyer, ship_to), currency, despatch_number)
        for number, (order, line) in enumerate(billed, 1)
    ]
    extras = tuple(entry for order in billable for entry in _order_extras(order, lines, currency, policy.tax, buyer, ship_to))
    faults = tax_faults([*(line.tax for line in lines), *(entry.tax for entry in extras)], seller, buyer)
    if faults:
        return Billed(problems=tuple(faults))
    taxes, totals = reckon([(line.net_amount, line.tax) for line in lines], extras, currency)
    terms = first.order.payment_terms or policy.terms
    one = first.order if len(billable) == 1 else None
    invoice = Invoice(
        number=number,
        type="380",
        issued_on=issued_on,
        issued_at=issued_at,
        due_on=due_date(terms, issued_on, delivered_on=despatched_on, ordered_on=first.order.issued_on),
        currency=currency,
        order_number=one.number if one else None,
        order_issued_on=one.issued_on if one else None,
        despatch_number=despatch_number,
        despatched_on=despatched_on,
        delivered_on=despatched_on,
        contract_number=_reference(first.order, "contract"),
        buyer_reference=_reference(first.order, "buyer_reference"),
        buyer=buyer,
        seller=seller,
        bill_to=first.order.bill_to,
        ship_to=ship_to,
        parties=first.order.parties,
        transport=first.order.transport,
        payment_terms=terms,
        payment_means=(_payment_means(number, policy),),
        allowances_charges=extras,
        lines=tuple(lines),
        taxes=taxes,
        totals=totals,
    )
    updates = tuple(
        BilledLine(document=order.document, order_number=order.order.number, line=line.number, quantity=line.billable) for order, line in billed
    )
    return Billed(invoice=invoice, updates=updates, test=first.test)


def _faults(billable: list[OpenOrder], policy: BillingPolicy) -> list[Problem]:
    if not billable:
        return [
            rule.BILLING_NOTHING.at(Place(field="lines"), "Nothing is despatched that was not invoiced", found="0 lines", expected="at least 1 line")
        ]
    problems = []
    first = billable[0]
    for order in billable:
        for name, mine, theirs in (
            ("currency", first.currency or policy.currency, order.currency or policy.currency),
            ("buyer", _who(first.order.buyer), _who(order.order.buyer)),
            ("bill_to", _who(first.order.bill_to), _who(order.order.bill_to)),
            ("kind of traffic", first.test, order.test),
        ):
            if mine != theirs:
                message = f"Order {order.order.number} has another {name} than order {first.order.number}"
                problems.append(rule.BILLING_PARTIES.at(Place(field=name), message, found=str(theirs), expected=str(mine)))
        for index, line in enumerate(order.lines):
            if line.billable > 0 and (line.price is None or line.price_unit is not None):
                word = "no price" if line.price is None else f"a price for {line.price_unit}, which does not convert into {line.unit}"
                message = f"Line {line.number} of order {order.order.number} has {word}"
                problems.append(rule.BILLING_PRICE_MISSING.at(Place(field=f"lines[{index}].price"), message, expected="a price"))
    if not (first.currency or policy.currency):
        problems.append(rule.BILLING_PARTIES.at(Place(field="currency"), f"Order {first.order.number} has no currency", expected="a currency"))
    return problems


def _who(party: Party | None) -> str | None:
    if party is None:
        return None
    return " ".join(":".join(pair) for pair in place_pairs(party)) or party.name


def completed(party: Party | None, known: Party | None) -> Party | None:
    """The party with what it leaves out filled from what we know of it."""
    if party is None or known is None:
        return party or known
    filled = {name: getattr(known, name) for name in party.__struct_fields__ if name != "role" and not getattr(party, name) and getattr(known, name)}
    if party.identifiers and known.identifiers:
        own = party.identifiers
        filled["identifiers"] = msgspec.structs.replace(
            own,
            **{
                name: getattr(known.identifiers, name)
                for name in own.__struct_fields__
                if not getattr(own, name) and getattr(known.identifiers, name)
            },
        )
    return msgspec.structs.replace(party, **filled)


def _reference(order: Order, kind: str) -> str | None:
    return next((reference.value for reference in order.references if reference.type == kind), None)


def _payment_means(number: str, policy: BillingPolicy) -> PaymentMeans:
    return PaymentMeans(type="credit_transfer", iban=policy.iban, bic=policy.bic, account_name=policy.account_name, reference=rf_reference(number))


# --- lines ------------------------------------------------------------------------------------------------------------------


def net_of(quantity: Decimal, price: Decimal, base: Decimal | None, currency: str) -> Decimal:
    """Quantity times price by its base quantity, rounded once (PEPPOL-EN16931-R120 without its slack)."""
    return round_fraction(Fraction(quantity) * Fraction(price) / Fraction(base or 1), currency)


def _line(number: str, order: OpenOrder, line: OpenLine, tax: Tax | None, currency: str, despatch_number: str | None) -> InvoiceLine:
    assert line.price is not None
    quantity = line.billable
    bare = net_of(quantity, line.price, line.price_base, currency)
    extras = tuple(_share(entry, line, bare, currency) for entry in line.allowances_charges if entry.amount is not None or entry.percent is not None)
    net = bare + sum((entry.amount or _ZERO if entry.kind == "charge" else -(entry.amount or _ZERO) for entry in extras), _ZERO)
    named = identifier_pairs(line.identifiers)
    return InvoiceLine(
        number=number,
        order_number=order.order.number,
        order_line=line.number,
        despatch_number=despatch_number,
        quantity=quantity,
        unit=line.unit,
        unit_source=line.unit_source,
        price=line.price,
        price_base=line.price_base,
        price_unit=line.unit if line.price_base is not None else None,
        net_amount=net,
        identifiers=line.identifiers,
        name=line.name or line.description or (named[0][1] if named else f"Line {line.number}"),
        description=line.description,
        tax=tax,
        allowances_charges=extras,
    )


def _share(entry: AllowanceCharge, line: OpenLine, bare: Decimal, currency: str) -> AllowanceCharge:
    """What of a line's allowance or charge falls on this invoice: the shares of all invoices add up to it."""
    if entry.amount is None:
        amount = round_fraction(Fraction(bare) * Fraction(entry.percent or 0) / 100, currency)
        return _extra(entry, amount, None, entry.percent, bare)
    whole = line.ordered or line.accepted
    before = round_fraction(Fraction(entry.amount) * Fraction(line.invoiced) / Fraction(whole), currency)
    after = round_fraction(Fraction(entry.amount) * Fraction(line.invoiced + line.billable) / Fraction(whole), currency)
    return _extra(entry, after - before, None)


def _extra(entry: AllowanceCharge, amount: Decimal, tax: Tax | None, percent: Decimal | None = None, base: Decimal | None = None) -> AllowanceCharge:
    """Percent and base stand together or not at all (PEPPOL-EN16931-R041, R042); a reason is always there (BR-33, BR-38)."""
    words = entry.reason or (None if entry.reason_code else "Charge" if entry.kind == "charge" else "Discount")
    return AllowanceCharge(kind=entry.kind, reason_code=entry.reason_code, reason=words, amount=amount, percent=percent, base_amount=base, tax=tax)


def _order_extras(
    order: OpenOrder, lines: list[InvoiceLine], currency: str, policy: TaxPolicy, buyer: Party | None, ship_to: Party | None
) -> list[AllowanceCharge]:
    """The order's own allowances and charges: amounts in its first invoice, percents in each."""
    base = sum((line.net_amount for line in lines if line.order_number == order.order.number), _ZERO)
    extras = []
    for entry in order.order.allowances_charges:
        said = entry.tax.category if entry.tax else None
        tax = tax_for(said, entry.tax.rate if entry.tax else None, policy, buyer, ship_to)
        if entry.amount is not None:
            if not order.extras_billed:
                extras.append(_extra(entry, round_fraction(Fraction(entry.amount), currency), tax))
        elif entry.percent is not None:
            amount = round_fraction(Fraction(base) * Fraction(entry.percent) / 100, currency)
            extras.append(_extra(entry, amount, tax, entry.percent, base))
    return extras


# --- when ------------------------------------------------------------------------------------------------------------------


def due_date(terms: Sequence[PaymentTerms], issued_on: date, *, delivered_on: date | None = None, ordered_on: date | None = None) -> date | None:
    """When an invoice is to be paid, from the first terms that say so."""
    for term in terms:
        if term.due_on is not None:
            return term.due_on
        if term.net_days is not None:
            starts = {"delivery_date": delivered_on, "receipt_date": delivered_on, "order_date": ordered_on, "end_of_month": _end_of_month(issued_on)}
            return (starts.get(term.basis or "") or issued_on) + timedelta(days=min(term.net_days, 3650))
    return None


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
