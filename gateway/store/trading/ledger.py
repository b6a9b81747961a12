"""Receivables: open items, payments, and the allocations that match them. Allocations and credit applications are only ever added;
taking one back is another one that reverses it.

Money is integer minor units of one currency; currencies are never mixed. A credit note's amount is negative, and so is money that goes back.
`open_minor` and `unapplied_minor` are kept in the transaction that adds an allocation, by an update that refuses to go past zero or past
the amount: allocations never exceed the money, nor the item, whoever else writes at the same time. Test traffic never comes here.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import Column
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_not_zero
from gateway.store.rows import one_of
from gateway.store.rows import values_of
from gateway.store.trading import orders

_ITEM = tables.open_item
_PAYMENT = tables.payment
_ALLOCATION = tables.allocation
_APPLICATION = tables.credit_application

#: states of a payment that takes another one back, and of that one: together they are nothing
REVERSAL, TAKEN_BACK = "reversal", "taken_back"
CAME_AND_WENT = (REVERSAL, TAKEN_BACK)
#: kinds of allocations that use up the money of a payment; the others (discount, deduction, write_off, credit) settle an item without it
USES_MONEY = ("payment",)
KINDS = ("payment", "discount", "deduction", "write_off", "credit")


class OpenItem(Row, frozen=True, kw_only=True):
    """An invoice (positive) or a credit note (negative amount)."""

    id: str
    partner: str
    document: str | None = None
    #: invoice or credit_note
    kind: str
    number: str
    order_number: str | None = None
    currency: str
    amount_minor: int
    open_minor: int
    issued_on: date
    due_on: date
    created_at: datetime


class Payment(Row, frozen=True, kw_only=True):
    """Money that arrived (or went back: negative). `source` and `bank_reference` tell it from any other."""

    id: str
    #: the account of the statement, or `remittance`
    source: str
    bank_reference: str
    partner: str | None = None
    #: the bank statement or remittance advice that it stands in
    document: str | None = None
    currency: str
    amount_minor: int
    unapplied_minor: int
    booked_on: date
    value_on: date | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    trace: str | None = None
    text: str | None = None
    #: unapplied (payer unknown), on_account (payer known), applied, ...
    state: str = "unapplied"
    details: Mapping[str, str] = {}
    created_at: datetime


class Allocation(Row, frozen=True, kw_only=True):
    """So much of an item is settled. `payment` says which money is meant, also for a discount or deduction that came with it."""

    id: str
    payment: str | None = None
    open_item: str
    credit_application: str | None = None
    kind: str
    currency: str
    amount_minor: int
    #: of a deduction or discount
    reason_code: str | None = None
    actor: str
    reason: str
    at: datetime
    reverses: str | None = None


class AgeingRow(Row, frozen=True, kw_only=True):
    """Open money of a partner in one bucket: -1 not due, else the days past due at which the bucket begins (0, 30, 60, 90)."""

    partner: str
    currency: str
    bucket: int
    amount_minor: int
    count: int


def add_items(connection: Connection, items: Sequence[OpenItem]) -> list[OpenItem]:
    """Book invoices and credit notes; returns those that are new (the same kind, number and partner again is harmless)."""
    return _add(connection, _ITEM, ("kind", "number", "partner"), items)


def add_payments(connection: Connection, payments: Sequence[Payment]) -> list[Payment]:
    """Book money; returns what is new: a bank statement read twice is harmless."""
    return _add(connection, _PAYMENT, ("source", "bank_reference"), payments)


def allocate(connection: Connection, allocations: Sequence[Allocation]) -> None:
    """Settle items. StaleState where item or money has not so much left (any more), or is of another currency: the caller rolls back."""
    for allocation in allocations:
        if allocation.kind not in KINDS or allocation.amount_minor == 0:
            raise ValueError(f"allocation {allocation.id} is of no known kind, or of nothing")
        if allocation.kind in USES_MONEY and allocation.payment is None:
            raise ValueError(f"allocation {allocation.id} uses money, but names no payment")
        _take(connection, _ITEM, _ITEM.c.open_minor, allocation.open_item, allocation)
        if allocation.kind in USES_MONEY and allocation.payment is not None:
            _take(connection, _PAYMENT, _PAYMENT.c.unapplied_minor, allocation.payment, allocation)
    if allocations:
        connection.execute(_ALLOCATION.insert(), [values_of(allocation) for allocation in allocations])


def reverse(connection: Connection, allocation: str, *, id: str, actor: str, reason: str, at: datetime) -> Allocation:
    """Take an allocation back: the item is open and the money free again. StaleState where it was taken back before or is part of a credit."""
    before = one_of(connection.execute(select(_ALLOCATION).where(_ALLOCATION.c.id == allocation)), Allocation)
    if before is None:
        raise StaleState(f"there is no allocation {allocation}")
    if before.reverses is not None or before.credit_application is not None:
        raise StaleState(f"allocation {allocation} cannot be taken back by itself")
    if connection.execute(select(_ALLOCATION.c.id).where(_ALLOCATION.c.reverses == allocation)).first() is not None:
        raise StaleState(f"allocation {allocation} was taken back already")
    fields = {**values_of(before), "id": id, "amount_minor": -before.amount_minor, "actor": actor, "reason": reason, "at": at, "reverses": allocation}
    back = Allocation(**fields)
    allocate(connection, [back])
    return back


def apply_credit(
    connection: Connection, *, id: str, credit_item: str, invoice_item: str, amount_minor: int, currency: str, actor: str, reason: str, at: datetime
) -> None:
    """Settle an invoice by a credit note: one credit application, two allocations (`<id>/credit`, `<id>/invoice`).

    A negative amount takes it back.
    """
    connection.execute(
        _APPLICATION.insert().values(
            id=id, credit_item=credit_item, invoice_item=invoice_item, currency=currency, amount_minor=amount_minor, actor=actor, reason=reason, at=at
        )
    )
    allocate(
        connection,
        [
            Allocation(
                id=f"{id}/{leg}",
                open_item=item,
                credit_application=id,
                kind="credit",
                currency=currency,
                amount_minor=amount,
                actor=actor,
                reason=reason,
                at=at,
            )
            for leg, item, amount in (("credit", credit_item, -amount_minor), ("invoice", invoice_item, amount_minor))
        ],
    )


def set_payment(connection: Connection, id: str, expected: str, state: str, *, partner: str | None = None) -> bool:
    """Move a payment on (and say whose it is); False where it was not in the expected state."""
    changes: dict[str, Any] = {"state": state, **({"partner": partner} if partner is not None else {})}
    return connection.execute(update(_PAYMENT).where(_PAYMENT.c.id == id, _PAYMENT.c.state == expected).values(changes)).rowcount == 1


def add_details(connection: Connection, id: str, details: Mapping[str, str]) -> None:
    """Write down something more about a payment."""
    before = connection.execute(select(_PAYMENT.c.details).where(_PAYMENT.c.id == id)).scalar_one()
    connection.execute(update(_PAYMENT).where(_PAYMENT.c.id == id).values(details={**before, **details}))


def booked(connection: Connection, source: str, bank_references: Collection[str]) -> set[str]:
    """Which of these are booked from this source."""
    wanted = sorted(set(bank_references))
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        query = select(_PAYMENT.c.bank_reference).where(_PAYMENT.c.source == source, _PAYMENT.c.bank_reference.in_(wanted[start : start + 500]))
        found.update(connection.execute(query).scalars())
    return found


def payments_of_account(connection: Connection, account: str, source: str, days: Collection[date]) -> list[Payment]:
    """Payments of one statement, and those of any statement of its account (ACCOUNT|NUMBER) that were booked on these days."""
    found = {one.id: one for one in all_of(connection.execute(select(_PAYMENT).where(_PAYMENT.c.source == source)), Payment)}
    wanted = sorted(days)
    for start in range(0, len(wanted), 500):
        booked_then = _PAYMENT.c.booked_on.in_(wanted[start : start + 500])
        query = select(_PAYMENT).where(booked_then, _PAYMENT.c.source.startswith(f"{account}|", autoescape=True))
        found |= {one.id: one for one in all_of(connection.execute(query), Payment)}
    return sorted(found.values(), key=lambda one: (one.booked_on, one.created_at, one.id))


def items_of_documents(connection: Connection, documents: Collection[str]) -> list[OpenItem]:
    """The items of these invoices and credit notes, settled ones too."""
    wanted = sorted(set(documents))
    found: list[OpenItem] = []
    for start in range(0, len(wanted), 500):
        found += all_of(connection.execute(select(_ITEM).where(_ITEM.c.document.in_(wanted[start : start + 500])).order_by(_ITEM.c.id)), OpenItem)
    return found


def get_item(connection: Connection, id: str) -> OpenItem | None:
    """The open item of this id."""
    return one_of(connection.execute(select(_ITEM).where(_ITEM.c.id == id)), OpenItem)


def get_payment(connection: Connection, id: str) -> Payment | None:
    """The payment of this id."""
    return one_of(connection.execute(select(_PAYMENT).where(_PAYMENT.c.id == id)), Payment)


def find_items(connection: Connection, numbers: Collection[str], partner: str | None = None) -> list[OpenItem]:
    """Items (settled ones too) with one of these numbers."""
    wanted = sorted(set(numbers))
    found: list[OpenItem] = []
    for start in range(0, len(wanted), 500):
        query = select(_ITEM).where(_ITEM.c.number.in_(wanted[start : start + 500])).order_by(_ITEM.c.number, _ITEM.c.id)
        found += all_of(connection.execute(query if partner is None else query.where(_ITEM.c.partner == partner)), OpenItem)
    return found


def open_items(
    connection: Connection,
    *,
    partner: str | None = None,
    currency: str | None = None,
    after: tuple[date, str] | None = None,
    limit: int | None = None,
) -> list[OpenItem]:
    """Items that are not settled, by due day; `after` is (due_on, id) of the last one of the page before."""
    query = select(_ITEM).where(is_not_zero(_ITEM.c.open_minor)).order_by(_ITEM.c.due_on, _ITEM.c.id).limit(limit)
    if partner is not None:
        query = query.where(_ITEM.c.partner == partner)
    if currency is not None:
        query = query.where(_ITEM.c.currency == currency)
    if after is not None:
        query = query.where(or_(_ITEM.c.due_on > after[0], and_(_ITEM.c.due_on == after[0], _ITEM.c.id > after[1])))
    return all_of(connection.execute(query), OpenItem)


def unapplied_payments(connection: Connection, *, partner: str | None = None, limit: int | None = None) -> list[Payment]:
    """Money that is not used up, oldest first; what came and was taken back is nobody's business any more."""
    query = (
        select(_PAYMENT)
        .where(is_not_zero(_PAYMENT.c.unapplied_minor), _PAYMENT.c.state.not_in(CAME_AND_WENT))
        .order_by(_PAYMENT.c.booked_on, _PAYMENT.c.id)
        .limit(limit)
    )
    return all_of(connection.execute(query if partner is None else query.where(_PAYMENT.c.partner == partner)), Payment)


def payments_of(connection: Connection, document: str) -> list[Payment]:
    """The payments that stand in a bank statement or remittance advice."""
    return all_of(connection.execute(select(_PAYMENT).where(_PAYMENT.c.document == document).order_by(_PAYMENT.c.booked_on, _PAYMENT.c.id)), Payment)


def find_by_trace(connection: Connection, traces: Collection[str]) -> list[Payment]:
    """Payments that carry one of these references of the payer's (TRN02, EndToEndId)."""
    return all_of(
        connection.execute(select(_PAYMENT).where(_PAYMENT.c.trace.in_(sorted(set(traces)))).order_by(_PAYMENT.c.booked_on, _PAYMENT.c.id)), Payment
    )


def allocations_of(connection: Connection, *, item: str | None = None, payment: str | None = None) -> list[Allocation]:
    """The allocations on an item, or of a payment, in the order of making."""
    query = select(_ALLOCATION).order_by(_ALLOCATION.c.at, _ALLOCATION.c.id)
    if item is not None:
        query = query.where(_ALLOCATION.c.open_item == item)
    if payment is not None:
        query = query.where(_ALLOCATION.c.payment == payment)
    return all_of(connection.execute(query), Allocation)


def taken_by(connection: Connection, payment: str) -> list[Allocation]:
    """What a payment settles: its allocations that were not taken back."""
    found = allocations_of(connection, payment=payment)
    back = {one.reverses for one in found if one.reverses is not None}
    return [one for one in found if one.reverses is None and one.id not in back]


def exposure(connection: Connection, partner: str, currency: str, *, excluding_orders: Collection[str] = ()) -> int:
    """Minor units that a partner owes or will owe: open items less money on account, and accepted orders that are not invoiced."""
    items = connection.execute(
        select(func.sum(_ITEM.c.open_minor)).where(_ITEM.c.partner == partner, _ITEM.c.currency == currency, is_not_zero(_ITEM.c.open_minor))
    ).scalar_one()
    money = connection.execute(
        select(func.sum(_PAYMENT.c.unapplied_minor)).where(
            _PAYMENT.c.partner == partner, _PAYMENT.c.currency == currency, is_not_zero(_PAYMENT.c.unapplied_minor)
        )
    ).scalar_one()
    return int(items or 0) - int(money or 0) + orders.committed_minor(connection, partner, excluding_orders).get(currency, 0)


def oldest_due(connection: Connection, partner: str) -> date | None:
    """The earliest due day of a partner's unsettled invoices."""
    query = select(func.min(_ITEM.c.due_on)).where(_ITEM.c.partner == partner, _ITEM.c.open_minor > 0)
    return connection.execute(query).scalar_one_or_none()


def ageing(connection: Connection, today: date, *, partner: str | None = None, buckets: Sequence[int] = (0, 30, 60, 90)) -> list[AgeingRow]:
    """Open money by partner, currency and days past due; an item is past due the day after `due_on`."""
    bounds = sorted(buckets, reverse=True)
    bucket = case(*((_ITEM.c.due_on < today - timedelta(days=days), days) for days in bounds), else_=-1).label("bucket")
    query = select(_ITEM.c.partner, _ITEM.c.currency, bucket, func.sum(_ITEM.c.open_minor), func.count()).where(is_not_zero(_ITEM.c.open_minor))
    if partner is not None:
        query = query.where(_ITEM.c.partner == partner)
    rows = connection.execute(query.group_by(_ITEM.c.partner, _ITEM.c.currency, bucket).order_by(_ITEM.c.partner, _ITEM.c.currency, bucket))
    return [AgeingRow(partner=row[0], currency=row[1], bucket=row[2], amount_minor=int(row[3]), count=row[4]) for row in rows]


def check_sums(connection: Connection) -> list[str]:
    """Items and payments whose kept remainder is not amount less allocations: empty unless somebody else wrote to the database."""
    faults = []
    for table, kept, key, where in (
        (_ITEM, _ITEM.c.open_minor, _ALLOCATION.c.open_item, None),
        (_PAYMENT, _PAYMENT.c.unapplied_minor, _ALLOCATION.c.payment, _ALLOCATION.c.kind.in_(USES_MONEY)),
    ):
        sums = select(key.label("id"), func.sum(_ALLOCATION.c.amount_minor).label("total")).group_by(key)
        used = (sums if where is None else sums.where(where)).subquery()
        query = select(table.c.id, table.c.amount_minor, kept, used.c.total).outerjoin(used, used.c.id == table.c.id)
        wrong = query.where(kept != table.c.amount_minor - func.coalesce(used.c.total, 0)).order_by(table.c.id)
        faults += [f"{table.name} {row[0]}: {row[2]} left, expected {row[1] - (row[3] or 0)}" for row in connection.execute(wrong)]
    return faults


# ---------------------------------------------------------------- how


def _add(connection: Connection, table: Table, key: Sequence[str], rows: Sequence[Any]) -> list[Any]:
    if not rows:
        return []
    remainder = "open_minor" if table is _ITEM else "unapplied_minor"
    for row in rows:
        if getattr(row, remainder) != row.amount_minor:
            raise ValueError(f"{table.name} {row.id} is new: all of its amount is still {'open' if table is _ITEM else 'unapplied'}")
    statement = insert(connection, table).on_conflict_do_nothing(index_elements=list(key))
    added: Iterable[str] = connection.execute(statement.returning(table.c.id), [values_of(row) for row in rows]).scalars()
    fresh = set(added)
    return [row for row in rows if row.id in fresh]


def _take(connection: Connection, table: Table, remainder: Column[Any], id: str, allocation: Allocation) -> None:
    """Lower what is left; the condition stands in the update itself, so that nobody can come between."""
    left: ColumnElement[Any] = remainder - allocation.amount_minor
    within = or_(
        and_(table.c.amount_minor >= 0, left >= 0, left <= table.c.amount_minor),
        and_(table.c.amount_minor < 0, left <= 0, left >= table.c.amount_minor),
    )
    done = connection.execute(update(table).where(table.c.id == id, table.c.currency == allocation.currency, within).values({remainder.name: left}))
    if done.rowcount != 1:
        there = connection.execute(select(table.c.currency, remainder).where(table.c.id == id)).first()
        if there is None:
            raise StaleState(f"there is no {table.name.replace('_', ' ')} {id}")
        raise StaleState(
            f"{table.name.replace('_', ' ')} {id} has {there[1]} {there[0]} (minor units) left, "
            f"{allocation.amount_minor} {allocation.currency} cannot be allocated"
        )
