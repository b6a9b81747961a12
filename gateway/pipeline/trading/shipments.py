"""Shipments that come in files: whose orders they are of, and whether they were taken before. A file may be a JSON or CSV of our own
form, or one of a description (csv/warehouse-shipment) that a mapping reads as shipments.
"""

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import msgspec
from sqlalchemy import Connection

from gateway.exchange.partner import LoadedPartner
from gateway.kinds import rule as kinds
from gateway.pipeline.endpoints import trade_stream
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.trading import owners
from gateway.problem import NOWHERE
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.records import references
from gateway.trade.shipment import Shipment
from gateway.trade.shipment import read_shipments
from gateway.trade.shipment import shipment_problems


def shipments_of(data: bytes, plans: Plans, spec: str | None, loaded: LoadedPartner | None = None) -> tuple[list[Shipment], list[Problem]]:
    """Shipments of a file, of the type that was said or of our own form. Where anything is wrong: all problems and no shipments."""
    if spec is None:
        return read_shipments(data)
    shipments: list[Shipment] = []
    problems: list[Problem] = []
    for item in read_payload([data], plans, stateless(plans, None, loaded, spec), forms_for(plans, None, loaded, spec))[1]:
        if isinstance(item, Read):
            problems += item.problems
            # whatever the mapping makes: only shipments are taken here
            made: object = item.document
            if isinstance(made, Shipment):
                shipments.append(made)
                problems += shipment_problems(made)
        elif isinstance(item, Problem):
            problems.append(item)
    wrong = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not wrong and not shipments:
        wrong = [kinds.SHIPMENT_EMPTY.at(NOWHERE, f"The file holds no shipment that {spec} reads", found="0 shipments", expected="at least 1")]
    return ([], wrong) if wrong else (shipments, [])


def owner_of(connection: Connection, shipment: Shipment, identity: str | None, partners: Collection[str], named: str | None = None) -> str | Problem:
    """The partner whose orders are shipped; the Problem where they are nobody's, or several partners'. `identity`: what the shipment is known
    by; `named`: the partner that whoever hands it in says it is."""
    place = Place(line=next((row.source_line for row in shipment.rows), None))
    if named is not None and shipment.partner not in {None, named}:
        words = f"The file says that the orders are of {shipment.partner}, and it was handed in as of {named}"
        return kinds.SHIPMENT_UNREADABLE.at(place, words, found=shipment.partner, expected=named)
    said = named or shipment.partner
    numbers = {row.order for row in shipment.rows}
    if said is None and identity is not None:
        # what is booked is known, though its order is through now and somebody else's of that number is open
        having = owners.having(connection, numbers, owners.SHIPPING)
        known = [partner for partner in sorted(having) if slot_of(connection, partner, identity).known is not None]
        if len(known) == 1:
            return known[0]
    found = owners.owner_of(connection, numbers, owners.SHIPPING, partners, said)
    return msgspec.structs.replace(found, place=place) if isinstance(found, Problem) else found


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a shipment belongs: the id of its document, what has been booked or is under way under its number, and those of its number that
    wait for a person and that it takes the place of."""

    id: str
    known: documents.Document | None = None
    waiting: tuple[documents.Document, ...] = ()


def slot_of(connection: Connection, owner: str, identity: str) -> Slot:
    """A shipment of the same number is the same one, unless nothing of it was booked: what was refused may come again."""
    waiting: list[documents.Document] = []
    for attempt in count(1):
        id = short_id("D", "shipment", owner, identity, *([attempt] if attempt > 1 else []))
        there = documents.get(connection, id)
        if there is None or there.state not in {"rejected", "held"}:
            return Slot(id, there, tuple(waiting))
        if there.state == "held":
            waiting.append(there)
    raise AssertionError


def _is_another(known: documents.Document, shipment: Shipment) -> bool:
    """Whether other goods were booked under a shipment's identity. What was booked may be erased: the same file then stands for itself, a number
    does not."""
    if not known.body:
        return bool(shipment.number)
    return _goods(msgspec.json.decode(known.body, type=Shipment)) != _goods(shipment)


def take_shipments(
    station: Station,
    connection: Connection,
    shipments: Sequence[Shipment],
    sha256: str,
    name: str,
    actor: str,
    *,
    named: str | None = None,
    transmission: str | None = None,
) -> tuple[list[str], list[Problem]]:
    """Shipments of one file onto their partners' streams, in the caller's transaction: the documents' ids, or what is wrong, and nothing is
    written. What is known is not taken again. `named`: whose they are said to be; `transmission`: the file, where it came by itself."""
    ids: list[str] = []
    fresh: dict[str, documents.Document] = {}
    replaced: list[tuple[documents.Document, str]] = []
    wrong: list[Problem] = []
    now = station.clock()
    for position, shipment in enumerate(shipments):
        identity = shipment.number or f"{sha256}|{position}"
        owner = owner_of(connection, shipment, identity, station.installation.directory.partners, named)
        if isinstance(owner, Problem):
            wrong.append(owner)
            continue
        slot = slot_of(connection, owner, identity)
        if slot.id in fresh or (slot.known is not None and _is_another(slot.known, shipment)):
            wrong.append(taken_before(shipment))
            continue
        ids.append(slot.id)
        if slot.known is None:
            replaced += [(one, slot.id) for one in slot.waiting]
            fresh[slot.id] = documents.Document(
                id=slot.id,
                direction="in",
                partner=owner,
                transmission=transmission,
                kind="shipment",
                number=shipment.number or "",
                state="registered",
                stream=trade_stream(owner),
                sha256=sha256,
                created_at=now,
                body=msgspec.json.encode(shipment).decode(),
            )
    if wrong:
        return [], wrong
    give_way(connection, replaced, actor, now)
    hand_over(connection, list(fresh.values()), actor, name)
    references.add(connection, [references.Reference(document=id, kind="file", value=name) for id in fresh])
    return ids, []


def taken_before(shipment: Shipment) -> Problem:
    """A shipment of this number is booked, or under way, and this one is not the same."""
    place = Place(line=next((row.source_line for row in shipment.rows), None))
    words = f"Shipment {shipment.number} was taken before, with other goods"
    return kinds.SHIPMENT_DUPLICATE.at(place, words, found=shipment.number, expected="a number that was not used before")


def give_way(connection: Connection, replaced: Sequence[tuple[documents.Document, str]], actor: str, now: datetime) -> None:
    """What waited for a person is over: the same shipment came anew, as the document that is named with it."""
    reason = {row.id: f"it came anew, as {by}" for row, by in replaced}
    for row, _ in replaced:
        for hold in holds.of_document(connection, row.id):
            if hold.resolved_at is None:
                holds.resolve(connection, hold.id, decision="withdrawn", actor=actor, reason=reason[row.id], at=now)
    documents.transition(
        connection,
        [documents.Change(document=row.id, expected="held", state="rejected", actor=actor, reason=reason[row.id], at=now) for row, _ in replaced],
    )
    journal.append(
        connection,
        [
            journal.Entry(
                stream=row.stream, at=now, actor=actor, action="shipment rejected", subject_kind="document", subject=row.id, reason=reason[row.id]
            )
            for row, _ in replaced
        ],
    )


def hand_over(connection: Connection, made: Sequence[documents.Document], actor: str, name: str) -> None:
    """Write documents that our own people and systems handed in, and wake their streams."""
    fresh = documents.insert_many(connection, made, actor=actor, reason=f"handed in as {name}")
    journal.append(
        connection,
        [
            journal.Entry(
                stream=row.stream,
                at=row.created_at,
                actor=actor,
                action=f"{row.kind} handed in",
                subject_kind="document",
                subject=row.id,
                facts={"name": name, "number": row.number},
                references=(row.sha256,) if row.sha256 else (),
            )
            for row in fresh
        ],
    )
    references.add(connection, [references.Reference(document=row.id, kind=row.kind, value=row.number) for row in fresh if row.number])
    for row in fresh:
        streams.poke(connection, row.stream)


def _goods(shipment: Shipment) -> Shipment:
    """A shipment without what only says where it stood, or whose it is."""
    rows = tuple(msgspec.structs.replace(row, source_line=None) for row in shipment.rows)
    return msgspec.structs.replace(shipment, partner=None, rows=rows)
