"""Credit: may this order be accepted on account? Pure; knows amounts and the partner's credit facts, not what was ordered.

Currencies are never added to each other: amounts in two currencies are an answer for a person, or a ValueError where it is our bug.
"""

from collections.abc import Iterable
from decimal import Decimal

from gateway.kinds import rule
from gateway.model.facts import CreditFacts
from gateway.model.money import money_words
from gateway.problem import Kind
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity

_PLACE = Place(field="buyer")


def check_credit(total: Decimal | None, currency: str | None, credit: CreditFacts | None, outcome: Outcome = Outcome.HOLD) -> list[Problem]:
    """What speaks against taking an order of this value on account; no credit facts mean that no credit rule applies."""
    if credit is None:
        return []
    problems = [*_first_order(credit, outcome), *_overdue(credit, outcome)]
    if credit.limit is None:
        return problems
    if currency is not None and currency != credit.currency:
        message = f"The order is in {currency}, the credit limit is {money_words(credit.limit, credit.currency)}; a person compares them"
        return [*problems, _problem(rule.CREDIT_CURRENCY, outcome, message, currency, credit.currency)]
    if total is None:
        message = f"The value of the order is not known, so it cannot be checked against the limit of {money_words(credit.limit, credit.currency)}"
        return [*problems, _problem(rule.CREDIT_AMOUNT_UNKNOWN, outcome, message, None, "a price on each line")]
    after = credit.exposure + total
    if total > 0 and after > credit.limit:
        limit = money_words(credit.limit, credit.currency)
        ours, raised = money_words(total, credit.currency), money_words(after, credit.currency)
        message = f"This order of {ours} would raise the exposure to {raised}; the limit is {limit}"
        problems.append(_problem(rule.CREDIT_LIMIT, outcome, message, raised, f"at most {limit}"))
    return problems


def _first_order(credit: CreditFacts, outcome: Outcome) -> list[Problem]:
    if credit.vetted or credit.accepted_orders > 0:
        return []
    return [
        _problem(
            rule.CREDIT_FIRST_ORDER,
            outcome,
            "This is the first order of this partner; a person lets it pass once",
            "0 accepted orders",
            "a vetted partner",
        )
    ]


def _overdue(credit: CreditFacts, outcome: Outcome) -> list[Problem]:
    allowed = credit.hold_days_overdue
    if allowed is None or credit.oldest_overdue_days <= allowed:
        return []
    found, expected = days_words(credit.oldest_overdue_days), f"at most {days_words(allowed)}"
    return [
        _problem(
            rule.CREDIT_OVERDUE,
            outcome,
            f"The oldest open invoice is overdue by {found}; orders are held after {days_words(allowed)}",
            found,
            expected,
        )
    ]


def days_words(days: int) -> str:
    """`1 day`, `15 days`."""
    return f"{days} day" if days == 1 else f"{days} days"


def _problem(kind: Kind, outcome: Outcome, message: str, found: str | None, expected: str | None) -> Problem:
    severity = Severity.ERROR if outcome in (Outcome.HOLD, Outcome.REJECT) else Severity.WARNING
    return kind.at(_PLACE, message, found=found, expected=expected, severity=severity, outcome=outcome)


def exposure(
    currency: str,
    open_items: Iterable[tuple[Decimal, str]],
    open_orders: Iterable[tuple[Decimal, str]],
    unapplied: Iterable[tuple[Decimal, str]] = (),
) -> Decimal:
    """Open items (credit notes negative) plus accepted orders not yet invoiced less money on account, all in one currency; raises
    ValueError for an amount in another."""
    total = Decimal(0)
    for sign, amounts in ((1, open_items), (1, open_orders), (-1, unapplied)):
        for amount, in_currency in amounts:
            if in_currency != currency:
                raise ValueError(f"exposure in {currency} cannot add an amount in {in_currency}")
            total += sign * amount
    return total
