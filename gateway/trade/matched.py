"""Money that arrived, and what became of it: the values of cash application. Amounts are Decimal of one currency, a credit note's is negative."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from gateway.model.payment import StatementEntry
from gateway.model.values import Value
from gateway.problem import Problem
from gateway.trade.mentions import Evidence

_ZERO = Decimal(0)


class Money(Value, frozen=True, kw_only=True):
    """Money that arrived, or (`reversal`) that the bank takes back."""

    id: str
    #: what the bank calls it, in every statement
    bank_reference: str | None = None
    amount: Decimal
    currency: str
    booked_on: date | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    #: the payer, where the file says so
    partner: str | None = None
    trace: str | None = None
    references: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    text: str | None = None
    reversal: bool = False


class Payers(Value, frozen=True, kw_only=True):
    """Who pays from which account, and under which name. One that several partners share tells nobody apart."""

    accounts: Mapping[str, frozenset[str]] = {}
    names: Mapping[str, frozenset[str]] = {}


class Allocation(Value, frozen=True, kw_only=True):
    """So much of the money settles an item."""

    item: str
    amount: Decimal


class CreditUse(Value, frozen=True, kw_only=True):
    """So much of a credit note settles an invoice, because the payer took it off."""

    credit: str
    invoice: str
    amount: Decimal


class Settled(Value, frozen=True, kw_only=True):
    """An earlier payment, so that a reversal finds it."""

    payment: str
    amount: Decimal
    currency: str
    #: who paid, where that is known
    partner: str | None = None
    trace: str | None = None
    payer_account: str | None = None


class Matched(Value, frozen=True, kw_only=True):
    """What became of money. Allocations, `on_account` and `unapplied` add up to it."""

    payment: str
    #: applied, on_account, unapplied, reversal, settled (by an advice that was money already), not_ours
    state: str
    rule: str | None = None
    partner: str | None = None
    allocations: tuple[Allocation, ...] = ()
    credits: tuple[CreditUse, ...] = ()
    on_account: Decimal = _ZERO
    unapplied: Decimal = _ZERO
    evidence: tuple[Evidence, ...] = ()
    #: items that it may be for
    candidates: tuple[str, ...] = ()
    #: the earlier payment that this one undoes, or that it is the same money as
    refers_to: str | None = None
    problems: tuple[Problem, ...] = ()


def money_of(entry: StatementEntry) -> Money | None:
    """The money of a statement's entry; None where money left for something else. The sign is the direction's alone (ISO 20022):
    a reversal that goes out takes back what came in."""
    if entry.direction != "credit" and not entry.reversal:
        return None
    return Money(
        id=entry.reference,
        bank_reference=entry.bank_reference,
        amount=entry.amount,
        currency=entry.currency,
        booked_on=entry.booked_on,
        payer_name=entry.payer_name,
        payer_account=entry.payer_iban,
        trace=entry.end_to_end,
        references=entry.structured_references,
        numbers=entry.document_numbers,
        text=entry.text,
        reversal=entry.reversal,
    )
