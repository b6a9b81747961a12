"""Problem, Severity, Place: the one word for "this data is wrong, here".

Wrong data is a value, never an exception. Every problem has a stable code (its Kind), a place and one sentence that says
what was found and what was expected. A kind knows how we answer the partner: no other table of answer codes exists.
This room knows nothing of syntaxes; the kinds themselves stand in gateway/kinds/.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """How bad a problem is for the data it stands in."""

    ERROR = "error"
    WARNING = "warning"


class Outcome(StrEnum):
    """What checking a document led to; `hold` waits for a person."""

    ACCEPT = "accept"
    WARN = "warn"
    HOLD = "hold"
    REJECT = "reject"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a problem is. Everything may be unknown; offsets and lengths are bytes in the file as given.

    `index` counts segments within the transaction with ST/UNH = 1 (within the file outside of one); `element`, `component`
    and `repetition` count from 1; `line` counts from 1; `path` is an XPath; `field` is a canonical field like `lines[0].price`.
    """

    interchange: str | None = None
    group: str | None = None
    transaction: str | None = None
    segment: str | None = None
    index: int | None = None
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    offset: int | None = None
    length: int | None = None
    line: int | None = None
    path: str | None = None
    field: str | None = None
    #: in files in rows and JSON: the character of the line, from 1
    column: int | None = None
    #: for acknowledgments only, left out of problem_json: the loop's identifier, the standard's number of the element (353)
    loop: str | None = None
    element_reference: str | None = None

    def words(self) -> str:
        """The place as a person reads it: `PO1 segment 14, element 4`."""
        if self.path:
            return f"{self.path}" + (f" (line {self.line})" if self.line else "")
        if self.column is not None:
            return f"column {self.column}" + (f" ({self.segment} {self.index})" if self.segment else "")
        parts = []
        if self.segment:
            parts.append(f"{self.segment} segment {self.index}" if self.index else self.segment)
        if self.element:
            parts.append(f"element {self.element}")
        if self.component:
            parts.append(f"component {self.component}")
        if self.repetition:
            parts.append(f"repetition {self.repetition}")
        if not parts and self.field:
            parts.append(self.field)
        if not parts and self.offset is not None:
            parts.append(f"byte {self.offset}")
        return ", ".join(parts) or "the file"


NOWHERE = Place()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in data. `outcome` is set by rules (hold, reject, ...); reading and validating leave it None."""

    code: str
    severity: Severity
    message: str
    found: str | None = None
    expected: str | None = None
    place: Place = NOWHERE
    outcome: Outcome | None = None
    #: the standard allows it, only the partner's own guide (its `schema:` difference) does not; for acknowledgments, not shown
    guide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A stable sort of problem: its code, what it means in plain words, and our answer to the partner.

    A code may be retired, never given a new meaning. The answers are element values of the standards:
    ak3 = 720, ak4 = 723, ak5 = 718, ak9 = 716 (ak9_newer from 005010 on), ik3 = 620, ik4 = 621, ik5 = 618, ta1 = I18, contrl = 0085, ted = 647 (824),
    mdn = AS2 disposition modifier. An empty one falls back (ik3 to ak3, ik4 to ak4, ik5 to ak5).
    guide3, guide4 and guide_contrl take the place of ik3, ik4 and contrl where only the partner's own guide forbids it.
    error_class is the word by which a partner's agreement lets such errors through or counts such warnings as errors.
    """

    code: str
    title: str
    cure: str
    severity: Severity = Severity.ERROR
    ak3: str = ""
    ak4: str = ""
    ak5: str = ""
    ak9: str = ""
    ak9_newer: str = ""
    ik3: str = ""
    ik4: str = ""
    ik5: str = ""
    ta1: str = ""
    contrl: str = ""
    ted: str = ""
    mdn: str = ""
    guide3: str = ""
    guide4: str = ""
    guide_contrl: str = ""
    error_class: str = ""

    def at(
        self,
        place: Place,
        message: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        severity: Severity | None = None,
        outcome: Outcome | None = None,
    ) -> Problem:
        """A problem of this kind at `place`."""
        return Problem(
            code=self.code, severity=severity or self.severity, message=message, found=found, expected=expected, place=place, outcome=outcome
        )


#: parts of a place that only show where they are known, or never
_NOT_SHOWN = frozenset({"field", "column", "loop", "element_reference"})


def codes(problems: Iterable[Problem]) -> str:
    """The codes of problems, each once, for journal and log (which never hold their values)."""
    return ",".join(dict.fromkeys(problem.code for problem in problems))


def problem_json(problem: Problem) -> dict[str, Any]:
    """The problem as CONTRACT.md shows it: every key of the place present, null where unknown."""
    place = {name: getattr(problem.place, name) for name in Place.__struct_fields__ if name not in _NOT_SHOWN}
    for name in ("field", "column"):
        if getattr(problem.place, name) is not None:
            place[name] = getattr(problem.place, name)
    answer = {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        "found": problem.found,
        "expected": problem.expected,
        "place": place,
    }
    if problem.outcome is not None:
        answer["outcome"] = problem.outcome.value
    return answer
