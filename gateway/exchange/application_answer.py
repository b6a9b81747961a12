"""824 and APERAK: what the application found in a document that its syntax was good enough for, as segments. Pure.

Rules and mapping know fields, not segments: a problem that still knows its place in the message names it, every one says its sentence and
its code. Nothing about a partner's credit is ever told.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Literal

import msgspec

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_notes import copy_of
from gateway.exchange.acknowledgment_notes import digits
from gateway.exchange.acknowledgment_notes import fitting
from gateway.exchange.acknowledgment_result import Answer
from gateway.exchange.acknowledgment_result import kind_of
from gateway.problem import Problem

#: problems that one answer names
MOST = 99
#: X12 element 110: what became of a transaction
_MARKS = {"accepted": "TA", "accepted_with_errors": "TE", "rejected": "TR"}
#: EDIFACT 4343 (and 1001: 312 acknowledges, 313 tells errors)
_RESPONSES = {"accepted": "AP", "accepted_with_errors": "CA", "rejected": "RE"}
#: X12 element 128 of the number of a document, by transaction; EDIFACT 1153 by message
_REFERENCES = {"850": "PO", "860": "PO", "855": "PO", "856": "SI", "810": "IV", "820": "TN", "812": "CM", "830": "FI", "861": "RV"}
_RFF = {"ORDERS": "ON", "ORDCHG": "ON", "ORDRSP": "ON", "DESADV": "AAK", "INVOIC": "IV", "REMADV": "RA"}
#: X12 647 where neither the partner nor the kind has a code: some other reason
_OTHER_REASON = "024"
#: EDIFACT 9321 has no list of its own in these directories: as 0085, where a kind has no code of it by its 647, else unspecified
_AS_0085 = {"006": "26", "007": "13", "": "18"}
_INVALID = "12"
#: what never leaves the house
_OURS = ("CREDIT-",)
_TED02, _NTE02, _NOTES = 60, 80, 3
_FTX, _FTX_PARTS = 70, 5


@dataclass(frozen=True, slots=True)
class ApplicationPolicy:
    """Which answer a partner wants to what our application found, when, and in which words."""

    which: Literal["none", "824", "APERAK"] = "none"
    when: Literal["always", "on_error"] = "on_error"
    #: our code of a problem -> the partner's
    codes: Mapping[str, str] = field(default_factory=dict)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The document that is answered: the transaction that it came in, and its number."""

    type: str
    version: str
    number: str
    association: str = ""
    sender: str = ""
    receiver: str = ""
    interchange_control_number: str = ""
    group_control_number: str = ""
    control_number: str = ""
    #: numbers of its lines, in their order: a problem's field counts them from 0
    lines: tuple[str, ...] = ()


def outcome_of(rejected: bool, problems: Iterable[Problem]) -> str:
    """rejected, accepted_with_errors where there is something to tell, or accepted."""
    return "rejected" if rejected else "accepted_with_errors" if any(_is_told(problem) for problem in problems) else "accepted"


def application_answer(
    answered: Answered, problems: Sequence[Problem], outcome: str, policy: ApplicationPolicy, *, number: str, at: datetime
) -> Answer | None:
    """The 824 or APERAK that a document gets under this policy, or None. `number` is the answer's own."""
    if policy.which == "none" or (outcome == "accepted" and policy.when == "on_error"):
        return None
    told = [problem for problem in problems if _is_told(problem)][:MOST] if outcome != "accepted" else []
    make = _advice if policy.which == "824" else _aperak
    return Answer(
        type=policy.which,
        version=answered.version,
        bodies=(tuple(make(answered, told, outcome, policy, number, at)),),
        outcome=outcome,
        sender=answered.receiver,
        receiver=answered.sender,
    )


def _is_told(problem: Problem) -> bool:
    return not problem.code.startswith(_OURS)


def _text(problem: Problem) -> str:
    """The sentence as a line of plain characters."""
    return " ".join("".join(character if character.isascii() and character.isprintable() else "?" for character in problem.message).split())


def _line_of(problem: Problem, answered: Answered) -> str:
    """The number of the document's line that a field like lines[2].price belongs to."""
    name = problem.place.field or ""
    index = name.removeprefix("lines[").partition("]")[0] if name.startswith("lines[") else ""
    return answered.lines[int(index)] if index.isdigit() and len(index) < 7 and int(index) < len(answered.lines) else ""


# ---------------------------------------------------------------- 824


def _advice(answered: Answered, problems: Sequence[Problem], outcome: str, policy: ApplicationPolicy, number: str, at: datetime) -> Iterator[Segment]:
    yield ["BGN", "00", number[:30], f"{at:%Y%m%d}", f"{at:%H%M}"]
    group = digits(answered.group_control_number, 1) if answered.group_control_number else ""
    reference = _REFERENCES.get(answered.type, "TN")
    known: Segment = ["OTI", _MARKS[outcome], reference, copy_of(answered.number[:30]) or "?", "", "", "", "", group]
    # the set's control number goes with its group's (C0908)
    known += [fitting(answered.control_number, 4, 9, "0000") if group else "", fitting(answered.type, 3, 3, "000"), answered.version[:6]]
    yield known
    for problem in problems:
        place, kind = problem.place, kind_of(problem)
        code = policy.codes.get(problem.code, "")[:3] or kind.ted or _OTHER_REASON
        segment = fitting(place.segment or "", 0, 3, "")
        ted: Segment = ["TED", code, _plain(_text(problem))[:_TED02].strip() or "-", segment, str(place.index) if segment and place.index else ""]
        copied = copy_of(problem.found) if problem.found != problem.message else ""
        ted += [str(place.element) if segment and place.element else "", _reference(place.element_reference), copied]
        while ted[-1] == "":
            ted.pop()
        yield ted
        line = _line_of(problem, answered)
        words = _plain(f"{problem.code}{f' in line {line}' if line else ''}: {_text(problem)}")
        for start in range(0, min(len(words), _NOTES * _NTE02), _NTE02):
            yield ["NTE", "ERN", words[start : start + _NTE02].strip() or "-"]


def _plain(text: str) -> str:
    """A sentence without characters that an X12 reader may take for delimiters."""
    return "".join(character if character not in "*~>^|:<\\\n" else ";" if character == ":" else " " for character in text)


def _reference(text: str | None) -> str:
    return text if text and text.isdigit() and len(text) <= 4 else ""


# ---------------------------------------------------------------- APERAK


def _aperak(answered: Answered, problems: Sequence[Problem], outcome: str, policy: ApplicationPolicy, number: str, at: datetime) -> Iterator[Segment]:
    yield ["BGM", ["312" if outcome == "accepted" else "313"], [number[:35]], ["9"], [_RESPONSES[outcome]]]
    yield ["DTM", ["137", f"{at:%Y%m%d%H%M}", "203"]]
    if answered.number:
        yield ["RFF", [_RFF.get(answered.type, "AGI"), answered.number[:35]]]
    if answered.interchange_control_number or answered.control_number:
        yield ["RFF", ["ACW", (answered.interchange_control_number or answered.control_number)[:35], answered.control_number[:6]]]
    for party, identity in (("MS", answered.receiver), ("MR", answered.sender)):
        qualifier, _, value = identity.partition(":")
        if value:
            # 14 is GS1's in the envelope, 9 within messages
            yield ["NAD", [party], [value[:35], "", "9"] if qualifier == "14" else [value[:35]]]
    for problem in problems:
        kind = kind_of(problem)
        code = policy.codes.get(problem.code, "") or kind.contrl or _AS_0085.get(kind.ted, _INVALID)
        yield ["ERC", [code]]
        text = f"{problem.code}: {_text(problem)}"
        yield ["FTX", ["AAO"], [""], [""], [text[start : start + _FTX] for start in range(0, min(len(text), _FTX * _FTX_PARTS), _FTX)]]
        line = _line_of(problem, answered)
        if line:
            yield ["RFF", ["LI", line[:35]]]
