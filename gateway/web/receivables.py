"""Money: what partners owe, by age, and what came in and is not matched yet."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.store.trading import ledger
from gateway.web.pages import BadRequest
from gateway.web.pages import address
from gateway.web.pages import render
from gateway.web.pages import station_of

PAGE = 50
#: days past due at which a bucket begins; -1 is not due
BUCKETS = ((-1, "not due"), (0, "1–30 days"), (30, "31–60 days"), (60, "61–90 days"), (90, "over 90 days"))


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is open in one currency, by age."""

    currency: str
    #: one for each of BUCKETS
    amounts: tuple[int, ...]
    count: int

    @property
    def total(self) -> int:
        return sum(self.amounts)

    def share(self, place: int) -> int:
        """Percent of the whole, for the bar (credits count nothing there)."""
        whole = sum(max(amount, 0) for amount in self.amounts)
        return round(100 * max(self.amounts[place], 0) / whole) if whole else 0


def ageing_of(rows: list[ledger.AgeingRow]) -> list[Ageing]:
    """Ageing rows of all partners, added up by currency; currencies are never mixed."""
    sums: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.currency][row.bucket] += row.amount_minor
        counts[row.currency] += row.count
    return [Ageing(currency, tuple(found[bucket] for bucket, _ in BUCKETS), counts[currency]) for currency, found in sorted(sums.items())]


def show(request: Request) -> HTMLResponse:
    """The page of open items and unmatched money."""
    station = station_of(request)
    partner = request.query_params.get("partner") or None
    today = station.clock().date()
    with station.database.read() as connection:
        items = ledger.open_items(connection, partner=partner, after=_after(request.query_params.get("after")), limit=PAGE + 1)
        ageing = ageing_of(ledger.ageing(connection, today, partner=partner))
        payments = ledger.unapplied_payments(connection, partner=partner, limit=PAGE)
    following = f"{items[PAGE - 1].due_on.isoformat()}~{items[PAGE - 1].id}" if len(items) > PAGE else None
    return render(
        request,
        "receivables.html",
        items=items[:PAGE],
        payments=payments,
        cut=len(payments) == PAGE,
        ageing=ageing,
        buckets=BUCKETS,
        partner=partner,
        partners={id: loaded.partner.name for id, loaded in sorted(station.installation.directory.partners.items())},
        today=today,
        next_address=address("/receivables", {"partner": partner, "after": following}) if following else None,
    )


def _after(text: str | None) -> tuple[date, str] | None:
    if not text:
        return None
    day, _, id = text.partition("~")
    try:
        return date.fromisoformat(day), id
    except ValueError:
        raise BadRequest("The address names a row to go on behind that is none: begin the list anew") from None
