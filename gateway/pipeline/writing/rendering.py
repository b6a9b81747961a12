"""From a canonical document or an acknowledgment to the bytes that leave: mapping, control numbers, envelope. What was built is read
back and checked by our own reader before anything leaves, so that a partner never gets what we would refuse ourselves."""

from dataclasses import dataclass
from typing import Any

import structlog

from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
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
from gateway.model.despatch import DespatchAdvice
from gateway.model.despatch import by_item
from gateway.model.document import Document
from gateway.pipeline.plans import FORMS
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import WritingPlan
from gateway.pipeline.station import Station
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import read_back
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import codes
from gateway.schema.plan import SchemaPlan
from gateway.store.outgoing.outbox import Entry

#: rows of the outbox whose body is an answer, made when it was decided
ANSWERS = frozenset({"acknowledgment", "application_answer"})

_log = structlog.get_logger("rendering")


#: of files without an envelope, by the first part of their spec
EXTENSIONS = {"csv": "csv", "fixed": "txt", "json": "json"}


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
    """What mapping made: segments between header and trailer, or the bytes of a document that has no envelope."""

    segments: list[Segment]
    data: bytes
    number: str


def body_of(station: Station, entry: Entry) -> Body | Unrenderable | None:
    """The mapped document of an outbox row, before it has any number; None for an acknowledgment, which is its own body."""
    if entry.kind in ANSWERS:
        return None
    return write_body(canonical.decode(entry.body), entry.spec, station.plans, station.installation.directory.partners[entry.partner])


def as_sent(document: Document, spec: str, loaded: LoadedPartner | None) -> Document:
    """The document in the structure that the partner's agreement names."""
    agreement = next((one for one in loaded.partner.agreements if one.send == spec), None) if loaded else None
    return by_item(document) if isinstance(document, DespatchAdvice) and agreement is not None and agreement.structure == "item_first" else document


def write_body(document: Document, spec: str, plans: Plans, loaded: LoadedPartner | None) -> Body | Unrenderable:
    """Map a document outward."""
    document = as_sent(document, spec, loaded)
    plan: WritingPlan = plans.writing(spec, loaded)
    values = PartnerValues(loaded.partner.values()) if loaded else PartnerValues({})
    made, problems = to_transaction(document, plan.mapping, values)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return Unrenderable(tuple(problems))
    number = str(getattr(document, "number", ""))
    if plan.schema is not None and spec.split("/")[0] in FORMS:
        return _described(made, plan.schema.plan, number, plans, loaded)
    if isinstance(made, list):
        return Body(made, b"", number)
    from gateway.codecs import xml

    return Body([], xml.write(made), number)


def _described(made: Any, schema: SchemaPlan, number: str, plans: Plans, loaded: LoadedPartner | None) -> Body | Unrenderable:
    """A file by a description of its own, read back before it leaves like everything else."""
    if not len(made):
        return Unrenderable((document_kinds.WRITE_MISSING.at(NOWHERE, f"{schema.spec}: the document has nothing that stands in such a file"),))
    try:
        data = _bytes_of(made, schema)
    except ValueError as error:
        return Unrenderable((document_kinds.WRITE_INVALID.at(NOWHERE, f"{schema.spec} cannot be written: {error}"),))
    faults = tuple(read_back(data, plans, loaded, plans.form(schema.spec, loaded, said=True)))
    return Unrenderable(faults) if faults else Body([], data, number)


def _bytes_of(made: Any, schema: SchemaPlan) -> bytes:
    if schema.layout is not None:
        from gateway.codecs.lines_writing import write

        return write(made, schema.layout)
    if schema.syntax == "json":
        from gateway.codecs import json
        from gateway.codecs.json import JsonLayout

        assert isinstance(schema.tree, JsonLayout)
        return json.write(made, schema.tree)
    from gateway.codecs import xml

    return xml.write(made)


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


def identity_of(identifiers: Identifiers, syntax: Syntax) -> str:
    """Who somebody is in the envelope of this syntax."""
    listed = identifiers.x12 if syntax is Syntax.X12 else identifiers.edifact
    if listed:
        return listed[0]
    if identifiers.gln:
        return f"{'UL' if syntax is Syntax.X12 else '14'}:{identifiers.gln}"
    return "ZZ:UNKNOWN" if syntax is Syntax.X12 else "ZZZ:UNKNOWN"
