"""Samples as files: written with the mappings that run, and shown only where our own reader finds nothing wrong in them.

A partner whose values differ from the standard's (prices in cents) gets a sample in its own form: what it would be read as is compared with
what was meant, and numbers are written again by their ratio. Where that is not enough, the guide says so instead of showing a wrong file.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.codecs.node import Syntax
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import LoadedPartner
from gateway.mapping.explain import provenance
from gateway.mapping.files import file_for
from gateway.mapping.reading import PartnerValues
from gateway.model.document import Document
from gateway.model.document import encode_plainly
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.writing.answering import Numbers
from gateway.pipeline.writing.answering import read_back
from gateway.pipeline.writing.rendering import Unrenderable
from gateway.pipeline.writing.rendering import write_body
from gateway.pipeline.writing.rendering import write_interchange
from gateway.problem import Severity
from gateway.publish.guide.samples import Sides
from gateway.publish.guide.samples import sample_of
from gateway.publish.guide.values import Sample
from gateway.yaml_source import Faults

#: fields of the envelope: the guide has a table of its own for it
_LEFT_OUT = ("source.", "kind")


def sent_sample(plans: Plans, spec: str, kind: str, sides: Sides, loaded: LoadedPartner, agreement: Agreement, numbers: Numbers) -> Sample:
    """A file as we would send it."""
    document = sample_of(kind, sides)
    if document is None:
        return Sample(missing="There is no sample of this document yet.")
    data = _written(plans, spec, document, loaded, agreement, numbers)
    if isinstance(data, str):
        return Sample(missing=f"No sample can be shown: {data}")
    faults = [problem.message for problem in read_back(data, plans, loaded)] if spec.startswith(("x12/", "edifact/")) else []
    if faults:
        return Sample(missing=f"No sample can be shown, what would be written is not valid here: {faults[0]}")
    return Sample(text=_shown(data), fields=_fields(document))


def received_sample(plans: Plans, spec: str, kind: str, sides: Sides, loaded: LoadedPartner, numbers: Numbers) -> Sample:
    """A file as the partner would send it: it has no problem under the partner's own schema, and is read as it was meant."""
    if file_for(spec, "write", plans.resolver) is None:
        return Sample(missing="There is no sample of this document yet.")
    document = sample_of(kind, sides)
    if document is None:
        return Sample(missing="There is no sample of this document yet.")
    data = _written(plans, spec, document, None, None, numbers)
    if isinstance(data, str):
        return Sample(missing=f"No sample can be shown: {data}")
    read = _read(plans, spec, data, loaded)
    if read is not None and read.document is not None:
        data = _in_their_numbers(plans, spec, data, document, read, loaded)
        read = _read(plans, spec, data, loaded)
    if read is None or read.document is None:
        reason = next((problem.message for problem in read.problems if problem.severity is Severity.ERROR), "") if read else ""
        return Sample(missing=f"The sample of the standard is not valid under what is agreed with you: {reason or 'it cannot be read'}.")
    return Sample(text=_shown(data), fields=_fields(read.document))


def _written(plans: Plans, spec: str, document: Document, loaded: LoadedPartner | None, agreement: Agreement | None, numbers: Numbers) -> bytes | str:
    """The bytes, or why there are none."""
    try:
        body = write_body(document, spec, plans, loaded)
    except Faults as error:
        return str(error.faults[0].message)
    if isinstance(body, Unrenderable):
        return body.reason
    if not spec.startswith(("x12/", "edifact/")):
        return body.data
    data = write_interchange(body, spec, numbers, agreement)
    return data.reason if isinstance(data, Unrenderable) else data


def _read(plans: Plans, spec: str, data: bytes, loaded: LoadedPartner) -> Read | None:
    _, items = read_payload([data], plans, stateless(plans, None, loaded, spec), forms_for(plans, None, loaded, spec))
    return next((item for item in items if isinstance(item, Read)), None)


def _in_their_numbers(plans: Plans, spec: str, data: bytes, meant: Document, read: Read, loaded: LoadedPartner) -> bytes:
    """The sample with each number as this partner writes it, found by what its mapping makes of the number as the standard writes it."""
    plan = plans.reading(spec, loaded, explain=True)
    source = getattr(read.document, "source", None)
    if plan.mapping is None or source is None:
        return data
    from gateway.schema.apply import check

    tree = check(read.transaction, plan.schema).tree if plan.schema is not None else None
    origins = provenance(read.transaction, tree, plan.mapping, source, PartnerValues(loaded.partner.values()))
    wanted, found = dict(_fields(meant)), dict(_fields(read.document)) if read.document else {}
    spans: dict[tuple[int, int], bytes] = {}
    for name, told in origins.items():
        if name in wanted and name in found and wanted[name] != found[name] and len(told) == 1 and told[0].offset is not None and told[0].length:
            try:
                here = data[told[0].offset : told[0].offset + told[0].length].decode()
                value = Decimal(here) * Decimal(wanted[name]) / Decimal(found[name])
            except (ArithmeticError, ValueError):
                continue
            spans[(told[0].offset, told[0].length)] = f"{value.normalize():f}".encode()
    for (offset, length), text in sorted(spans.items(), reverse=True):
        data = data[:offset] + text + data[offset + length :]
    return data


def _fields(document: Any) -> tuple[tuple[str, str], ...]:
    """All values of a document by their names: lines[0].price."""
    rows: list[tuple[str, str]] = []
    _flatten(msgspec.json.decode(encode_plainly(document)), "", rows)
    return tuple((name, value) for name, value in rows if not name.startswith(_LEFT_OUT))


def _flatten(value: object, name: str, rows: list[tuple[str, str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else str(key), rows)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _flatten(inner, f"{name}[{place}]", rows)
    else:
        rows.append((name, str(value)))


def _shown(data: bytes) -> str:
    """One segment a line. Line ends between segments are allowed in both directions, so that the text may be used as it stands."""
    text = data.decode("utf-8", errors="replace")
    if text.startswith("ISA"):
        return text.replace(text[105], text[105] + "\n") if "\n" not in text else text
    if text.startswith(("UNA", "UNB")):
        return "\n".join(part + "'" for part in _edifact_segments(text)) + "\n"
    return text


def _edifact_segments(text: str) -> list[str]:
    """Cut at each ' that is not released."""
    parts, current, released = [], "", False
    for character in text:
        if released:
            current, released = current + character, False
        elif character == "?":
            current, released = current + character, True
        elif character == "'":
            parts.append(current)
            current = ""
        elif character not in "\r\n" or current:
            current += character
    return parts


def numbers_of(sender: str, receiver: str, at: datetime, syntax: str) -> Numbers:
    """Numbers of a sample: marked as test, so that nobody books it."""
    made = Numbers(sender=sender, receiver=receiver, interchange="1", group="1", test=True, at=at)
    return replace(made, interchange="000000001") if syntax == Syntax.X12.value else made
