"""From a canonical document or an acknowledgment to the bytes that leave: mapping, control numbers, envelope. What was built is read
back and checked by our own reader before anything leaves, so that a partner never gets what we would refuse ourselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from gateway.codecs.choose import read as read_events
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.envelope import Envelope
from gateway.exchange.envelope import Outgoing
from gateway.exchange.envelope import wrap
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import Identifiers
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import document as document_kinds
from gateway.mapping.apply import to_transaction
from gateway.mapping.reading import PartnerValues
from gateway.model import document as canonical
from gateway.model.document import Document
from gateway.pipeline.endpoints import shares_its_inbox
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import WritingPlan
from gateway.pipeline.plans import spec_of
from gateway.pipeline.station import Station
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import codes
from gateway.schema.apply import check
from gateway.store import controls
from gateway.store.outbox import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Bytes ready to leave, with the identity and numbers that they keep on every try."""

    data: bytes
    identity: str
    transaction_type: str
    interchange_control: str | None = None
    group_control: str | None = None
    transaction_control: str | None = None


@dataclass(frozen=True, slots=True)
class Unrenderable:
    """Something that cannot be written, and why."""

    problems: tuple[Problem, ...]

    @property
    def reason(self) -> str:
        return "; ".join(problem.message for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def codes(self) -> str:
        return codes(self.problems)


@dataclass(frozen=True, slots=True)
class Body:
    """What mapping made: segments between header and trailer, or an XML document."""

    segments: list[Segment]
    xml: bytes
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Who writes to whom under which numbers."""

    sender: str
    receiver: str
    interchange: str = "1"
    group: str = "1"
    test: bool = False
    at: datetime


def body_of(station: Station, entry: Entry) -> Body | Unrenderable | None:
    """The mapped document of an outbox row, before it has any number; None for an acknowledgment, which is its own body."""
    if entry.kind == "acknowledgment":
        return None
    return write_body(canonical.decode(entry.body), entry.spec, station.plans, station.installation.directory.partners[entry.partner])


def render(station: Station, connection: Connection, entry: Entry, body: Body | None, now: datetime) -> Rendered | Unrenderable:
    """The bytes of an outbox row; control numbers are drawn in the caller's transaction."""
    loaded = station.installation.directory.partners[entry.partner]
    syntax = Syntax(entry.spec.split("/")[0]) if entry.spec.split("/")[0] in {"x12", "edifact"} else Syntax.UBL
    kind = entry.spec.rsplit("/", 1)[1].upper()
    # each partner has control numbers of its own: in a folder that several share their files must not be named alike
    whose = f"{entry.partner}-" if shares_its_inbox(station.installation.directory, entry.partner, entry.endpoint) else ""
    if syntax is Syntax.UBL:
        assert body is not None
        name = f"{entry.spec.rsplit('/', 1)[1]}-{whose}{body.number}.xml"
        return Rendered(data=body.xml, identity=name, transaction_type=kind)
    us = identity_of(station.installation.settings.us.identifiers, syntax)
    start = loaded.partner.control_numbers
    interchange = controls.draw(connection, entry.partner, us, "interchange", start=start.get("interchange", 1))
    group = controls.draw(connection, entry.partner, us, "group", start=start.get("group", 1)) if syntax is Syntax.X12 else interchange
    numbers = Numbers(
        sender=us, receiver=identity_of(loaded.partner.identifiers, syntax), interchange=str(interchange), group=str(group), test=entry.test, at=now
    )
    if entry.kind == "acknowledgment":
        made = msgspec.json.decode(entry.body, type=Answer)
        kind = made.type
        data = wrap_answer(
            made,
            sender=numbers.sender,
            receiver=numbers.receiver,
            test=entry.test,
            interchange_control=numbers.interchange,
            group_control=numbers.group,
            at=now,
            syntax_version="UNOC:4" if made.version == "4" else "UNOC:3",
        )
    else:
        assert body is not None
        agreement = next((one for one in loaded.partner.agreements if one.send == entry.spec), None)
        written = write_interchange(body, entry.spec, numbers, agreement)
        if isinstance(written, Unrenderable):
            return written
        data = written
    faults = tuple(read_back(data, station.plans, loaded))
    if faults:
        return Unrenderable(faults)
    return Rendered(
        data=data,
        identity=f"{kind.lower()}-{whose}{numbers.interchange.zfill(9)}.edi",
        transaction_type=kind,
        interchange_control=numbers.interchange,
        group_control=numbers.group if syntax is Syntax.X12 else None,
        transaction_control="0001" if syntax is Syntax.X12 else "1",
    )


def write_body(document: Document, spec: str, plans: Plans, loaded: LoadedPartner | None) -> Body | Unrenderable:
    """Map a document outward."""
    plan: WritingPlan = plans.writing(spec, loaded)
    values = PartnerValues(loaded.partner.values()) if loaded else PartnerValues({})
    made, problems = to_transaction(document, plan.mapping, values)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return Unrenderable(tuple(problems))
    number = str(getattr(document, "number", ""))
    if isinstance(made, list):
        return Body(made, b"", number)
    from gateway.codecs import xml

    return Body([], xml.write(made), number)


def write_interchange(body: Body, spec: str, numbers: Numbers, agreement: Agreement | None = None) -> bytes | Unrenderable:
    """A mapped document as one X12 or EDIFACT interchange."""
    syntax, version, kind = spec.split("/")
    association = agreement.association if agreement and agreement.association else ""
    envelope = Envelope(
        syntax=Syntax(syntax),
        sender=numbers.sender,
        receiver=numbers.receiver,
        interchange_control=numbers.interchange,
        group_control=numbers.group,
        version=version,
        at=numbers.at,
        test=numbers.test,
        syntax_version=agreement.syntax_version if agreement and agreement.syntax_version else "UNOC:3",
    )
    outgoing = Outgoing(
        type=kind.upper(),
        control_number="0001" if syntax == "x12" else "1",
        body=body.segments,
        version=version.upper(),
        association=association,
    )
    try:
        return wrap(envelope, [outgoing])
    except ValueError as error:
        return Unrenderable((document_kinds.WRITE_INVALID.at(NOWHERE, f"The interchange cannot be written: {error}"),))


def wrap_answer(
    made: Answer, *, sender: str, receiver: str, test: bool, interchange_control: str, group_control: str, at: datetime, syntax_version: str
) -> bytes:
    """An acknowledgment in its interchange."""
    if made.type == "CONTRL":
        version = syntax_version if ":" in syntax_version else "UNOC:3"
        envelope = Envelope(
            syntax=Syntax.EDIFACT, sender=sender, receiver=receiver, interchange_control=interchange_control, at=at, test=test, syntax_version=version
        )
        return wrap(
            envelope,
            [Outgoing(type="CONTRL", control_number=str(number), body=body, version=made.version) for number, body in enumerate(made.bodies, 1)],
        )
    version = made.version if len(made.version) == 6 else "004010"
    envelope = Envelope(
        syntax=Syntax.X12,
        sender=sender,
        receiver=receiver,
        interchange_control=interchange_control,
        group_control=group_control,
        group_type="FA",
        version=version,
        at=at,
        test=test,
    )
    if made.type == "TA1":
        return wrap(envelope, [], advice=[segment for body in made.bodies for segment in body])
    # the 999 names its guide in ST03, and in GS08 with it
    association = "005010X231A1" if made.type == "999" and version == "005010" else ""
    if association:
        envelope = replace(envelope, version=association)
    return wrap(
        envelope,
        [
            Outgoing(type=made.type, control_number=str(number).zfill(4), body=body, association=association)
            for number, body in enumerate(made.bodies, 1)
        ],
    )


def read_back(data: bytes, plans: Plans, loaded: LoadedPartner | None) -> Iterator[Problem]:
    """What our own reader and schema have against bytes that we built: nothing, or the row does not leave."""
    _, events = read_events([data])
    for event in events:
        found: tuple[Problem, ...] = ()
        if isinstance(event, Transaction):
            found = tuple(event.problems)
            schema = plans.schema(plans.nearest(spec_of(event)) or spec_of(event), loaded)
            if schema is not None:
                found += tuple(check(event, schema).problems)
        elif isinstance(event, GroupEnd | InterchangeEnd):
            found = event.problems
        elif isinstance(event, Problem):
            found = (event,)
        yield from (problem for problem in found if problem.severity is Severity.ERROR)


def identity_of(identifiers: Identifiers, syntax: Syntax) -> str:
    """Who somebody is in the envelope of this syntax."""
    listed = identifiers.x12 if syntax is Syntax.X12 else identifiers.edifact
    if listed:
        return listed[0]
    if identifiers.gln:
        return f"{'UL' if syntax is Syntax.X12 else '14'}:{identifiers.gln}"
    return "ZZ:UNKNOWN" if syntax is Syntax.X12 else "ZZZ:UNKNOWN"
