"""Partners' answers are put to what we sent: 997, 999, TA1 and CONTRL (its reader took it), 824 and APERAK (its application did), receipts.

One answer speaks at several levels: what it says of a transaction wins over what it says of its group and interchange, but a level that is
rejected rejects everything in it. Every answer is kept, also one that fits nothing, comes twice, or contradicts an earlier one; a rejection
counts whenever it comes, but for a repeat that is refused as one (repeats.py). What is rejected waits for a person, with the places marked in
our own bytes.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
import structlog
from sqlalchemy import Connection

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment import Acknowledged
from gateway.exchange.acknowledgment import read_advice
from gateway.exchange.envelope import GROUPS
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import answer as kinds
from gateway.pipeline.answers.consequences import arrived_after_all
from gateway.pipeline.answers.consequences import ask_about
from gateway.pipeline.answers.consequences import put_before_a_person
from gateway.pipeline.answers.consequences import settle_overdue
from gateway.pipeline.answers.desk import Desk
from gateway.pipeline.answers.desk import Source
from gateway.pipeline.answers.desk import Verdict
from gateway.pipeline.answers.repeats import Meant
from gateway.pipeline.answers.repeats import contrary_to
from gateway.pipeline.answers.repeats import problem_of
from gateway.pipeline.answers.repeats import sort_out
from gateway.pipeline.answers.repeats import weigh
from gateway.pipeline.answers.sent_bytes import sent_transactions
from gateway.pipeline.answers.wording import in_words
from gateway.pipeline.answers.wording import journal_reason
from gateway.pipeline.answers.wording import problems_of
from gateway.pipeline.answers.wording import relation_of
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import crash
from gateway.store import journal
from gateway.store.database import when_written
from gateway.store.outgoing import answers
from gateway.store.outgoing import awaited
from gateway.store.outgoing.answers import Answer
from gateway.store.outgoing.awaited import ALREADY_THERE
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from gateway.store.records import references

#: from the most precise to the least: what was said of one thing is not overruled by what was said of all
_LEVELS = ("document", "transaction", "group", "interchange")
#: what each kind of answer speaks of: numbers count for each syntax by itself
_SYNTAXES = {"997": "x12", "999": "x12", "TA1": "x12", "824": "x12", "CONTRL": "edifact", "APERAK": "edifact"}
_log = structlog.get_logger("answers")


def apply_received(
    station: Station,
    connection: Connection,
    row: documents.Document,
    said: Sequence[Acknowledged],
    loaded: LoadedPartner,
    entries: list[journal.Entry],
) -> None:
    """Put what a partner's 997, 999, CONTRL, 824 or APERAK says to what it speaks of."""
    source = Source(kind=row.transaction_type, key=row.id, document=row.id, transmission=row.transmission)
    hear(Desk(station, connection, loaded, source, entries), said)


def apply_advice(
    station: Station, connection: Connection, advice: Sequence[Segment], loaded: LoadedPartner, transmission: str, entries: list[journal.Entry]
) -> None:
    """Put the TA1 segments of an interchange to the interchanges that they speak of. One that finds nothing wrong says only `received`."""
    for number, segment in enumerate(advice):
        said = read_advice(segment)
        if said is None:
            continue
        if said.outcome == "accepted":
            said = msgspec.structs.replace(said, outcome="received")
        source = Source(kind="TA1", key=f"{transmission}:{said.control_number}:{number}", transmission=transmission)
        hear(Desk(station, connection, loaded, source, entries), [said])


def hear(desk: Desk, said: Sequence[Acknowledged]) -> None:
    """Hear one whole answer: note it on the rows that it means, keep it, and put rejections before a person."""
    verdicts: dict[str, Verdict] = {}
    unmatched: list[Acknowledged] = []
    for level in _LEVELS:
        for one in said:
            if one.level != level:
                continue
            rows = _meant(desk, one)
            if not rows and not _is_told_by_parts(one, said):
                unmatched.append(one)
            for entry in rows:
                _add(verdicts, entry, one)
    layer = said[0].layer
    kept = [_unmatched(desk, one, number) for number, one in enumerate(unmatched)]
    meant = sort_out(list(verdicts.values()), layer)
    for verdict in meant.verdicts:
        weigh(desk, verdict, layer)
    kept += _carry_out(desk, meant, layer)
    answers.keep(desk.connection, kept)
    crash.point(59)


# ---------------------------------------------------------------- what is meant


def _meant(desk: Desk, said: Acknowledged) -> list[Entry]:
    """The rows that one statement speaks of."""
    numbers = {
        "interchange": {"interchange_control": said.control_number},
        "group": {"group_control": said.control_number, "interchange_control": said.interchange_control_number},
    }.get(
        said.level,
        {
            "interchange_control": said.interchange_control_number,
            "group_control": said.group_control_number,
            "transaction_control": said.control_number,
        },
    )
    given = {name: value for name, value in numbers.items() if value}
    if said.level == "document" and not (said.control_number and said.group_control_number):
        return _by_reference(desk, said)
    if not given:
        return []
    whose, syntax = desk.loaded.partner.id, _SYNTAXES.get(desk.source.kind, "")
    types = _types_of_group(said.type) if said.level == "group" else {said.type} if said.type else set()
    found = awaited.find_sent(desk.connection, partner=whose, syntax=syntax, transaction_types=types, **given)
    if not found and said.level == "group" and types:
        # a partner that writes another functional identifier than ours means the group of this number all the same
        found = awaited.find_sent(desk.connection, partner=whose, syntax=syntax, **given)
    if not found and said.level == "document":
        return _by_reference(desk, said)
    return found


def _types_of_group(identifier: str) -> set[str]:
    """The types of transactions that a group of this functional identifier (AK101) holds: where groups are numbered type by type, several have
    the same number."""
    return {type for type, group in GROUPS.items() if group == identifier}


def _by_reference(desk: Desk, said: Acknowledged) -> list[Entry]:
    """The row of our document that an application answer names by one of its numbers; the latest sending of it."""
    numbers = [value for _, value in said.references]
    for number in numbers:
        ids = [one.document for one in references.find(desk.connection, number, partner=desk.loaded.partner.id, whole=True)]
        mine = [
            row.id
            for row in documents.get_many(desk.connection, ids).values()
            if row.direction == "out" and row.partner == desk.loaded.partner.id and (not said.type or row.transaction_type == said.type)
        ]
        # its own number first: an order's number leads to all that was sent for the order
        own = [row.id for row in documents.get_many(desk.connection, mine).values() if row.number == number]
        # several of one type for one order: the latest is meant; several of different types: nobody can tell
        found = awaited.sent_for(desk.connection, own or mine) if own or said.type or len(mine) == 1 else []
        if found:
            return found[:1]
    for number in numbers:
        found = awaited.find_sent(desk.connection, partner=desk.loaded.partner.id, interchange_control=number)
        if len(found) == 1:
            return found
    return []


def _is_told_by_parts(said: Acknowledged, all_said: Sequence[Acknowledged]) -> bool:
    """Whether the parts of a group or interchange are told one by one: then it need not be said that the whole fits nothing."""
    if said.level == "group":
        return any(one.level == "transaction" and one.group_control_number == said.control_number for one in all_said)
    return said.level == "interchange" and any(one.level in {"transaction", "group"} for one in all_said)


def _add(verdicts: dict[str, Verdict], entry: Entry, said: Acknowledged) -> None:
    present = verdicts.get(entry.id)
    if present is None:
        verdicts[entry.id] = Verdict(entry, said.level, said.outcome, list(said.notes), list(said.marks), said.repeat)
    elif said.outcome == "rejected" and present.outcome != "rejected":
        # nothing in a rejected group or interchange was taken, whatever was said of it by itself
        present.level, present.outcome, present.repeat = said.level, "rejected", said.repeat and not present.marks
        present.notes += said.notes
    elif present.outcome == "rejected" and said.outcome == "rejected":
        # a whole that is rejected without a word is rejected for its parts
        present.repeat = present.repeat and (said.repeat or not said.notes)
        present.notes += [note for note in said.notes if note not in present.notes]


# ---------------------------------------------------------------- what follows


def _carry_out(desk: Desk, meant: Meant, layer: str) -> list[Answer]:
    now = desk.station.clock()
    verdicts = meant.verdicts
    earlier: dict[str, list[Answer]] = {}
    rows = [*(verdict.entry.id for verdict in verdicts), *(row for rows in meant.before.values() for row in rows)]
    for answer in answers.of_outbox(desk.connection, rows):
        if answer.layer == layer and answer.id != _answer_id(desk, answer.outbox or ""):
            earlier.setdefault(answer.outbox or "", []).append(answer)
    faulty = [verdict.entry for verdict in verdicts if verdict.marks]
    transactions = sent_transactions(desk.station, faulty) if faulty else {}
    by_outcome: dict[str, list[str]] = {}
    kept = []
    rejected: list[tuple[Verdict, tuple[Problem, ...], bool]] = []
    for verdict in verdicts:
        entry = verdict.entry
        before = _standing(earlier.get(entry.id, []))
        if before is None:
            # the same bytes were taken when they were sent before
            before = contrary_to([answer for row in meant.before.get(entry.id, ()) for answer in earlier.get(row, ())], verdict.outcome)
        relation = relation_of(before, verdict.outcome)
        if verdict.outcome == ALREADY_THERE:
            problems: tuple[Problem, ...] = (problem_of(desk.source.kind, desk.loaded.partner.name, in_words(verdict.notes), verdict.known),)
            kept.append(_answer(desk, verdict, layer, "further" if before else "first", problems))
            desk.entries.append(_note(desk, verdict, layer, relation="first"))
            ask_about(desk, verdict, problems)
            continue
        problems = problems_of(
            kind=desk.source.kind,
            partner=desk.loaded.partner.name,
            level=verdict.level,
            outcome=verdict.outcome,
            notes=verdict.notes,
            marks=verdict.marks,
            transaction=transactions.get(entry.id),
            before=before,
        )
        if not (verdict.level == "interchange" and desk.source.kind == "TA1" and verdict.outcome in {"received", "accepted_with_errors"}):
            # a TA1 that takes the envelope ends no wait: the 997 is still to come
            by_outcome.setdefault(verdict.outcome, []).append(entry.id)
        kept.append(_answer(desk, verdict, layer, relation, problems))
        desk.entries.append(_note(desk, verdict, layer, relation))
        if verdict.outcome in {"rejected", "partially_accepted"} and before != "rejected" and relation != "repeated":
            rejected.append((verdict, problems, relation == "contradicts"))
        elif problems and entry.document is not None and relation != "repeated":
            documents.add_problems(desk.connection, entry.document, problems)
    for outcome, ids in by_outcome.items():
        awaited.note(desk.connection, ids, outcome, now, layer)
    arrived_after_all(desk, verdicts, now)
    settle_overdue(desk, [verdict.entry for verdict in verdicts if _ends_wait(desk, verdict)])
    put_before_a_person(desk, rejected, layer)
    return kept


def _ends_wait(desk: Desk, verdict: Verdict) -> bool:
    """Whether nobody need ask for an answer any more."""
    if verdict.outcome == ALREADY_THERE:
        return verdict.known is not None
    return verdict.outcome != "received" or desk.source.kind != "TA1"


def _standing(earlier: Sequence[Answer]) -> str | None:
    """What holds after all earlier answers of a layer: the first rejection, else the last word."""
    said = [answer.outcome for answer in earlier if answer.outcome != ALREADY_THERE]
    if "rejected" in said:
        return "rejected"
    return next((outcome for outcome in reversed(said) if outcome != "received"), said[-1] if said else None)


def _answer_id(desk: Desk, row: str) -> str:
    return short_id("A", desk.source.key, row)


def _answer(desk: Desk, verdict: Verdict, layer: str, relation: str, problems: tuple[Problem, ...]) -> Answer:
    entry = verdict.entry
    numbers = (("interchange", entry.interchange_control), ("group", entry.group_control), ("transaction", entry.transaction_control))
    return Answer(
        id=_answer_id(desk, entry.id),
        partner=desk.loaded.partner.id,
        kind=desk.source.kind,
        layer=layer,
        level=verdict.level,
        document=desk.source.document,
        transmission=desk.source.transmission,
        outbox=entry.id,
        speaks_of=", ".join(f"{name} {number}" for name, number in numbers if number),
        outcome=verdict.outcome,
        relation=relation,
        notes=tuple(verdict.notes),
        problems=problems,
        at=desk.station.clock(),
    )


def _unmatched(desk: Desk, said: Acknowledged, number: int) -> Answer:
    """An answer that fits nothing that we sent: kept, told, and shown with its document."""
    by = {"interchange": "interchange", "group": "group"}.get(said.level, f"{said.type} transaction".strip())
    named = [(by, said.control_number), ("of group", said.group_control_number), ("of interchange", said.interchange_control_number)]
    words = " ".join(f"{name} {value}" for name, value in named if value) or ", ".join(value for _, value in said.references) or "nothing by name"
    partner = desk.loaded.partner.id
    problem = kinds.UNMATCHED.at(
        NOWHERE, f"This {desk.source.kind} speaks of {words}, and we sent {desk.loaded.partner.name} no such thing", found=words
    )
    told = partial(_log.warning, "answer fits nothing that we sent", partner=partner, kind=desk.source.kind)
    when_written(desk.connection, partial(told, source=desk.source.document or desk.source.transmission))
    if desk.source.document is not None:
        documents.add_problems(desk.connection, desk.source.document, (problem,))
    desk.entries.append(
        journal.Entry(
            stream=f"trade:{partner}",
            at=desk.station.clock(),
            actor=f"partner {partner}",
            action="answer fits nothing that we sent",
            subject_kind="document" if desk.source.document else "transmission",
            subject=desk.source.document or desk.source.transmission or "",
            facts={"kind": desk.source.kind, "speaks_of": words, "outcome": said.outcome},
        )
    )
    return Answer(
        id=short_id("A", desk.source.key, "unmatched", number),
        partner=partner,
        kind=desk.source.kind,
        layer=said.layer,
        level=said.level,
        document=desk.source.document,
        transmission=desk.source.transmission,
        speaks_of=words,
        outcome=said.outcome,
        relation="unmatched",
        notes=said.notes,
        problems=(problem,),
        at=desk.station.clock(),
    )


def _note(desk: Desk, verdict: Verdict, layer: str, relation: str) -> journal.Entry:
    facts = {"by": desk.source.document or desk.source.kind, "kind": desk.source.kind, "level": verdict.level, "layer": layer}
    if relation != "first":
        facts["relation"] = relation
    return journal.Entry(
        stream=verdict.entry.stream,
        at=desk.station.clock(),
        actor=f"partner {desk.loaded.partner.id}",
        action=f"{verdict.entry.kind} {'acknowledged' if layer == 'syntax' else 'answered'}: {verdict.outcome}",
        subject_kind="outbox",
        subject=verdict.entry.id,
        reason=journal_reason(verdict.notes, verdict.marks, layer),
        facts=facts,
    )
