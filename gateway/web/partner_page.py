"""One partner: what waits for it and for its answers, what it said last, the control numbers of both sides, and what was agreed."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Form
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response
from sqlalchemy import Connection

from gateway.exchange.partner import Agreement
from gateway.exchange.partner import Partner
from gateway.exchange.timing import Batch
from gateway.exchange.timing import Expectation
from gateway.pipeline.as2.refused_lately import refused_lately
from gateway.pipeline.keeping.number_report import Level
from gateway.pipeline.keeping.number_report import report_of
from gateway.pipeline.keeping.number_report import span
from gateway.pipeline.outbox import pausing
from gateway.pipeline.outbox.pausing import NotPaused
from gateway.pipeline.station import Station
from gateway.store.incoming import as2_refusals
from gateway.store.outgoing import answers
from gateway.store.outgoing import awaited
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.records import documents
from gateway.store.records.documents import Document
from gateway.store.watching import troubles
from gateway.store.watching.set_aside import set_aside
from gateway.web.holding_page import ACTOR
from gateway.web.holding_page import LONGEST_REASON
from gateway.web.holding_page import ReasonField
from gateway.web.pages import NotFound
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.partners import way_of

FetchingField = Annotated[str, Form(pattern="^(too)?$")]

#: rows that are looked through for what waits for a window
_MOST_WAITING = 1000
#: runs and gaps of one counting that are shown
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Documents that leave together at a time."""

    at: datetime
    #: the time in the partner's zone
    local: str
    count: int
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer with the document of ours that it speaks of."""

    answer: answers.Answer
    row: Document | None


def show(request: Request, id: str) -> HTMLResponse:
    """The page of a partner."""
    return page(request, id)


def pause(request: Request, id: str, reason: ReasonField = "", fetching: FetchingField = "") -> Response:
    """Send nothing to the partner for now."""
    try:
        if len(reason.strip()) > LONGEST_REASON:
            raise NotPaused(f"The reason is {len(reason.strip())} characters long, at most {LONGEST_REASON} are kept")
        pausing.pause(station_of(request), id, ACTOR, reason.strip(), fetching=fetching == "too")
    except NotPaused as error:
        return page(request, id, status=422, trouble=str(error))
    return RedirectResponse(f"/partners/{quote(id, safe='')}", status_code=303)


def resume(request: Request, id: str) -> Response:
    """Let the partner go on."""
    try:
        pausing.resume(station_of(request), id, ACTOR)
    except NotPaused as error:
        return page(request, id, status=409, trouble=str(error))
    return RedirectResponse(f"/partners/{quote(id, safe='')}", status_code=303)


def page(request: Request, id: str, *, status: int = 200, trouble: str = "") -> HTMLResponse:
    """The page, also after a form that could not be carried out."""
    station = station_of(request)
    loaded = station.installation.directory.partners.get(id)
    if loaded is None:
        raise NotFound(f"There is no partner '{id}'")
    partner = loaded.partner
    with station.database.read() as connection:
        waiting = {state: number for (state, whose), number in awaited.counts(connection).items() if whose == id}
        said = _with_rows(connection, answers.latest(connection, id, limit=10))
        strange = answers.unmatched(connection, id, limit=10)
        windows = _windows(station, connection, partner)
        standing = (*set_aside(connection), *troubles.standing(connection), *refused_lately(connection, station.clock()))
        not_working = [one for one in standing if one.partner == id]
        refused = as2_refusals.of_partner(connection, id)
        paused = pauses.get(connection, id)
    return render(
        request,
        "partner.html",
        one=partner,
        file=loaded.file,
        way=way_of,
        waiting=waiting,
        said=said,
        strange=strange,
        windows=windows,
        not_working=not_working,
        refused=refused,
        paused=paused,
        trouble=trouble,
        status=status,
        report=report_of(station, partner),
        agreed=agreed,
        runs=runs_of,
        gaps=gaps_of,
    )


def _with_rows(connection: Connection, said: list[answers.Answer]) -> list[Said]:
    entries = outbox.get_many(connection, [answer.outbox for answer in said if answer.outbox is not None])
    meant = {entry.id: entry.document for entry in entries}
    rows = documents.get_many(connection, [document for document in meant.values() if document is not None])
    return [Said(answer, rows.get(meant.get(answer.outbox or "") or "")) for answer in said]


def _windows(station: Station, connection: Connection, partner: Partner) -> list[Window]:
    """What waits for its time, by time."""
    now = station.clock()
    zone = ZoneInfo(partner.zone or station.installation.settings.zone)
    counts: dict[datetime, Counter[str]] = {}
    for entry in outbox.search(connection, state="waiting", partner=partner.id, limit=_MOST_WAITING):
        if entry.due_at > now and entry.last_error is None:
            counts.setdefault(entry.due_at, Counter())[entry.kind] += 1
    return [
        Window(at, f"{at.astimezone(zone):%H:%M} ({zone.key})", sum(kinds.values()), tuple(sorted(kinds))) for at, kinds in sorted(counts.items())
    ]


def agreed(agreement: Agreement) -> str:
    """What an agreement to send says about time, in words."""
    return "; ".join(part for part in (_batch(agreement.batch), _expected(agreement.expect_acknowledgment)) if part)


def _batch(batch: Batch | None) -> str:
    if batch is None or not batch.waits:
        return ""
    when = "every full hour" if isinstance(batch.at, str) else "at " + ", ".join(f"{one:%H:%M}" for one in batch.at)
    zone = f" ({batch.zone})" if batch.zone else ""
    days = " on workdays" if batch.calendar == "workdays" else ""
    return f"leaves {when}{zone}{days}, in {'one interchange' if batch.interchanges == 'one' else 'interchanges of their own'}"


def _expected(expected: Expectation | None) -> str:
    if expected is None:
        return ""
    if expected.within is None:
        return "answer expected"
    return f"answer within {expected.within}{' of workdays' if expected.calendar == 'workdays' else ''}"


def runs_of(level: Level) -> str:
    """The numbers that were used, as runs; the latest where there are many."""
    more = "…, " if len(level.runs) > SHOWN else ""
    return more + ", ".join(span(*run) for run in level.runs[-SHOWN:])


def gaps_of(level: Level) -> str:
    """The numbers that are missing."""
    more = "…, " if len(level.missing) > SHOWN else ""
    return more + ", ".join(span(*gap) for gap in level.missing[-SHOWN:])
