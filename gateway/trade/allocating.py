"""Money spread over open items. Allocations never exceed the money nor what is open; what is not certain waits with its candidates.

Which items are meant is decided elsewhere (trade.cash, trade.advised); here it is only added up.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from gateway.problem import Problem
from gateway.trade.matched import Allocation
from gateway.trade.matched import CreditUse
from gateway.trade.matched import Matched
from gateway.trade.matched import Money
from gateway.trade.mentions import Evidence
from gateway.trade.mentions import Index
from gateway.trade.mentions import OpenItem

_ZERO = Decimal(0)
#: items that are named of money that waits
MOST_CANDIDATES = 10


class OpenItems:
    """Open items and what is left of each while money is matched."""

    def __init__(self, items: Iterable[OpenItem]) -> None:
        all_items = list(items)
        given = [item for item in all_items if item.open != 0]
        #: items of which nothing is open: money that names them is for nothing else
        self.settled = Index(item for item in all_items if item.open == 0)
        self.partners = {item.id: item.partner for item in all_items}
        self.items = {item.id: item for item in given}
        self.left = {item.id: item.open for item in given}
        self.index = Index(given)
        self.of_partner: dict[str, list[OpenItem]] = {}
        for item in given:
            self.of_partner.setdefault(item.partner, []).append(item)

    def open_of(self, partner: str, currency: str) -> list[OpenItem]:
        """A partner's items of this currency of which something is left."""
        return [item for item in self.of_partner.get(partner, ()) if item.currency == currency and self.left[item.id] != 0]

    def book(self, allocations: Iterable[Allocation], credits: Iterable[CreditUse]) -> None:
        """Take what was allocated off what is left."""
        for allocation in allocations:
            self.left[allocation.item] -= allocation.amount
        for credit in credits:
            self.left[credit.credit] += credit.amount
            self.left[credit.invoice] -= credit.amount


def allocate(
    money: Money, wanted: Mapping[str, Decimal], amount: Decimal, how: str, found: Sequence[Evidence], ledger: OpenItems, owner: str | None
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


def leave(
    money: Money, payer: str | None, candidates: Iterable[str], found: Sequence[Evidence], problems: tuple[Problem, ...] = (), why: str | None = None
) -> Matched:
    """Nothing is certain: the money waits, with what it may be for."""
    return Matched(
        payment=money.id,
        state="on_account" if payer else "unapplied",
        rule=why,
        partner=payer,
        on_account=money.amount if payer else _ZERO,
        unapplied=_ZERO if payer else money.amount,
        evidence=tuple(found),
        candidates=tuple(dict.fromkeys(candidates))[:MOST_CANDIDATES],
        problems=problems,
    )
