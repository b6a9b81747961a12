"""The trail of something, from the purchase order to the cash: every document that hangs together with it, what happened to each, when,
by whom, and which archived bytes prove it."""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from gateway.model.money import from_minor
from gateway.model.money import money_words
from gateway.pipeline.answers.sent_bytes import MarkedSegment
from gateway.pipeline.answers.sent_bytes import marked_segment
from gateway.pipeline.answers.sent_bytes import sent_transactions
from gateway.pipeline.as2.evidence import Exchange
from gateway.pipeline.as2.evidence import exchanges_of
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.problem import problem_json
from gateway.store import journal
from gateway.store.incoming import interchanges
from gateway.store.incoming import transmissions
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
    #: the document, outbox row or interchange it happened to
    subject: str
    words: str
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


def trail_of(station: Station, reference: str) -> Trail | None:
    """The trail of whatever is known under this reference; None where nothing is."""
    with station.database.read() as connection:
        first = documents.get(connection, reference)
        start = [first.id] if first is not None else [found.document for found in references.find(connection, reference, whole=True, limit=20)]
        if not start:
            start = [found.document for found in references.find(connection, reference, limit=20)]
        if not start:
            return _of_files(station, connection, reference)
        ids = set(start)
        for one in start:
            for link in references.trail(connection, one):
                ids |= {link.from_document, link.to_document}
        rows = sorted(documents.get_many(connection, ids).values(), key=lambda row: (row.created_at, row.id))
        events: list[Event] = []
        outgoing: list[outbox.Entry] = []
        seen_interchanges: set[str] = set()
        seen_transmissions: set[str] = set()
        for row in rows:
            events += [_event(recorded, row) for recorded in journal.of_subject(connection, "document", row.id)]
            for entry in outbox.of_document(connection, row.id):
                outgoing.append(entry)
                events += [_event(recorded, row) for recorded in journal.of_subject(connection, "outbox", entry.id)]
            if row.interchange is not None and row.interchange not in seen_interchanges:
                seen_interchanges.add(row.interchange)
                events += [_event(recorded, row) for recorded in journal.of_subject(connection, "interchange", row.interchange)]
                for entry in outbox.of_interchange(connection, row.interchange):
                    outgoing.append(entry)
                    events += [_event(recorded, row) for recorded in journal.of_subject(connection, "outbox", entry.id)]
            if row.transmission is not None and row.transmission not in seen_transmissions:
                seen_transmissions.add(row.transmission)
                events += [_event(recorded, row) for recorded in journal.of_subject(connection, "transmission", row.transmission)]
        items, allocations = _money(connection, rows)
        answered = answers.of_outbox(connection, [entry.id for entry in outgoing])
        arrived = [file for file in (transmissions.get(connection, id) for id in sorted(seen_transmissions)) if file is not None]
        exchanges = exchanges_of(connection, station.archive, outgoing, arrived)
    # what happened to a file or an acknowledgment is told once, however many documents were in it
    events = sorted({(event.subject, event.hash): event for event in reversed(events)}.values(), key=lambda event: event.at)
    said = _said(station, {entry.id: entry for entry in outgoing}, answered)
    return Trail(
        reference=reference,
        documents=rows,
        events=events,
        outgoing=outgoing,
        items=items,
        allocations=allocations,
        said=said,
        exchanges=exchanges,
    )


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


def _of_files(station: Station, connection: Connection, reference: str) -> Trail | None:
    """The trail of files that no document came of: held, refused as a whole, or nothing that we can read."""
    events: list[Event] = []
    arrived = transmissions.named(connection, reference)
    for transmission in arrived:
        words = f"file {transmission.name}"
        events += [_named(recorded, words) for recorded in journal.of_subject(connection, "transmission", transmission.id)]
        for interchange in interchanges.of_transmission(connection, transmission.id):
            events += [_named(recorded, words) for recorded in journal.of_subject(connection, "interchange", interchange.id)]
    if not events:
        return None
    # what happened to a file or an acknowledgment is told once, however many documents were in it
    events = sorted({(event.subject, event.hash): event for event in reversed(events)}.values(), key=lambda event: event.at)
    exchanges = exchanges_of(connection, station.archive, (), arrived)
    return Trail(reference=reference, documents=[], events=events, outgoing=[], items=[], allocations=[], exchanges=exchanges)


def _money(connection: Any, rows: list[documents.Document]) -> tuple[list[ledger.OpenItem], list[ledger.Allocation]]:
    numbers = {row.number for row in rows if row.kind in {"invoice", "credit_note"} and row.direction == "out"}
    mine = {row.id for row in rows}
    items = [item for item in ledger.find_items(connection, numbers) if item.document in mine] if numbers else []
    return items, [allocation for item in items for allocation in ledger.allocations_of(connection, item=item.id)]


def _event(recorded: journal.Recorded, row: documents.Document) -> Event:
    return _named(recorded, " ".join(part for part in (row.kind.replace("_", " "), row.number) if part))


def _named(recorded: journal.Recorded, name: str) -> Event:
    entry = recorded.entry
    return Event(
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        words=name,
        reason=entry.reason,
        facts=dict(entry.facts),
        hash=recorded.hash,
        references=entry.references,
    )


def trail_json(trail: Trail) -> dict[str, Any]:
    """The trail as `gateway trail --json` prints it."""
    return {
        "reference": trail.reference,
        "documents": [
            {
                "id": row.id,
                "kind": row.kind,
                "number": row.number,
                "direction": row.direction,
                "partner": row.partner,
                "state": row.state,
                "test": row.test,
                "type": row.transaction_type,
                "control_number": row.transaction_control,
                "at": row.created_at,
                "amount_minor": row.amount_minor,
                "currency": row.currency,
                "plans": dict(row.plan_digests),
            }
            for row in trail.documents
        ],
        "events": [
            {
                "at": event.at,
                "actor": event.actor,
                "action": event.action,
                "about": event.words,
                "subject": event.subject,
                "reason": event.reason,
                "facts": event.facts,
                "hash": event.hash,
                "archive": list(event.references),
            }
            for event in trail.events
        ],
        "sent": [
            {
                "id": entry.id,
                "spec": entry.spec,
                "state": entry.state,
                "identity": entry.identity,
                "sent_at": entry.sent_at,
                "acknowledgment": entry.ack_state,
                "application": entry.application_state,
                "sha256": entry.sha256,
            }
            for entry in trail.outgoing
        ],
        "answers": [
            {
                "to": said.entry.id,
                "kind": said.answer.kind,
                "layer": said.answer.layer,
                "outcome": said.answer.outcome,
                "relation": said.answer.relation,
                "at": said.answer.at,
                "document": said.answer.document,
                "faults": [
                    {
                        "problem": problem_json(fault.problem),
                        "our_segment": fault.segment.text if fault.segment is not None else None,
                        "mark": [fault.segment.start, fault.segment.length] if fault.segment is not None else None,
                    }
                    for fault in said.faults
                ],
            }
            for said in trail.said
        ],
        "as2": [msgspec.to_builtins(exchange, builtin_types=(datetime,)) for exchange in trail.exchanges],
        "open_items": [
            {
                "number": item.number,
                "kind": item.kind,
                "currency": item.currency,
                "amount_minor": item.amount_minor,
                "open_minor": item.open_minor,
                "due_on": item.due_on,
            }
            for item in trail.items
        ],
        "allocations": [
            {
                "id": one.id,
                "open_item": one.open_item,
                "payment": one.payment,
                "kind": one.kind,
                "amount_minor": one.amount_minor,
                "currency": one.currency,
                "at": one.at,
                "reason": one.reason,
            }
            for one in trail.allocations
        ],
    }


def trail_words(trail: Trail) -> str:
    """The trail for people: one line an event, in time."""
    chain = " > ".join(f"{row.kind.replace('_', ' ')} {row.number} ({row.state}{', test' if row.test else ''})" for row in trail.documents)
    lines = [f"{trail.reference}: {chain or 'no document came of this file'}"]
    for event in trail.events:
        lines.append(
            f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.words or event.subject}: {event.action.replace('_', ' ')}"
            + (f" by {event.actor}" if event.actor != "gateway" else "")
            + (f": {event.reason}" if event.reason else "")
        )
    for said in trail.said:
        told = {"repeated": ", as said before", "contradicts": ", against what was said before"}.get(said.answer.relation, "")
        lines.append(f"  {said.entry.identity} answered by {said.answer.kind}: {said.answer.outcome.replace('_', ' ')}{told}")
        for fault in said.faults:
            lines.append(f"    {fault.problem.code}: {fault.problem.message}")
            if fault.segment is not None:
                lines += [f"      {fault.segment.text}", f"      {fault.segment.caret}"]
    for exchange in trail.exchanges:
        lines += _exchange_words(exchange)
    if trail.exchanges:
        lines.append(f"  check signatures and digests without us: gateway trail {trail.reference} --evidence proof.zip, then sh verify.sh in it")
    for item in trail.items:
        settled = money_words(from_minor(item.amount_minor - item.open_minor, item.currency), item.currency)
        amount = money_words(from_minor(item.amount_minor, item.currency), item.currency)
        lines.append(f"  {item.kind.replace('_', ' ')} {item.number}: {settled} of {amount} settled, due {item.due_on}")
    return "\n".join(lines)


def _exchange_words(exchange: Exchange) -> list[str]:
    """What proves one message, for people."""
    lines = [f"  AS2 message {exchange.message_id} {exchange.direction} {exchange.at:%Y-%m-%d %H:%M:%S}, digest {exchange.mic or 'none'}"]
    if exchange.signed_by:
        lines.append(f"    signed by {exchange.signer or 'a certificate that is not kept'} ({exchange.signed_by})")
    lines.append(f"    message kept as {exchange.message}")
    if exchange.receipt:
        signer = f", signed by {exchange.receipt_signer or 'a certificate that is not kept'}" if exchange.receipt_signed_by else ", not signed"
        by = f"{signer} ({exchange.receipt_signed_by})" if exchange.receipt_signed_by else signer
        lines.append(f"    receipt {exchange.disposition}{by}")
        lines.append(f"    receipt kept as {exchange.receipt}")
    return lines
