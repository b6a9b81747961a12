"""Credit notes for an invoice or lines of it. More than what is left of a line is refused; all credit notes of an invoice together
never exceed it, to the cent, tax included."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from gateway.kinds import rule
from gateway.model.invoice import CreditNote
from gateway.model.invoice import Invoice
from gateway.model.invoice import InvoiceLine
from gateway.model.money import money_words
from gateway.model.money import number_words
from gateway.model.money import round_fraction
from gateway.model.values import AllowanceCharge
from gateway.model.values import Note
from gateway.model.values import Totals
from gateway.model.values import Value
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.billing import net_of
from gateway.trade.tax import reckon

_ZERO = Decimal(0)
#: a line that lowers the price of goods which stay with the buyer
_PRICE_CORRECTION = "price_correction"


class CreditLine(Value, frozen=True, kw_only=True):
    """What of an invoice line is credited: goods by `quantity`, or an `amount` off their price. Neither means all that is left."""

    line: str
    quantity: Decimal | None = None
    amount: Decimal | None = None


class Credited(Value, frozen=True, kw_only=True):
    """A credit note; None where there are problems."""

    note: CreditNote | None = None
    problems: tuple[Problem, ...] = ()


class _Left(Value, frozen=True, kw_only=True):
    """What of an invoice line is not credited yet."""

    line: InvoiceLine
    quantity: Decimal
    net: Decimal


def build_credit_note(
    invoice: Invoice,
    number: str,
    issued_on: date,
    *,
    lines: Sequence[CreditLine] | None = None,
    reason: str | None = None,
    earlier: Sequence[CreditNote] = (),
) -> Credited:
    """A credit note over these lines; without lines over all that is left, allowances and charges of the invoice included.

    `earlier` are the credit notes that this invoice has already.
    """
    before = [note for note in earlier if note.invoice_number == invoice.number]
    left = {line.number: _left(line, before) for line in invoice.lines}
    wanted = lines if lines is not None else [CreditLine(line=one.line.number) for one in left.values() if one.quantity > 0 or one.net != 0]
    credited: list[InvoiceLine] = []
    problems: list[Problem] = []
    for index, want in enumerate(wanted):
        place = Place(field=f"lines[{index}]")
        one = left.get(want.line)
        if one is None:
            known = ", ".join(left)
            message = f"Invoice {invoice.number} has no line {want.line}"
            problems.append(rule.BILLING_LINE_UNKNOWN.at(place, message, found=want.line, expected=known))
            continue
        made = _credit_line(invoice, one, want, place, reason)
        if isinstance(made, Problem):
            problems.append(made)
            continue
        credited.append(made)
        left[want.line] = _Left(line=one.line, quantity=one.quantity - _goods(made), net=one.net - made.net_amount)
    extras = _extras_left(invoice, before) if lines is None else ()
    if not credited and not extras and not problems:
        problems.append(
            rule.BILLING_NOTHING.at(Place(field="lines"), f"Nothing is left to credit of invoice {invoice.number}", expected="an amount above 0")
        )
    if problems:
        return Credited(problems=tuple(problems))
    taxes, totals = reckon([(line.net_amount, line.tax) for line in credited], extras, invoice.currency)
    totals = _round_off(invoice, totals, before)
    return Credited(note=_note(invoice, number, issued_on, reason, tuple(credited), allowances_charges=extras, taxes=taxes, totals=totals))


def _note(invoice: Invoice, number: str, issued_on: date, reason: str | None, lines: tuple[InvoiceLine, ...], **sums: Any) -> CreditNote:
    kept = {name: getattr(invoice, name) for name in _KEPT}
    notes = (Note(type="reason", text=reason),) if reason else ()
    return CreditNote(
        number=number,
        issued_on=issued_on,
        invoice_number=invoice.number,
        invoice_issued_on=invoice.issued_on,
        reason=reason,
        lines=lines,
        notes=notes,
        **kept,
        **sums,
    )


_KEPT = (
    "currency",
    "order_number",
    "order_issued_on",
    "despatch_number",
    "despatched_on",
    "delivered_on",
    "contract_number",
    "buyer_reference",
    "buyer",
    "seller",
    "bill_to",
    "ship_to",
    "payee",
    "parties",
)


def _is_correction(line: InvoiceLine) -> bool:
    return any(note.type == _PRICE_CORRECTION for note in line.notes)


def _goods(line: InvoiceLine) -> Decimal:
    return _ZERO if _is_correction(line) else line.quantity


def _left(line: InvoiceLine, before: Sequence[CreditNote]) -> _Left:
    credits = [one for note in before for one in note.lines if one.number == line.number]
    goods, net = sum((_goods(one) for one in credits), _ZERO), sum((one.net_amount for one in credits), _ZERO)
    return _Left(line=line, quantity=line.quantity - goods, net=line.net_amount - net)


def _credit_line(invoice: Invoice, left: _Left, want: CreditLine, place: Place, reason: str | None) -> InvoiceLine | Problem:
    line, currency = left.line, invoice.currency
    if want.amount is not None:
        if not 0 < want.amount <= left.net:
            message = f"{money_words(want.amount, currency)} of line {line.number} cannot be credited, {money_words(left.net, currency)} is left"
            return rule.BILLING_OVER_CREDIT.at(place, message, found=number_words(want.amount), expected=f"at most {number_words(left.net)}")
        quantity, net = left.quantity or Decimal(1), round_fraction(Fraction(want.amount), currency)
        note = Note(type=_PRICE_CORRECTION, text=reason or "Price correction")
        corrected = msgspec.structs.replace(line, quantity=quantity, price=net, price_base=_base(quantity), price_unit=line.unit)
        return msgspec.structs.replace(corrected, net_amount=net, notes=(note,), allowances_charges=(), gross_price=None)
    quantity = want.quantity if want.quantity is not None else left.quantity
    if not 0 < quantity <= left.quantity:
        message = f"{number_words(quantity)} of line {line.number} cannot be credited, {number_words(left.quantity)} is left"
        return rule.BILLING_OVER_CREDIT.at(place, message, found=number_words(quantity), expected=f"at most {number_words(left.quantity)}")
    # In proportion to what is left: the last part takes the rest to the cent.
    net = round_fraction(Fraction(left.net) * Fraction(quantity) / Fraction(left.quantity), currency)
    bare = msgspec.structs.replace(line, quantity=quantity, net_amount=net, allowances_charges=(), notes=())
    if net == net_of(quantity, line.price, line.price_base, currency):
        return bare
    return msgspec.structs.replace(bare, price=net, price_base=_base(quantity), price_unit=line.unit, gross_price=None)


def _base(quantity: Decimal) -> Decimal | None:
    return quantity if quantity != 1 else None


def _extras_left(invoice: Invoice, before: Sequence[CreditNote]) -> tuple[AllowanceCharge, ...]:
    return () if any(note.allowances_charges for note in before) else invoice.allowances_charges


def _round_off(invoice: Invoice, totals: Totals, before: Sequence[CreditNote]) -> Totals:
    """The tax of parts may add up to a cent more or less than the tax of the whole; the note that completes the invoice takes the cent (BT-114)."""
    if invoice.totals is None or invoice.totals.gross is None or totals.payable is None or totals.net is None:
        return totals
    rest = invoice.totals.gross - sum((note.totals.payable for note in before if note.totals and note.totals.payable is not None), _ZERO)
    net_rest = (invoice.totals.net or _ZERO) - sum((note.totals.net for note in before if note.totals and note.totals.net is not None), _ZERO)
    difference = rest - totals.payable
    if difference == 0 or (totals.net != net_rest and difference > 0):
        return totals
    return msgspec.structs.replace(totals, rounding=difference, payable=rest)
