"""Several sendings of the same document: which of them an answer speaks of, and what it means that one is refused as a repeat.

The same bytes sent again have the same numbers, so an answer to them fits every sending. One that was answered keeps its answer: what comes
after it speaks of the later sending. A partner that refuses one for nothing but that its number came before says that it has it: what it
said of it before stands, and where it had said nothing that is waited for as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Connection

from gateway.kinds import answer as kinds
from gateway.pipeline.answers.desk import Desk
from gateway.pipeline.answers.desk import Verdict
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import journal
from gateway.store.outgoing import answers
from gateway.store.outgoing import outbox
from gateway.store.outgoing.answers import Answer
from gateway.store.outgoing.awaited import ALREADY_THERE
from gateway.store.outgoing.outbox import Entry

#: words of an answer from the worst to the best: what several layers come to
_WORST = ("rejected", "partially_accepted", "accepted_with_errors", "accepted")
_TAKEN = frozenset({"accepted", "accepted_with_errors"})
_SETTLED = frozenset(_WORST)
#: what the journal says of a row that a person took up again
TRIED_AGAIN = " tried again"


@dataclass(slots=True)
class Meant:
    """The sendings that an answer speaks of, one by one."""

    verdicts: list[Verdict]
    #: row -> rows of earlier sendings of the same bytes, which were answered
    before: dict[str, list[str]] = field(default_factory=dict)


def sort_out(verdicts: Sequence[Verdict], layer: str) -> Meant:
    """Which sendings an answer speaks of, where documents among them were sent more than once (`verdicts` in the order of sending)."""
    sendings: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.entry.document is not None:
            sendings.setdefault(verdict.entry.document, []).append(verdict)
    several = {document: of_one for document, of_one in sendings.items() if len(of_one) > 1}
    if not several:
        return Meant(list(verdicts))
    left_out: set[str] = set()
    before: dict[str, list[str]] = {}
    for *earlier, latest in several.values():
        settled = [one.entry.id for one in earlier if one.repeat or is_settled(one.entry, layer)]
        left_out.update(settled)
        before[latest.entry.id] = settled
    again = {(latest.entry.identity, latest.entry.sha256) for *_, latest in several.values() if latest.repeat}
    # the file went again for the sake of some of its documents: nothing is said of the others
    left_out.update(
        one.entry.id for one in verdicts if one.repeat and one.entry.document not in several and (one.entry.identity, one.entry.sha256) in again
    )
    return Meant([one for one in verdicts if one.entry.id not in left_out], before)


def is_settled(entry: Entry, layer: str) -> bool:
    """Whether the partner has said in this layer how it takes a sending."""
    return (entry.application_state if layer == "application" else entry.ack_state) in _SETTLED


def weigh(desk: Desk, verdict: Verdict, layer: str) -> None:
    """What it comes to that a sending is refused as a repeat; nothing else is changed."""
    if not verdict.repeat:
        return
    entry = verdict.entry
    sendings = outbox.of_document(desk.connection, entry.document) if entry.document is not None else [entry]
    mine = [one for one in sendings if one.id == entry.id or (one.attempts and _is_the_same(one, entry, layer))]
    known = _known(answers.of_outbox(desk.connection, [one.id for one in mine]), [one.id for one in mine])
    if known is None and len(mine) == 1 and not was_tried_before(desk.connection, entry):
        # nothing of ours went under this number before: somebody else's did, and they have not taken this one
        verdict.repeat = False
    elif known is None or known in _TAKEN:
        verdict.outcome, verdict.known = ALREADY_THERE, known
    else:
        # they have it, and have refused it: refused it stays
        verdict.outcome = known


def was_tried_before(connection: Connection, entry: Entry) -> bool:
    """Whether a row may have left more than once: a try that looked as if it had failed may have arrived."""
    if entry.attempts > 1:
        return True
    # a person who takes up again what was given up has its tries counted anew
    return any(one.entry.action.endswith(TRIED_AGAIN) for one in journal.of_subject(connection, "outbox", entry.id))


def _is_the_same(sending: Entry, entry: Entry, layer: str) -> bool:
    """Whether a partner may take two sendings of a document for one: an application knows it by its own number."""
    if layer == "application":
        return sending.identity is not None
    return (sending.identity, sending.sha256) == (entry.identity, entry.sha256)


def _known(said: Sequence[Answer], sendings: Sequence[str]) -> str | None:
    """How the partner took the latest sending of which it said anything that counts; a receipt says only that it came."""
    for row in reversed(sendings):
        words = {answer.outcome for answer in said if answer.outbox == row and answer.layer != "transport"}
        found = next((word for word in _WORST if word in words), None)
        if found is not None:
            return found
    return None


def contrary_to(sendings: Sequence[Answer], outcome: str) -> str | None:
    """How earlier sendings of the same bytes were taken, where this is the contrary."""
    taken = next((answer.outcome for answer in reversed(sendings) if answer.outcome in _TAKEN), None)
    return taken if outcome == "rejected" else None


def problem_of(kind: str, partner: str, codes: str, known: str | None) -> Problem:
    """In a sentence that they have it already."""
    why = f" ({codes})" if codes else ""
    then = f"; what they said of it stands: {known.replace('_', ' ')}" if known else ", and have not said yet whether they take it"
    return kinds.ALREADY_THERE.at(NOWHERE, f"The {kind} of {partner} refuses a repeat{why}: they have it already{then}")
