"""From what was read to what is stored: document rows with their plans, references and journal entries, a chunk at a time."""

import string
from collections.abc import Sequence
from typing import cast

import msgspec
from sqlalchemy import Connection

from gateway.kinds import rule as kinds
from gateway.model import document as canonical
from gateway.model.change import OrderChange
from gateway.model.document import Document
from gateway.model.money import to_minor
from gateway.model.order import Order
from gateway.model.payment import BankStatement
from gateway.model.values import Totals
from gateway.pipeline.answers import reconciling
from gateway.pipeline.answers.application_answering import refused_by_mapping
from gateway.pipeline.endpoints import BANK_STREAM
from gateway.pipeline.endpoints import trade_stream
from gateway.pipeline.inbound import acknowledging
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.reading.entitlement import ACKNOWLEDGMENTS
from gateway.pipeline.reading.entitlement import Entitled
from gateway.pipeline.reading.kept_plans import keep
from gateway.pipeline.station import Station
from gateway.pipeline.station import id_within
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.shipments import owner_of
from gateway.pipeline.trading.shipments import shipment_id
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
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import shipment_problems

#: a number that counts in a file may begin with a word: ME000001
_LETTERS = string.ascii_letters


def insert_documents(station: Station, connection: Connection, parts: Sequence[Part], entries: list[journal.Entry]) -> None:
    """The documents of these chunks with everything that hangs on them; acknowledgments that we received are applied."""
    placed = [(part, part.chunk.first + position, found) for part in parts for position, found in enumerate(part.chunk.entitled)]
    if not placed:
        return
    made = [
        _shipped(station, connection, _row(station, part.interchange, part.transmission, ordinal, found), found) for part, ordinal, found in placed
    ]
    reasons = [f"received in {part.transmission.name}" for part, _, _ in placed]
    inserted = documents.insert_many(connection, made, actor="gateway", reason=reasons)
    known: list[references.Reference] = []
    poked = set()
    for row, (part, _, found) in zip(inserted, placed, strict=True):
        interchange, transmission = part.interchange, part.transmission
        known += _references(row, interchange, transmission, found.read.document)
        if row.state == "registered":
            poked.add(row.stream)
        elif row.state == "held" and found.hold is not None:
            holds.open_hold(
                connection, holds.Hold(id=short_id("H", row.id), document=row.id, kind="entitlement", reasons=(found.hold,), opened_at=row.created_at)
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
                    **{f"plan {kind}": digest for kind, digest in (found.read.plan.digests if found.read.plan else {}).items()},
                },
            )
        )
        if row.state == "rejected" and found.partner is not None:
            entry = refused_by_mapping(
                station, row, found.read, found.agreement, found.partner, interchange.sender, interchange.receiver, transmission.endpoint
            )
            if entry is not None:
                outbox.enqueue(connection, [entry])
                streams.poke(connection, entry.stream)
        if row.transaction_type in ACKNOWLEDGMENTS and found.read.result.outcome != "rejected":
            reconciling.apply_received(station, connection, row, found.read.transaction, found.partner, entries)
    references.add(connection, known)
    for plan in {plan.digest: plan for _, _, found in placed if found.read.plan for plan in found.read.plan.parts}.values():
        keep(station, connection, plan)
    for stream in sorted(poked):
        streams.poke(connection, stream)


def _row(station: Station, interchange: Interchange, transmission: Transmission, ordinal: int, found: Entitled) -> documents.Document:
    read = found.read
    document = read.document
    transaction = read.transaction
    partner = found.partner.partner.id if found.partner else ""
    # what a warehouse reports is no document of the trade: it becomes one of its buyer's, see _shipped
    shipment = cast(object, document) if isinstance(cast(object, document), Shipment) else None
    kind = "shipment" if shipment is not None else canonical.kind_of(document) if document is not None else ""
    number = canonical.number_of(document) if document is not None else ""
    if transaction.type in ACKNOWLEDGMENTS:
        kind, state = "acknowledgment", "done" if read.result.outcome != "rejected" else "rejected"
    elif found.hold is not None:
        state = "held"
    elif document is None:
        state = "rejected"
    else:
        state = "registered"
    stream = BANK_STREAM if isinstance(document, BankStatement) else trade_stream(partner or "nobody")
    amount, currency = _amount(document)
    body = canonical.encode(document).decode() if document is not None else None
    if body is not None and state == "registered" and isinstance(document, Order):
        station.at_hand.put(body, document)
    return documents.Document(
        id=id_within("D", interchange.id, ordinal + 1),
        direction="in",
        partner=partner,
        interchange=interchange.id,
        transmission=transmission.id,
        ordinal=ordinal,
        kind=kind,
        number=number,
        transaction_type=transaction.type,
        transaction_control=transaction.control_number,
        group_control=transaction.group_control_number,
        state=state,
        test=interchange.test,
        stream=stream,
        hold_key=_hold_key(partner, document),
        byte_offset=transaction.offset,
        byte_length=len(transaction.raw),
        sha256=transmission.sha256,
        amount_minor=amount,
        currency=currency,
        created_at=station.clock(),
        body=body,
        problems=tuple(read.problems),
        result=acknowledging.encode_result(found.group, read.result),
        plan_digests={**(read.plan.digests if read.plan else {}), **(_rules(station, document, found) if state == "registered" else {})},
    )


def _rules(station: Station, document: Document | None, found: Entitled) -> dict[str, str]:
    """The rules that an order will most likely be judged by: the row, which has the whole order in it, is then not written again when it
    is. The judgement has the last word."""
    plan = station.plans.rules_at_hand(found.partner) if isinstance(document, Order) and found.partner is not None else None
    return {"rules": plan.digest} if plan is not None and plan.digest in station.kept_plans else {}


def _hold_key(partner: str, document: Document | None) -> str | None:
    """What waits for what: a change for its order, until that is registered."""
    if isinstance(document, Order):
        return f"{partner}|{document.number}"
    return f"{partner}|{document.order_number}" if isinstance(document, OrderChange) else None


def _shipped(station: Station, connection: Connection, row: documents.Document, found: Entitled) -> documents.Document:
    """A shipment goes onto the stream of whose orders it is of, once."""
    shipment = cast(object, found.read.document)
    if not isinstance(shipment, Shipment) or row.state != "registered":
        return row
    owner = owner_of(connection, shipment, shipment.number, station.installation.directory.partners)
    wrong = [*shipment_problems(shipment), *([owner] if isinstance(owner, Problem) else [])]
    if isinstance(owner, str) and shipment.number:
        id = shipment_id(owner, shipment.number)
        if documents.get(connection, id) is not None:
            words = f"Shipment {shipment.number} was taken before"
            wrong.append(kinds.SHIPMENT_DUPLICATE.at(NOWHERE, words, found=shipment.number, expected="a number that was not used before"))
        elif not wrong:
            row = msgspec.structs.replace(row, id=id)
    if wrong:
        return msgspec.structs.replace(row, state="rejected", problems=(*row.problems, *wrong))
    assert isinstance(owner, str)
    return msgspec.structs.replace(row, partner=owner, stream=trade_stream(owner), hold_key=None)


def _amount(document: Document | None) -> tuple[int | None, str | None]:
    currency = getattr(document, "currency", None)
    totals: Totals | None = getattr(document, "totals", None)
    amount = (totals.payable or totals.gross or totals.net or totals.lines) if totals else getattr(document, "amount", None)
    return (to_minor(amount, currency), currency) if amount is not None and currency else (None, currency)


def _references(
    row: documents.Document, interchange: Interchange, transmission: Transmission, document: Document | None
) -> list[references.Reference]:
    """Everything by which a person may look for this document."""
    values = [
        ("file", transmission.name),
        ("interchange", interchange.control_number),
        ("group", row.group_control),
        ("transaction", _transaction_name(row, interchange)),
        (row.kind, row.number),
        ("order", str(getattr(document, "order_number", None) or "")),
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
