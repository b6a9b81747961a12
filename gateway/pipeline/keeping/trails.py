"""The trail of something, from the purchase order to the cash: every document that hangs together with it, what happened to each, when,
by whom, and which archived bytes prove it."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from gateway.pipeline.answers.sent_bytes import MarkedSegment
from gateway.pipeline.answers.sent_bytes import marked_segment
from gateway.pipeline.answers.sent_bytes import sent_transactions
from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.evidence import exchanges_of
from gateway.pipeline.keeping.found_under import MOST
from gateway.pipeline.keeping.found_under import found_under
from gateway.pipeline.keeping.own_money import own_facts
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.store import journal
from gateway.store.incoming import as2_requests
from gateway.store.incoming import holds
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.incoming.as2_requests import Request
from gateway.store.incoming.as2_unopened import Unopened
from gateway.store.incoming.holds import Hold
from gateway.store.outgoing import answers
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    at: datetime
    actor: str
    action: str
    #: document, outbox, interchange, transmission
    subject_kind: str
    #: the document, outbox row or interchange it happened to
    subject: str
    #: the same as people call it: `order PO4711`, `file po.edi`
    words: str
    #: whose that is, where it is one partner's
    partner: str = ""
    #: its place in the journal
    position: int = 0
    reason: str = ""
    facts: dict[str, str]
    hash: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What a partner finds wrong, with our own segment as it left."""

    problem: Problem
    segment: MarkedSegment | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a partner answered to something that we sent."""

    entry: outbox.Entry
    answer: answers.Answer
    faults: list[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """All documents of a trail, oldest first, and its events in time."""

    reference: str
    documents: list[documents.Document]
    events: list[Event]
    outgoing: list[outbox.Entry]
    items: list[ledger.OpenItem]
    allocations: list[ledger.Allocation]
    said: list[Said] = field(default_factory=list)
    #: what went over AS2, with its proof
    exchanges: list[Exchange] = field(default_factory=list)
    #: what came in
    files: list[transmissions.Transmission] = field(default_factory=list)
    #: those of them that were asked for
    asked: frozenset[str] = frozenset()
    #: what waits for a person
    holds: list[Hold] = field(default_factory=list)
    #: more documents than these have the reference
    more: bool = False
    #: whose the things are that have the reference: each partner counts for itself
    partners: tuple[str, ...] = ()
    #: AS2 messages that are called so and were refused, newest first
    refused: list[Refusal] = field(default_factory=list)
    #: AS2 requests that are called so and of which nothing was taken, newest first
    requests: list[Request] = field(default_factory=list)
    #: AS2 messages that are called so, were answered and wait to be opened
    unopened: list[Unopened] = field(default_factory=list)


def trail_of(station: Station, reference: str, partner: str | None = None) -> Trail | None:
    """The trail of whatever is known (of one partner) under this reference; None where nothing is."""
    with station.database.read() as connection:
        invoices = station.installation.settings.invoices
        series = (invoices.series, invoices.credit_series)
        found = found_under(connection, reference, station.installation.directory.partners, partner, series)
        if not found:
            return None
        ids = set(found.documents)
        for one in found.documents:
            for link in references.trail(connection, one):
                ids |= {link.from_document, link.to_document}
        rows = sorted(documents.get_many(connection, ids).values(), key=lambda row: (row.created_at, row.id))
        desk = _Desk(connection)
        for file in found.transmissions.values():
            desk.file(file.id)
        for interchange in found.interchanges.values():
            desk.interchange(interchange)
        asked = frozenset(desk.files)
        for row in rows:
            desk.document(row)
        for entry in found.outgoing.values():
            desk.sent(entry, "")
        for refusal in found.refused.values():
            desk.request(refusal.request_sha256 or refusal.id, refusal.message_id, refusal.partner)
        for request in found.requests.values():
            desk.request(request.request_sha256, request.message_id, request.partner)
        for message in found.unopened.values():
            desk.request(message.request_sha256, message.message_id)
        answered = answers.of_outbox(connection, list(desk.outgoing))
        for answer in answered:
            if answer.transmission is not None:
                desk.file(answer.transmission)
        desk.again()
        items, allocations = _money(connection, rows)
        for row in rows:
            if references.is_of_many(row.kind) and row.id not in found.documents:
                desk.only_of(row.id, items, allocations)
        outgoing = list(desk.outgoing.values())
        files = list(desk.files.values())
        exchanges = exchanges_of(connection, station.archive, outgoing, files)
        if partner is not None:
            exchanges = [one for one in exchanges if one.partner == partner]
    events = sorted(desk.events.values(), key=lambda event: (event.at, event.position))
    return Trail(
        reference=reference,
        documents=rows,
        events=events,
        outgoing=outgoing,
        items=items,
        allocations=allocations,
        said=_said(station, desk.outgoing, answered),
        exchanges=exchanges,
        files=files,
        asked=asked,
        holds=desk.holds,
        more=found.more,
        partners=found.partners(rows),
        refused=list(found.refused.values()),
        requests=list(found.requests.values()),
        unopened=list(found.unopened.values()),
    )


@dataclass(slots=True)
class _Desk:
    """What belongs to a trail, gathered: each file, interchange, row and event once, however many documents it belongs to."""

    connection: Connection
    events: dict[tuple[str, str], Event] = field(default_factory=dict)
    files: dict[str, transmissions.Transmission] = field(default_factory=dict)
    outgoing: dict[str, outbox.Entry] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    #: number of each by its id
    opened: dict[str, str] = field(default_factory=dict)

    def document(self, row: documents.Document) -> None:
        """A document, the file that it came in, and what left of it."""
        if row.transmission is not None:
            self.file(row.transmission)
        if row.interchange is not None:
            self.interchange(interchanges.get(self.connection, row.interchange))
        name = name_of(row)
        self._tell("document", row.id, name, row.partner)
        self.holds += [hold for hold in holds.of_document(self.connection, row.id) if hold.resolved_at is None]
        for entry in outbox.of_document(self.connection, row.id):
            self.sent(entry, name)

    def interchange(self, row: interchanges.Interchange | None) -> None:
        """An interchange, the file that it came in, and its acknowledgments."""
        if row is None or row.id in self.opened:
            return
        self.file(row.transmission)
        file = f"file {self.files[row.transmission].name}" if row.transmission in self.files else "a file"
        number = f"interchange {row.control_number}" if row.control_number else ""
        self.opened[row.id] = number or file
        self._tell("interchange", row.id, f"{number} of {file}" if number else file, row.partner)
        for entry in outbox.of_interchange(self.connection, row.id):
            self.sent(entry, "")

    def sent(self, entry: outbox.Entry, of: str) -> None:
        """Something that left or shall leave; `of`: the document that it is."""
        if entry.id in self.outgoing:
            return
        self.outgoing[entry.id] = entry
        kind = entry.spec.rsplit("/", 1)[-1].partition("-")[0].upper()
        number = self.opened.get(entry.properties.get("interchange", ""))
        self._tell("outbox", entry.id, of or (f"{kind} for {number}" if number else kind), entry.partner)

    def file(self, id: str) -> None:
        """A file that came, with those of its interchanges that no document tells of."""
        file = transmissions.get(self.connection, id) if id not in self.files else None
        if file is None:
            return
        self.files[id] = file
        self._tell("transmission", id, f"file {file.name}", file.partner)
        if file.properties.get("raw_message"):
            self._message(file.properties, file.partner)
        self.holds += [hold for hold in holds.of_transmission(self.connection, id) if hold.resolved_at is None]
        for row in interchanges.of_transmission(self.connection, id):
            if row.state in {"held", "refused"}:
                self.interchange(row)

    def request(self, subject: str, message_id: str | None, partner: str | None = None) -> None:
        """An AS2 request of which nothing was taken, or not yet, as the journal has it."""
        self._tell("as2_request", subject, f"AS2 message {message_id}", partner)

    def _message(self, facts: Mapping[str, str], partner: str | None) -> None:
        """The AS2 message that brought a file: how it came before it was opened, and that it came again."""
        self.request(facts["raw_message"], facts["message_id"], partner)
        for one in as2_requests.named(self.connection, facts["message_id"]):
            if (one.as2_from, one.as2_to) == (facts["as2_from"], facts.get("as2_to", "")):
                self.request(one.request_sha256, one.message_id, partner)

    def again(self) -> None:
        """The same bytes in other files of the same partner: what came twice."""
        for file in list(self.files.values()):
            for other in transmissions.with_bytes(self.connection, file.sha256)[:MOST]:
                if other.partner == file.partner:
                    self.file(other.id)

    def only_of(self, statement: str, items: Sequence[ledger.OpenItem], allocations: Sequence[ledger.Allocation]) -> None:
        """Of a statement that speaks of many, what it says of these items."""
        mine = {item.id: item for item in items}
        for key, event in [(key, event) for key, event in self.events.items() if event.subject == statement]:
            facts = own_facts(event.action, event.facts, mine, allocations)
            if facts is None:
                del self.events[key]
            else:
                self.events[key] = replace(event, facts=facts)

    def _tell(self, kind: str, subject: str, name: str, partner: str | None) -> None:
        for recorded in journal.of_subject(self.connection, kind, subject):
            self.events.setdefault((subject, recorded.hash), _event(recorded, name, partner or ""))


def _said(station: Station, outgoing: dict[str, outbox.Entry], answered: list[answers.Answer]) -> list[Said]:
    """The answers with our own segments, as they left."""
    faulty = [outgoing[answer.outbox] for answer in answered if answer.outbox is not None and answer.problems]
    transactions = sent_transactions(station, faulty) if faulty else {}
    found = []
    for answer in answered:
        assert answer.outbox is not None
        transaction = transactions.get(answer.outbox)
        faults = [Fault(problem, marked_segment(transaction, problem.place) if transaction is not None else None) for problem in answer.problems]
        found.append(Said(outgoing[answer.outbox], answer, faults))
    return found


def _money(connection: Connection, rows: list[documents.Document]) -> tuple[list[ledger.OpenItem], list[ledger.Allocation]]:
    numbers = {row.number for row in rows if row.kind in {"invoice", "credit_note"} and row.direction == "out"}
    mine = {row.id for row in rows}
    items = [item for item in ledger.find_items(connection, numbers) if item.document in mine] if numbers else []
    return items, [allocation for item in items for allocation in ledger.allocations_of(connection, item=item.id)]


def name_of(row: documents.Document) -> str:
    """A document in words: `order PO4711`, or `850 transaction 0001` where it was never read as one."""
    kind = row.kind.replace("_", " ")
    if row.number:
        return f"{kind} {row.number}".strip()
    control = f"transaction {row.transaction_control}" if row.transaction_control else ""
    return f"{kind or row.transaction_type} {control}".strip() or "document"


def _event(recorded: journal.Recorded, name: str, partner: str) -> Event:
    entry = recorded.entry
    return Event(
        at=entry.at,
        position=recorded.position,
        actor=entry.actor,
        action=entry.action,
        subject_kind=entry.subject_kind,
        subject=entry.subject,
        words=name,
        partner=partner,
        reason=entry.reason,
        facts=dict(entry.facts),
        hash=recorded.hash,
        references=entry.references,
    )
