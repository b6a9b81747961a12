"""What follows from an answer, beside that it is kept: what was rejected waits for a person, what was overdue need not be asked for any more,
and what we had given up has arrived after all."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from gateway.kinds import answer as kinds
from gateway.pipeline.answers.desk import Desk
from gateway.pipeline.answers.desk import Verdict
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import streams
from gateway.store.database import when_written
from gateway.store.incoming import holds
from gateway.store.outgoing import awaited
from gateway.store.outgoing import outbox
from gateway.store.outgoing import precedence
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents

#: kinds of holds that an answer, or its absence, leads to
REJECTED = "answer"
OVERDUE = "overdue"

_log = structlog.get_logger("answers")


def hold_id(entry: Entry, kind: str, layer: str = "") -> str:
    """The identifier of the hold that an answer (or its absence) puts on a sending."""
    return short_id("H", entry.id, kind, layer)


def settle_overdue(desk: Desk, entries: Sequence[Entry]) -> None:
    """The answer came after all: nobody need ask for it any more."""
    for entry in entries:
        if entry.ack_state in {"overdue", awaited.ALREADY_THERE}:
            hold = holds.get(desk.connection, hold_id(entry, OVERDUE))
            if hold is not None and hold.resolved_at is None:
                reason = f"the {desk.source.kind} came"
                holds.resolve(
                    desk.connection,
                    hold.id,
                    decision="withdrawn",
                    actor=f"partner {desk.loaded.partner.id}",
                    reason=reason,
                    at=desk.station.clock(),
                )


def arrived_after_all(desk: Desk, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Who answers has our bytes, also where we had given them up: their documents have left, and what waited behind them goes on."""
    given_up = [verdict.entry for verdict in verdicts if verdict.entry.state == "dead"]
    rows = documents.get_many(desk.connection, [entry.document for entry in given_up if entry.document])
    changes = [
        documents.Change(
            document=row.id,
            expected=row.state,
            state="sent",
            actor=f"partner {desk.loaded.partner.id}",
            reason=f"it had been given up, and has arrived: the {desk.source.kind} says so",
            at=now,
        )
        for row in rows.values()
        if row.state in {"created", "dead"}
    ]
    documents.transition(desk.connection, changes)
    for stream in precedence.streams_behind(desk.connection, [entry.id for entry in given_up]):
        streams.poke(desk.connection, stream)


def ask_about(desk: Desk, verdict: Verdict, problems: tuple[Problem, ...]) -> None:
    """They have it already, and refuse the repeat: noted at the row and at its document. Where they never said how they take it, and no
    deadline finds that, a person is asked to ask."""
    entry, now = verdict.entry, desk.station.clock()
    waits = verdict.known is None and (entry.ack_state == "overdue" or (entry.ack_state == "waiting" and entry.ack_due_at is not None))
    awaited.note_repeat(desk.connection, entry.id, now, ends_wait=not waits)
    if entry.document is None:
        return
    documents.add_problems(desk.connection, entry.document, problems)
    if verdict.known is None and not waits:
        hold = holds.Hold(id=hold_id(entry, OVERDUE), document=entry.document, kind=OVERDUE, reasons=problems, opened_at=now)
        holds.open_hold(desk.connection, hold)


def put_before_a_person(desk: Desk, rejected: Sequence[tuple[Verdict, tuple[Problem, ...], bool]], layer: str) -> None:
    now = desk.station.clock()
    rows = documents.get_many(desk.connection, [verdict.entry.document for verdict, _, _ in rejected if verdict.entry.document])
    changes = []
    for verdict, problems, contradicts in _once(rejected):
        entry = verdict.entry
        row = rows.get(entry.document or "")
        summary = problems[:1]
        if contradicts:
            said = "an earlier answer had accepted it"
            summary += (kinds.CONTRADICTS.at(NOWHERE, f"The {desk.source.kind} of {desk.loaded.partner.name} rejects what {said}"),)
        if row is not None and verdict.outcome == "rejected" and row.state in {"created", "dead", "sent"} and _speaks_of_what_goes(desk, entry, row):
            reason = f"rejected by {desk.loaded.partner.name} ({desk.source.kind})"
            own = tuple(problem for problem in row.problems if not problem.code.startswith("ANSWER-"))
            changes.append(
                documents.Change(
                    document=row.id,
                    expected=row.state,
                    state="rejected",
                    actor=f"partner {desk.loaded.partner.id}",
                    reason=reason,
                    at=now,
                    problems=(*own, *problems),
                )
            )
        elif row is not None:
            documents.add_problems(desk.connection, row.id, problems)
        holds.open_hold(
            desk.connection,
            holds.Hold(
                id=hold_id(entry, REJECTED, layer),
                document=row.id if row is not None else None,
                transmission=None if row is not None else desk.source.transmission,
                kind=REJECTED,
                reasons=(*summary, *problems[1:6]),
                opened_at=now,
            ),
        )
        told = partial(_log.error, "rejected by the partner", partner=desk.loaded.partner.id, row=entry.id, spec=entry.spec)
        cure = "look at the document's page, correct it, then gateway resend"
        # what is rolled back was not so
        when_written(desk.connection, partial(told, kind=desk.source.kind, outcome=verdict.outcome, cure=cure))
    documents.transition(desk.connection, changes)


def _once(rejected: Sequence[tuple[Verdict, tuple[Problem, ...], bool]]) -> list[tuple[Verdict, tuple[Problem, ...], bool]]:
    """Each document once, by its latest sending: the same numbers may mean several."""
    found: dict[str, tuple[Verdict, tuple[Problem, ...], bool]] = {}
    for one in rejected:
        found[one[0].entry.document or one[0].entry.id] = one
    return list(found.values())


def _speaks_of_what_goes(desk: Desk, entry: Entry, row: documents.Document) -> bool:
    """Whether what was said of a sending holds for the latest one of its document: not where that was written anew meanwhile."""
    latest = outbox.of_document(desk.connection, row.id)[-1]
    return latest.id == entry.id or latest.sha256 == entry.sha256
