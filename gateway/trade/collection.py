"""What is overdue, since when, and how far asking for it is. Thin: a table of stages, nothing is sent from here."""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from gateway.kinds import rule
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.trade.credit import days_words


class DueItem(Value, frozen=True, kw_only=True):
    """An open item with its due date; `disputed` ones are not asked for."""

    id: str
    number: str
    currency: str
    open: Decimal
    due_on: date
    disputed: bool = False


class Stage(Value, frozen=True, kw_only=True):
    """From so many days overdue on, this is what is done."""

    number: int
    name: str
    from_days: int


STAGES = (
    Stage(number=1, name="reminder", from_days=3),
    Stage(number=2, name="second_reminder", from_days=14),
    Stage(number=3, name="final_notice", from_days=30),
    Stage(number=4, name="collection", from_days=60),
)


class Overdue(Value, frozen=True, kw_only=True):
    """An item that is overdue; `stage` is None in the days of grace."""

    item: DueItem
    days: int
    stage: Stage | None = None


def overdue_items(items: Iterable[DueItem], today: date, stages: Sequence[Stage] = STAGES) -> list[Overdue]:
    """Open invoices past their due date, the oldest first. Credit notes and disputed items are never asked for."""
    found = []
    for item in items:
        days = (today - item.due_on).days
        if item.open > 0 and days > 0 and not item.disputed:
            found.append(
                Overdue(
                    item=item, days=days, stage=max((one for one in stages if one.from_days <= days), key=lambda one: one.from_days, default=None)
                )
            )
    return sorted(found, key=lambda one: (-one.days, one.item.number))


def oldest_overdue_days(items: Iterable[DueItem], today: date) -> int:
    """Days that the oldest item is overdue (`CreditFacts.oldest_overdue_days`); 0 where none is."""
    return max((one.days for one in overdue_items(items, today)), default=0)


def hold_for_overdue(items: Iterable[DueItem], today: date, days_allowed: int) -> Problem | None:
    """The problem that holds a partner's orders while an invoice is overdue for more than the days allowed."""
    late = [one for one in overdue_items(items, today) if one.days > days_allowed]
    if not late:
        return None
    words = f"Invoice {late[0].item.number} is overdue by {days_words(late[0].days)}; orders are held after {days_words(days_allowed)}"
    return rule.CREDIT_OVERDUE.at(
        Place(field="buyer"), words, found=days_words(late[0].days), expected=f"at most {days_words(days_allowed)}", outcome=Outcome.HOLD
    )
