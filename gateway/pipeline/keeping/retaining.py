"""Retention: payloads and personal data leave when their time has come, and the journal keeps the proof that they did, by which rule.

First the rows and the journal's entry in one transaction, then the bytes: killed in between, the next run takes them away. Nothing that is open,
unpaid or under a legal hold is erased, nor anything that it is linked with, from the order to the payment; what speaks of many partners leads no
further.
"""

import time
from collections import Counter
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time as time_of_day
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection
from sqlalchemy import select

from gateway.exchange.retention import FOREVER
from gateway.exchange.retention import STRANGERS
from gateway.exchange.retention import Retention
from gateway.exchange.retention import Rule
from gateway.exchange.retention import latest_start
from gateway.exchange.retention import rule_for
from gateway.exchange.retention import rule_for_request
from gateway.pipeline.keeping.found_under import documents_posted
from gateway.pipeline.keeping.found_under import files_of_message
from gateway.pipeline.keeping.found_under import message_id_of
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import settings
from gateway.store import tables
from gateway.store.identity import new_id
from gateway.store.incoming import as2_requests
from gateway.store.incoming import transmissions
from gateway.store.journal import Entry
from gateway.store.keeping import due
from gateway.store.keeping import erasures
from gateway.store.keeping import uses
from gateway.store.keeping.due import Unit
from gateway.store.keeping.erasures import Erasure
from gateway.store.keeping.erasures import LegalHold
from gateway.store.keeping.tidying import tidy
from gateway.store.payloads.archive import FRESH
from gateway.store.records import documents
from gateway.store.records.documents import Document

_log = structlog.get_logger("retention")
_PAGE = 200
_EXAMPLES = 20
STREAM = "retention"
#: the day of the last daily run, among the installation's settings
_DONE = "kept_clean"


class UnknownReference(Exception):
    """Nothing that could be held is known under this name, or it does not say which of several is meant."""


@dataclass(slots=True)
class Outcome:
    """What a run did, or would do."""

    erased: int = 0
    payloads: int = 0
    #: payloads whose bytes are out of the archive now, also of earlier runs
    left: int = 0
    #: reason -> how many files are past their time and stay
    kept: Counter[str] = field(default_factory=Counter)
    #: reason -> names of the first of them
    kept_names: dict[str, list[str]] = field(default_factory=dict)
    #: names of what is due, the first ones
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Due:
    """A unit whose time has come."""

    unit: Unit
    documents: tuple[Document, ...]
    rule: Rule


def run_retention(station: Station, *, pretend: bool = False, actor: str = "system") -> Outcome:
    """Erase what is due and not kept back by anything; with `pretend` only say what that would be."""
    outcome = Outcome()
    ours = station.installation.settings.retention
    theirs = {id: loaded.partner.retention for id, loaded in station.installation.directory.partners.items() if loaded.partner.retention is not None}
    said = [ours, *(retention for retention in theirs.values() if retention is not None)]
    of_files = [period for one in said for period in one.periods()]
    of_requests = [ours.strangers or STRANGERS, *(period for one in said for period in one.request_periods())]
    for kind in due.KINDS:
        latest = latest_start(_today(station), *(of_requests if kind == due.REQUEST else of_files))
        if latest is not None:
            # nothing that is younger is even looked at, however much of it there is
            before = datetime.combine(latest + timedelta(days=2), time_of_day.min, UTC)
            _run_kind(station, kind, before, ours, theirs, outcome, actor, pretend=pretend)
    if not pretend:
        outcome.left = finish(station)
        if outcome.erased or outcome.left:
            _log.info("erased what was due", files=outcome.erased, payloads=outcome.payloads, left=outcome.left)
    return outcome


def _run_kind(
    station: Station,
    kind: str,
    before: datetime,
    ours: Retention,
    theirs: Mapping[str, Retention | None],
    outcome: Outcome,
    actor: str,
    *,
    pretend: bool,
) -> None:
    after = None
    while True:
        with station.database.read() as connection:
            page = due.candidates(connection, kind, before, after, _PAGE)
            holds = erasures.standing(connection)
            judge = _judged_request if kind == due.REQUEST else _judged
            found = [judge(connection, one, ours, theirs, holds, _today(station)) for one in page]
        for unit, judged in zip(page, found, strict=True):
            if isinstance(judged, str):
                outcome.kept[judged] += 1
                names = outcome.kept_names.setdefault(judged, [])
                names += [unit.name] if len(names) < _EXAMPLES else []
            elif judged is not None and (pretend or _erase(station, judged, actor, outcome)):
                outcome.erased += 1
                outcome.examples += [unit.name] if len(outcome.examples) < _EXAMPLES else []
        if len(page) < _PAGE:
            return
        after = (page[-1].came_at, page[-1].id)


def keep_clean(station: Station) -> None:
    """What the service does once a day, however often it starts: erase what is due, and remove payloads that nothing names."""
    today = _today(station).isoformat()
    with station.database.read() as connection:
        if settings.get(connection, _DONE) == today:
            return
    run_retention(station)
    tidied = tidy(station.database, station.archive)
    if tidied.orphans:
        _log.info("payloads that nothing names removed", payloads=tidied.orphans, bytes=tidied.bytes)
    with station.database.begin() as connection:
        settings.put(connection, _DONE, today)


def finish(station: Station) -> int:
    """Take the bytes of erased payloads out of the archive; also those that a kill left there."""
    count = 0
    with station.database.read() as connection:
        waiting = erasures.unfinished(connection)
    for start in range(0, len(waiting), uses.AT_ONCE):
        some = waiting[start : start + uses.AT_ONCE]
        with station.database.read() as connection:
            used = uses.used_among(connection, some)
        count += sum(_leaves(station, sha256) for sha256 in some if sha256 not in used)
    return count


def _leaves(station: Station, sha256: str) -> bool:
    # bytes that came again lately are of a file whose row may not be written yet: they wait for the next run
    removed = station.archive.remove(sha256, older_than=time.time() - FRESH)
    if not removed and station.archive.has(sha256):
        return False
    crash.point(134)
    with station.database.begin() as connection:
        erasures.removed(connection, sha256, station.clock())
    return removed


def hold(station: Station, reference: str, actor: str, reason: str, partner: str | None = None) -> list[LegalHold]:
    """Keep a partner (`partner:acme`), or the documents, files and AS2 messages (of one partner) of a number, id, file name or Message-ID,
    whatever the rules say."""
    with station.database.begin() as connection:
        subjects = _subjects(connection, station, reference, partner)
        if not subjects:
            raise UnknownReference(f"Nothing is known under '{reference}': name a document, a file, a Message-ID, or partner:ID")
        now = station.clock()
        made = [LegalHold(id=new_id(), subject_kind=kind, subject=subject, actor=actor, reason=reason, since=now) for kind, subject in subjects]
        for one in made:
            erasures.hold(connection, one)
        journal.append(connection, [_entry(one, "legal_hold", now, actor, reason) for one in made])
    return made


def release(station: Station, reference: str, actor: str, reason: str, partner: str | None = None) -> list[LegalHold]:
    """End holds: of this id, or all on what the reference names, where that is one partner's. Numbers count for each partner by itself, and what is
    let go too early is erased."""
    with station.database.begin() as connection:
        subjects = set(_subjects(connection, station, reference, partner))
        ended = [one for one in erasures.standing(connection) if one.id == reference or (one.subject_kind, one.subject) in subjects]
        if not ended:
            raise UnknownReference(f"No legal hold stands on '{reference}'")
        whose = _partners_of(connection, ended)
        if len(whose) > 1 and partner is None:
            raise UnknownReference(f"Holds stand on '{reference}' of {' and '.join(whose)}: name the partner, or the hold by its id")
        now = station.clock()
        for one in ended:
            erasures.release(connection, one.id, now, actor, reason)
        journal.append(connection, [_entry(one, "legal_hold_released", now, actor, reason) for one in ended])
    return ended


def _entry(one: LegalHold, action: str, at: datetime, actor: str, reason: str) -> Entry:
    return Entry(
        stream=STREAM,
        at=at,
        actor=actor,
        action=action,
        subject_kind=one.subject_kind,
        subject=one.subject,
        reason=reason,
        facts={"hold": one.id},
    )


def _partners_of(connection: Connection, holds: Collection[LegalHold]) -> list[str]:
    whose: set[str] = set()
    for table in (tables.document, tables.transmission, tables.as2_request):
        ids = [one.subject for one in holds if one.subject_kind == table.name]
        key = next(iter(table.primary_key))
        whose.update(one or "nobody known" for one in connection.execute(select(table.c.partner).where(key.in_(ids))).scalars())
    return sorted(whose)


def _subjects(connection: Connection, station: Station, reference: str, partner: str | None) -> list[tuple[str, str]]:
    kind, _, id = reference.partition(":")
    if kind == "partner" and id:
        known = id in station.installation.directory.partners or _partner_known(connection, id)
        return [("partner", id)] if known else []
    document = tables.document
    query = select(document.c.id).where((document.c.id == reference) | (document.c.number == reference)).order_by(document.c.id)
    if partner is not None:
        query = query.where(document.c.partner == partner)
    sent = documents.get_many(connection, documents_posted(connection, reference)).values()
    ids = [*connection.execute(query).scalars(), *(one.id for one in sent if partner is None or one.partner == partner)]
    found = [("document", id) for id in dict.fromkeys(ids)]
    files = [*transmissions.named(connection, reference, partner), *files_of_message(connection, reference)]
    found += [("transmission", id) for id in dict.fromkeys(one.id for one in files if partner is None or one.partner == partner)]
    requests = as2_requests.named(connection, message_id_of(reference), partner)
    return found + [(due.REQUEST, one.request_sha256) for one in requests]


def _partner_known(connection: Connection, id: str) -> bool:
    document = tables.document
    return connection.execute(select(document.c.id).where(document.c.partner == id).limit(1)).first() is not None


def _judged(
    connection: Connection,
    unit: Unit,
    ours: Retention,
    theirs: Mapping[str, Retention | None],
    holds: Collection[LegalHold],
    today: date,
) -> _Due | str | None:
    """A unit that is due; why it stays although its time has come; or None where its time has not come."""
    documents = tuple(due.documents_of(connection, unit))
    came_on = max([unit.came_at, *(document.created_at for document in documents)]).date()
    what = {(document.kind, document.partner) for document in documents} or {("", unit.partner or "")}
    longest: tuple[date, Rule] | None = None
    for kind, partner in sorted(what):
        rule = rule_for(kind, partner, theirs.get(partner), ours)
        day = rule.due_on(came_on) if rule is not None else None
        if rule is None or day is None or day > today:
            return None
        if longest is None or day > longest[0]:
            longest = (day, rule)
    chain = due.chain_of(connection, due.belongs_to(connection, unit, documents))
    if chain is None:
        return "it belongs to a very long chain of documents"
    if _is_held(connection, holds, unit, chain):
        return "a legal hold stands on it"
    return due.kept_by(connection, unit, chain) or (_Due(unit, documents, longest[1]) if longest is not None else None)


def _judged_request(
    connection: Connection, unit: Unit, ours: Retention, theirs: Mapping[str, Retention | None], holds: Collection[LegalHold], today: date
) -> _Due | str | None:
    """The same of an AS2 request of which nothing was taken: what repeats a message goes with its file, neither before nor after it."""
    originals = due.rules_of_originals(connection, unit)
    rules = [rule for rule in originals if rule is not None]
    rule = rule_for_request(unit.partner or "", theirs.get(unit.partner or ""), ours)
    day = rule.due_on(unit.came_at.date()) if rule is not None else None
    if rules and len(rules) == len(originals):
        rule = Rule(period=FOREVER, year_end=False, words=rules[0])
    elif rule is None or day is None or day > today:
        return None
    if _is_held(connection, holds, unit, ()):
        return "a legal hold stands on it"
    return due.kept_by(connection, unit, ()) or _Due(unit, (), rule)


def _is_held(connection: Connection, holds: Collection[LegalHold], unit: Unit, chain: Collection[str]) -> bool:
    if not holds:
        return False
    document = tables.document
    subjects = {(unit.kind, unit.id), ("partner", unit.partner), *(("document", id) for id in chain)}
    ids = sorted(chain)
    for start in range(0, len(ids), _PAGE):
        query = select(document.c.partner, document.c.transmission).where(document.c.id.in_(ids[start : start + _PAGE]))
        for partner, transmission in connection.execute(query):
            subjects |= {("partner", partner), ("transmission", transmission)}
    return any((one.subject_kind, one.subject) in subjects for one in holds)


def _erase(station: Station, judged: _Due, actor: str, outcome: Outcome) -> bool:
    """Rows and the journal's entry, in one transaction, which looks once more whether anything keeps it; False where something does now."""
    unit = judged.unit
    ids = [document.id for document in judged.documents]
    with station.database.begin() as connection:
        now = station.clock()
        chain = due.chain_of(connection, due.belongs_to(connection, unit, judged.documents))
        if chain is None or _is_held(connection, erasures.standing(connection), unit, chain) or due.kept_by(connection, unit, chain):
            return False
        payloads = due.payloads_of(connection, unit)
        erasures.erase_contents(connection, unit.id, ids)
        rule = judged.rule.words
        made = [Erasure(subject_kind=unit.kind, subject=unit.id, sha256=one, erased_at=now, rule=rule) for one in payloads or [""]]
        erasures.add(connection, made)
        entry = Entry(
            stream=STREAM,
            at=now,
            actor=actor,
            action="erased",
            subject_kind=unit.kind,
            subject=unit.id,
            reason=rule,
            facts={"name": unit.name, "payloads": " ".join(payloads), "documents": " ".join(ids[:200]), "came": unit.came_at.date().isoformat()},
        )
        journal.append(connection, [entry])
    crash.point(19)
    outcome.payloads += len(payloads)
    return True


def _today(station: Station) -> date:
    return station.clock().astimezone(ZoneInfo(station.installation.settings.zone)).date()
