"""AK3 and AK4, IK3, CTX and IK4: what is wrong with segments and elements of a transaction, as notes of a 997 or 999.

Their number is bounded whatever stands in the transaction, and nothing of it is sent back that might break the answer.
"""

import re
from dataclasses import dataclass

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_result import MOST_NOTES
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.exchange.acknowledgment_result import errors_of
from gateway.exchange.acknowledgment_result import kind_of
from gateway.kinds import x12
from gateway.problem import Place
from gateway.problem import Problem

#: AK502..506
_MOST_CODES = 5
_MOST_ELEMENTS = 99
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
_REFERENCE = re.compile(r"[0-9]{1,4}", re.ASCII)
#: AK404 takes this many characters
_LONGEST_COPY = 99
#: what a copy may not hold: what is no character of X12 data, or a usual delimiter
_UNFIT = re.compile(r"[^A-Za-z0-9 !\"&'(),./;?=%@\[\]_{}#$+-]", re.ASCII)
#: what stands in a copy for a character that cannot be sent back
_STAND_IN = "?"
#: codes (723, 621) of faults that lie in the value itself: only these are copied
_IN_THE_VALUE = frozenset({"4", "5", "6", "7", "8", "9", "I6", "I12"})
#: faults that depend on another element: the 999 says on which
_CONDITIONAL = frozenset({"2", "10", "I9", "I13"})
#: 620 of a loop that only a guide demands; a loop is called like the segment that opens it
_LOOP_MISSING = "I7"
_NAMED_ELEMENT = re.compile(r"[A-Z][A-Z0-9]{1,2}-(\d\d)")


@dataclass(frozen=True, slots=True)
class Form:
    """What 997 and 999 call the same things."""

    segment: str
    element: str
    transaction: str
    implementation: bool


FORMS = {"997": Form("AK3", "AK4", "AK5", False), "999": Form("IK3", "IK4", "IK5", True)}


def segment_notes(transaction: TransactionResult, form: Form, version: str) -> list[Segment]:
    """The notes on the segments of a transaction, in the order of the file."""
    found: dict[tuple[int, str], list[Problem]] = {}
    for problem in errors_of(transaction.problems):
        kind = kind_of(problem)
        if problem.place.index is not None and (kind.ak3 or kind.ak4 or kind.ik3 or kind.ik4):
            found.setdefault((problem.place.index, problem.place.segment or ""), []).append(problem)
    notes: list[Segment] = []
    for _, problems in sorted(found.items())[:MOST_NOTES]:
        notes += _notes(problems[0].place, problems, transaction, form, version)
    return notes


def transaction_codes(transaction: TransactionResult, form: Form) -> list[str]:
    """Up to five codes: what is wrong with the transaction as a whole; 5 where its segments are, I5 where only a guide forbids them."""
    codes = set()
    for problem in errors_of(transaction.problems):
        kind = kind_of(problem)
        code = (kind.ik5 if form.implementation else "") or kind.ak5 or ("5" if kind.ak3 or kind.ak4 or problem.place.index else "")
        if code == "5" and form.implementation and problem.guide:
            code = "I5"
        codes.add(code)
    codes.discard("")
    return sorted(codes or {"5"}, key=lambda code: (len(code), code))[:_MOST_CODES]


def segment_code(problem: Problem, form: Form) -> str:
    """720, or 620 in a 999."""
    kind = kind_of(problem)
    if not form.implementation:
        return kind.ak3
    if problem.guide and kind is x12.SEGMENT_MISSING and problem.place.loop == problem.place.segment:
        return _LOOP_MISSING
    return (kind.guide3 if problem.guide else "") or kind.ik3 or kind.ak3


def element_code(problem: Problem, form: Form, version: str) -> str:
    """723, or 621 in a 999. Codes that 723 got in 005010 are those of 621 that have no letter."""
    kind = kind_of(problem)
    if form.implementation:
        return (kind.guide4 if problem.guide else "") or kind.ik4 or kind.ak4
    return kind.ik4 if version >= "005010" and kind.ik4.isdigit() else kind.ak4


def _notes(place: Place, problems: list[Problem], transaction: TransactionResult, form: Form, version: str) -> list[Segment]:
    """AK3 for each fault of the segment, AK4 for each fault of its elements."""
    elements = [problem for problem in problems if problem.place.element is not None and element_code(problem, form, version)]
    codes = list(dict.fromkeys(segment_code(problem, form) or "8" for problem in problems if problem not in elements))
    if elements and "8" not in codes:
        codes.append("8")
    tag = place.segment or "ST"
    loop = next((problem.place.loop for problem in problems if problem.place.loop), None) or ""
    head = [form.segment, tag if _TAG.fullmatch(tag) else "ZZZ", str(min(place.index or 1, 999_999)), loop if len(loop) <= 4 else ""]
    business = _business_unit(transaction) if form.implementation else []
    notes: list[Segment] = []
    for code in codes:
        if code != "8":
            notes += [[*head, code], *business]
    if "8" in codes:
        notes += [[*head, "8"], *business]
        for problem in elements[:_MOST_ELEMENTS]:
            notes += _element_note(problem, head, form, version)
    return notes


def _element_note(problem: Problem, head: list[str], form: Form, version: str) -> list[Segment]:
    code, reference = element_code(problem, form, version), problem.place.element_reference or ""
    copied = copy_of(problem.found) if code in _IN_THE_VALUE else ""
    notes: list[Segment] = [
        [form.element, _position(problem.place, version), reference if _REFERENCE.fullmatch(reference) else "", code, copied],
    ]
    if form.implementation and code in _CONDITIONAL:
        trigger = _NAMED_ELEMENT.search(problem.found or "")
        if trigger is not None:
            notes.append(["CTX", ["SITUATIONAL TRIGGER"], head[1], head[2], head[3], [str(int(trigger[1]))]])
    return notes


def _business_unit(transaction: TransactionResult) -> list[Segment]:
    """CTX: the number by which people know the document, and the element that holds it."""
    number = copy_of(transaction.number[:35])
    return [["CTX", [transaction.number_at, number]]] if number and transaction.number_at else []


def _position(place: Place, version: str) -> list[str]:
    """C030: element, component, and from 005010 on repetition."""
    parts = [str(min(place.element or 1, 99)), str(min(place.component, 99)) if place.component else ""]
    if version >= "005010":
        parts.append(str(min(place.repetition, 9999)) if place.repetition else "")
    while not parts[-1]:
        parts.pop()
    return parts


def copy_of(value: str | None) -> str:
    """The bad value cut to its length, with stand-ins for what cannot be sent back; nothing where hardly any of it can."""
    value = (value or "")[:_LONGEST_COPY].strip()
    copied, replaced = _UNFIT.subn(_STAND_IN, value)
    return copied if 2 * replaced <= len(value) else ""


def digits(text: str, width: int) -> str:
    """A number of at least `width` digits, whatever was sent."""
    return "".join(character for character in text if character in "0123456789")[:9].zfill(width)


def fitting(text: str, least: int, most: int, otherwise: str) -> str:
    """What was sent, made to fit: an answer that names something cut short is better than none. `otherwise` fills what is missing."""
    text = "".join(character for character in text.strip() if character.isascii() and (character.isalnum() or character in " .-_/"))[:most].strip()
    return text if len(text) >= least and text else (otherwise + text)[-max(least, len(otherwise)) :]
