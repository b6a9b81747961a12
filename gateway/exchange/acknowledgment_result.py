"""What acknowledgments are made of: what was found in an interchange, what the partner is to get, and what we or the partner say.

Values only, kept as JSON between the steps of the pipeline. How they become segments stands in acknowledgment_x12 and acknowledgment_edifact.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.kinds import KINDS
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.problem import Severity

#: what is never acknowledged: X12 transactions and groups, EDIFACT messages
NEVER_ACKNOWLEDGED = frozenset({"997", "999", "TA1", "CONTRL"})
ACKNOWLEDGMENT_GROUPS = frozenset({"FA"})
#: where a group or interchange has more transactions, those that are plainly accepted are only counted
LISTED = 1000
#: notes (AK3, UCS) that one transaction gets at most: it is rejected anyway
MOST_NOTES = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgmentPolicy:
    """What a partner gets. `which` None: the syntax's own (997, or 999 from 005010 on; CONTRL where it was asked for)."""

    which: Literal["997", "999", "TA1", "CONTRL", "none"] | None = None
    when: Literal["always", "on_error"] = "always"
    #: an answer to the interchange itself (TA1, CONTRL that was not agreed): where it is asked for, also where we refuse it, or never
    technical: Literal["asked", "asked_or_refused", "never"] = "asked_or_refused"


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one transaction is answered: outcome accepted, accepted_with_errors or rejected."""

    type: str
    control_number: str
    version: str = ""
    association: str = ""
    outcome: str
    problems: tuple[Problem, ...] = ()


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one functional group is answered. `declared` is what its trailer says (None: no number)."""

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
    #: we took nothing of it (a duplicate, not for us): its groups and transactions are not answered one by one
    refused: bool = False


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
    return ReceivedEnvelope(
        syntax=start.syntax.value,
        sender=start.sender,
        receiver=start.receiver,
        control_number=start.control_number,
        version=start.version,
        date=start.date,
        time=start.time,
        test=start.test,
        acknowledgment_requested=start.acknowledgment_requested,
    )


def kind_of(problem: Problem) -> Kind:
    """The kind of a problem, with its codes for the partner."""
    return KINDS[problem.code]


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those that are errors: warnings are never told to a partner's machine."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def worst_of(outcomes: Iterable[str]) -> str:
    """The outcome of the whole from those of its parts."""
    words = set(outcomes)
    if not words or words == {"accepted"}:
        return "accepted"
    if words == {"rejected"}:
        return "rejected"
    return "partially_accepted" if words & {"rejected", "partially_accepted"} else "accepted_with_errors"


def listed(transactions: tuple[TransactionResult, ...]) -> list[TransactionResult]:
    """The transactions that an answer names: all, or of very many those that are not plainly accepted."""
    return [one for one in transactions if len(transactions) <= LISTED or one.outcome != "accepted"]
