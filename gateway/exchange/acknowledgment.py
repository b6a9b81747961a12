"""Syntax-level answers: 997 and 999 (X12), TA1, CONTRL (EDIFACT). Pure: what was found in an interchange in, segments out.

An acknowledgment is never acknowledged; a group gets at most one of 997 and 999. Which code a problem has stands with its kind
(gateway/kinds): AK304 = 720, AK403 = 723, AK502 = 718, AK905 = 716, IK304/IK403/IK502, TA105 = I18, CONTRL 0085.
Control numbers are given later, by the envelope that really leaves.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.kinds import KINDS
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity

#: what is never acknowledged: X12 transactions and groups, EDIFACT messages
NEVER_ACKNOWLEDGED = frozenset({"997", "999", "TA1", "CONTRL"})
ACKNOWLEDGMENT_GROUPS = frozenset({"FA"})
#: AK3 and AK4 that one transaction may have at most in our answers: the transaction is rejected anyway
_MOST_NOTES = 99
_MOST_CODES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgmentPolicy:
    """What a partner gets. `which` None: the syntax's own (997, or 999 from 005010 on; CONTRL where it was asked for)."""

    which: Literal["997", "999", "TA1", "CONTRL", "none"] | None = None
    when: Literal["always", "on_error"] = "always"


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one transaction is answered: outcome accepted, accepted_with_errors or rejected."""

    type: str
    control_number: str
    version: str = ""
    association: str = ""
    outcome: str
    problems: tuple[Problem, ...] = ()


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one functional group is answered. `declared` as sent (text, may be no number)."""

    type: str
    control_number: str
    version: str = ""
    sender: str = ""
    receiver: str = ""
    declared: int | None = None
    counted: int = 0
    problems: tuple[Problem, ...] = ()
    transactions: tuple[TransactionResult, ...] = ()


class ReceivedEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer repeats of the interchange that it answers."""

    syntax: str
    sender: str
    receiver: str
    control_number: str
    version: str
    date: str = ""
    time: str = ""
    test: bool = False
    acknowledgment_requested: bool = False


class InterchangeResult(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found in an interchange. EDIFACT without UNG has its messages in `transactions`."""

    envelope: ReceivedEnvelope
    groups: tuple[GroupResult, ...] = ()
    transactions: tuple[TransactionResult, ...] = ()
    problems: tuple[Problem, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledgment: its transactions' bodies (for TA1 the segment itself), and what it says in one word."""

    type: str
    #: of the group (X12) or syntax (3 or 4 for CONTRL)
    version: str
    bodies: tuple[tuple[Segment, ...], ...]
    outcome: str


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner's acknowledgment says about something that we sent. `level`: interchange, group or transaction."""

    level: str
    type: str = ""
    #: of the interchange, the group, or the transaction as the level says
    control_number: str
    #: of the group that the transaction stood in
    group_control_number: str = ""
    outcome: str
    #: codes and places in their words
    notes: tuple[str, ...] = ()


def received_envelope(start: InterchangeStart) -> ReceivedEnvelope:
    """The part of an interchange's header that answers repeat."""
    return ReceivedEnvelope(syntax=start.syntax.value, sender=start.sender, receiver=start.receiver, control_number=start.control_number,
                            version=start.version, date=start.date, time=start.time, test=start.test,
                            acknowledgment_requested=start.acknowledgment_requested)


def answer(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """The acknowledgments of an interchange: none, or TA1 and one 997/999 for all its groups, or one CONTRL."""
    if policy.which == "none":
        return []
    if result.envelope.syntax == Syntax.EDIFACT.value:
        return _edifact_answers(result, policy)
    answers = []
    advice = _technical(result, policy)
    if advice is not None:
        answers.append(advice)
    if policy.which in {None, "997", "999"}:
        answers += _functional_answers(result, policy)
    return answers


# ---------------------------------------------------------------- X12


def _functional_answers(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """997 or 999: one transaction for each group, all of one version in one answer."""
    by_version: dict[tuple[str, str], list[tuple[tuple[Segment, ...], str]]] = {}
    for group in result.groups:
        if group.type in ACKNOWLEDGMENT_GROUPS or any(transaction.type in NEVER_ACKNOWLEDGED for transaction in group.transactions):
            continue
        outcome = group_outcome(group)
        if policy.when == "on_error" and outcome == "accepted":
            continue
        kind = policy.which or ("999" if group.version[:6] >= "005010" else "997")
        version = group.version[:6] or "004010"
        if kind == "999" and version < "005010":
            version = "005010"
        body = _implementation(group) if kind == "999" else _functional(group)
        by_version.setdefault((kind, version), []).append((body, outcome))
    return [Answer(type=kind, version=version, bodies=tuple(body for body, _ in made), outcome=_worst(outcome for _, outcome in made))
            for (kind, version), made in by_version.items()]


def group_outcome(group: GroupResult) -> str:
    """accepted, accepted_with_errors, partially_accepted or rejected: AK901 in words."""
    outcomes = {transaction.outcome for transaction in group.transactions}
    refused = any(_kind(problem).ak9 and problem.severity is Severity.ERROR for problem in group.problems)
    if not group.transactions or outcomes == {"rejected"}:
        return "rejected"
    if "rejected" in outcomes:
        return "partially_accepted"
    return "accepted_with_errors" if refused or "accepted_with_errors" in outcomes else "accepted"


_GROUP_CODES = {"accepted": "A", "accepted_with_errors": "E", "partially_accepted": "P", "rejected": "R"}
_TRANSACTION_CODES = {"accepted": "A", "accepted_with_errors": "E", "rejected": "R"}


def _functional(group: GroupResult) -> tuple[Segment, ...]:
    """AK1 AK2 AK3 AK4 AK5 AK9 (X12 997)."""
    body: list[Segment] = [["AK1", group.type, group.control_number]]
    for transaction in group.transactions:
        body.append(["AK2", transaction.type, transaction.control_number])
        for place, problems in _by_segment(transaction):
            segment = [problem for problem in problems if problem.place.element is None]
            codes = _codes((_kind(problem).ak3 for problem in segment), "8")
            body.append(["AK3", place.segment or "ST", str(place.index or 1), (place.loop or "")[:6], codes[0]])
            for problem in problems:
                if problem.place.element is not None:
                    body.append(_trimmed(["AK4", _position(problem), problem.place.element_reference or "", _kind(problem).ak4 or "7", _copy(problem)]))
        body.append(["AK5", _TRANSACTION_CODES[transaction.outcome], *_transaction_codes(transaction, "ak5")])
    body.append(_group_trailer("AK9", group, "ak9"))
    return tuple(_trimmed(segment) for segment in body)


def _implementation(group: GroupResult) -> tuple[Segment, ...]:
    """AK1 AK2 IK3 CTX IK4 CTX IK5 AK9 (X12 999)."""
    body: list[Segment] = [["AK1", group.type, group.control_number, group.version]]
    for transaction in group.transactions:
        body.append(_trimmed(["AK2", transaction.type, transaction.control_number, transaction.association]))
        for place, problems in _by_segment(transaction):
            segment = [problem for problem in problems if problem.place.element is None]
            codes = _codes((_kind(problem).ik3 or _kind(problem).ak3 for problem in segment), "8")
            body.append(["IK3", place.segment or "ST", str(place.index or 1), (place.loop or "")[:4], codes[0]])
            for problem in problems:
                if problem.place.element is not None:
                    kind = _kind(problem)
                    body.append(_trimmed(["IK4", _position(problem), problem.place.element_reference or "", kind.ik4 or kind.ak4 or "7", _copy(problem)]))
        body.append(["IK5", _TRANSACTION_CODES[transaction.outcome], *_transaction_codes(transaction, "ik5")])
    body.append(_group_trailer("AK9", group, "ak9"))
    return tuple(_trimmed(segment) for segment in body)


def _by_segment(transaction: TransactionResult) -> list[tuple[Place, list[Problem]]]:
    """The errors of a transaction, segment by segment in the order of the file; those about ST and SE are AK5's."""
    found: dict[tuple[int, str], list[Problem]] = {}
    for problem in transaction.problems:
        kind = _kind(problem)
        if problem.severity is Severity.ERROR and problem.place.index is not None and (kind.ak3 or kind.ak4 or kind.ik3 or kind.ik4):
            found.setdefault((problem.place.index, problem.place.segment or ""), []).append(problem)
    return [(problems[0].place, problems) for _, problems in sorted(found.items())][:_MOST_NOTES]


def _transaction_codes(transaction: TransactionResult, name: str) -> list[str]:
    """Up to five codes of AK502..506: what is wrong with the set as a whole; 5 where its segments are."""
    codes: list[str] = []
    for problem in transaction.problems:
        if problem.severity is not Severity.ERROR:
            continue
        kind = _kind(problem)
        code = getattr(kind, name) or kind.ak5 or ("5" if kind.ak3 or kind.ak4 or problem.place.index else "")
        if code and code not in codes:
            codes.append(code)
    if transaction.outcome == "rejected" and not codes:
        codes = ["5"]
    return sorted(codes, key=lambda code: (len(code), code))[:_MOST_CODES] if transaction.outcome != "accepted" else []


def _group_trailer(tag: str, group: GroupResult, name: str) -> Segment:
    accepted = sum(transaction.outcome != "rejected" for transaction in group.transactions)
    codes = _codes((getattr(_kind(problem), name) for problem in group.problems if problem.severity is Severity.ERROR), "")
    declared = group.declared if group.declared is not None else group.counted
    return [tag, _GROUP_CODES[group_outcome(group)], str(declared), str(group.counted), str(accepted), *[code for code in codes if code][:_MOST_CODES]]


def _technical(result: InterchangeResult, policy: AcknowledgmentPolicy) -> Answer | None:
    """TA1: where it was asked for (ISA14) or is the policy, and where the interchange as a whole is refused with that asked."""
    envelope = result.envelope
    errors = [problem for problem in result.problems if problem.severity is Severity.ERROR and _kind(problem).ta1]
    if not (envelope.acknowledgment_requested or policy.which == "TA1"):
        return None
    if result.groups and all(group.type in ACKNOWLEDGMENT_GROUPS for group in result.groups):
        return None
    if policy.when == "on_error" and not errors:
        return None
    code = _kind(errors[0]).ta1 if errors else "000"
    word = "rejected" if errors and not result.groups else "accepted_with_errors" if errors else "accepted"
    mark = {"accepted": "A", "accepted_with_errors": "E", "rejected": "R"}[word]
    segment = ["TA1", envelope.control_number, envelope.date, envelope.time, mark, code]
    return Answer(type="TA1", version=envelope.version, bodies=((segment,),), outcome=word)


# ---------------------------------------------------------------- EDIFACT


def _edifact_answers(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """One CONTRL for the interchange: UCI, then UCM UCS UCD for each message, in UCF groups where UNG was used."""
    envelope = result.envelope
    everything = [*result.transactions, *(transaction for group in result.groups for transaction in group.transactions)]
    if everything and all(transaction.type in NEVER_ACKNOWLEDGED for transaction in everything):
        return []
    if policy.which != "CONTRL" and not envelope.acknowledgment_requested:
        return []
    errors = [problem for problem in result.problems if problem.severity is Severity.ERROR]
    outcome = "rejected" if errors and not everything else _worst(transaction.outcome for transaction in everything)
    if errors and outcome == "accepted":
        outcome = "accepted_with_errors"
    if policy.when == "on_error" and outcome == "accepted":
        return []
    # 0083: 4 this level and all below rejected, 7 this level acknowledged (what is below is said below), 8 only received
    refused = bool(errors) and not everything
    uci: Segment = ["UCI", [envelope.control_number], _party(envelope.sender), _party(envelope.receiver), ["4" if refused else "7"]]
    if errors:
        uci += [[_kind(errors[0]).contrl or "12"], [errors[0].place.segment or ""]]
    body = [uci]
    for transaction in result.transactions:
        body += _message(transaction)
    for group in result.groups:
        body.append(["UCF", [group.control_number], _party(group.sender), _party(group.receiver), ["4" if group_outcome(group) == "rejected" else "7"]])
        for transaction in group.transactions:
            body += _message(transaction)
    version = "4" if envelope.version.endswith(":4") else "3"
    return [Answer(type="CONTRL", version=version, bodies=(tuple(_bare(segment) for segment in body),), outcome=outcome)]


def _message(transaction: TransactionResult) -> list[Segment]:
    """UCM and, where it is refused, UCS for each wrong segment with UCD for each wrong element."""
    errors = [problem for problem in transaction.problems if problem.severity is Severity.ERROR]
    identifier = [transaction.type, transaction.version[:1], transaction.version[1:], "UN"]
    if transaction.association:
        identifier.append(transaction.association)
    ucm: Segment = ["UCM", [transaction.control_number], identifier, ["4" if transaction.outcome == "rejected" else "7"]]
    whole = [problem for problem in errors if problem.place.index in {None, 1} or problem.place.segment in {"UNH", "UNT"}]
    if whole and _kind(whole[0]).contrl:
        ucm += [[_kind(whole[0]).contrl], [whole[0].place.segment or "UNH"]]
    body = [ucm]
    segments: dict[int, list[Problem]] = {}
    for problem in errors:
        if problem.place.index is not None and problem not in whole:
            segments.setdefault(problem.place.index, []).append(problem)
    for index, problems in sorted(segments.items())[:_MOST_NOTES]:
        about_segment = next((problem for problem in problems if problem.place.element is None), None)
        ucs: Segment = ["UCS", [str(index)]]
        if about_segment is not None:
            ucs.append([_kind(about_segment).contrl or "12"])
        body.append(ucs)
        for problem in problems:
            if problem.place.element is not None:
                where = [str(problem.place.element)] if problem.place.component is None else [str(problem.place.element), str(problem.place.component)]
                body.append(["UCD", [_kind(problem).contrl or "12"], where])
    return body


def _party(identity: str) -> list[str]:
    qualifier, colon, value = identity.partition(":")
    return [value, qualifier] if colon else [qualifier]


def _bare(segment: Segment) -> Segment:
    """Without empty elements at the end."""
    while len(segment) > 1 and segment[-1] in ([""], []):
        segment = segment[:-1]
    return segment


# ---------------------------------------------------------------- both


def _kind(problem: Problem) -> Kind:
    return KINDS[problem.code]


def _codes(codes: Iterable[str], otherwise: str) -> list[str]:
    found = list(dict.fromkeys(code for code in codes if code))
    return found or [otherwise]


def _worst(outcomes: Iterable[str]) -> str:
    words = set(outcomes)
    if not words or words == {"accepted"}:
        return "accepted"
    if words == {"rejected"}:
        return "rejected"
    return "partially_accepted" if words & {"rejected", "partially_accepted"} else "accepted_with_errors"


def _position(problem: Problem) -> str:
    """AK401: element position; a composite's component and repetition follow with the component separator, left to 004010's form."""
    return str(problem.place.element)


def _copy(problem: Problem) -> str:
    """AK404: the bad value, cut to its length; left out where it holds what may not be sent back in X12."""
    value = (problem.found or "")[:99]
    return value if value.isprintable() and value.isascii() and not set(value) & set("*~>^:") else ""


def _trimmed(segment: Sequence[str]) -> Segment:
    values = list(segment)
    while len(values) > 1 and values[-1] == "":
        values.pop()
    return values


# ---------------------------------------------------------------- what partners send us

_WORDS = {"A": "accepted", "E": "accepted_with_errors", "P": "partially_accepted", "R": "rejected", "M": "rejected", "W": "rejected", "X": "rejected"}
_ACTIONS = {"4": "rejected", "7": "accepted", "8": "accepted"}


def read_acknowledgment(transaction: Transaction) -> list[Acknowledged]:
    """What a 997, 999 or CONTRL of a partner says, level by level; nothing for what is no acknowledgment."""
    if transaction.type in {"997", "999"}:
        return _read_functional(transaction.segments)
    if transaction.type == "CONTRL":
        return _read_contrl(transaction.segments)
    return []


def read_advice(segment: Segment) -> Acknowledged | None:
    """What a TA1 segment says about an interchange of ours."""
    if len(segment) < 5 or segment[0] != "TA1":
        return None
    return Acknowledged(level="interchange", control_number=segment[1], outcome=_WORDS.get(segment[4], "rejected"),
                        notes=(f"TA1 {segment[5]}",) if len(segment) > 5 and segment[5] not in {"", "000"} else ())


def _read_functional(segments: Sequence[Segment]) -> list[Acknowledged]:
    found: list[Acknowledged] = []
    group = kind = control = ""
    notes: list[str] = []
    for segment in segments:
        tag, rest = segment[0], [*segment[1:], "", "", "", ""]
        if tag == "AK1":
            group = rest[1]
        elif tag == "AK2":
            kind, control, notes = rest[0], rest[1], []
        elif tag in {"AK3", "IK3"}:
            notes.append(f"{rest[0]} segment {rest[1]}: {tag}04 {rest[3]}")
        elif tag in {"AK4", "IK4"}:
            notes.append(f"element {rest[0]}: {tag}03 {rest[2]}" + (f", '{rest[3]}'" if rest[3] else ""))
        elif tag in {"AK5", "IK5"}:
            found.append(Acknowledged(level="transaction", type=kind, control_number=control, group_control_number=group,
                                      outcome=_WORDS.get(rest[0], "rejected"), notes=tuple(notes)))
        elif tag == "AK9":
            found.append(Acknowledged(level="group", control_number=group, outcome=_WORDS.get(rest[0], "rejected"),
                                      notes=tuple(f"AK905 {code}" for code in rest[4:] if code)))
    return found


def _read_contrl(segments: Sequence[Segment]) -> list[Acknowledged]:
    found: list[Acknowledged] = []
    for segment in segments:
        tag = segment[0]
        texts = [element[0] if isinstance(element, list) and element else "" for element in segment[1:]] + [""] * 6
        if tag == "UCI":
            notes = (f"UCI 0085 {texts[4]}",) if texts[4] else ()
            found.append(Acknowledged(level="interchange", control_number=texts[0], outcome=_ACTIONS.get(texts[3], "rejected"), notes=notes))
        elif tag == "UCM":
            notes = (f"UCM 0085 {texts[3]}",) if texts[3] else ()
            found.append(Acknowledged(level="transaction", type=texts[1], control_number=texts[0], outcome=_ACTIONS.get(texts[2], "rejected"), notes=notes))
        elif tag in {"UCS", "UCD"} and found:
            last = found[-1]
            said = f"segment {texts[0]}" if tag == "UCS" else f"element {':'.join(segment[2]) if len(segment) > 2 else ''}: 0085 {texts[0]}"
            found[-1] = msgspec.structs.replace(last, notes=(*last.notes, said))
    return found
