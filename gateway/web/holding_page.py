"""What waits for a person: orders and files with their reasons, each with a form to release or reject it."""

from dataclasses import dataclass
from typing import Annotated
from typing import Any

from fastapi import Form
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response
from sqlalchemy import Connection

from gateway.pipeline.station import Station
from gateway.pipeline.trading import holding
from gateway.problem import problem_json
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.holds import Hold
from gateway.store.incoming.transmissions import Transmission
from gateway.store.records import documents
from gateway.store.records.documents import Document
from gateway.store.rows import StaleState
from gateway.web.pages import address
from gateway.web.pages import key_from
from gateway.web.pages import key_of
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.words import kind_name

PAGE = 50
#: who decides here, until there are accounts
ACTOR = "web (local user)"
LONGEST_REASON = 500

ReasonField = Annotated[str, Form(max_length=4000)]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hold with what is held."""

    hold: Hold
    row: Document | None
    file: Transmission | None

    @property
    def name(self) -> str:
        if self.row is not None:
            return f"{kind_name(self.row.kind)} {self.row.number}".strip()
        return self.file.name if self.file is not None else self.hold.id


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Waiting]
    following: str | None


def page_of(connection: Connection, kind: str | None, after: str | None) -> Page:
    """A page of open holds, longest waiting first."""
    waiting = holds.list_open(connection, kind=kind, after=key_from(after), limit=PAGE + 1)
    following = key_of(waiting[PAGE - 1].opened_at, waiting[PAGE - 1].id) if len(waiting) > PAGE else None
    waiting = waiting[:PAGE]
    rows = documents.get_many(connection, [hold.document for hold in waiting if hold.document])
    return Page([_with_what(connection, hold, rows) for hold in waiting], following)


def _with_what(connection: Connection, hold: Hold, rows: dict[str, Document]) -> Waiting:
    file = transmissions.get(connection, hold.transmission) if hold.transmission is not None else None
    return Waiting(hold, rows.get(hold.document or ""), file)


def hold_json(waiting: Waiting) -> dict[str, Any]:
    """A hold as JSON, as `gateway hold list --json` prints it, with its money."""
    hold, row = waiting.hold, waiting.row
    return {
        "id": hold.id,
        "kind": hold.kind,
        "document": hold.document,
        "transmission": hold.transmission,
        "number": row.number if row else None,
        "partner": row.partner if row else None,
        "amount_minor": row.amount_minor if row else None,
        "currency": row.currency if row else None,
        "opened_at": hold.opened_at,
        "reasons": [problem_json(problem) for problem in hold.reasons],
    }


def list_json(station: Station, request: Request, path: str) -> dict[str, Any]:
    """A page of holds as JSON."""
    kind = request.query_params.get("kind") or None
    with station.database.read() as connection:
        page = page_of(connection, kind, request.query_params.get("after"))
    following = address(path, {"kind": kind, "after": page.following}) if page.following else None
    return {"holds": [hold_json(waiting) for waiting in page.rows], "next": following}


def show(request: Request) -> HTMLResponse:
    """The page of what waits."""
    return _show(request)


def _show(request: Request, *, status: int = 200, trouble: str = "", at: str = "", typed: str = "") -> HTMLResponse:
    station = station_of(request)
    kind = request.query_params.get("kind") or None
    with station.database.read() as connection:
        page = page_of(connection, kind, request.query_params.get("after") if request.method == "GET" else None)
        done = _done(connection, request.query_params.get("done"))
    return render(
        request,
        "holds.html",
        status=status,
        page=page,
        kind=kind,
        partners={id: loaded.partner.name for id, loaded in station.installation.directory.partners.items()},
        done=done,
        trouble=trouble,
        trouble_at=at,
        typed=typed,
        json_address=address("/holds.json", {"kind": kind}),
        next_address=address("/holds", {"kind": kind, "after": page.following}) if page.following else None,
    )


def _done(connection: Connection, id: str | None) -> Waiting | None:
    """The hold that was decided a moment ago: what the page says about it comes from the store, not from the address."""
    hold = holds.get(connection, id) if id else None
    if hold is None or hold.resolved_at is None:
        return None
    rows = documents.get_many(connection, [hold.document] if hold.document else [])
    return _with_what(connection, hold, rows)


def release(request: Request, id: str, reason: ReasonField = "") -> Response:
    """Let something held walk on."""
    return _decide(request, id, reason, "release")


def reject(request: Request, id: str, reason: ReasonField = "") -> Response:
    """End something held."""
    return _decide(request, id, reason, "reject")


def decide(station: Station, id: str, reason: str, decision: str, actor: str = ACTOR) -> Hold:
    """Carry out a decision on exactly this hold; raises Undecidable or StaleState."""
    with station.database.read() as connection:
        if holds.get(connection, id) is None:
            raise holding.Undecidable(f"Nothing that waits is called '{id}'")
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise holding.Undecidable(f"The reason is {len(reason)} characters long, at most {LONGEST_REASON} are kept")
    return (holding.release if decision == "release" else holding.reject)(station, id, actor, reason)


def _decide(request: Request, id: str, reason: str, decision: str) -> Response:
    try:
        decide(station_of(request), id, reason, decision)
    except (holding.Undecidable, StaleState) as error:
        return _show(request, status=409 if isinstance(error, StaleState) or reason.strip() else 422, trouble=str(error), at=id, typed=reason)
    return RedirectResponse(address("/holds", {"done": id}), status_code=303)
