"""An answer in words: what it finds wrong, as problems at their places in what we sent, and what the journal says of it."""

from collections.abc import Iterable
from collections.abc import Sequence

from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment import Mark
from gateway.kinds import answer as kinds
from gateway.pipeline.answers.sent_bytes import spot_of
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity

#: faults of one answer that are shown at the document
_MOST_FAULTS = 50
_LONGEST_REASON = 500


def relation_of(before: str | None, outcome: str) -> str:
    """How an answer stands to what earlier answers came to."""
    if before is None:
        return "first"
    if before == outcome or outcome == "received":
        return "repeated"
    return "further" if before == "received" else "contradicts"


def problems_of(
    *,
    kind: str,
    partner: str,
    level: str,
    outcome: str,
    notes: Sequence[str],
    marks: Sequence[Mark],
    transaction: Transaction | None,
    before: str | None,
) -> tuple[Problem, ...]:
    """What an answer finds wrong, at its places in what we sent. `before`: what earlier answers came to."""
    contradicts = relation_of(before, outcome) == "contradicts"
    if contradicts and before == "rejected":
        words = f"The {kind} of {partner} says {outcome.replace('_', ' ')}, an earlier answer said rejected: the rejection stands"
        return (kinds.CONTRADICTS.at(NOWHERE, words),)
    if outcome in {"accepted", "received"} and not marks:
        return ()
    severity = Severity.ERROR if outcome == "rejected" else Severity.WARNING
    found: list[Problem] = []
    whole = {"interchange": "the whole interchange", "group": "the whole group"}.get(level, "it")
    if outcome == "rejected":
        codes = "" if marks else in_words(notes)
        after = "; it had been accepted before" if contradicts else ""
        found.append(kinds.REJECTED.at(NOWHERE, f"The {kind} of {partner} rejects {whole}{after}" + (f": {codes}" if codes else "")))
    elif outcome == "partially_accepted":
        said = f": {in_words(notes)}" if notes else ""
        found.append(kinds.PARTLY_ACCEPTED.at(NOWHERE, f"The {kind} of {partner} takes {whole} only in part{said}"))
    return (*found, *(_fault(kind, mark, transaction, severity) for mark in marks[:_MOST_FAULTS]))


def _fault(kind: str, mark: Mark, transaction: Transaction | None, severity: Severity) -> Problem:
    spot = spot_of(transaction, mark)
    where = spot.place.words()
    elsewhere = f" (it says segment {mark.index})" if mark.index and spot.place.index not in {None, mark.index} else ""
    what = f"{mark.segment} is missing here" if mark.missing and mark.segment else mark.words or "is wrong"
    code = f" ({mark.code})" if mark.code else ""
    return kinds.FAULT.at(
        spot.place,
        f"The {kind} says of {where if where != 'the file' else 'the document'}{elsewhere}: {what}{code}",
        found=spot.value if spot.value is not None else mark.value or None,
        severity=severity,
    )


def journal_reason(notes: Sequence[str], marks: Sequence[Mark], layer: str) -> str:
    """The journal's words: codes and places, none of our data."""
    places = []
    for mark in marks:
        place = [mark.segment, f"segment {mark.index}" if mark.index else "", f"element {mark.element}" if mark.element else ""]
        # an application's own words may repeat our data
        said = f" ({mark.words})" if mark.words and layer == "syntax" else ""
        places.append(f"{' '.join(part for part in place if part)}: {mark.code}{said}")
    return in_words(places or notes)


def in_words(notes: Iterable[str]) -> str:
    """Notes in one line, as long as a person reads."""
    return "; ".join(notes)[:_LONGEST_REASON]
