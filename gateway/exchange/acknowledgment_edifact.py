"""CONTRL: what was found in an EDIFACT interchange as segments, for syntax versions 2 and 3 (CONTRL:D:3) and 4 (CONTRL:4:1).

Codes of faults (0085) stand with the kinds of problems. Actions (0083): 4 this level and all below it are rejected; 7 this level is
acknowledged, and what is below it unless it is rejected by name; 8 the interchange has arrived, and no more is said.
"""

import re

from gateway.codecs.node import Segment
from gateway.exchange.acknowledgment_keys import RECEIVED
from gateway.exchange.acknowledgment_keys import delimiters_of
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

REJECTED = "4"
ACKNOWLEDGED = "7"
RECEIVED_ONLY = "8"
#: 0085 where a kind has no code of its own
_UNSPECIFIED = "18"
#: stands for what was not sent where our answer must name it
_MISSING = "X"
#: what 0013/0135 may name: segments of the envelope
_SERVICE_TAGS = frozenset({"UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT", "UNO", "UNP"})
_MOST_ELEMENTS = 99
#: a syntax that we can answer in; all that an answer holds is ASCII
_SYNTAX = re.compile(r"UNO[A-LWXY]:[1-4]")


def edifact_answers(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """One CONTRL for the interchange, or one for each message, or none: UCI, UCM with UCS and UCD, within UCF where UNG was used."""
    envelope, everything = result.envelope, result.everything
    if policy.which == "none" or everything and all(transaction.type in NEVER_ACKNOWLEDGED for transaction in everything):
        return []
    numbers = {group.control_number for group in result.groups}
    errors = [problem for problem in errors_of(result.problems) if problem.place.group not in numbers]
    refused = result.refused or bool(errors and not everything)
    asked = policy.which == "CONTRL" or policy.technical == "always" or (envelope.acknowledgment_requested and policy.technical != "never")
    if not asked and not (refused and policy.technical == "asked_or_refused"):
        return []
    outcome = "rejected" if refused else worst_of(transaction.outcome for transaction in everything)
    if errors and outcome == "accepted":
        outcome = "accepted_with_errors"
    if policy.when == "on_error" and outcome == "accepted":
        return []
    only_receipt = envelope.receipt_requested and policy.which != "CONTRL" and policy.technical != "always"
    action = [REJECTED if refused else RECEIVED_ONLY if only_receipt else ACKNOWLEDGED]
    head: Segment = [
        "UCI",
        [_fitting(envelope.control_number, 14)],
        _party(envelope.sender),
        _party(envelope.receiver),
        action,
        # with action 7 it is a remark: also on what is odd about the header, which is no error to us
        *_fault(errors or [one for one in result.problems if one.place.segment in {"UNA", "UNB", "UNO"} and kind_of(one).contrl], "UNB"),
    ]
    if refused or only_receipt:
        bodies = [[head]]
    elif policy.by == "transaction" and everything:
        placed: list[tuple[Segment, TransactionResult]] = [([], one) for one in result.transactions]
        placed += [(_group_head(group, result), one) for group in result.groups for one in group.transactions]
        bodies = [
            [head, *([group] if group else []), *_message(one)]
            for group, one in placed
            if one.type not in NEVER_ACKNOWLEDGED and (policy.when == "always" or one.outcome != "accepted" or errors)
        ]
    else:
        bodies = [[head, *_messages(result.transactions), *(segment for group in result.groups for segment in _group(group, result))]]
    syntax = policy.version or (envelope.version if _SYNTAX.fullmatch(envelope.version) else "UNOC:3")
    delimiters = delimiters_of(policy.delimiters, "edifact") if policy.delimiters not in {"", RECEIVED} else None
    return [
        Answer(
            type="CONTRL",
            version="4" if syntax.endswith(":4") else "3",
            bodies=tuple(tuple(_trimmed(segment) for segment in body) for body in bodies),
            outcome=outcome,
            sender=envelope.receiver,
            receiver=envelope.sender,
            interchange_version=syntax,
            delimiters=envelope.delimiters if policy.delimiters == RECEIVED else delimiters,
        )
    ]


def _group(group: GroupResult, result: InterchangeResult) -> list[Segment]:
    """UCF and what is said of the group's messages."""
    return [_group_head(group, result), *_messages(group.transactions)]


def _group_head(group: GroupResult, result: InterchangeResult) -> Segment:
    """UCF: what is said of the group itself."""
    told = [*group.problems, *(problem for problem in result.problems if problem.place.group == group.control_number)]
    errors = errors_of(told) or [problem for problem in told if problem.place.segment == "UNG" and kind_of(problem).contrl]
    rejected = bool(group.transactions) and all(transaction.outcome == "rejected" for transaction in group.transactions)
    ucf: Segment = [
        "UCF",
        [_fitting(group.control_number, 14)],
        _party(group.sender),
        _party(group.receiver),
        [REJECTED if rejected else ACKNOWLEDGED],
    ]
    return [*ucf, *_fault(errors, "UNG")]


def _messages(transactions: tuple[TransactionResult, ...]) -> list[Segment]:
    return [segment for transaction in listed(transactions) if transaction.type not in NEVER_ACKNOWLEDGED for segment in _message(transaction)]


def _message(transaction: TransactionResult) -> list[Segment]:
    """UCM and, where it is refused, UCS for each wrong segment with UCD for each wrong element."""
    errors = errors_of(transaction.problems) if transaction.outcome != "accepted" else []
    whole = [problem for problem in errors if _is_whole(problem.place)]
    version = _fitting(transaction.version, 4)
    identifier = [
        _fitting(transaction.type, 6),
        version[:1],
        version[1:] or _MISSING,
        "UN",
        _fitting(transaction.association, 6) if transaction.association else "",
    ]
    ucm: Segment = ["UCM", [_fitting(transaction.control_number, 14)], identifier, [REJECTED if transaction.outcome == "rejected" else ACKNOWLEDGED]]
    body = [[*ucm, *_fault(whole, "UNH")]]
    segments: dict[int, list[Problem]] = {}
    for problem in errors:
        if not _is_whole(problem.place):
            segments.setdefault(problem.place.index or 1, []).append(problem)
    for index, problems in sorted(segments.items())[:MOST_NOTES]:
        about = next((problem for problem in problems if problem.place.element is None), None)
        body.append(["UCS", [str(index)], [_code(about)] if about is not None else [""]])
        body += [["UCD", [_code(problem)], _position(problem.place)] for problem in problems if problem.place.element is not None][:_MOST_ELEMENTS]
    return body


def _is_whole(place: Place) -> bool:
    """Whether this is about the message as a whole: its header, its trailer, or no segment at all."""
    return place.index is None or place.segment in _SERVICE_TAGS


def _code(problem: Problem) -> str:
    kind = kind_of(problem)
    return (kind.guide_contrl if problem.guide else "") or kind.contrl or _UNSPECIFIED


def _fault(problems: list[Problem], otherwise: str) -> Segment:
    """0085, 0013 and S011 of the first fault of an envelope; nothing where there is none."""
    if not problems:
        return []
    place = problems[0].place
    tag = place.segment if place.segment in _SERVICE_TAGS else otherwise
    known = place.element is not None and place.segment == tag
    return [[_code(problems[0])], [tag], _position(place) if known else [""]]


def _position(place: Place) -> list[str]:
    """S011: the tag is position 1 of a segment, so that the first element is 2; the first component of a composite is 1."""
    parts = [str((place.element or 0) + 1)]
    return [*parts, str(place.component)] if place.component is not None else parts


def _party(identity: str) -> list[str]:
    qualifier, colon, value = identity.partition(":")
    if not colon:
        qualifier, value = "", identity
    return [_fitting(value, 35), _fitting(qualifier, 4)] if qualifier else [_fitting(value, 35)]


def _fitting(text: str, most: int) -> str:
    """What was sent, made to fit: an answer that names something cut short is better than none."""
    plain = "".join(character for character in text if character.isascii() and character.isprintable())
    return plain.strip()[:most].strip() or _MISSING


def _trimmed(segment: Segment) -> Segment:
    """Without empty elements and components at the end."""
    values = []
    for element in segment:
        parts = element
        if isinstance(element, list):
            parts = list(element)
            while len(parts) > 1 and not parts[-1]:
                parts.pop()
        values.append(parts)
    while len(values) > 1 and values[-1] == [""]:
        values.pop()
    return values
