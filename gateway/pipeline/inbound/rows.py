"""From what was read to what is stored: document rows with their plans, references and journal entries, a chunk at a time."""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from gateway.kinds import rule as kinds
from gateway.pipeline.answers import reconciling
from gateway.pipeline.answers.application_answering import refused_by_mapping
from gateway.pipeline.endpoints import BANK_STREAM
from gateway.pipeline.endpoints import trade_stream
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.plans import ReadingPlan
from gateway.pipeline.reading.drafts import Draft
from gateway.pipeline.reading.drafts import shipment_of
from gateway.pipeline.reading.kept_plans import keep
from gateway.pipeline.station import Station
from gateway.pipeline.station import id_within
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.shipments import give_way
from gateway.pipeline.trading.shipments import owner_of
from gateway.pipeline.trading.shipments import slot_of
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records import references
from gateway.trade.shipment import shipment_problems

#: a number that counts in a file may begin with a word: ME000001
_LETTERS = string.ascii_letters


def insert_documents(station: Station, connection: Connection, parts: Sequence[Part], entries: list[journal.Entry]) -> None:
    """The documents of these chunks with everything that hangs on them; acknowledgments that we received are applied."""
    placed = [
        Placed(part, part.chunk.first + position, draft, plans[draft.plan] if draft.plan is not None else None)
        for part, plans in [(part, part.plans()) for part in parts]
        for position, draft in enumerate(part.chunk.drafts)
    ]
    if not placed:
        return
    made = [_shipped(station, connection, _row(station, one), one.draft) for one in placed]
    reasons = [f"received in {one.part.transmission.name}" for one in placed]
    inserted = documents.insert_many(connection, made, actor="gateway", reason=reasons)
    known: list[references.Reference] = []
    poked = set()
    for row, one in zip(inserted, placed, strict=True):
        draft, interchange, transmission = one.draft, one.part.interchange, one.part.transmission
        known += _references(row, interchange, transmission, draft)
        if row.state == "registered":
            poked.add(row.stream)
        elif row.state == "held" and draft.hold is not None:
            holds.open_hold(
                connection, holds.Hold(id=short_id("H", row.id), document=row.id, kind="entitlement", reasons=(draft.hold,), opened_at=row.created_at)
            )
        entries.append(
            journal.Entry(
                stream=row.stream,
                at=row.created_at,
                actor="gateway",
                action=f"document {row.state}",
                subject_kind="document",
                subject=row.id,
                facts={
                    "kind": row.kind,
                    "number": row.number,
                    "type": row.transaction_type,
                    "control": row.transaction_control,
                    "interchange": interchange.id,
                    "problems": codes(row.problems),
                    **{f"plan {kind}": digest for kind, digest in (one.plan.digests if one.plan else {}).items()},
                },
            )
        )
        loaded = one.part.partner_of(draft)
        if row.state == "rejected" and loaded is not None:
            entry = refused_by_mapping(station, row, draft, one.part.agreement_of(draft), loaded, interchange, transmission.endpoint)
            if entry is not None:
                outbox.enqueue(connection, [entry])
                streams.poke(connection, entry.stream)
        if draft.said and loaded is not None:
            reconciling.apply_received(station, connection, row, draft.said, loaded, entries)
    references.add(connection, known)
    for plan in {plan.digest: plan for one in placed if one.plan for plan in one.plan.parts}.values():
        keep(station, connection, plan)
    for stream in sorted(poked):
        streams.poke(connection, stream)


@dataclass(frozen=True, slots=True)
class Placed:
    """A draft where it stands."""

    part: Part
    ordinal: int
    draft: Draft
    plan: ReadingPlan | None


def _row(station: Station, one: Placed) -> documents.Document:
    draft, interchange, transmission = one.draft, one.part.interchange, one.part.transmission
    partner = draft.partner or ""
    digests = one.plan.digests if one.plan else {}
    return documents.Document(
        id=id_within("D", interchange.id, one.ordinal + 1),
        direction="in",
        partner=partner,
        interchange=interchange.id,
        transmission=transmission.id,
        ordinal=one.ordinal,
        kind=draft.kind,
        number=draft.number,
        transaction_type=draft.type,
        transaction_control=draft.control,
        group_control=draft.group_control,
        state=draft.state,
        test=interchange.test,
        stream=BANK_STREAM if draft.kind == "bank_statement" else trade_stream(partner or "nobody"),
        hold_key=draft.hold_key,
        byte_offset=draft.offset,
        byte_length=draft.length,
        sha256=transmission.sha256,
        amount_minor=draft.amount_minor,
        currency=draft.currency,
        created_at=station.clock(),
        body=draft.body,
        problems=draft.problems,
        result=draft.result,
        plan_digests={**digests, **(_rules(station, one) if draft.state == "registered" and draft.kind == "order" else {})},
    )


def _rules(station: Station, one: Placed) -> dict[str, str]:
    """The rules that an order will most likely be judged by: the row, which has the whole order in it, is then not written again when it
    is. The judgement has the last word."""
    loaded = one.part.partner_of(one.draft)
    plan = station.plans.rules_at_hand(loaded) if loaded is not None else None
    return {"rules": plan.digest} if plan is not None and plan.digest in station.kept_plans else {}


def _shipped(station: Station, connection: Connection, row: documents.Document, draft: Draft) -> documents.Document:
    """A shipment goes onto the stream of whose orders it is of, once."""
    shipment = shipment_of(draft) if row.state == "registered" else None
    if shipment is None:
        return row
    owner = owner_of(connection, shipment, shipment.number, station.installation.directory.partners)
    wrong = [*shipment_problems(shipment), *([owner] if isinstance(owner, Problem) else [])]
    if isinstance(owner, str) and shipment.number:
        slot = slot_of(connection, owner, shipment.number)
        if slot.known is not None:
            words = f"Shipment {shipment.number} was taken before"
            wrong.append(kinds.SHIPMENT_DUPLICATE.at(NOWHERE, words, found=shipment.number, expected="a number that was not used before"))
        elif not wrong:
            give_way(connection, [(one, slot.id) for one in slot.waiting], "gateway", station.clock())
            row = msgspec.structs.replace(row, id=slot.id)
    if wrong:
        return msgspec.structs.replace(row, state="rejected", problems=(*row.problems, *wrong))
    assert isinstance(owner, str)
    return msgspec.structs.replace(row, partner=owner, stream=trade_stream(owner), hold_key=None)


def _references(row: documents.Document, interchange: Interchange, transmission: Transmission, draft: Draft) -> list[references.Reference]:
    """Everything by which a person may look for this document."""
    values = [
        ("file", transmission.name),
        ("interchange", interchange.control_number),
        ("group", row.group_control),
        ("transaction", _transaction_name(row, interchange)),
        (row.kind, row.number),
        ("order", draft.order_number),
    ]
    return [references.Reference(document=row.id, kind=kind, value=value) for kind, value in dict.fromkeys(values) if kind and value]


def _transaction_name(row: documents.Document, interchange: Interchange) -> str | None:
    """What a transaction is found by: its control number; that within the interchange's where it only counts in the file. `0001` says which
    of a file and not which file, everybody sends it, and each number of a large file would lie on a page of its own among everybody's."""
    control = row.transaction_control
    if not control:
        return None
    counted = control.lstrip(_LETTERS)
    only_counts = counted.isascii() and counted.isdigit() and len(counted) <= 9 and int(counted) <= row.ordinal + 1
    return f"{interchange.control_number}/{control}" if only_counts else control
