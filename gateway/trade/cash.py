"""Matching money to open items. Allocations never exceed the money nor what is open; what is not certain stays unapplied (payer
unknown) or on account (payer known) with its candidates as evidence: nobody guesses.

Money is matched on its own where two signs agree: a reference or number and the amount, a remittance advice and the amount, the payer
and an amount that only one item has. Pure; amounts are Decimal of one currency, a credit note's is negative.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from itertools import combinations

from gateway.kinds import rule
from gateway.model.money import money_words
from gateway.model.payment import BankStatement
from gateway.model.payment import RemittanceAdvice
from gateway.problem import Place
from gateway.trade.advised import advice_for
from gateway.trade.advised import by_advice
from gateway.trade.allocating import MOST_CANDIDATES
from gateway.trade.allocating import OpenItems
from gateway.trade.allocating import allocate
from gateway.trade.allocating import leave
from gateway.trade.matched import Allocation
from gateway.trade.matched import CreditUse
from gateway.trade.matched import Matched
from gateway.trade.matched import Money
from gateway.trade.matched import Payers
from gateway.trade.matched import Settled
from gateway.trade.matched import money_of
from gateway.trade.mentions import Evidence
from gateway.trade.mentions import Index
from gateway.trade.mentions import OpenItem
from gateway.trade.mentions import one_each
from gateway.trade.reference import bare_reference

__all__ = [
    "Allocation",
    "CreditUse",
    "Evidence",
    "Matched",
    "Money",
    "OpenItem",
    "Payers",
    "Settled",
    "match",
    "match_advice",
    "money_of",
    "payer_by",
]

_ZERO = Decimal(0)
#: credit notes that are tried to explain a short payment, and how many of them together
_MOST_CREDITS, _MOST_TOGETHER = 12, 3
#: fields that hold nothing but references
_OWN_FIELDS = frozenset({"references", "numbers"})


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
    ledger, payers = OpenItems(items), _comparable(payers)
    before = list(earlier)
    results = []
    for one in money:
        if one.reversal:
            result = _reverse(one, before, _payer(one, payers))
        elif one.trace is not None and settled_by_advice is not None and one.trace in settled_by_advice:
            result = Matched(payment=one.id, state="settled", rule="advice_was_money", refers_to=settled_by_advice[one.trace])
        else:
            result = _match_one(one, ledger, payers, advices)
            before.append(_settled(one, _payer(one, payers)))
        results.append(result)
    return results


def payer_by(payers: Payers) -> Callable[[Money], str | None]:
    """Tells the partner that pays, by its account or name; None where nobody can tell."""
    return partial(_payer, payers=_comparable(payers))


def match_advice(advice: RemittanceAdvice, items: Iterable[OpenItem], partner: str, *, payment: str) -> Matched:
    """A remittance advice taken as the money itself (an 820 that comes with its payment): each of its lines to the cent."""
    ledger = OpenItems(items)
    currencies = {item.currency for item in ledger.of_partner.get(partner, ())}
    currency = advice.currency or (currencies.pop() if len(currencies) == 1 else "")
    money = Money(id=payment, amount=advice.amount, currency=currency, partner=partner, trace=advice.trace)
    return by_advice(money, advice, ledger, partner)


# --- one payment ----------------------------------------------------------------------------------------------------------------


def _match_one(money: Money, ledger: OpenItems, payers: Payers, advices: Sequence[RemittanceAdvice]) -> Matched:
    payer = _payer(money, payers)
    advice = advice_for(money, advices)
    if advice is not None:
        return by_advice(money, advice, ledger, payer)
    mentioned = one_each(_mentions(money, ledger.index))
    found = [evidence for evidence in mentioned if ledger.left[evidence.item] != 0]
    settled = [evidence for evidence in mentioned if ledger.left[evidence.item] == 0] + one_each(_mentions(money, ledger.settled))
    # the number of another payer's settled invoice is a slip of the pen
    settled = [evidence for evidence in settled if evidence.strong and payer in (None, ledger.partners[evidence.item])]
    named = _meant(found, money, ledger, payer)
    if named and (not settled or any(evidence.strong for evidence in found)):
        return _settle(money, named, found, ledger, payer)
    if settled:
        # what names an invoice is for nothing else, whatever amount another one has
        told = [*settled, *found]
        return leave(money, payer, (evidence.item for evidence in told), told, why="names_settled")
    if payer is not None:
        return _by_payer(money, found, ledger, payer)
    same = [item.id for item in ledger.items.values() if item.currency == money.currency and ledger.left[item.id] == money.amount]
    return leave(money, None, (*(evidence.item for evidence in found), *same), found)


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


def _meant(found: list[Evidence], money: Money, ledger: OpenItems, payer: str | None) -> list[OpenItem]:
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


def _settle(money: Money, named: list[OpenItem], found: list[Evidence], ledger: OpenItems, payer: str | None) -> Matched:
    partners = {item.partner for item in named}
    total = sum((ledger.left[item.id] for item in named), _ZERO)
    invoices = [item for item in named if ledger.left[item.id] > 0]
    owner = payer if payer in partners or len(partners) > 1 else next(iter(partners))
    everything = [item.id for item in named]
    if payer is not None and payer not in partners:
        if total != money.amount or any(ledger.left[item.id] == money.amount for item in ledger.open_of(payer, money.currency)):
            return leave(money, payer, everything, found, why="names_of_another")
        found = [*found, Evidence(rule="other_payer", item=named[0].id, field="payer", text=payer)]
    if total == money.amount:
        return _apply(money, named, money.amount, "exact", found, ledger, owner)
    # Words in a text by themselves are one sign; another amount makes no second one. Over-payment with several words is a misread one.
    telling = any(evidence.strong and evidence.field in _OWN_FIELDS for evidence in found)
    certain = telling or (payer in partners and (len(found) == 1 or money.amount < total))
    if not invoices or total <= 0 or not certain:
        return leave(money, payer, everything, found, why="names_other_amount")
    if money.amount > total:
        return _apply(money, named, total, "over", found, ledger, owner)
    credits = _credits_that_explain(money, invoices, total, ledger, owner)
    if credits:
        return _apply(money, [*named, *credits], money.amount, "with_credit_notes", found, ledger, owner)
    if len(named) == 1:
        return _apply(money, named, money.amount, "part", found, ledger, owner)
    return leave(money, owner, everything, found, why="names_other_amount")


def _credits_that_explain(money: Money, invoices: list[OpenItem], total: Decimal, ledger: OpenItems, owner: str | None) -> list[OpenItem]:
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


def _by_payer(money: Money, found: list[Evidence], ledger: OpenItems, payer: str) -> Matched:
    """No item is named: the one item of this payer with this amount, if there is exactly one."""
    same = [item for item in ledger.open_of(payer, money.currency) if ledger.left[item.id] == money.amount]
    if len(same) == 1:
        evidence = Evidence(rule="payer_and_amount", item=same[0].id, field="amount", text=str(money.amount))
        return _apply(money, same, money.amount, "payer_and_amount", [*found, evidence], ledger, payer)
    return leave(money, payer, (*(item.id for item in same), *(evidence.item for evidence in found)), found)


def _apply(
    money: Money, items: Sequence[OpenItem], amount: Decimal, how: str, found: list[Evidence], ledger: OpenItems, owner: str | None
) -> Matched:
    """Settle these items with `amount` of the money; their credit notes are used up first, in the order of the items."""
    wanted = {item.id: ledger.left[item.id] for item in items}
    return allocate(money, wanted, amount, how, found, ledger, owner)


# --- reversals ------------------------------------------------------------------------------------------------------------------


def _settled(money: Money, payer: str | None) -> Settled:
    return Settled(
        payment=money.id, amount=money.amount, currency=money.currency, partner=payer, trace=money.trace, payer_account=money.payer_account
    )


def _reverse(money: Money, before: list[Settled], payer: str | None) -> Matched:
    """The bank takes money back: the payment that it was, if there is exactly one of that amount, trace and account. Another payer's may have
    the same trace."""
    same = [one for one in before if one.amount == money.amount and one.currency == money.currency and payer in (None, one.partner or payer)]
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
    return Matched(payment=money.id, state="unapplied", candidates=tuple(one.payment for one in same)[:MOST_CANDIDATES], problems=(problem,))
