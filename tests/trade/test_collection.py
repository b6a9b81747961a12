"""Overdue items: days, stages, and when orders are held."""

from datetime import date
from decimal import Decimal

from gateway.trade.collection import DueItem
from gateway.trade.collection import hold_for_overdue
from gateway.trade.collection import oldest_overdue_days
from gateway.trade.collection import overdue_items

TODAY = date(2026, 11, 22)


def due(number: str, on: date, amount: int = 100, **fields: bool) -> DueItem:
    return DueItem(id=number, number=number, currency="EUR", open=Decimal(amount), due_on=on, **fields)


ITEMS = [
    due("A", date(2026, 11, 22)),
    due("B", date(2026, 11, 21)),
    due("C", date(2026, 11, 1)),
    due("D", date(2026, 9, 1)),
    due("E", date(2026, 1, 1), disputed=True),
    due("F", date(2026, 1, 1), -5),
]


def test_items_are_overdue_from_the_day_after_their_due_date() -> None:
    found = overdue_items(ITEMS, TODAY)
    assert [(one.item.number, one.days, one.stage.name if one.stage else None) for one in found] == [
        ("D", 82, "collection"),
        ("C", 21, "second_reminder"),
        ("B", 1, None),
    ]
    assert oldest_overdue_days(ITEMS, TODAY) == 82
    assert oldest_overdue_days(ITEMS[:1], TODAY) == 0


def test_orders_are_held_while_an_invoice_is_overdue_for_too_long() -> None:
    problem = hold_for_overdue(ITEMS, TODAY, 15)
    assert problem is not None
    assert problem.message == "Invoice D is overdue by 82 days; orders are held after 15 days"
    assert hold_for_overdue(ITEMS, TODAY, 82) is None
