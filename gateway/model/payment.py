"""Money that arrives: remittance advices (820, REMADV) and bank statements (camt.053)."""

from datetime import date
from datetime import datetime
from decimal import Decimal

from gateway.model.values import Party
from gateway.model.values import Reference
from gateway.model.values import Source
from gateway.model.values import Value


class RemittanceLine(Value, frozen=True, kw_only=True):
    """What one invoice or credit note gets out of the payment. `type`: invoice, credit_note, other."""

    type: str | None = None
    number: str
    issued_on: date | None = None
    #: what is paid on it now
    paid: Decimal | None = None
    gross: Decimal | None = None
    discount: Decimal | None = None
    deduction: Decimal | None = None
    deduction_code: str | None = None
    reason: str | None = None
    references: tuple[Reference, ...] = ()


class RemittanceAdvice(Value, frozen=True, kw_only=True, tag="remittance_advice", tag_field="kind"):
    """What a payer says the money is for."""

    number: str
    issued_on: date | None = None
    paid_on: date | None = None
    currency: str | None = None
    amount: Decimal
    #: the payment's own reference that the bank repeats (TRN02, EndToEndId)
    trace: str | None = None
    method: str | None = None
    payer: Party | None = None
    payee: Party | None = None
    references: tuple[Reference, ...] = ()
    lines: tuple[RemittanceLine, ...] = ()
    source: Source | None = None


class StatementEntry(Value, frozen=True, kw_only=True):
    """One booking. `direction`: credit (money in) or debit; a reversal turns it round."""

    #: unique within the statement; made by us where the bank gives none
    reference: str
    #: the bank's own reference of the entry, the same wherever the entry stands
    bank_reference: str | None = None
    direction: str
    amount: Decimal
    currency: str
    booked_on: date | None = None
    value_on: date | None = None
    reversal: bool = False
    payer_name: str | None = None
    payer_iban: str | None = None
    end_to_end: str | None = None
    #: structured creditor references (RF..., KID, ...) as sent
    structured_references: tuple[str, ...] = ()
    #: document numbers from structured remittance (RfrdDocInf)
    document_numbers: tuple[str, ...] = ()
    text: str | None = None
    bank_code: str | None = None
    charges: Decimal | None = None


class BankStatement(Value, frozen=True, kw_only=True, tag="bank_statement", tag_field="kind"):
    """What the bank says arrived on one account."""

    number: str
    account: str
    account_currency: str | None = None
    sequence: str | None = None
    created_at: datetime | None = None
    opening_balance: Decimal | None = None
    closing_balance: Decimal | None = None
    entries: tuple[StatementEntry, ...] = ()
    source: Source | None = None
