"""The first page: a few numbers, each a link to its rows; how much walked through, step by step; what came last."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from gateway.pipeline.service.condition import not_working
from gateway.pipeline.service.condition import workers_of
from gateway.store.incoming import holds
from gateway.store.outgoing import awaited
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.web.pages import address
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.receivables import ageing_of

#: rows that are counted one by one; more are said as "100+"
COUNTED = 100
#: the walk of an order, as the dashboard draws it
FLOW = (
    ("order", "in"),
    ("order_response", "out"),
    ("despatch_advice", "out"),
    ("invoice", "out"),
    ("remittance_advice", "in"),
    ("bank_statement", "in"),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the address of its rows."""

    label: str
    value: int
    link: str
    tone: str
    icon: str
    #: money beside it: (minor units, currency)
    money: tuple[tuple[int, str], ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        return f"{COUNTED}+" if self.value > COUNTED and not self.money else f"{self.value:,}"


@dataclass(frozen=True, slots=True)
class Stage:
    """How many documents of a kind there are, and how they stand."""

    kind: str
    total: int
    link: str
    #: word -> (count, address)
    states: tuple[tuple[str, int, str], ...]


def show(request: Request) -> HTMLResponse:
    """The dashboard."""
    station = station_of(request)
    with station.database.read() as connection:
        counts = documents.counts(connection)
        numbers = _numbers(connection, counts, station.clock().date())
        latest = documents.search(connection, documents.Filters(), limit=12)
        waiting = holds.list_open(connection, limit=5)
        rows = documents.get_many(connection, [hold.document for hold in waiting if hold.document])
        standing = not_working(station, connection)
        workers = workers_of(station, connection)
        paused = pauses.standing(connection)
    names = {id: loaded.partner.name for id, loaded in station.installation.directory.partners.items()}
    return render(
        request,
        "dashboard.html",
        numbers=numbers,
        stages=_stages(counts),
        not_working=standing,
        workers=workers,
        paused=paused,
        latest=latest,
        waiting=[(hold, rows.get(hold.document or "")) for hold in waiting],
        partners=names,
        tests=sum(count.count for count in counts if count.test),
    )


def _numbers(connection: Connection, counts: list[documents.Count], today: date) -> list[Number]:
    waiting = holds.list_open(connection, limit=COUNTED + 1)
    rejected = sum(count.count for count in counts if count.state in {"rejected", "failed"} and count.direction == "in" and not count.test)
    outgoing = sum(len(outbox.search(connection, state=state, limit=COUNTED + 1)) for state in outbox.OPEN)
    dead = len(outbox.search(connection, state="dead", limit=COUNTED + 1))
    awaiting = awaited.counts(connection)
    overdue = sum(number for (state, _), number in awaiting.items() if state == "overdue")
    expected = sum(awaiting.values())
    return [
        Number(
            "wait for you",
            len(waiting),
            "/holds",
            "waits" if waiting else "good",
            "pause" if waiting else "check",
            note="held orders, files, rejections",
        ),
        Number(
            "rejected",
            rejected,
            address("/documents", {"state": ["rejected", "failed"], "direction": "in", "test": "no"}),
            "bad" if rejected else "good",
            "cross" if rejected else "check",
            note="documents that came in",
        ),
        Number("to be sent", outgoing, "/deliveries?state=waiting", "moves", "clock", note="in the outbox"),
        Number(
            "deliveries failed",
            dead,
            "/deliveries?state=dead",
            "bad" if dead else "good",
            "cross" if dead else "check",
            note="nothing was given up" if not dead else "look why, try again",
        ),
        Number(
            "answers overdue",
            overdue,
            "/deliveries?answer=overdue" if overdue else "/deliveries?answer=waiting",
            "waits" if overdue else "good",
            "pause" if overdue else "check",
            note=f"of {expected:,} that partners owe us" if expected else "no partner owes us an answer",
        ),
        *_money_numbers(connection, today),
    ]


def _money_numbers(connection: Connection, today: date) -> list[Number]:
    unmatched = ledger.unapplied_payments(connection, limit=COUNTED + 1)
    ageing = ageing_of(ledger.ageing(connection, today))
    money: dict[str, int] = defaultdict(int)
    for payment in unmatched:
        money[payment.currency] += payment.unapplied_minor
    return [
        Number(
            "unmatched money",
            len(unmatched),
            "/receivables#payments",
            "waits" if unmatched else "good",
            "pause" if unmatched else "check",
            tuple((amount, currency) for currency, amount in sorted(money.items())),
            note="all money has its place",
        ),
        Number(
            "open items",
            sum(one.count for one in ageing),
            "/receivables",
            "moves",
            "coin",
            tuple((one.total, one.currency) for one in ageing),
            note="nothing is owed",
        ),
    ]


def _stages(counts: list[documents.Count]) -> list[Stage]:
    """The walk in numbers, test traffic left out."""
    answer = []
    for kind, direction in FLOW:
        states: dict[str, int] = defaultdict(int)
        for count in counts:
            if count.kind == kind and count.direction == direction and not count.test:
                states[count.state] += count.count
        query = {"kind": kind, "direction": direction, "test": "no"}
        shown = tuple((state, number, address("/documents", {**query, "state": state})) for state, number in sorted(states.items()))
        answer.append(Stage(kind, sum(states.values()), address("/documents", query), shown))
    return answer
