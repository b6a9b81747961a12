"""Money that a remittance advice speaks for: each of its lines to its item, to the cent, or none of them."""

from collections.abc import Sequence
from decimal import Decimal

from gateway.kinds import rule
from gateway.model.money import money_words
from gateway.model.payment import RemittanceAdvice
from gateway.model.payment import RemittanceLine
from gateway.problem import Place
from gateway.trade.allocating import OpenItems
from gateway.trade.allocating import allocate
from gateway.trade.allocating import leave
from gateway.trade.matched import Matched
from gateway.trade.matched import Money
from gateway.trade.mentions import Evidence
from gateway.trade.reference import bare_reference

_ZERO = Decimal(0)


def advice_for(money: Money, advices: Sequence[RemittanceAdvice]) -> RemittanceAdvice | None:
    """The advice whose trace the bank repeats, of this amount; none where two would fit."""
    trace, text = bare_reference(money.trace or ""), bare_reference(money.text or "")
    fitting = []
    for advice in advices:
        wanted = bare_reference(advice.trace or "")
        named = bool(wanted) and (wanted == trace or (len(wanted) >= 6 and wanted in text))
        if named and advice.amount == money.amount and advice.currency in (None, money.currency):
            fitting.append(advice)
    return fitting[0] if len(fitting) == 1 else None


def by_advice(money: Money, advice: RemittanceAdvice, ledger: OpenItems, payer: str | None) -> Matched:
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
        return leave(money, owner, wanted, found, (problem,))
    credit = -sum((value for value in wanted.values() if value < 0), _ZERO)
    invoiced = sum((value for value in wanted.values() if value > 0), _ZERO)
    if credit > invoiced:
        return leave(money, owner, wanted, found)
    return allocate(money, wanted, min(money.amount, invoiced - credit), "advice", found, ledger, owner)


def _paid(line: RemittanceLine) -> Decimal:
    """What a line pays, negative for a credit note that is taken off."""
    paid = line.paid if line.paid is not None else (line.gross or _ZERO) - (line.discount or _ZERO) - (line.deduction or _ZERO)
    return -abs(paid) if line.type == "credit_note" else paid


def _item_of(line: RemittanceLine, ledger: OpenItems, money: Money, payer: str | None) -> Evidence | None:
    """The item that a line names; of several that its digits fit, the payer's, if that is one."""
    found = [one for one in ledger.index.of_number(line.number, "lines") if ledger.items[one.item].currency == money.currency]
    own = [one for one in found if ledger.items[one.item].partner == payer] or (found if payer is None else [])
    return own[0] if len(own) == 1 else None
