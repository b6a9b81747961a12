"""Our answers as bytes: put in their interchange, read back by our own reader, checked against their own schema.

An answer that does not pass is our fault, not the partner's: a smaller one takes its place and the fault is told; there is never none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime

import msgspec

from gateway.codecs.choose import read as read_events
from gateway.codecs.layout import Form
from gateway.codecs.node import Delimiters
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.exchange.acknowledgment import Answer
from gateway.exchange.acknowledgment_smaller import smaller_answers
from gateway.exchange.envelope import GROUPS
from gateway.exchange.envelope import Envelope
from gateway.exchange.envelope import Outgoing
from gateway.exchange.envelope import wrap
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import document as document_kinds
from gateway.kinds import pipeline as kinds
from gateway.pipeline.plans import Plans
from gateway.pipeline.plans import spec_of
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.apply import check

#: answers of EDIFACT; the others are X12
_EDIFACT = frozenset({"CONTRL", "APERAK"})
#: what may stand for a delimiter in data that cannot release it
_STAND_INS = "?./-_ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Who writes to whom under which numbers."""

    sender: str
    receiver: str
    interchange: str = "1"
    group: str = "1"
    test: bool = False
    at: datetime


@dataclass(frozen=True, slots=True)
class Sound:
    """An answer that can leave, its bytes, and what was wrong with the one that it replaces (nothing: it is as it was made)."""

    answer: Answer
    data: bytes
    faults: tuple[Problem, ...] = ()

    def problem(self) -> Problem:
        """What is told to the people who run this house."""
        said = "; ".join(f"{fault.code}: {fault.message}" for fault in self.faults[:3])
        return kinds.ANSWER_REPLACED.at(
            NOWHERE,
            f"Our {self.answer.type} did not pass our own check and left without its details ({said})",
            found=str(len(self.faults)),
            expected="an answer that our own reader takes",
        )


def sound_answer(made: Answer, numbers: Numbers, plans: Plans, loaded: LoadedPartner | None) -> Sound:
    """The answer in its interchange; where it does not pass our own reader, the largest smaller one that does."""
    faults: tuple[Problem, ...] = ()
    data = b""
    answer = made
    for answer in (made, *smaller_answers(made)):
        try:
            data = wrap_answer(answer, numbers)
        except ValueError as error:
            found: tuple[Problem, ...] = (document_kinds.WRITE_INVALID.at(NOWHERE, f"the interchange cannot be written: {error}"),)
        else:
            found = tuple(read_back(data, plans, loaded))
        if not found:
            break
        # the first one's faults are told; the last answer leaves whatever is said of it
        faults = faults or found
    return Sound(answer, data, faults)


def wrap_answer(made: Answer, numbers: Numbers) -> bytes:
    """An answer in its interchange: between the identities that it answers, or ours where those are not known."""
    sender, receiver = made.sender or numbers.sender, made.receiver or numbers.receiver
    if made.type in _EDIFACT:
        return _wrap_edifact(made, sender, receiver, numbers)
    version = made.version if len(made.version) == 6 else "004010"
    cut = made.delimiters
    envelope = Envelope(
        syntax=Syntax.X12,
        sender=_sendable(sender, cut),
        receiver=_sendable(receiver, cut),
        group_sender=_sendable(made.group_sender, cut),
        group_receiver=_sendable(made.group_receiver, cut),
        interchange_control=numbers.interchange,
        group_control=numbers.group,
        group_type=GROUPS.get(made.type, ""),
        version=version,
        interchange_version=made.interchange_version,
        delimiters=cut,
        at=numbers.at,
        test=numbers.test,
    )
    bodies = [[_without(segment, cut) for segment in body] for body in made.bodies]
    if made.type == "TA1":
        return wrap(envelope, [], advice=[segment for body in bodies for segment in body])
    # the 999 names its guide in ST03, and in GS08 with it
    association = "005010X231A1" if made.type == "999" and version == "005010" else ""
    if association:
        envelope = replace(envelope, version=association)
    return wrap(
        envelope,
        [Outgoing(type=made.type, control_number=str(number).zfill(4), body=body, association=association) for number, body in enumerate(bodies, 1)],
    )


def _wrap_edifact(made: Answer, sender: str, receiver: str, numbers: Numbers) -> bytes:
    # a set of delimiters without release character cannot write everything
    cut = made.delimiters if made.delimiters is not None and not made.delimiters.release else None
    envelope = Envelope(
        syntax=Syntax.EDIFACT,
        sender=_sendable(sender, cut),
        receiver=_sendable(receiver, cut),
        interchange_control=numbers.interchange,
        at=numbers.at,
        test=numbers.test,
        syntax_version=made.interchange_version or ("UNOC:4" if made.version == "4" else "UNOC:3"),
        delimiters=made.delimiters,
    )
    return wrap(
        envelope,
        [
            Outgoing(type=made.type, control_number=str(number), body=[_without(segment, cut) for segment in body], version=made.version)
            for number, body in enumerate(made.bodies, 1)
        ],
    )


def _sendable(text: str, delimiters: Delimiters | None) -> str:
    """Text without the characters that would cut it. The colon of qualifier:id stands: it is not sent."""
    if delimiters is None or not text:
        return text
    cutting = delimiters.element + delimiters.component + delimiters.segment + delimiters.repetition
    instead = next(one for one in _STAND_INS if one not in cutting)
    qualifier, colon, value = text.partition(":")
    parts = [qualifier, value] if colon else [text]
    return ":".join(part.translate({ord(one): instead for one in cutting}) for part in parts)


def _without(segment: Segment, delimiters: Delimiters | None) -> Segment:
    """The segment with stand-ins for the delimiters in its data."""
    if delimiters is None:
        return list(segment)
    cutting = delimiters.element + delimiters.component + delimiters.segment + delimiters.repetition
    instead = next(one for one in _STAND_INS if one not in cutting)
    table = {ord(one): instead for one in cutting}
    return [element.translate(table) if isinstance(element, str) else [str(part).translate(table) for part in element] for element in segment]


def decoded(body: str) -> Answer:
    """An answer as the outbox keeps it."""
    return msgspec.json.decode(body, type=Answer)


def read_back(data: bytes, plans: Plans, loaded: LoadedPartner | None, form: Form | None = None) -> Iterator[Problem]:
    """What our own reader and schema have against bytes that we built: nothing, or they do not leave."""
    _, events = read_events([data], form)
    for event in events:
        found: tuple[Problem, ...] = ()
        if isinstance(event, Transaction):
            found = tuple(event.problems)
            schema = plans.schema(plans.nearest(spec_of(event)) or spec_of(event), loaded)
            if schema is not None:
                found += tuple(check(event, schema).problems)
        elif isinstance(event, GroupEnd | InterchangeEnd):
            found = event.problems
        elif isinstance(event, Problem):
            found = (event,)
        yield from (problem for problem in found if problem.severity is Severity.ERROR)
