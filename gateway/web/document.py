"""One document: what it is, what is wrong with it and where, its bytes, its reading, its canonical form, and what became of it."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import msgspec
import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from gateway.codecs.node import Transaction
from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.evidence import exchanges_of
from gateway.pipeline.as2.taking import safe_name
from gateway.pipeline.outbox.redelivering import can_stop
from gateway.pipeline.outbox.resending import ENDED
from gateway.pipeline.station import Station
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import problem_json
from gateway.store import answers
from gateway.store import documents
from gateway.store import erasures
from gateway.store import holds
from gateway.store import interchanges
from gateway.store import journal
from gateway.store import outbox
from gateway.store import references
from gateway.store import transmissions
from gateway.store.archive import ArchiveMissing
from gateway.store.documents import Document
from gateway.web.canonical import Canonical
from gateway.web.canonical import Source
from gateway.web.canonical import tree_of
from gateway.web.explanation import Explanation
from gateway.web.explanation import explain
from gateway.web.listing import document_json
from gateway.web.pages import BadRequest
from gateway.web.pages import NotFound
from gateway.web.pages import render
from gateway.web.pages import station_of
from gateway.web.payload import Line
from gateway.web.payload import Payload
from gateway.web.payload import payload_of
from gateway.web.payload import segment_line
from gateway.web.payload import segment_span
from gateway.web.payload import text_lines
from gateway.web.readable import Descriptions
from gateway.web.readable import Segment
from gateway.web.readable import read_segments
from gateway.web.versions import Version
from gateway.web.versions import versions_of

_log = structlog.get_logger("web")
#: segments, or lines of a text, on one page
SEGMENTS = 500
#: documents of the trail that the head of the page names
NEIGHBOURS = 12
#: sendings that one received acknowledgment is shown to speak of
MOST_SPOKEN_OF = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as the page tells it: its number, and where it can be seen."""

    number: int
    problem: Problem
    where: str
    link: str

    @property
    def tone(self) -> str:
        if self.problem.outcome is Outcome.HOLD:
            return "waits"
        return "bad" if self.problem.severity is Severity.ERROR or self.problem.outcome is Outcome.REJECT else "note"


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


def download(request: Request, id: str) -> Response:
    """The exact archived bytes that a document came in."""
    station = station_of(request)
    with station.database.read() as connection:
        row = documents.get(connection, id)
        transmission = transmissions.get(connection, row.transmission) if row is not None and row.transmission else None
    if row is None or row.sha256 is None:
        raise NotFound(f"There are no received bytes of a document '{id}'")
    return _bytes(station, row.sha256, transmission.name if transmission is not None else f"{row.kind or 'document'}-{row.number or row.id}")


def download_file(request: Request, id: str) -> Response:
    """The exact archived bytes of a file that was received, whatever it turned out to be."""
    station = station_of(request)
    with station.database.read() as connection:
        transmission = transmissions.get(connection, id)
    if transmission is None:
        raise NotFound(f"There is no file '{id}'")
    return _bytes(station, transmission.sha256, transmission.name)


def download_sent(request: Request, id: str) -> Response:
    """The exact archived bytes that left."""
    station = station_of(request)
    with station.database.read() as connection:
        entry = outbox.get(connection, id)
    if entry is None or entry.sha256 is None:
        raise NotFound(f"There are no bytes that left as '{id}'")
    return _bytes(station, entry.sha256, entry.identity or entry.id)


def _bytes(station: Station, sha256: str, name: str) -> Response:
    """Bytes that no browser may open by itself, whatever they are."""
    try:
        size = station.archive.size(sha256)
        file = station.archive.open(sha256)
    except ArchiveMissing as error:
        with station.database.read() as connection:
            raise NotFound(erasures.words_of(connection, sha256) or str(error)) from None
    # what somebody looked at is known, not what stood in it
    _log.info("payload given out", sha256=sha256, size=size)
    plain = safe_name(name, sha256).encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(iter(lambda: file.read(1 << 16), b""), media_type="application/octet-stream", headers=headers)


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
        arrived = [records.transmission] if records.transmission is not None else []
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
    finder = _Finder(transaction, origins)
    told = [_tell(number, problem, finder) for number, problem in enumerate(row.problems, start=1)]
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
        sources = {name: [_source(origin, finder) for origin in found] for name, found in origins.items()} if explained else {}
        panes.canonical = tree_of(row.body, by_path, sources)
    return panes, told


def _source(origin: Any, finder: "_Finder") -> Source:
    return Source(origin.source, origin.how.replace("_", " "), origin.mapping, finder.link_to(origin.offset))


class _Finder:
    """Finds what a problem or origin points at: a segment and element, bytes, a line. Keeps what is to be marked."""

    def __init__(self, transaction: Transaction | None, origins: Mapping[str, Sequence[Any]]) -> None:
        self._transaction = transaction
        self._origins = origins
        self._starts: list[int] | None = None
        #: segment -> element (None: the whole) -> numbers of problems
        self.problems: dict[int, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
        #: bytes of an XML document -> number of the problem
        self.marks: list[tuple[int, int, int]] = []
        self.marked_lines: dict[int, list[int]] = defaultdict(list)

    @property
    def _segmented(self) -> bool:
        return self._transaction is not None and self._transaction.root is None

    def mark(self, number: int, problem: Problem) -> str:
        """Mark where a problem is; returns the link to it."""
        place = problem.place
        index, element = place.index, place.element
        if place.field and index is None:
            origin = next((origin for origin in self._origins_of(place.field) if origin.offset is not None), None)
            if origin is not None and self._segmented:
                index, element = self._at(origin.offset)
            elif origin is not None and self._transaction is not None:
                begin = origin.offset - self._transaction.offset
                self.marks.append((begin, begin + max(origin.length or 1, 1), number))
                return "#bytes"
        if self._segmented and index is not None and self._transaction is not None and 0 < index <= len(self._transaction.segments):
            there = element if element is not None and element < len(self._transaction.segments[index - 1]) else None
            self.problems[index][there].append(number)
            return self._segment_link(index, there)
        if self._transaction is not None and self._transaction.root is not None and place.line is not None:
            if place.offset is not None and place.length:
                begin = place.offset - self._transaction.offset
                self.marks.append((begin, begin + place.length, number))
            else:
                self.marked_lines[place.line].append(number)
            return "#bytes"
        return "#" + "f-" + "".join(letter if letter.isalnum() else "-" for letter in place.field) if place.field else ""

    def link_to(self, offset: int | None) -> str:
        """The link to the element at a byte."""
        if offset is None or self._transaction is None:
            return ""
        if not self._segmented:
            return "#bytes"
        index, element = self._at(offset)
        return self._segment_link(index, element)

    def _segment_link(self, index: int, element: int | None) -> str:
        page = "" if index <= SEGMENTS else f"?from={(index - 1) // SEGMENTS * SEGMENTS + 1}"
        return f"{page}#s{index}" + (f"e{element}" if element else "")

    def _origins_of(self, name: str) -> Sequence[Any]:
        """The origins of a field, or of the first field inside of it that has any."""
        if name in self._origins:
            return self._origins[name]
        return next((found for other, found in self._origins.items() if other.startswith((f"{name}.", f"{name}["))), ())

    def _at(self, offset: int) -> tuple[int, int | None]:
        """The segment and element at a byte of the file."""
        transaction = self._transaction
        assert transaction is not None and transaction.delimiters is not None
        if self._starts is None:
            self._starts = [segment_span(transaction, index)[0] for index in range(1, len(transaction.segments) + 1)]
        position = offset - transaction.offset
        index = max(1, bisect_right(self._starts, position))
        before = transaction.raw[self._starts[index - 1] : position]
        released = transaction.delimiters.release
        if released:
            before = before.replace(released * 2, "").replace(released + transaction.delimiters.element, "")
        return index, before.count(transaction.delimiters.element) or None


def _tell(number: int, problem: Problem, finder: _Finder) -> Told:
    return Told(number, problem, problem.place.words() if problem.place.words() != "the file" else "", finder.mark(number, problem))
