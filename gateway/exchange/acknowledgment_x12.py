"""997, 999 and TA1: what was found in an X12 interchange as segments.

The codes stand with the kinds of problems: AK304 = 720, AK403 = 723, AK502 = 718, AK905 = 716, IK304 = 620, IK403 = 621, IK502 = 618,
TA105 = I18. Codes that only the 999 has fall back to those of the 997.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_result import ACKNOWLEDGMENT_GROUPS
from gateway.exchange.acknowledgment_result import MOST_NOTES
from gateway.exchange.acknowledgment_result import NEVER_ACKNOWLEDGED
from gateway.exchange.acknowledgment_result import AcknowledgmentPolicy
from gateway.exchange.acknowledgment_result import Answer
from gateway.exchange.acknowledgment_result import GroupResult
from gateway.exchange.acknowledgment_result import InterchangeResult
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.exchange.acknowledgment_result import errors_of
from gateway.exchange.acknowledgment_result import kind_of
from gateway.exchange.acknowledgment_result import listed
from gateway.exchange.acknowledgment_result import worst_of
from gateway.problem import Place
from gateway.problem import Problem

#: AK502..506 and AK905..909
_MOST_CODES = 5
_MOST_ELEMENTS = 99
#: AK902 to AK904 have six digits
_LARGEST = 999_999
_GROUP_MARKS = {"accepted": "A", "accepted_with_errors": "E", "partially_accepted": "P", "rejected": "R"}
_TRANSACTION_MARKS = {"accepted": "A", "accepted_with_errors": "E", "rejected": "R"}
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
#: AK404 takes this many characters, and none that might cut the answer
_COPY = re.compile(r"[A-Za-z0-9 !\"&'(),./;?=%@\[\]_{}#$+-]{1,99}", re.ASCII)
#: relational conditions: the 999 says what they depend on
_CONDITIONAL = frozenset({"2", "10"})


@dataclass(frozen=True, slots=True)
class _Form:
    """What 997 and 999 call the same things."""

    segment: str
    element: str
    transaction: str
    #: fields of Kind: segment, element and transaction codes, and those they fall back to
    codes: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
    implementation: bool


_FORMS = {
    "997": _Form("AK3", "AK4", "AK5", (("ak3", "ak3"), ("ak4", "ak4"), ("ak5", "ak5")), False),
    "999": _Form("IK3", "IK4", "IK5", (("ik3", "ak3"), ("ik4", "ak4"), ("ik5", "ak5")), True),
}


def x12_answers(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """TA1 where it is due, and at most one of 997 and 999 for each group; groups of one version share an answer."""
    answers = _technical(result, policy)
    if policy.which not in {None, "997", "999"} or result.refused:
        return answers
    by_version: dict[tuple[str, str], list[tuple[tuple[Segment, ...], str]]] = {}
    for group in result.groups:
        if group.type in ACKNOWLEDGMENT_GROUPS or any(transaction.type in NEVER_ACKNOWLEDGED for transaction in group.transactions):
            continue
        problems = group_problems(group, result)
        outcome = group_outcome(group, problems)
        if policy.when == "on_error" and outcome == "accepted":
            continue
        version = group.version[:6] if re.fullmatch(r"\d{6}", group.version[:6]) else "004010"
        kind = policy.which or ("999" if version >= "005010" else "997")
        if kind == "999":
            version = max(version, "005010")
        by_version.setdefault((kind, version), []).append((_functional(group, problems, outcome, _FORMS[kind], version), outcome))
    return answers + [
        Answer(type=kind, version=version, bodies=tuple(body for body, _ in made), outcome=worst_of(outcome for _, outcome in made))
        for (kind, version), made in by_version.items()
    ]


def group_problems(group: GroupResult, result: InterchangeResult) -> list[Problem]:
    """The errors of the group itself: those of its trailer, and those of its header, which the reader tells by the way."""
    told = [problem for problem in result.problems if problem.place.group == group.control_number and kind_of(problem).ak9]
    return errors_of([*group.problems, *told])


def group_outcome(group: GroupResult, problems: Iterable[Problem] | None = None) -> str:
    """accepted, accepted_with_errors, partially_accepted or rejected: AK901 in words. What was done with the transactions counts."""
    noted = any(kind_of(problem).ak9 for problem in (errors_of(group.problems) if problems is None else problems))
    if not group.transactions:
        return "rejected" if noted or group.counted else "accepted"
    outcome = worst_of(transaction.outcome for transaction in group.transactions)
    return "accepted_with_errors" if noted and outcome == "accepted" else outcome


def _functional(group: GroupResult, problems: list[Problem], outcome: str, form: _Form, version: str) -> tuple[Segment, ...]:
    """AK1, AK2 with its notes and AK5 or IK5, AK9."""
    body: list[Segment] = [["AK1", _fitting(group.type, 2, 2, "ZZ"), _digits(group.control_number, 1)]]
    if form.implementation:
        body[0].append(_fitting(group.version, 1, 12, version))
    for transaction in listed(group.transactions):
        body.append(["AK2", _fitting(transaction.type, 3, 3, "000"), _fitting(transaction.control_number, 4, 9, "0000")])
        if version >= "005010":
            body[-1].append(_fitting(transaction.association, 0, 35, ""))
        if transaction.outcome != "accepted":
            for place, found in _by_segment(transaction):
                body += _notes(place, found, form)
        codes = _transaction_codes(transaction, form) if transaction.outcome != "accepted" else []
        body.append([form.transaction, _TRANSACTION_MARKS[transaction.outcome], *codes])
    body.append(_group_trailer(group, problems, outcome))
    return tuple(_trimmed(segment) for segment in body)


def _code(problem: Problem, names: tuple[str, str]) -> str:
    kind = kind_of(problem)
    return str(getattr(kind, names[0]) or getattr(kind, names[1]))


def _by_segment(transaction: TransactionResult) -> list[tuple[Place, list[Problem]]]:
    """The errors of a transaction that belong to segments, segment by segment in the order of the file."""
    found: dict[tuple[int, str], list[Problem]] = {}
    for problem in errors_of(transaction.problems):
        kind = kind_of(problem)
        if problem.place.index is not None and (kind.ak3 or kind.ak4 or kind.ik3 or kind.ik4):
            found.setdefault((problem.place.index, problem.place.segment or ""), []).append(problem)
    return [(problems[0].place, problems) for _, problems in sorted(found.items())][:MOST_NOTES]


def _notes(place: Place, problems: list[Problem], form: _Form) -> list[Segment]:
    """AK3 for each fault of the segment, AK4 for each fault of its elements."""
    about, elements = form.codes[0], [problem for problem in problems if problem.place.element is not None and _code(problem, form.codes[1])]
    codes = list(dict.fromkeys(_code(problem, about) or "8" for problem in problems if problem not in elements))
    if elements and "8" not in codes:
        codes.append("8")
    tag = place.segment or "ST"
    loop = next((problem.place.loop for problem in problems if problem.place.loop), None) or ""
    head = [form.segment, tag if _TAG.fullmatch(tag) else "ZZZ", str(place.index or 1), loop if len(loop) <= 4 else ""]
    notes: list[Segment] = [[*head, code] for code in codes if code != "8"]
    if "8" in codes:
        notes.append([*head, "8"])
        for problem in elements[:_MOST_ELEMENTS]:
            code = _code(problem, form.codes[1])
            notes.append([form.element, _position(problem.place, form), problem.place.element_reference or "", code, _copy(problem)])
            if form.implementation and code in _CONDITIONAL:
                notes.append(["CTX", ["SITUATIONAL TRIGGER"], head[1], head[2], head[3], [str(problem.place.element)]])
    return notes


def _position(place: Place, form: _Form) -> list[str]:
    """C030: element, component, and from 005010 on repetition."""
    parts = [str(place.element), str(place.component or "")]
    if form.implementation:
        parts.append(str(place.repetition or ""))
    while not parts[-1]:
        parts.pop()
    return parts


def _copy(problem: Problem) -> str:
    """The bad value, cut to its length; left out where it holds what might not be sent back."""
    value = (problem.found or "")[:99].rstrip()
    return value if _COPY.fullmatch(value) else ""


def _transaction_codes(transaction: TransactionResult, form: _Form) -> list[str]:
    """Up to five codes: what is wrong with the transaction as a whole; 5 where its segments are."""
    codes = set()
    for problem in errors_of(transaction.problems):
        kind = kind_of(problem)
        codes.add(_code(problem, form.codes[2]) or ("5" if kind.ak3 or kind.ak4 or problem.place.index else ""))
    codes.discard("")
    return sorted(codes or {"5"}, key=lambda code: (len(code), code))[:_MOST_CODES]


def _group_trailer(group: GroupResult, problems: list[Problem], outcome: str) -> Segment:
    """AK9 with the numbers of transactions declared, received and accepted."""
    accepted = sum(transaction.outcome != "rejected" for transaction in group.transactions)
    told = list(problems)
    if outcome == "rejected":
        told += [problem for transaction in group.transactions[:100] for problem in errors_of(transaction.problems)]
    codes = list(dict.fromkeys(kind_of(problem).ak9 for problem in told if kind_of(problem).ak9))[:_MOST_CODES]
    declared = group.declared if group.declared is not None else group.counted
    counted = max(group.counted, len(group.transactions))
    numbers = [str(min(number, _LARGEST)) for number in (declared, counted, accepted)]
    return ["AK9", _GROUP_MARKS[outcome], *numbers, *codes]


def _technical(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """TA1: where it was asked for (ISA14) or agreed, and where the interchange as a whole is refused."""
    envelope = result.envelope
    errors = [problem for problem in errors_of(result.problems) if kind_of(problem).ta1]
    refused = result.refused or bool(errors and not result.groups)
    asked = envelope.acknowledgment_requested or policy.which == "TA1"
    if policy.technical == "never" or not (asked or (refused and policy.technical == "asked_or_refused")):
        return []
    if not envelope.control_number or (result.groups and all(group.type in ACKNOWLEDGMENT_GROUPS for group in result.groups)):
        return []
    if not refused and not errors and policy.when == "on_error":
        return []
    outcome = "rejected" if refused else "accepted_with_errors" if errors else "accepted"
    code = kind_of(errors[0]).ta1 if errors else "024" if refused else "000"
    numbers = [_digits(envelope.control_number, 9), _digits(envelope.date, 6)[:6], _digits(envelope.time, 4)[:4]]
    segment: Segment = ["TA1", *numbers, _TRANSACTION_MARKS[outcome], code]
    return [Answer(type="TA1", version=envelope.version, bodies=((segment,),), outcome=outcome)]


def _digits(text: str, width: int) -> str:
    """A number of at least `width` digits, whatever was sent."""
    return "".join(character for character in text if character in "0123456789")[:9].zfill(width)


def _fitting(text: str, least: int, most: int, otherwise: str) -> str:
    """What was sent, made to fit: an answer that names something cut short is better than none. `otherwise` fills what is missing."""
    text = "".join(character for character in text.strip() if character.isascii() and (character.isalnum() or character in " .-_/"))[:most].strip()
    return text if len(text) >= least and text else (otherwise + text)[-max(least, len(otherwise)) :]


def _trimmed(segment: Segment) -> Segment:
    values = list(segment)
    while len(values) > 1 and values[-1] == "":
        values.pop()
    return values
