"""Whose order is meant by a number that people and warehouses give. Partners number for themselves, so several may have it: meant is the one
of which something can be shipped (or billed) now; a test order, and one that ended, stand in nobody's way (docs/decisions/0098)."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.kinds import rule as kinds
from gateway.problem import NOWHERE
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.store.records import documents
from gateway.store.trading import orders

#: states of an order that is none any more
ENDED = frozenset({"rejected", "cancelled", "replaced", "failed"})
#: how near an order is to what is asked for: nothing of a number is the farthest
_NOW, _LIVE, _TEST_NOW, _TEST, _ENDED, _NONE = range(6)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Use:
    """What an order is looked for to do."""

    #: states in which it can be done
    states: frozenset[str]
    partner_unknown: Kind
    order_unknown: Kind
    ambiguous: Kind
    #: how somebody says whose order is meant
    by: str


SHIPPING = Use(
    frozenset({"accepted", "part_despatched"}),
    kinds.SHIPMENT_PARTNER_UNKNOWN,
    kinds.SHIPMENT_ORDER_UNKNOWN,
    kinds.SHIPMENT_ORDER_AMBIGUOUS,
    "--partner, or a column 'partner' in the file",
)
BILLING = Use(
    frozenset({"part_despatched", "despatched"}),
    kinds.BILLING_PARTNER_UNKNOWN,
    kinds.BILLING_ORDER_UNKNOWN,
    kinds.BILLING_ORDER_AMBIGUOUS,
    "--partner",
)


def counting(sales: Collection[orders.SalesOrder]) -> list[orders.SalesOrder]:
    """Orders without those of test traffic whose number a real order of the same partner has."""
    live = {(one.partner, one.number) for one in sales if not one.test and one.state not in ENDED}
    return [one for one in sales if not one.test or (one.partner, one.number) not in live]


def having(connection: Connection, numbers: Collection[str], use: Use) -> dict[str, int]:
    """The partners that have an order of one of these numbers, and how far the farthest of their orders is from what is asked for."""
    nearest: list[dict[str, int]] = []
    for number in sorted(set(numbers)):
        rows = documents.search(connection, documents.Filters(kind="order", direction="in", number=number), limit=10_000)
        sales = orders.get_many(connection, [row.id for row in rows])
        best: dict[str, int] = {}
        for row in rows:
            best[row.partner] = min(best.get(row.partner, _NONE), _rank(row, sales.get(row.id), use))
        nearest.append(best)
    partners = {partner for best in nearest for partner in best}
    return {partner: max(best.get(partner, _NONE) for best in nearest) for partner in partners}


def owner_of(connection: Connection, numbers: Collection[str], use: Use, partners: Collection[str], named: str | None = None) -> str | Problem:
    """The partner whose orders are meant; the Problem where nobody has them, or several have. `partners`: all that there are; `named`: the
    one that somebody says it is."""
    if named is not None and named not in partners:
        return _no_partner(named, use, partners)
    found = having(connection, numbers, use)
    told = ", ".join(sorted(set(numbers)))
    if named is not None:
        return named if named in found else _unknown(told, use, sorted(found), f" of {named}")
    present = {partner: rank for partner, rank in found.items() if partner in partners}
    if not present:
        return _no_partner(min(found), use, partners) if found else _unknown(told, use, [])
    nearest = sorted(partner for partner, rank in present.items() if rank == min(present.values()))
    if len(nearest) == 1:
        return nearest[0]
    words = f"{', '.join(nearest[:-1])} and {nearest[-1]} each have an order {told}"
    return use.ambiguous.at(NOWHERE, words, found=told, expected=f"whose order is meant, by {use.by}")


def to_bill(connection: Connection, partners: Collection[str]) -> list[tuple[str, str]]:
    """The orders (of a partner, of a number) of which something is despatched and not billed, oldest first."""
    found: dict[tuple[str, str], None] = {}
    after = None
    while page := orders.search(connection, states=BILLING.states, after=after, limit=_PAGE):
        after = (page[-1].created_at, page[-1].document)
        lines: dict[str, bool] = {}
        for line in orders.lines_of(connection, [one.document for one in page]):
            lines[line.document] = lines.get(line.document, False) or line.despatched > line.invoiced
        for one in page:
            if one.partner in partners and lines.get(one.document) and (not one.test or _counts(connection, one)):
                found[one.partner, one.number] = None
    return list(reversed(found))


def _counts(connection: Connection, sales: orders.SalesOrder) -> bool:
    return sales in counting(orders.find(connection, sales.partner, [sales.number]))


def _rank(row: documents.Document, sales: orders.SalesOrder | None, use: Use) -> int:
    state = sales.state if sales is not None else row.state
    # a cancellation or copy is written as an order too, and is none
    if state in ENDED or (sales is None and state not in {"registered", "held"}):
        return _ENDED
    return (_TEST_NOW if row.test else _NOW) if state in use.states else (_TEST if row.test else _LIVE)


def _no_partner(named: str, use: Use, partners: Collection[str]) -> Problem:
    known = ", ".join(sorted(partners)[:20]) or "none is there"
    return use.partner_unknown.at(NOWHERE, f"There is no partner '{named}'", found=named, expected=known)


def _unknown(told: str, use: Use, others: list[str], whose: str = "") -> Problem:
    have = f": {', '.join(others)} {'has' if len(others) == 1 else 'have'} one" if others else ""
    return use.order_unknown.at(NOWHERE, f"There is no order {told}{whose}{have}", found=told, expected=f"the number of an order{whose}")
