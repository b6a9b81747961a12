"""Which entries of a bank statement are booked already: a bank sends a statement once more, corrected, or the same entries in a daily and a
weekly one.

An entry with the bank's own reference is the same money wherever it stands again: of that account, reference, day and amount, unless account
or trace of the payer say otherwise. One without is told by all that it says, within its statement only: alike in another statement, it is
booked unapplied for a person. What stands twice in one statement is money twice.
"""

import hashlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from functools import partial

from gateway.kinds import rule
from gateway.model.money import money_words
from gateway.model.money import to_minor
from gateway.pipeline.answers.work import Work
from gateway.problem import Place
from gateway.problem import Problem
from gateway.store.trading import ledger
from gateway.trade import cash
from gateway.trade.reference import bare_reference

#: how far a corrected statement may move the day of an entry
_MOVED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Statement:
    """Where entries stand: an account, and the bank's number of the statement."""

    account: str
    number: str

    @property
    def source(self) -> str:
        """The source of its payments."""
        return f"{self.account}|{self.number}"


@dataclass(slots=True)
class Seen:
    """Entries by their references: the payments that they are booked as, or why nobody can tell."""

    known: dict[str, ledger.Payment] = field(default_factory=dict)
    doubtful: dict[str, Problem] = field(default_factory=dict)
    #: what payments of this statement are called
    names: set[str] = field(default_factory=set)

    def free_name(self, money: cash.Money) -> str:
        """What a new payment is called: as its entry, where no other one of the statement is called so."""
        name, (head, _, _), number = money.id, money.id.rpartition("/"), 1
        while name in self.names:
            number += 1
            name = f"{head}/{number}" if head else str(number)
        self.names.add(name)
        return name


def minor_of(money: cash.Money) -> int:
    """What is booked of an entry: negative where the bank takes money back."""
    return (-1 if money.reversal else 1) * to_minor(abs(money.amount), money.currency)


def identity_of(statement: Statement, money: cash.Money) -> str:
    """The same for the same entry wherever it stands: of what the bank calls it, or of all that it says."""
    said = (money.bank_reference,) if money.bank_reference else ("", *_said(money.payer_name, money.payer_account, money.trace, money.text))
    parts = (statement.account, str(money.booked_on or ""), str(minor_of(money)), money.currency, *said)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def compare_statement(work: Work, statement: Statement, pieces: Sequence[cash.Money]) -> Seen:
    """The entries put to what is booked of this account. Each payment is one entry's."""
    days = {money.booked_on for money in pieces if money.booked_on is not None}
    there = ledger.payments_of_account(work.connection, statement.account, statement.source, days)
    seen = Seen(names={one.bank_reference for one in there if one.source == statement.source})
    # only payments of its amount are put to an entry: a day has many
    free: dict[tuple[str, int], dict[str, ledger.Payment]] = {}
    for one in there:
        free.setdefault((one.currency, one.amount_minor), {})[one.id] = one
    pairs = [(money, free.get((money.currency, minor_of(money)), {})) for money in pieces]
    for fits in (_stands_there, _bears_its_reference, _was_moved, _was_erased):
        _take(pairs, seen, partial(fits, statement))
    for money, left in pairs:
        if money.id not in seen.known and not money.bank_reference:
            alike = next((one for one in left.values() if one.source != statement.source and _is_alike(one, money)), None)
            if alike is not None:
                del left[alike.id]
                seen.doubtful[money.id] = alike_elsewhere(money, alike.source.removeprefix(f"{statement.account}|"))
    return seen


def alike_elsewhere(money: cash.Money, number: str) -> Problem:
    """Nobody can tell whether an entry is that of another statement."""
    amount = money_words(money.amount, money.currency)
    message = f"An entry of {amount} that is alike in all it says is booked from bank statement {number}, and the bank gives neither a reference"
    return rule.CASH_ENTRY_ALIKE.at(Place(field="reference"), message, found=amount, expected="the bank's reference of the entry")


# --- what makes two the same ----------------------------------------------------------------------------------------------------


def _take(pairs: Collection[tuple[cash.Money, dict[str, ledger.Payment]]], seen: Seen, fits: Callable[[ledger.Payment, cash.Money], bool]) -> None:
    """Each entry with what is left of the payments of its amount."""
    for money, left in pairs:
        if money.id not in seen.known:
            found = next((one for one in left.values() if fits(one, money)), None)
            if found is not None:
                seen.known[money.id] = left.pop(found.id)


def _stands_there(statement: Statement, one: ledger.Payment, money: cash.Money) -> bool:
    own = _is_called(one, money) if money.bank_reference else one.source == statement.source
    return own and _is_alike(one, money)


def _bears_its_reference(_: Statement, one: ledger.Payment, money: cash.Money) -> bool:
    return _is_called(one, money) and _on_its_day(one, money)


def _was_moved(statement: Statement, one: ledger.Payment, money: cash.Money) -> bool:
    near = money.booked_on is not None and abs(one.booked_on - money.booked_on) <= _MOVED
    return one.source == statement.source and _is_called(one, money) and near


def _was_erased(statement: Statement, one: ledger.Payment, money: cash.Money) -> bool:
    """Of a statement that is erased nothing is left but amounts, days and references."""
    blank = (one.payer_name, one.payer_account, one.text) == (None, None, None)
    return blank and (one.source, one.bank_reference, one.trace) == (statement.source, money.id, money.trace) and _on_its_day(one, money)


def _is_alike(one: ledger.Payment, money: cash.Money) -> bool:
    return _on_its_day(one, money) and _says_the_same(one, money)


def _on_its_day(one: ledger.Payment, money: cash.Money) -> bool:
    return money.booked_on is None or one.booked_on == money.booked_on


def _says_the_same(one: ledger.Payment, money: cash.Money) -> bool:
    said = _said(money.payer_name, money.payer_account, money.trace, money.text)
    return _said(one.payer_name, one.payer_account, one.trace, one.text) == said


def _is_called(one: ledger.Payment, money: cash.Money) -> bool:
    """Whether it is booked under the entry's reference, and nothing speaks against it. Some banks give a constant, and a batch gives one to all."""
    if not money.bank_reference or one.bank_reference.rpartition("/")[0] != money.bank_reference:
        return False
    pairs = ((one.payer_account, money.payer_account), (one.trace, money.trace))
    return all(not a or not b or bare_reference(a) == bare_reference(b) for a, b in pairs)


def _said(*values: str | None) -> tuple[str, ...]:
    return tuple(" ".join((value or "").split()) for value in values)
