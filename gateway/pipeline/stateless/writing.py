"""`gateway write`: a canonical document as bytes, without state. Its envelope has control number 1 and the date of the document."""

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import time
from typing import Any

from gateway.codecs.choose import read as read_events
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.config import Installation
from gateway.exchange.partner import Identifiers
from gateway.exchange.partner import LoadedPartner
from gateway.mapping.reading import PartnerValues
from gateway.model.document import Document
from gateway.pipeline.plans import Plans
from gateway.pipeline.station import now_utc
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import read_back
from gateway.pipeline.writing.rendering import Unrenderable
from gateway.pipeline.writing.rendering import as_sent
from gateway.pipeline.writing.rendering import identity_of
from gateway.pipeline.writing.rendering import write_body
from gateway.pipeline.writing.rendering import write_interchange
from gateway.problem import Problem


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A document that cannot be written as asked, and why."""

    problems: tuple[Problem, ...]


def write_document(
    document: Document, spec: str, plans: Plans, loaded: LoadedPartner | None, installation: Installation | None
) -> bytes | Unwritable:
    """The bytes of a document; what our own reader would refuse is not written."""
    first = spec.split("/")[0]
    body = write_body(document, spec, plans, loaded)
    if isinstance(body, Unrenderable):
        return Unwritable(body.problems)
    if first not in {"x12", "edifact"}:
        return body.data
    syntax = Syntax(first)
    source = document.source
    ours = installation.settings.us.identifiers if installation else Identifiers()
    theirs = loaded.partner.identifiers if loaded else Identifiers()
    issued = getattr(document, "issued_at", None) or getattr(document, "issued_on", None)
    at = issued if isinstance(issued, datetime) else datetime.combine(issued, time(12), UTC) if issued else now_utc()
    numbers = Numbers(
        sender=(source.sender if source and source.sender else identity_of(ours, syntax)),
        receiver=(source.receiver if source and source.receiver else identity_of(theirs, syntax)),
        test=source.test if source else False,
        at=at,
    )
    written = write_interchange(body, spec, numbers)
    if isinstance(written, Unrenderable):
        return Unwritable(written.problems)
    faults = tuple(read_back(written, plans, loaded))
    return Unwritable(faults) if faults else written


@dataclass(frozen=True, slots=True)
class Explained:
    """What was written, and for each of its elements where it came from."""

    data: bytes
    provenance: dict[str, Any]


def explain_writing(
    document: Document, spec: str, plans: Plans, loaded: LoadedPartner | None, installation: Installation | None
) -> Explained | Unwritable:
    """The bytes with, for each element in them, the canonical field and the mapping line that it came from and its place."""
    from gateway.mapping.explain import written_from

    data = write_document(document, spec, plans, loaded, installation)
    if isinstance(data, Unwritable):
        return data
    values = PartnerValues(loaded.partner.values()) if loaded else PartnerValues({})
    placed = spec.split("/")[0] in {"x12", "edifact", "ubl"}
    written = next((event for event in read_events([data])[1] if isinstance(event, Transaction)), None) if placed else None
    mapping = plans.writing(spec, loaded, explain=True).mapping
    return Explained(data, written_from(as_sent(document, spec, loaded), mapping, values, written))
