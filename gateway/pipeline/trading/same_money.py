"""Whether a bank's entry and a remittance advice speak of the same money. Payers number their payments themselves, some with one constant: the
trace alone tells nothing.

An advice that comes with its payment is booked as the money and covers one entry of the bank: of its trace, payer and amount, near its day.
Which one is written down with the payment (`entry`, on the bank's side `advice`), so that the next one of that trace is other money. What
nobody can tell is booked unapplied (a bank's entry) or held (an advice) for a person. Only one step at a time looks (cycle.CASH).
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import timedelta
from typing import cast

from gateway.kinds import rule
from gateway.model import document as canonical
from gateway.model.money import from_minor
from gateway.model.money import money_words
from gateway.model.money import to_minor
from gateway.model.payment import RemittanceAdvice
from gateway.pipeline.answers.work import Work
from gateway.pipeline.trading.bank_entries import Statement
from gateway.pipeline.trading.bank_entries import alike_elsewhere
from gateway.pipeline.trading.bank_entries import identity_of
from gateway.pipeline.trading.bank_entries import minor_of
from gateway.pipeline.trading.judging import released_on
from gateway.problem import Place
from gateway.problem import Problem
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.trade import cash

#: the source of payments that an advice brought
ADVISED = "remittance"
#: payments of one trace that lie further apart are different ones: numbers begin anew, and some payers have but one
NEAR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Entries:
    """What a bank's entries are, by their references: money of an advice that is booked (with that payment), or what nobody can tell."""

    known: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Before:
    """An advice's money stands in the books (`why`), or nobody can tell (`doubt`); neither: it is new."""

    why: str = ""
    doubt: Problem | None = None


def payers_of(work: Work) -> cash.Payers:
    """Who pays from which account, and under which name."""
    accounts: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for loaded in work.station.installation.directory.partners.values():
        for account in loaded.partner.accounts:
            accounts.setdefault(account.replace(" ", ""), set()).add(loaded.partner.id)
        names.setdefault(loaded.partner.name, set()).add(loaded.partner.id)
    return cash.Payers(
        accounts={key: frozenset(value) for key, value in accounts.items()}, names={key: frozenset(value) for key, value in names.items()}
    )


def compare_entries(work: Work, statement: Statement, pieces: Sequence[cash.Money]) -> Entries:
    """A bank's entries put to the advices that were booked as money. What the bank takes back is none of them."""
    found = Entries()
    incoming = [money for money in pieces if money.trace and not money.reversal]
    there = ledger.find_by_trace(work.connection, [money.trace or "" for money in incoming])
    advised = [one for one in there if one.source == ADVISED]
    if not advised:
        return found
    payer_of = cash.payer_by(payers_of(work))
    left: list[tuple[cash.Money, list[ledger.Payment]]] = []
    taken: set[str] = set()
    for money in incoming:
        payer = payer_of(money)
        mine = [one for one in advised if one.id not in taken and one.trace == money.trace and payer in (None, one.partner)]
        covered = [one for one in mine if _covers(one, statement, money)] or [one for one in mine if _covers_moved(one, statement, money)]
        elsewhere = [one for one in mine if not money.bank_reference and one.details.get("entry_is") == identity_of(statement, money)]
        free = [one for one in mine if "entry" not in one.details and _near(one, money.booked_on)]
        free = [one for one in free if one.state != ledger.TAKEN_BACK or money.booked_on is None or money.booked_on <= _taken_back_on(one, there)]
        same = [one for one in free if (one.currency, one.amount_minor) == (money.currency, to_minor(money.amount, money.currency))]
        if covered:
            taken.add(covered[0].id)
            found.known[money.id] = covered[0].id
        elif elsewhere:
            taken.add(elsewhere[0].id)
            source = elsewhere[0].details["entry"].rpartition("|")[0]
            found.doubtful[money.id] = alike_elsewhere(money, source.removeprefix(f"{statement.account}|"))
        elif same:
            entry = {"entry": f"{statement.source}|{money.id}", "entry_is": identity_of(statement, money)}
            ledger.add_details(work.connection, same[0].id, entry)
            taken.add(same[0].id)
            found.known[money.id] = same[0].id
        elif payer is not None:
            left.append((money, [one for one in free if one.state != ledger.TAKEN_BACK]))
    # once every entry of an advice's own amount is known: another advice's money is no doubt
    for money, free in left:
        if others := [one for one in free if one.id not in taken]:
            found.doubtful[money.id] = _other_amount(others[0], money)
    return found


def _covers(advised: ledger.Payment, statement: Statement, money: cash.Money) -> bool:
    """Whether this entry was taken for the money of the advice before, here or (with the bank's reference) in another statement."""
    entry, known_as = advised.details.get("entry", ""), advised.details.get("entry_is")
    here = entry.startswith(f"{statement.source}|")
    if known_as is not None:
        return known_as == identity_of(statement, money) and (here or money.bank_reference is not None)
    if money.bank_reference and entry.startswith(f"{statement.account}|") and _near(advised, money.booked_on):
        # written down before entries had an identity
        return entry.rpartition("/")[0].endswith(f"|{money.bank_reference}")
    return entry == f"{statement.source}|{money.id}"


def _covers_moved(advised: ledger.Payment, statement: Statement, money: cash.Money) -> bool:
    """Whether it is the entry of the advice on another day: the bank sent the statement once more, corrected."""
    stood_as = advised.details.get("entry", "").rpartition("/")[0]
    same_amount = (advised.currency, advised.amount_minor) == (money.currency, minor_of(money))
    return bool(money.bank_reference) and stood_as == f"{statement.source}|{money.bank_reference}" and same_amount and _near(advised, money.booked_on)


def compare_advice(work: Work, row: documents.Document, advice: RemittanceAdvice, trace: str, currency: str) -> Before:
    """An advice put to what is booked under its trace, by itself or by the bank. A bank's entry that it speaks of is its from now on. Where a
    person said that it is other money there is no doubt, and yet its entry may have come while it waited."""
    released = rule.CASH_TRACE_USED.code in released_on(work, row.id)
    minor = to_minor(advice.amount, currency)
    day = advice.paid_on or advice.issued_on or work.now.date()
    doubt: Problem | None = None
    for payment in _of_payer(work, row.partner, trace, currency, minor):
        told = payment.document if payment.source == ADVISED else payment.details.get("advice")
        same_amount = (payment.currency, payment.amount_minor) == (currency, minor)
        if told is not None:
            if same_amount and _is_same_advice(work, told, advice):
                return Before(why=f"payment {trace} is booked: the same advice came before")
            if _near(payment, day):
                doubt = doubt or _used(payment, trace, advice, currency)
        elif _near(payment, day):
            if same_amount:
                ledger.add_details(work.connection, payment.id, {"advice": row.id})
                return Before(why=f"the bank's entry for {trace} was booked before")
            if payment.state != ledger.TAKEN_BACK:
                doubt = doubt or _used(payment, trace, advice, currency)
    if (doubt is None or released) and _settled_before(work, row, advice, currency, minor):
        return Before(why=f"the money of {advice.amount} {currency} came before, without this trace: its invoices are settled by it")
    return Before(doubt=None if released else doubt)


def _of_payer(work: Work, partner: str, trace: str, currency: str, minor: int) -> Iterable[ledger.Payment]:
    """Payments of this trace that the partner made, those of this amount first. Who paid decides; where nobody can tell, the amount."""
    payer_of = cash.payer_by(payers_of(work))
    mine = []
    for payment in ledger.find_by_trace(work.connection, [trace]):
        same_amount = (payment.currency, payment.amount_minor) == (currency, minor)
        entry = cash.Money(
            id=payment.id,
            amount=from_minor(payment.amount_minor, payment.currency),
            currency=payment.currency,
            payer_name=payment.payer_name,
            payer_account=payment.payer_account,
        )
        payer = payment.partner or payer_of(entry)
        if payment.amount_minor > 0 and (payer == partner if payer is not None else same_amount):
            mine.append((not same_amount, payment))
    return [payment for _, payment in sorted(mine, key=lambda one: one[0])]


def _is_same_advice(work: Work, document: str, advice: RemittanceAdvice) -> bool:
    """Whether an earlier advice of this amount says the same; one that is erased is believed to."""
    row = documents.get(work.connection, document)
    if row is None or not row.body:
        return True
    before = cast(RemittanceAdvice, canonical.decode(row.body))
    return _said(before) == _said(advice)


def _said(advice: RemittanceAdvice) -> tuple[object, ...]:
    lines = tuple((line.type, line.number, line.paid, line.gross, line.discount, line.deduction) for line in advice.lines)
    return advice.amount, advice.currency, advice.paid_on, lines


def _settled_before(work: Work, row: documents.Document, advice: RemittanceAdvice, currency: str, minor: int) -> bool:
    """Whether everything that the advice names is settled, by a bank's entry of this very amount that is no other advice's: then it is the same
    money."""
    numbers = {line.number for line in advice.lines}
    items = [item for item in ledger.find_items(work.connection, numbers, row.partner) if item.currency == currency]
    if not items or {item.number for item in items} != numbers or any(item.open_minor for item in items):
        return False
    paid_by = {one.payment for item in items for one in ledger.allocations_of(work.connection, item=item.id) if one.payment}
    for id in sorted(paid_by):
        payment = ledger.get_payment(work.connection, id)
        if payment is None or payment.source == ADVISED or payment.amount_minor != minor or payment.state == ledger.TAKEN_BACK:
            continue
        if payment.details.get("advice", row.id) == row.id:
            ledger.add_details(work.connection, id, {"advice": row.id})
            return True
    return False


def _taken_back_on(payment: ledger.Payment, there: Sequence[ledger.Payment]) -> date:
    """The day on which the bank took a payment back: what it booked until then is that payment, what it booked later was paid anew."""
    fits = (payment.trace, payment.partner, payment.currency, -payment.amount_minor)
    days = [one.booked_on for one in there if one.state == ledger.REVERSAL and (one.trace, one.partner, one.currency, one.amount_minor) == fits]
    return max(days, default=date.max)


def _near(payment: ledger.Payment, day: date | None) -> bool:
    return day is None or abs(payment.booked_on - day) <= NEAR


def _other_amount(payment: ledger.Payment, money: cash.Money) -> Problem:
    came = money_words(money.amount, money.currency)
    said = money_words(from_minor(payment.amount_minor, payment.currency), payment.currency)
    message = f"The bank booked {came} with reference {money.trace}, the payer's remittance advice of this reference says {said}"
    return rule.CASH_AMOUNTS_DIFFER.at(Place(field="amount"), message, found=came, expected=said)


def _used(payment: ledger.Payment, trace: str, advice: RemittanceAdvice, currency: str) -> Problem:
    came = money_words(advice.amount, currency)
    there = money_words(from_minor(payment.amount_minor, payment.currency), payment.currency)
    whose = "this payer's advice" if payment.source == ADVISED else "the bank's entry"
    message = f"A payment of {there} with reference {trace} was booked on {payment.booked_on} from {whose}; this advice says {came}, or other lines"
    return rule.CASH_TRACE_USED.at(Place(field="trace"), message, found=came, expected="a reference of its own, or the same advice")
