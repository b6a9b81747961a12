"""One document: what it is, what is wrong with it and where, its bytes, its reading, its canonical form, and what became of it."""

from collections import defaultdict
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.evidence import exchanges_of
from gateway.pipeline.outbox.redelivering import can_stop
from gateway.pipeline.outbox.resending import ENDED
from gateway.pipeline.station import Station
from gateway.problem import problem_json
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.outgoing import answers
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.records.documents import Document
from gateway.web.canonical import Canonical
from gateway.web.canonical import tree_of
from gateway.web.explanation import Explanation
from gateway.web.explanation import explain
from gateway.web.finder import SEGMENTS
from gateway.web.finder import Finder
from gateway.web.finder import Told
from gateway.web.finder import source_of
from gateway.web.finder import tell
from gateway.web.listing import document_json
from gateway.web.pages import BadRequest
from gateway.web.pages import NotFound
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.payload import Line
from gateway.web.payload import Payload
from gateway.web.payload import payload_of
from gateway.web.payload import segment_line
from gateway.web.payload import text_lines
from gateway.web.readable import Descriptions
from gateway.web.readable import Segment
from gateway.web.readable import read_segments
from gateway.web.versions import Version
from gateway.web.versions import versions_of

#: documents of the trail that the head of the page names
NEIGHBOURS = 12
#: sendings that one received acknowledgment is shown to speak of
MOST_SPOKEN_OF = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that left for this document, with what happened to it."""

    entry: outbox.Entry
    events: list[journal.Recorded]
    #: what the partner said of it, oldest first
    said: list[answers.Answer] = field(default_factory=list)


@dataclass(slots=True)
class Records:
    """What the store knows about a document."""

    row: Document
    history: list[documents.Transition]
    holds: list[holds.Hold]
    neighbours: list[tuple[str, Document]]
    sent: list[Sent]
    references: list[references.Reference]
    interchange: interchanges.Interchange | None = None
    transmission: transmissions.Transmission | None = None
    partner_name: str = ""
    #: where this is a partner's answer: what it says, and of which document of ours
    speaks: list[tuple[answers.Answer, Document | None]] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    #: what went over AS2, with its proof
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(slots=True)
class Panes:
    """The three panes, and how far the first two show the payload."""

    lines: list[Line] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    canonical: Canonical | None = None
    explanation: Explanation | None = None
    first: int = 1
    total: int = 0

    @property
    def last(self) -> int:
        return self.first + SEGMENTS - 1


def show(request: Request, id: str) -> HTMLResponse:
    """The page of a document."""
    return page(request, id)


def page(request: Request, id: str, *, status: int = 200, trouble: str = "") -> HTMLResponse:
    """The page of a document; with what went wrong where somebody wanted to do something with it."""
    station = station_of(request)
    records = _records(station, id)
    first = _first(request.query_params.get("from"))
    own = [sent.entry for sent in records.sent if sent.entry.document == id]
    payload = payload_of(station, records.row, own, records.interchange is None or records.interchange.ordinal == 0)
    explained = request.query_params.get("explain") == "1"
    panes, told = _panes(station, request.app.state.descriptions, records.row, payload, first, explained)
    last = own[-1] if own else None
    return render(
        request,
        "document.html",
        status=status,
        trouble=trouble,
        resent=request.query_params.get("resent") == "1" and last is not None and len(own) > 1,
        can_stop=can_stop,
        can_resend=records.row.direction == "out" and last is not None and last.state in ENDED,
        row=records.row,
        records=records,
        payload=payload,
        panes=panes,
        told=told,
        explained=explained,
        open_hold=next((hold for hold in records.holds if hold.resolved_at is None), None),
    )


def as_json(station: Station, id: str) -> dict[str, Any]:
    """A document as the API gives it: head, canonical form, problems, history, what was sent."""
    records = _records(station, id)
    row = records.row
    return {
        **document_json(row),
        "transmission": row.transmission,
        "interchange": row.interchange,
        "sha256": row.sha256,
        "plans": dict(row.plan_digests),
        "document": msgspec.Raw(row.body.encode()) if row.body is not None else None,
        "problems": [problem_json(problem) for problem in row.problems],
        "history": [
            {"state": step.state, "before": step.state_before, "actor": step.actor, "reason": step.reason, "at": step.at} for step in records.history
        ],
        "sent": [
            {
                "id": sent.entry.id,
                "spec": sent.entry.spec,
                "state": sent.entry.state,
                "identity": sent.entry.identity,
                "sent_at": sent.entry.sent_at,
                "acknowledgment": sent.entry.ack_state,
                "application": sent.entry.application_state,
                "answer_due": sent.entry.ack_due_at,
                "sha256": sent.entry.sha256,
                "answers": [
                    {
                        "kind": answer.kind,
                        "layer": answer.layer,
                        "outcome": answer.outcome,
                        "relation": answer.relation,
                        "at": answer.at,
                        "document": answer.document,
                        "problems": [problem_json(problem) for problem in answer.problems],
                    }
                    for answer in sent.said
                ],
            }
            for sent in records.sent
        ],
        "versions": [
            {
                "version": version.number or None,
                "change": version.document,
                "order": version.order,
                "at": version.at,
                "differences": [{"field": one.field, "before": one.before, "after": one.after} for one in version.differences],
            }
            for version in records.versions
        ],
        "links": [{"relation": relation, "document": other.id} for relation, other in records.neighbours],
    }


# ---------------------------------------------------------------- what is known


def _records(station: Station, id: str) -> Records:
    with station.database.read() as connection:
        row = documents.get(connection, id)
        if row is None:
            raise NotFound(f"There is no document '{id}'")
        records = Records(
            row=row,
            history=documents.history(connection, id),
            holds=holds.of_document(connection, id),
            neighbours=_neighbours(connection, row),
            sent=_sent(connection, row),
            references=references.of_document(connection, id),
            interchange=interchanges.get(connection, row.interchange) if row.interchange else None,
            transmission=transmissions.get(connection, row.transmission) if row.transmission else None,
            speaks=_speaks(connection, row),
            versions=versions_of(connection, row),
        )
        # with the files in which partners answered: what they signed of it
        ids = {answer.transmission: None for sent in records.sent for answer in sent.said if answer.transmission is not None}
        answered = [transmissions.get(connection, one) for one in ids]
        arrived = [one for one in (records.transmission, *answered) if one is not None]
        records.exchanges = exchanges_of(connection, station.archive, [one.entry for one in records.sent], arrived)
    loaded = station.installation.directory.partners.get(row.partner)
    records.partner_name = loaded.partner.name if loaded is not None else row.partner
    return records


def _neighbours(connection: Connection, row: Document) -> list[tuple[str, Document]]:
    """The documents of its trail, oldest first, each with how it hangs on its neighbour; internal hand-ins are left out."""
    relations: dict[str, str] = {}
    for link in references.trail(connection, row.id, limit=NEIGHBOURS * 4):
        relations.setdefault(link.to_document, link.relation)
        relations.setdefault(link.from_document, "")
    ids = list(dict.fromkeys([row.id, *relations]))[: NEIGHBOURS * 4]
    found = sorted(documents.get_many(connection, ids).values(), key=lambda other: (other.created_at, other.id))
    shown = [other for other in found if other.kind not in {"shipment", "invoice_release"} or other.id == row.id]
    return [(relations.get(other.id, ""), other) for other in shown[:NEIGHBOURS]] if len(shown) > 1 else []


def _sent(connection: Connection, row: Document) -> list[Sent]:
    """What left for it: itself, the acknowledgment of its interchange, and its direct answers."""
    entries = outbox.of_document(connection, row.id)
    if row.interchange is not None and row.direction == "in":
        entries = [*outbox.of_interchange(connection, row.interchange), *entries]
    for link in references.links_of(connection, row.id):
        if link.from_document == row.id and link.relation in {"answers", "ships", "invoices", "credits", "makes"}:
            entries += outbox.of_document(connection, link.to_document)
    unique = {entry.id: entry for entry in entries}
    said: dict[str, list[answers.Answer]] = defaultdict(list)
    for answer in answers.of_outbox(connection, list(unique)):
        said[answer.outbox or ""].append(answer)
    return [
        Sent(entry, journal.of_subject(connection, "outbox", entry.id), said[entry.id])
        for entry in sorted(unique.values(), key=lambda one: one.created_at)
    ]


def _speaks(connection: Connection, row: Document) -> list[tuple[answers.Answer, Document | None]]:
    """What a partner's answer says, with the documents of ours that it means."""
    if row.kind != "acknowledgment" or row.direction != "in":
        return []
    said = answers.of_document(connection, row.id, limit=MOST_SPOKEN_OF)
    meant = {answer.id: outbox.get(connection, answer.outbox) for answer in said if answer.outbox is not None}
    rows = documents.get_many(connection, [entry.document for entry in meant.values() if entry is not None and entry.document])
    return [(answer, rows.get(entry.document or "") if (entry := meant.get(answer.id)) is not None else None) for answer in said]


def _first(text: str | None) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise BadRequest(f"from is '{text}': expected the number of a segment")
    return int(text)


# ---------------------------------------------------------------- the panes


def _panes(
    station: Station, descriptions: Descriptions, row: Document, payload: Payload | None, first: int, explained: bool
) -> tuple[Panes, list[Told]]:
    panes = Panes(first=first)
    transaction = payload.transaction if payload is not None else None
    by_field = any(problem.place.field for problem in row.problems)
    if payload is not None and transaction is not None and row.body is not None and (explained or by_field):
        panes.explanation = explain(station, row, payload)
    origins = panes.explanation.origins if panes.explanation is not None else {}
    finder = Finder(transaction, origins)
    told = [tell(number, problem, finder) for number, problem in enumerate(row.problems, start=1)]
    if transaction is not None and transaction.root is None:
        panes.total = len(transaction.segments)
        panes.first = first = min(first, max(1, panes.total))
        indexes = range(first, min(panes.total, first + SEGMENTS - 1) + 1)
        panes.lines = [segment_line(transaction, index, finder.problems.get(index, {})) for index in indexes]
        loaded = station.installation.directory.partners.get(row.partner)
        panes.segments = read_segments(transaction, descriptions, loaded, finder.problems, first, SEGMENTS)
    elif payload is not None:
        text = transaction.raw if transaction is not None else payload.text
        panes.total = text.count("\n") + 1
        base = transaction.offset if transaction is not None else 0
        panes.lines = list(text_lines(text, base, finder.marks, finder.marked_lines, SEGMENTS))
        panes.first = 1
    if row.body is not None:
        by_path: dict[str, list[int]] = defaultdict(list)
        for one in told:
            if one.problem.place.field:
                by_path[one.problem.place.field].append(one.number)
        sources = {name: [source_of(origin, finder) for origin in found] for name, found in origins.items()} if explained else {}
        panes.canonical = tree_of(row.body, by_path, sources)
    return panes, told
