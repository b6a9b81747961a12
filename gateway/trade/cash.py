"""Matching money to open items. Allocations never exceed the money nor what is open; what is not certain stays unapplied (payer
unknown) or on account (payer known) with its candidates as evidence: nobody guesses.

Money is matched on its own where two signs agree: a reference or number and the amount, a remittance advice and the amount, the payer
and an amount that only one item has. Pure; amounts are Decimal of one currency, a credit note's is negative.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations

from gateway.kinds import rule
from gateway.model.money import money_words
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.model.payment import RemittanceLine
from gateway.model.payment import StatementEntry
from gateway.model.values import Value
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.mentions import Evidence
from gateway.trade.mentions import Index
from gateway.trade.mentions import OpenItem
from gateway.trade.mentions import one_each
from gateway.trade.reference import bare_reference

__all__ = ["Allocation", "CreditUse", "Evidence", "Matched", "Money", "OpenItem", "Payers", "Settled", "match", "match_advice", "money_of"]

_ZERO = Decimal(0)
#: credit notes that are tried to explain a short payment, and how many of them together
_MOST_CREDITS, _MOST_TOGETHER = 12, 3
_MOST_CANDIDATES = 10
#: fields that hold nothing but references
_OWN_FIELDS = frozenset({"references", "numbers"})


class Money(Value, frozen=True, kw_only=True):
    """Money that arrived, or (`reversal`) that the bank takes back."""

    id: str
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


def match_statement(
    statement: BankStatement, items: Iterable[OpenItem], payers: Payers, *, advices: Sequence[RemittanceAdvice] = (), earlier: Sequence[Settled] = ()
) -> list[Matched]:
    """`match` over all entries of a statement that are money for us."""
    return match([money for money in map(money_of, statement.entries) if money is not None], items, payers, advices=advices, earlier=earlier)


def match(
    money: Sequence[Money],
    items: Iterable[OpenItem],
    payers: Payers,
    *,
    advices: Sequence[RemittanceAdvice] = (),
    earlier: Sequence[Settled] = (),
    settled_by_advice: Mapping[str, str] | None = None,
) -> list[Matched]:
    """What each piece of money is for, in their order; each sees what the ones before it settled.

    `advices` say what money is for that comes with their trace. `settled_by_advice` are the traces of advices that were booked as money
    themselves: the bank's entry for them is the same money and settles nothing again.
    """
    ledger, payers = _Ledger(items), _comparable(payers)
    before = list(earlier)
    results = []
    for one in money:
        if one.reversal:
            result = _reverse(one, before)
        elif one.trace is not None and settled_by_advice is not None and one.trace in settled_by_advice:
            result = Matched(payment=one.id, state="settled", rule="advice_was_money", refers_to=settled_by_advice[one.trace])
        else:
            result = _match_one(one, ledger, payers, advices)
            before.append(Settled(payment=one.id, amount=one.amount, currency=one.currency, trace=one.trace, payer_account=one.payer_account))
        results.append(result)
    return results


def match_advice(advice: RemittanceAdvice, items: Iterable[OpenItem], partner: str, *, payment: str) -> Matched:
    """A remittance advice taken as the money itself (an 820 that comes with its payment): each of its lines to the cent."""
    ledger = _Ledger(items)
    currencies = {item.currency for item in ledger.of_partner.get(partner, ())}
    currency = advice.currency or (currencies.pop() if len(currencies) == 1 else "")
    money = Money(id=payment, amount=advice.amount, currency=currency, partner=partner, trace=advice.trace)
    return _by_advice(money, advice, ledger, partner)


# --- what is open while we go ---------------------------------------------------------------------------------------------------


class _Ledger:
    """Open items and what is left of each."""

    def __init__(self, items: Iterable[OpenItem]) -> None:
        given = [item for item in items if item.open != 0]
        self.items = {item.id: item for item in given}
        self.left = {item.id: item.open for item in given}
        self.index = Index(given)
        self.of_partner: dict[str, list[OpenItem]] = {}
        for item in given:
            self.of_partner.setdefault(item.partner, []).append(item)

    def open_of(self, partner: str, currency: str) -> list[OpenItem]:
        return [item for item in self.of_partner.get(partner, ()) if item.currency == currency and self.left[item.id] != 0]

    def book(self, allocations: Iterable[Allocation], credits: Iterable[CreditUse]) -> None:
        for allocation in allocations:
            self.left[allocation.item] -= allocation.amount
        for credit in credits:
            self.left[credit.credit] += credit.amount
            self.left[credit.invoice] -= credit.amount


# --- one payment ----------------------------------------------------------------------------------------------------------------


def _match_one(money: Money, ledger: _Ledger, payers: Payers, advices: Sequence[RemittanceAdvice]) -> Matched:
    payer = _payer(money, payers)
    advice = _advice_for(money, advices)
    if advice is not None:
        return _by_advice(money, advice, ledger, payer)
    found = one_each(_mentions(money, ledger.index))
    found = [evidence for evidence in found if ledger.left[evidence.item] != 0]
    named = _meant(found, money, ledger, payer)
    if named:
        return _settle(money, named, found, ledger, payer)
    if payer is not None:
        return _by_payer(money, found, ledger, payer)
    same = [item.id for item in ledger.items.values() if item.currency == money.currency and ledger.left[item.id] == money.amount]
    return _rest(money, None, (*(evidence.item for evidence in found), *same), found)


def _payer(money: Money, payers: Payers) -> str | None:
    if money.partner is not None:
        return money.partner
    for known in (payers.accounts.get(bare_reference(money.payer_account or "")), payers.names.get(_bare_name(money.payer_name or ""))):
        if known is not None and len(known) == 1:
            return next(iter(known))
    return None


def _bare_name(name: str) -> str:
    """A name as it is compared: banks send it in capitals, with other signs and blanks."""
    return " ".join("".join(sign if sign.isalnum() else " " for sign in name.casefold()).split())


def _comparable(payers: Payers) -> Payers:
    """Accounts and names as they are compared; what becomes the same belongs to all of its partners."""
    accounts: dict[str, frozenset[str]] = {}
    names: dict[str, frozenset[str]] = {}
    for given, table, bare in ((payers.accounts, accounts, bare_reference), (payers.names, names, _bare_name)):
        for key, partners in given.items():
            if bare(key):
                table[bare(key)] = table.get(bare(key), frozenset()) | partners
    return Payers(accounts=accounts, names=names)


def _mentions(money: Money, index: Index) -> list[Evidence]:
    found: list[Evidence] = []
    for reference in money.references:
        found += index.of_reference(reference, "references")
    for number in money.numbers:
        found += index.of_number(number, "numbers")
    for field in ("text", "trace"):
        text = getattr(money, field)
        if text:
            found += index.of_text(text, field)
    return found


def _meant(found: list[Evidence], money: Money, ledger: _Ledger, payer: str | None) -> list[OpenItem]:
    """The items that are meant for certain: all mentions where the payer and the sum confirm them; else the strong ones; else weak ones
    that the payer or the amount confirms."""
    near = [(evidence, ledger.items[evidence.item]) for evidence in found if ledger.items[evidence.item].currency == money.currency]
    strong = [item for evidence, item in near if evidence.strong]
    weak = [(evidence, item) for evidence, item in near if not evidence.strong]
    own = [(evidence, item) for evidence, item in weak if item.partner == payer]
    # Two items behind the same words cannot both be meant.
    places = {(evidence.field, evidence.start) for evidence, _ in own}
    everything = [*strong, *(item for _, item in own)]
    if own and len(places) == len(own) and sum((ledger.left[item.id] for item in everything), _ZERO) == money.amount:
        return everything
    if strong:
        return strong
    exact = [item for _, item in (weak if payer is None else own) if ledger.left[item.id] == money.amount]
    return exact if len(exact) == 1 else []


def _settle(money: Money, named: list[OpenItem], found: list[Evidence], ledger: _Ledger, payer: str | None) -> Matched:
    partners = {item.partner for item in named}
    total = sum((ledger.left[item.id] for item in named), _ZERO)
    invoices = [item for item in named if ledger.left[item.id] > 0]
    owner = payer if payer in partners or len(partners) > 1 else next(iter(partners))
    everything = [item.id for item in named]
    if payer is not None and payer not in partners and total != money.amount:
        return _rest(money, payer, everything, found)
    if total == money.amount:
        return _apply(money, named, money.amount, "exact", found, ledger, owner)
    # Words in a text by themselves are one sign; another amount makes no second one. Over-payment with several words is a misread one.
    telling = any(evidence.strong and evidence.field in _OWN_FIELDS for evidence in found)
    certain = telling or (payer in partners and (len(found) == 1 or money.amount < total))
    if not invoices or total <= 0 or not certain:
        return _rest(money, payer, everything, found)
    if money.amount > total:
        return _apply(money, named, total, "over", found, ledger, owner)
    credits = _credits_that_explain(money, invoices, total, ledger, owner)
    if credits:
        return _apply(money, [*named, *credits], money.amount, "with_credit_notes", found, ledger, owner)
    if len(named) == 1:
        return _apply(money, named, money.amount, "part", found, ledger, owner)
    return _rest(money, owner, everything, found)


def _credits_that_explain(money: Money, invoices: list[OpenItem], total: Decimal, ledger: _Ledger, owner: str | None) -> list[OpenItem]:
    """The payer's open credit notes whose sum is exactly what is missing, where there is only one such choice."""
    if owner is None:
        return []
    named = {item.id for item in invoices}
    open_credits = [item for item in ledger.open_of(owner, money.currency) if ledger.left[item.id] < 0 and item.id not in named][:_MOST_CREDITS]
    missing = total - money.amount
    for count in range(1, min(_MOST_TOGETHER, len(open_credits)) + 1):
        fitting = [choice for choice in combinations(open_credits, count) if -sum((ledger.left[item.id] for item in choice), _ZERO) == missing]
        if fitting:
            return list(fitting[0]) if len(fitting) == 1 else []
    return []


def _by_payer(money: Money, found: list[Evidence], ledger: _Ledger, payer: str) -> Matched:
    """No item is named: the one item of this payer with this amount, if there is exactly one."""
    same = [item for item in ledger.open_of(payer, money.currency) if ledger.left[item.id] == money.amount]
    if len(same) == 1:
        evidence = Evidence(rule="payer_and_amount", item=same[0].id, field="amount", text=str(money.amount))
        return _apply(money, same, money.amount, "payer_and_amount", [*found, evidence], ledger, payer)
    return _rest(money, payer, (*(item.id for item in same), *(evidence.item for evidence in found)), found)


def _apply(money: Money, items: Sequence[OpenItem], amount: Decimal, how: str, found: list[Evidence], ledger: _Ledger, owner: str | None) -> Matched:
    """Settle these items with `amount` of the money; their credit notes are used up first, in the order of the items."""
    wanted = {item.id: ledger.left[item.id] for item in items}
    return _book(money, wanted, amount, how, found, ledger, owner)


def _book(
    money: Money, wanted: Mapping[str, Decimal], amount: Decimal, how: str, found: Sequence[Evidence], ledger: _Ledger, owner: str | None
) -> Matched:
    """Spread credit notes (negative in `wanted`) and then `amount` over the invoices of `wanted`."""
    rest = {item: value for item, value in wanted.items() if value > 0}
    credits: list[CreditUse] = []
    for credit, value in wanted.items():
        available = -value
        for invoice in rest:
            used = min(available, rest[invoice])
            if available > 0 and used > 0:
                credits.append(CreditUse(credit=credit, invoice=invoice, amount=used))
                rest[invoice] -= used
                available -= used
    allocations: list[Allocation] = []
    left = amount
    for invoice, value in rest.items():
        used = min(left, value)
        if used > 0:
            allocations.append(Allocation(item=invoice, amount=used))
            left -= used
    ledger.book(allocations, credits)
    over = money.amount - sum((allocation.amount for allocation in allocations), _ZERO)
    used_items = {*(allocation.item for allocation in allocations), *(credit.credit for credit in credits)}
    return Matched(
        payment=money.id,
        state="applied" if allocations or credits else "on_account" if owner else "unapplied",
        rule=how,
        partner=owner,
        allocations=tuple(allocations),
        credits=tuple(credits),
        on_account=over if owner else _ZERO,
        unapplied=_ZERO if owner else over,
        evidence=tuple(evidence for evidence in found if evidence.item in used_items),
    )


def _rest(money: Money, payer: str | None, candidates: Iterable[str], found: Sequence[Evidence], problems: tuple[Problem, ...] = ()) -> Matched:
    """Nothing is certain: the money waits, with what it may be for."""
    return Matched(
        payment=money.id,
        state="on_account" if payer else "unapplied",
        partner=payer,
        on_account=money.amount if payer else _ZERO,
        unapplied=_ZERO if payer else money.amount,
        evidence=tuple(found),
        candidates=tuple(dict.fromkeys(candidates))[:_MOST_CANDIDATES],
        problems=problems,
    )


# --- remittance advices ---------------------------------------------------------------------------------------------------------


def _advice_for(money: Money, advices: Sequence[RemittanceAdvice]) -> RemittanceAdvice | None:
    """The advice whose trace the bank repeats, of this amount; none where two would fit."""
    trace, text = bare_reference(money.trace or ""), bare_reference(money.text or "")
    fitting = []
    for advice in advices:
        wanted = bare_reference(advice.trace or "")
        named = bool(wanted) and (wanted == trace or (len(wanted) >= 6 and wanted in text))
        if named and advice.amount == money.amount and advice.currency in (None, money.currency):
            fitting.append(advice)
    return fitting[0] if len(fitting) == 1 else None


def _paid(line: RemittanceLine) -> Decimal:
    """What a line pays, negative for a credit note that is taken off."""
    paid = line.paid if line.paid is not None else (line.gross or _ZERO) - (line.discount or _ZERO) - (line.deduction or _ZERO)
    return -abs(paid) if line.type == "credit_note" else paid


def _by_advice(money: Money, advice: RemittanceAdvice, ledger: _Ledger, payer: str | None) -> Matched:
    """Each line of the advice to its item, to the cent. Lines must add up to the money, or nothing is matched."""
    total = sum((_paid(line) for line in advice.lines), _ZERO)
    found: list[Evidence] = []
    wanted: dict[str, Decimal] = {}
    for line in advice.lines:
        amount, evidence = _paid(line), _item_of(line, ledger, money, payer)
        if evidence is None:
            continue
        found.append(evidence)
        left = ledger.left[evidence.item] - wanted.get(evidence.item, _ZERO)
        fits = max(min(amount, left), _ZERO) if amount > 0 else min(max(amount, left), _ZERO)
        wanted[evidence.item] = wanted.get(evidence.item, _ZERO) + fits
    owner = payer or next((ledger.items[item].partner for item in wanted), None)
    if total != money.amount:
        currency = money.currency or "XXX"
        lines, paid = money_words(total, currency), money_words(money.amount, currency)
        message = f"The lines of remittance advice {advice.number} add up to {lines}, the payment is {paid}"
        problem = rule.CASH_AMOUNTS_DIFFER.at(Place(field="lines"), message, found=str(total), expected=str(money.amount))
        return _rest(money, owner, wanted, found, (problem,))
    credit = -sum((value for value in wanted.values() if value < 0), _ZERO)
    invoiced = sum((value for value in wanted.values() if value > 0), _ZERO)
    if credit > invoiced:
        return _rest(money, owner, wanted, found)
    return _book(money, wanted, min(money.amount, invoiced - credit), "advice", found, ledger, owner)


def _item_of(line: RemittanceLine, ledger: _Ledger, money: Money, payer: str | None) -> Evidence | None:
    """The item that a line names; of several that its digits fit, the payer's, if that is one."""
    found = [one for one in ledger.index.of_number(line.number, "lines") if ledger.items[one.item].currency == money.currency]
    own = [one for one in found if ledger.items[one.item].partner == payer] or (found if payer is None else [])
    return own[0] if len(own) == 1 else None


# --- reversals ------------------------------------------------------------------------------------------------------------------


def _reverse(money: Money, before: list[Settled]) -> Matched:
    """The bank takes money back: the payment that it was, if there is exactly one of that amount, trace and account."""
    same = [one for one in before if one.amount == money.amount and one.currency == money.currency]
    for sign in ("trace", "payer_account"):
        value = bare_reference(getattr(money, sign) or "")
        close = [one for one in same if value and bare_reference(getattr(one, sign) or "") == value]
        if len(close) == 1:
            before.remove(close[0])
            return Matched(payment=money.id, state="reversal", rule=f"reversal_by_{sign}", refers_to=close[0].payment)
        same = close or same
    words = money_words(money.amount, money.currency)
    problem = rule.CASH_REVERSAL_UNKNOWN.at(
        Place(field="reversal"), f"The bank takes back {words}, which fits {len(same)} payments", found=words, expected="one payment"
    )
    return Matched(payment=money.id, state="unapplied", candidates=tuple(one.payment for one in same)[:_MOST_CANDIDATES], problems=(problem,))
