"""`gateway impact`: what a changed mapping would make of the traffic that is stored.

Each document's archived bytes are read twice: with the plan that was in force when it came, and with the changed file. Nothing is written.
The work is done by processes, a payload at a time; what comes back is counted, with a few examples of each field.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from gateway.config import Installation
from gateway.config import load_installation
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.insight.differences import differences
from gateway.model.document import Document as Canonical
from gateway.model.document import encode_plainly
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.kept_plans import KeptPlan
from gateway.pipeline.reading.kept_plans import kept_plan
from gateway.pipeline.reading.kept_plans import parts_of
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.station import Station
from gateway.problem import Severity
from gateway.store.database import open_database
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.opening import open_archive
from gateway.store.records import documents
from gateway.store.records import plans as plan_store
from gateway.yaml_source import Mapping
from gateway.yaml_source import Resolver
from gateway.yaml_source import Scalar
from gateway.yaml_source import parse

#: examples that are kept of each field, and of what fails
EXAMPLES = 3
_PAGE = 1000
_CHUNK = 1 << 20
_INDEX = re.compile(r"\[\d+\]")


class WrongFile(ValueError):
    """A file that is no mapping and no partner's; says why."""


class Example(msgspec.Struct, frozen=True):
    """A field of a document before and after; None where there was or is none."""

    document: str
    field: str
    before: str | None
    after: str | None


class FieldImpact(msgspec.Struct):
    """A field (`lines[].price`) that changes, in how many documents."""

    field: str
    documents: int = 0
    examples: list[Example] = []


class Failure(msgspec.Struct, frozen=True):
    """A document that would be rejected now."""

    document: str
    problems: list[str]


class Impact(msgspec.Struct):
    """What would become of the stored documents. `mended` were rejected and would be read, `unread` could not be compared at all."""

    mapping: str
    documents: int = 0
    same: int = 0
    changed: int = 0
    failing: int = 0
    mended: int = 0
    unread: int = 0
    fields: list[FieldImpact] = []
    failures: list[Failure] = []

    def add(self, other: "Impact") -> None:
        """The counts and examples of a part."""
        for name in ("documents", "same", "changed", "failing", "mended", "unread"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        known = {one.field: one for one in self.fields}
        for one in other.fields:
            mine = known.get(one.field)
            if mine is None:
                self.fields.append(one)
                known[one.field] = one
            else:
                mine.documents += one.documents
                mine.examples = [*mine.examples, *one.examples][:EXAMPLES]
        self.failures = [*self.failures, *other.failures][: 10 * EXAMPLES]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document that came in: where its bytes are, and the plan of its day."""

    shown: str
    partner: str
    offset: int | None
    plan: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True, slots=True)
class _Job:
    """A payload and the documents that came in it."""

    sha256: str
    stored: tuple[_Stored, ...]


@dataclass(frozen=True, slots=True)
class _Changed:
    """The files of an installation, with one that is changed."""

    resolver: Resolver
    name: str
    text: str

    def text_of(self, name: str) -> tuple[str, str] | None:
        return (self.name, self.text) if name == self.name else self.resolver.text_of(name)

    def names(self, prefix: str) -> list[str]:
        return sorted({*self.resolver.names(prefix), *([self.name] if self.name.startswith(prefix) else [])})


def name_of(installation: Installation, file: Path, text: str) -> str:
    """The name that a file stands for: where it lies, or, for a draft elsewhere, what its `from:` says; raises WrongFile."""
    for place in installation.resolver.places:
        for top in ("mappings", "partners"):
            if top in place and file.resolve().is_relative_to(place[top].resolve()):
                return f"{top}/{file.resolve().relative_to(place[top].resolve()).as_posix()}"
    node = parse(text, file.name)
    for key, form in (("from", "mappings/{}.yaml"), ("id", "partners/{}.yaml")):
        held = node.get(key) if isinstance(node, Mapping) else None
        if isinstance(held, Scalar):
            return form.format(held.text)
    raise WrongFile(f"{file} does not lie in mappings/ or partners/, and has no `from:` or `id:` that says what it is a draft of")


def impact(station: Station, file: Path, since: datetime, progress: Callable[[int, int], None], workers: int | None = None) -> Impact:
    """What the changed file would make of what came since; raises Faults where the file is wrong, WrongFile where it is none."""
    text = file.read_text(encoding="utf-8-sig")
    name = name_of(station.installation, file, text)
    jobs, kept = _jobs(station, name, since)
    total = sum(len(job.stored) for job in jobs)
    answer = Impact(mapping=name)
    if not jobs:
        return answer
    begin = (station.installation.file, name, text, kept)
    # what is wrong with the file shows here, before any process is started
    _begin(*begin)
    answer.add(_run(jobs[0]))
    progress(answer.documents, total)
    count, rest = workers or os.cpu_count() or 1, jobs[1:]
    if len(rest) < 2 or count < 2:
        _gather(answer, map(_run, rest), progress, total)
    else:
        with ProcessPoolExecutor(count, get_context("fork"), _begin, begin) as pool:
            _gather(answer, pool.map(_run, rest, chunksize=max(1, min(50, len(rest) // (4 * count)))), progress, total)
    answer.fields.sort(key=lambda one: -one.documents)
    return answer


def _gather(answer: Impact, parts: Iterable[Impact], progress: Callable[[int, int], None], total: int) -> None:
    for part in parts:
        answer.add(part)
        progress(answer.documents, total)


def _jobs(station: Station, name: str, since: datetime) -> tuple[list[_Job], dict[tuple[tuple[str, str], ...], KeptPlan]]:
    """The payloads whose documents were read with this file, and the plans of their days."""
    payloads: dict[str, list[_Stored]] = defaultdict(list)
    kept: dict[tuple[tuple[str, str], ...], KeptPlan] = {}
    with station.database.read() as connection:
        concerned = {plan.digest for plan in plan_store.of_kind(connection, "mapping") if any(part == name for part, _ in parts_of(plan.content))}
        concerned |= {plan.digest for plan in plan_store.of_kind(connection, "partner") if plan.name == name}
        for row in _received(connection, since):
            if row.sha256 is None or concerned.isdisjoint(row.plan_digests.values()):
                continue
            key = tuple(sorted((kind, digest) for kind, digest in row.plan_digests.items() if kind in {"mapping", "schema", "partner"}))
            if key not in kept:
                kept[key] = kept_plan(connection, dict(key))
            shown = f"{row.kind.replace('_', ' ') or row.transaction_type} {row.number or row.transaction_control} of {row.partner or 'nobody'}"
            payloads[row.sha256].append(_Stored(shown, row.partner, row.byte_offset, key, row.body))
    return [_Job(sha256, tuple(stored)) for sha256, stored in payloads.items()], kept


def _received(connection: Connection, since: datetime) -> Iterator[documents.Document]:
    after: tuple[datetime, str] | None = None
    while page := documents.received(connection, since, after=after, limit=_PAGE):
        yield from page
        after = (page[-1].created_at, page[-1].id)


# ---------------------------------------------------------------- in each process


@dataclass(slots=True)
class _Worker:
    """What a process needs for all its payloads."""

    archive: Archive
    partners: dict[str, LoadedPartner]
    plans: Plans
    kept: dict[tuple[tuple[str, str], ...], KeptPlan]
    name: str
    ready: dict[tuple[tuple[str, str], ...], tuple[Plans, LoadedPartner | None] | None] = field(default_factory=dict)

    def then(self, stored: _Stored) -> tuple[Plans, LoadedPartner | None] | None:
        """The plans of the day that the document came."""
        if stored.plan not in self.ready:
            self.ready[stored.plan] = self.kept[stored.plan].plans()
        return self.ready[stored.plan]


_workers: list[_Worker] = []


def _begin(config: Path, name: str, text: str, kept: dict[tuple[tuple[str, str], ...], KeptPlan]) -> None:
    installation = load_installation(config)
    resolver = _Changed(installation.resolver, name, text)
    partners = dict(installation.directory.partners)
    if name.startswith("partners/"):
        changed = load_partner(name, resolver)
        partners[changed.partner.id] = changed
    archive = open_archive(installation.archive_place, open_database(installation.database_url))
    _workers[:] = [_Worker(archive, partners, Plans(resolver), kept, name)]


def _run(job: _Job) -> Impact:
    """Read a payload with both plans and compare what came out."""
    worker = _workers[0]
    answer = Impact(mapping=worker.name)
    by_plan: dict[tuple[tuple[tuple[str, str], ...], str], list[_Stored]] = defaultdict(list)
    for stored in job.stored:
        by_plan[stored.plan, stored.partner].append(stored)
    for (_, partner), group in by_plan.items():
        then = worker.then(group[0])
        try:
            before = _read(worker, job.sha256, *then) if then is not None else {}
            after = _read(worker, job.sha256, worker.plans, worker.partners.get(partner))
        except ArchiveMissing:
            answer.documents += len(group)
            answer.unread += len(group)
            continue
        for stored in group:
            _compare(answer, stored, _at(before, stored), _at(after, stored))
    return answer


def _at(found: dict[int, Read], stored: _Stored) -> Read | None:
    if stored.offset in found:
        return found[stored.offset]
    # an XML document is all of its payload
    return next(iter(found.values())) if len(found) == 1 else None


def _read(worker: _Worker, sha256: str, plans: Plans, loaded: LoadedPartner | None) -> dict[int, Read]:
    with worker.archive.open(sha256) as file:
        forms = forms_for(plans, None, loaded) if loaded is not None else ()
        _, items = read_payload(iter(lambda: file.read(_CHUNK), b""), plans, stateless(plans, None, loaded), forms)
        return {item.transaction.offset: item for item in items if isinstance(item, Read)}


def _compare(answer: Impact, stored: _Stored, before: Read | None, after: Read | None) -> None:
    answer.documents += 1
    if after is None or (before is None and stored.body is None):
        answer.unread += 1
        return
    was = _text(before.document) if before is not None else (stored.body or "").encode()
    now = _text(after.document)
    if was == now:
        answer.same += 1
    elif not now:
        answer.failing += 1
        problems = [f"{problem.code}: {problem.message}" for problem in after.problems if problem.severity is Severity.ERROR]
        if len(answer.failures) < EXAMPLES:
            answer.failures.append(Failure(stored.shown, problems[:EXAMPLES]))
    elif not was:
        answer.mended += 1
    else:
        answer.changed += 1
        _tell_fields(answer, stored, was, now)


def _tell_fields(answer: Impact, stored: _Stored, was: bytes, now: bytes) -> None:
    known = {one.field: one for one in answer.fields}
    counted: set[str] = set()
    for difference in differences(msgspec.json.decode(was), msgspec.json.decode(now)):
        name = _INDEX.sub("[]", difference.field)
        if name not in known:
            known[name] = FieldImpact(name, 0, [])
            answer.fields.append(known[name])
        held = known[name]
        if name not in counted:
            counted.add(name)
            held.documents += 1
        if len(held.examples) < EXAMPLES:
            held.examples.append(Example(stored.shown, difference.field, difference.expected, difference.found))


def _text(document: Canonical | None) -> bytes:
    return encode_plainly(document) if document is not None else b""
