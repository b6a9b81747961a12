"""Puts a guide together from the installation: each agreement with its schema, mapping and partner differences as they run.

Pure but for the plans that it loads; the day is handed in.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import gateway
from gateway.codecs.node import Syntax
from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.envelope import GROUPS
from gateway.exchange.partner import Agreement
from gateway.exchange.partner import Identifiers
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import edifact as edifact_kinds
from gateway.kinds import x12 as x12_kinds
from gateway.mapping.files import file_for
from gateway.mapping.plan import MappingPlan
from gateway.pipeline.plans import Plans
from gateway.pipeline.writing.rendering import identity_of
from gateway.problem import Kind
from gateway.problem import Severity
from gateway.publish.guide import reading_rows
from gateway.publish.guide import writing_rows
from gateway.publish.guide.samples import Sides
from gateway.publish.guide.samples import party
from gateway.publish.guide.sampling import numbers_of
from gateway.publish.guide.sampling import received_sample
from gateway.publish.guide.sampling import sent_sample
from gateway.publish.guide.usage import usage_of
from gateway.publish.guide.values import Chapter
from gateway.publish.guide.values import EnvelopeRow
from gateway.publish.guide.values import Guide
from gateway.publish.guide.values import PathRow
from gateway.publish.guide.values import Sample
from gateway.publish.guide.values import SegmentRow
from gateway.publish.guide.values import Trouble
from gateway.schema.plan import SchemaPlan

_TITLES = {
    "order": "Purchase order",
    "order_change": "Order change",
    "order_response": "Order response",
    "despatch_advice": "Despatch advice",
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "remittance_advice": "Remittance advice",
    "bank_statement": "Bank statement",
}

_WHOLE_FILES = "Send each file under a name that begins with a dot or ends with .tmp, and rename it when it is whole; over AS2 that is not needed."
_ENVELOPE_RULES = (
    "Each interchange has a control number of its own. One with a number that we have taken before is refused and nothing of it is booked: "
    "sending again when in doubt is safe.",
    "One wrong transaction does not stop its neighbours: the others are taken, and the acknowledgment says which one was refused and where.",
    "Counts and control numbers of trailers are checked. Line ends between segments are allowed.",
)
_TEST_RULES = (
    "Start with test files, marked as the table of the envelope says. They walk the whole way and are answered as test; nothing is booked, "
    "reserved or billed.",
    "Change to production when a test order was answered without a problem. The same order may come again as a real one, under a control "
    "number of its own.",
    "An order number is taken once. The same order again is answered as a duplicate; a rejected one may be sent again under its number.",
)


def build_guide(installation: Installation, plans: Plans, loaded: LoadedPartner, at: datetime) -> Guide:
    """The guide of a partner as of now; raises Faults where a file of it is wrong."""
    settings, partner = installation.settings, loaded.partner
    us = settings.us
    buyer = party(
        partner.name,
        gln=partner.identifiers.gln,
        vat=partner.identifiers.vat,
        endpoint=partner.identifiers.peppol[0] if partner.identifiers.peppol else None,
        country=partner.country,
    )
    seller = party(
        us.name,
        gln=us.identifiers.gln,
        vat=us.identifiers.vat,
        endpoint=us.identifiers.peppol[0] if us.identifiers.peppol else None,
        country=us.address.country,
        address=us.postal(),
    )
    tax = Decimal(0) if partner.tax == "none" else us.tax_rate if us.tax_rate is not None else Decimal(20)
    sides = Sides(buyer=buyer, seller=seller, currency=partner.currency or us.currency, at=at, tax=tax)
    chapters, digests = [], [("partner", loaded.file, loaded.digest)]
    for agreement in partner.agreements:
        chapter, parts = _chapter(installation, plans, loaded, agreement, sides)
        chapters.append(chapter)
        digests += parts
    unique = sorted(set(digests))
    stamp = hashlib.sha256("\n".join("\t".join(one) for one in unique).encode()).hexdigest()[:12]
    return Guide(
        us=us.name,
        partner=partner.name,
        partner_id=partner.id,
        ours=_identities(us.identifiers),
        theirs=_identities(partner.identifiers),
        ways=tuple((name, _way(endpoint)) for name, endpoint in partner.endpoints.items()),
        chapters=tuple(chapters),
        rules=_rules(chapters),
        troubles=_troubles({chapter.spec.split("/")[0] for chapter in chapters}),
        stamp=stamp,
        made_on=f"{at:%Y-%m-%d}",
        program=gateway.__version__,
        parts=tuple(unique),
    )


def _chapter(
    installation: Installation, plans: Plans, loaded: LoadedPartner, agreement: Agreement, sides: Sides
) -> tuple[Chapter, list[tuple[str, str, str]]]:
    inward = agreement.receive is not None
    spec = agreement.spec
    syntax = spec.split("/")[0]
    mapping: MappingPlan | None = None
    schema: SchemaPlan | None = None
    parts: list[tuple[str, str, str]] = []
    notes: list[str] = []
    if inward:
        plan = plans.reading(spec, loaded)
        mapping, schema = plan.mapping.plan if plan.mapping else None, plan.schema.plan if plan.schema else None
        kept = plan.parts
    else:
        writing = plans.writing(spec, loaded)
        mapping, schema = writing.mapping.plan, writing.schema.plan if writing.schema else None
        kept = writing.parts
    parts += [(part.kind, part.name, part.digest) for part in kept]
    kind = mapping.document if mapping else ""
    us = identity_of(installation.settings.us.identifiers, Syntax(syntax)) if syntax in {"x12", "edifact"} else ""
    them = identity_of(loaded.partner.identifiers, Syntax(syntax)) if syntax in {"x12", "edifact"} else ""
    sender, receiver = (them, us) if inward else (us, them)
    segments: tuple[SegmentRow, ...] = ()
    paths: tuple[PathRow, ...] = ()
    ignored: tuple[str, ...] = ()
    sample = Sample(missing="There is no sample of this document.")
    if mapping is not None and inward:
        usage = usage_of(mapping)
        if schema is not None:
            segments, ignored = tuple(reading_rows.segment_rows(schema, usage)), tuple(reading_rows.ignored_tags(schema, usage))
        else:
            paths = tuple(reading_rows.path_rows(usage))
        sample = received_sample(plans, spec, kind, sides, loaded, numbers_of(sender, receiver, sides.at, syntax))
    elif mapping is not None:
        segments, paths = tuple(writing_rows.segment_rows(mapping)), tuple(writing_rows.path_rows(mapping))
        sample = sent_sample(plans, spec, kind, sides, loaded, agreement, numbers_of(sender, receiver, sides.at, syntax))
    if schema is not None and schema.root.note:
        notes.append(schema.root.note)
    if inward and file_for(spec, "read", plans.resolver) is None:
        notes.append("We check this document and keep it; we do not read business data from it.")
    title = _TITLES.get(kind, schema.name if schema else spec)
    number = spec.rsplit("/", 1)[1].upper() if syntax in {"x12", "edifact"} else spec
    chapter = Chapter(
        anchor=f"{'in' if inward else 'out'}-{spec.replace('/', '-')}",
        title=f"{title} ({number})",
        spec=spec,
        direction="to us" if inward else "to you",
        over=agreement.from_ or agreement.to or "",
        acknowledged=_acknowledged(agreement, syntax, spec) if inward else _awaited(agreement, syntax),
        segments=segments,
        paths=paths,
        ignored=ignored,
        envelope=tuple(_envelope(syntax, spec, sender, receiver, agreement)),
        sample=sample,
        notes=tuple(notes),
    )
    return chapter, parts


def _envelope(syntax: str, spec: str, sender: str, receiver: str, agreement: Agreement) -> Iterable[EnvelopeRow]:
    """What stands in the envelope, as a partner sets it up."""
    if syntax not in {"x12", "edifact"}:
        return
    (from_qualifier, from_id), (to_qualifier, to_id) = _split(sender), _split(receiver)
    _, version, kind = spec.split("/")
    if syntax == "x12":
        yield EnvelopeRow(ref="ISA-05, ISA-06", name="Sender", value=f"{from_qualifier}, {from_id} (padded to 15)")
        yield EnvelopeRow(ref="ISA-07, ISA-08", name="Receiver", value=f"{to_qualifier}, {to_id} (padded to 15)")
        yield EnvelopeRow(ref="ISA-12", name="Version of the envelope", value=version[:5])
        yield EnvelopeRow(ref="ISA-13", name="Control number", value="nine digits, each used once")
        yield EnvelopeRow(ref="ISA-15", name="Usage", value="T while testing, then P")
        yield EnvelopeRow(ref="GS-01", name="Kind of group", value=GROUPS.get(kind, "as the standard says"))
        yield EnvelopeRow(ref="GS-02, GS-03", name="Sender and receiver of the group", value=f"{from_id}, {to_id}")
        yield EnvelopeRow(ref="GS-08", name="Version", value=agreement.association or version)
        yield EnvelopeRow(ref="Delimiters", name="Any that ISA announces", value="usually * : ~, or > for components")
        return
    yield EnvelopeRow(ref="UNB S001", name="Syntax", value=agreement.syntax_version or "UNOC:3")
    yield EnvelopeRow(ref="UNB S002", name="Sender", value=f"{from_id}:{from_qualifier}".rstrip(":"))
    yield EnvelopeRow(ref="UNB S003", name="Receiver", value=f"{to_id}:{to_qualifier}".rstrip(":"))
    yield EnvelopeRow(ref="UNB 0020", name="Control reference", value="up to 14 characters, each used once")
    yield EnvelopeRow(ref="UNB 0035", name="Test indicator", value="1 while testing, then left out")
    association = f":{agreement.association}" if agreement.association else ""
    yield EnvelopeRow(ref="UNH S009", name="Message", value=f"{kind.upper()}:{version[0].upper()}:{version[1:].upper()}:UN{association}")


def _split(identity: str) -> tuple[str, str]:
    qualifier, _, value = identity.partition(":")
    return qualifier, value


def _acknowledged(agreement: Agreement, syntax: str, spec: str) -> str:
    """What the partner gets for a file, in one sentence."""
    which = agreement.acknowledge
    if syntax not in {"x12", "edifact"}:
        return "No acknowledgment of the syntax; the answer is the business document."
    if which == "none":
        return "None."
    when = "only where something is wrong" if agreement.acknowledge_when == "on_error" else "for every file"
    if which is None and syntax == "edifact":
        return "A CONTRL where the UNB asks for one (0031), or where we refuse the interchange."
    name = which or ("999" if spec.split("/")[1] >= "005010" else "997")
    return f"A {name} {when}, usually within seconds. It names each segment and element that is wrong."


def _awaited(agreement: Agreement, syntax: str) -> str:
    if not agreement.expect_acknowledgment or syntax not in {"x12", "edifact"}:
        return "We do not wait for an acknowledgment."
    return f"We wait for your {'997 or 999' if syntax == 'x12' else 'CONTRL'} for each file."


def _identities(identifiers: Identifiers) -> tuple[tuple[str, str], ...]:
    rows = (
        [("X12", one) for one in identifiers.x12]
        + [("EDIFACT", one) for one in identifiers.edifact]
        + [("Peppol", one) for one in identifiers.peppol]
    )
    rows += [
        (name, value)
        for name, value in (("GLN", identifiers.gln), ("D-U-N-S", identifiers.duns), ("VAT", identifiers.vat), ("AS2", identifiers.as2))
        if value
    ]
    return tuple(rows)


def _way(endpoint: Endpoint) -> str:
    """How files travel, without users, hosts' credentials or paths of our disks."""
    if endpoint.transport == "as2":
        parts = [f"AS2 as {endpoint.name}"]
        parts += [
            word
            for word, there in (("signed", endpoint.sign != "none"), ("encrypted", endpoint.encrypt != "none"), ("compressed", endpoint.compress))
            if there
        ]
        return ", ".join(parts) + (f"; receipt {endpoint.receipt}" if endpoint.receipt != "none" else "; no receipt")
    if endpoint.transport == "sftp":
        host = str(endpoint.sftp).split("://", 1)[-1].rsplit("@", 1)[-1]
        return f"SFTP: we fetch from {host}" + (f" and put into {endpoint.send_to}" if endpoint.send_to else "")
    if endpoint.transport == "https":
        ways = ["you push files to /api/v1/files with an API key"] if endpoint.api_keys else []
        to = urlsplit(endpoint.https or "").hostname
        ways.append(f"we post to {to}" if to else "you fetch ours from /api/v1/mailbox")
        return "HTTPS: " + " and ".join(ways)
    if endpoint.transport == "mail":
        ways = [f"you send attachments from {' or '.join(endpoint.from_)}"] if endpoint.from_ else []
        ways += [f"we send to {endpoint.send_to}"] if endpoint.send_to else []
        return "mail: " + " and ".join(ways)
    return "files in a folder that both sides agreed on"


def _rules(chapters: Iterable[Chapter]) -> tuple[str, ...]:
    syntaxes = {chapter.spec.split("/")[0] for chapter in chapters}
    rules = [_WHOLE_FILES]
    if syntaxes & {"x12", "edifact"}:
        rules += _ENVELOPE_RULES
    rules += _TEST_RULES
    return tuple(rules)


def _troubles(syntaxes: set[str]) -> tuple[Trouble, ...]:
    rows = []
    for syntax, family in (("x12", x12_kinds), ("edifact", edifact_kinds)):
        if syntax in syntaxes:
            kinds = sorted((kind for kind in vars(family).values() if isinstance(kind, Kind)), key=lambda kind: kind.code)
            rows += [
                Trouble(code=kind.code, answer=_answer(kind), title=kind.title, cure=kind.cure) for kind in kinds if kind.severity is Severity.ERROR
            ]
    return tuple(rows)


def _answer(kind: Kind) -> str:
    told = (("AK304", kind.ak3), ("AK403", kind.ak4), ("AK502", kind.ak5), ("AK905", kind.ak9), ("TA105", kind.ta1), ("0085", kind.contrl))
    return ", ".join(f"{name} {code}" for name, code in told if code)
