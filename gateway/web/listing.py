"""The list of documents: filters from the address, keyset pages, search over references. One query for page, JSON and API."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from gateway.pipeline.keeping.found_under import documents_of_message
from gateway.pipeline.station import Station
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.records.documents import Document
from gateway.store.records.documents import Filters
from gateway.web.pages import BadRequest
from gateway.web.pages import address
from gateway.web.pages import key_from
from gateway.web.pages import key_of
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.words import KINDS
from gateway.web.words import STATES

PAGE = 50
#: characters that are searched for: a Message-ID may have so many
LONGEST = 1000
#: documents that a search looks through
SEARCHED = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What the address asks for; every part may be empty."""

    states: tuple[str, ...] = ()
    kind: str | None = None
    partner: str | None = None
    direction: str | None = None
    test: bool | None = None
    text: str = ""
    after: str | None = None

    def parts(self) -> dict[str, object]:
        """The query as it stands in an address, without the place in the list."""
        test = None if self.test is None else "yes" if self.test else "no"
        return {
            "q": self.text,
            "state": list(self.states),
            "kind": "unread" if self.kind == "" else self.kind,
            "partner": self.partner,
            "direction": self.direction,
            "test": test,
        }

    @property
    def is_filtered(self) -> bool:
        return any(value not in (None, "", []) for value in self.parts().values())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list; `found` says by what a search came upon a document."""

    rows: list[Document]
    found: dict[str, references.Found]
    following: str | None
    #: the search stopped at its limit
    cut: bool = False


def query_of(request: Request) -> Query:
    """The query of an address; words that mean nothing are refused, so that a typing error does not look like an empty list."""
    given = request.query_params
    direction, test, kind = given.get("direction") or None, given.get("test") or None, given.get("kind") or None
    if direction not in {None, "in", "out"}:
        raise BadRequest(f"direction is '{direction}': expected in or out")
    if test not in {None, "yes", "no"}:
        raise BadRequest(f"test is '{test}': expected yes or no")
    return Query(
        states=tuple(state for state in given.getlist("state") if state),
        kind="" if kind == "unread" else kind,
        partner=given.get("partner") or None,
        direction=direction,
        test=None if test is None else test == "yes",
        text=given.get("q", "").strip()[:LONGEST],
        after=given.get("after") or None,
    )


def page_of(connection: Connection, query: Query) -> Page:
    """The documents of a query, newest first."""
    return _search(connection, query) if query.text else _list(connection, query)


def _list(connection: Connection, query: Query) -> Page:
    filters = Filters(states=query.states or None, kind=query.kind, partner=query.partner, direction=query.direction, test=query.test)
    rows = documents.search(connection, filters, after=key_from(query.after), limit=PAGE + 1)
    following = None
    if len(rows) > PAGE:
        rows = rows[:PAGE]
        following = key_of(rows[-1].created_at, rows[-1].id)
    return Page(rows, {}, following)


def _search(connection: Connection, query: Query) -> Page:
    hits = references.find(connection, query.text, limit=SEARCHED)
    found: dict[str, references.Found] = {}
    for hit in hits:
        found.setdefault(hit.document, hit)
    asked = [query.text, *documents_of_message(connection, query.text)]
    whole = documents.get_many(connection, [*found, *asked])
    rows = [row for id in dict.fromkeys([*asked, *found]) if (row := whole.get(id)) is not None and _fits(row, query)]
    return Page(rows[:PAGE], found, None, cut=len(rows) > PAGE or len(hits) == SEARCHED)


def _fits(row: Document, query: Query) -> bool:
    return (
        (not query.states or row.state in query.states)
        and (query.kind is None or row.kind == query.kind)
        and (query.partner is None or row.partner == query.partner)
        and (query.direction is None or row.direction == query.direction)
        and (query.test is None or row.test == query.test)
    )


def document_json(row: Document) -> dict[str, Any]:
    """A document in lists, as JSON."""
    return {
        "id": row.id,
        "kind": row.kind,
        "number": row.number,
        "partner": row.partner,
        "direction": row.direction,
        "state": row.state,
        "test": row.test,
        "type": row.transaction_type,
        "control_number": row.transaction_control,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "at": row.created_at,
    }


def list_json(station: Station, query: Query, path: str) -> dict[str, Any]:
    """A page of the list as JSON, with the address of the next one."""
    with station.database.read() as connection:
        page = page_of(connection, query)
    following = address(path, {**query.parts(), "after": page.following}) if page.following else None
    return {"documents": [document_json(row) for row in page.rows], "next": following, "cut": page.cut}


def show(request: Request) -> HTMLResponse:
    """The page of documents."""
    station, query = station_of(request), query_of(request)
    with station.database.read() as connection:
        page = page_of(connection, query)
        kinds = sorted({count.kind for count in documents.counts(connection)} | ({query.kind} if query.kind is not None else set()))
    partners = {id: loaded.partner.name for id, loaded in sorted(station.installation.directory.partners.items())}
    return render(
        request,
        "documents.html",
        page=page,
        q=query,
        parts_of_query=query.parts(),
        kinds=[kind for kind in KINDS if kind in kinds] + [kind for kind in kinds if kind not in KINDS],
        states=[state for state in STATES if state in _DOCUMENT_STATES],
        partners=partners,
        json_address=address("/documents.json", {**query.parts(), "after": query.after}),
        next_address=address("/documents", {**query.parts(), "after": page.following}) if page.following else None,
    )


_DOCUMENT_STATES = frozenset(
    {"registered", "held", "accepted", "rejected", "done", "created", "sent", "cancelled", "replaced", "failed", "waiting", "stopped", "dead"}
)
