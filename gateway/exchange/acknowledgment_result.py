"""What acknowledgments are made of: what was found in an interchange, what the partner is to get, and what we or the partner say.

Values only, kept as JSON between the steps of the pipeline. How they become segments stands in acknowledgment_x12 and acknowledgment_edifact.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Literal

import msgspec

from gateway.codecs.node import Delimiters
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.kinds import KINDS
from gateway.problem import Kind
from gateway.problem import Problem
from gateway.problem import Severity

#: what is never acknowledged: X12 transactions and groups, EDIFACT messages
NEVER_ACKNOWLEDGED = frozenset({"997", "999", "TA1", "CONTRL"})
ACKNOWLEDGMENT_GROUPS = frozenset({"FA"})
#: which element of the second segment holds the number of the business document: X12, and the same for EDIFACT
_NUMBER_ELEMENTS = {"BEG": 3, "BCH": 3, "BAK": 3, "BCA": 3, "BIG": 2, "BSN": 2, "BCD": 2, "BFR": 2, "BGN": 2, "BIA": 3, "BHT": 3, "BCT": 2, "BGM": 2}
_NUMBERS = {tag: (element, f"{tag}{element:02}") for tag, element in _NUMBER_ELEMENTS.items()}
#: where a group or interchange has more transactions, those that are plainly accepted are only counted
LISTED = 1000
#: notes (AK3, UCS) that one transaction gets at most: it is rejected anyway
MOST_NOTES = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgmentPolicy:
    """What a partner gets. `which` None: the syntax's own (997, or 999 from 005010 on; CONTRL where it was asked for)."""

    which: Literal["997", "999", "TA1", "CONTRL", "none"] | None = None
    when: Literal["always", "on_error"] = "always"
    #: one acknowledgment for each group (997, 999) or interchange (CONTRL), or one for each transaction
    by: Literal["group", "transaction"] = "group"
    #: an answer to the interchange itself (TA1, CONTRL that was not agreed): where it is asked for, also where we refuse it, or never
    technical: Literal["asked", "asked_or_refused", "always", "never"] = "asked_or_refused"
    #: `received`, the characters as in the agreement, or nothing: ours
    delimiters: str = ""
    #: 004010 or UNOC:3; nothing: as received
    version: str = ""
    #: classes of warnings that are told like errors
    strict: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policies:
    """What a partner gets for each type of transaction, and for those that no agreement names."""

    otherwise: AcknowledgmentPolicy = AcknowledgmentPolicy()
    by_type: Mapping[str, AcknowledgmentPolicy] = field(default_factory=dict)

    def of(self, transactions: Iterable["TransactionResult"]) -> AcknowledgmentPolicy:
        """The policy of the first transaction that an agreement names."""
        return next((self.by_type[one.type] for one in transactions if one.type in self.by_type), self.otherwise)


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one transaction is answered: outcome accepted, accepted_with_errors or rejected."""

    type: str
    control_number: str
    version: str = ""
    association: str = ""
    #: of the business document in it, and the element that holds it (BEG03): what people know the transaction by
    number: str = ""
    number_at: str = ""
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
    #: only that it arrived is to be said (UNB 0031 `2`)
    receipt_requested: bool = False
    delimiters: Delimiters | None = None


class InterchangeResult(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found in an interchange. EDIFACT without UNG has its messages in `transactions`."""

    envelope: ReceivedEnvelope
    groups: tuple[GroupResult, ...] = ()
    transactions: tuple[TransactionResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: we took nothing of it (a duplicate, not for us): its groups and transactions are not answered one by one
    refused: bool = False

    @property
    def everything(self) -> list[TransactionResult]:
        """All transactions, inside of groups and outside."""
        return [*self.transactions, *(transaction for group in self.groups for transaction in group.transactions)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledgment: its transactions' bodies (for TA1 the segment itself), and what it says in one word."""

    type: str
    #: of the group (X12) or syntax (3 or 4 for CONTRL)
    version: str
    bodies: tuple[tuple[Segment, ...], ...]
    outcome: str
    #: from whom to whom it goes back: the received identities exchanged (qualifier:id), and those of the group; empty: who we are
    sender: str = ""
    receiver: str = ""
    group_sender: str = ""
    group_receiver: str = ""
    #: ISA12 (00401) or UNB S001 (UNOC:3) of the interchange that it goes in; empty: as its version suggests
    interchange_version: str = ""
    #: None: ours
    delimiters: Delimiters | None = None
    #: what another acknowledgment of the same interchange is told apart by
    number: int = 1


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place in what we sent that an answer finds wrong. `index` counts segments from ST or UNH = 1, elements count from 1."""

    segment: str = ""
    index: int | None = None
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    #: where the code stands and what it is: `AK403 5`
    code: str = ""
    #: the code in our words
    words: str = ""
    #: the value as the partner repeats it
    value: str = ""
    #: the segment is not there: `index` is where it was expected
    missing: bool = False


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner's answer says about something that we sent. `level`: interchange, group, transaction, or document (by its number)."""

    level: str
    type: str = ""
    #: of the interchange, the group, or the transaction as the level says; empty for a document
    control_number: str = ""
    #: of the group that the transaction stood in
    group_control_number: str = ""
    #: of the interchange that it stood in, where the answer names it
    interchange_control_number: str = ""
    #: accepted, accepted_with_errors, partially_accepted, rejected; received: it says no more than that
    outcome: str
    #: codes and places in their words
    notes: tuple[str, ...] = ()
    #: the places among them
    marks: tuple[Mark, ...] = ()
    #: syntax (it was read), application (it was understood and taken)
    layer: str = "syntax"
    #: numbers of ours that the answer names: (what it calls them, the number)
    references: tuple[tuple[str, str], ...] = ()
    #: it is refused for nothing but that its number came before: whoever says so has what it speaks of
    repeat: bool = False


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
        receipt_requested=start.syntax is Syntax.EDIFACT and _component(start.segment, 9) == "2",
        delimiters=start.delimiters,
    )


def _component(segment: Segment, element: int) -> str:
    """The first component of an element; nothing where it was not sent."""
    return str(segment[element][0]) if len(segment) > element and segment[element] else ""


def number_of(segments: Sequence[Segment]) -> tuple[str, str]:
    """The number of the business document in a transaction, and the element that holds it; nothing where there is none."""
    if len(segments) < 2:
        return "", ""
    segment = segments[1]
    tag = segment[0]
    element, name = _NUMBERS.get(tag, (99, ""))
    if len(segment) <= element:
        return "", ""
    value = segment[element]
    text = value if isinstance(value, str) else str(value[0]) if value and isinstance(value[0], str) else ""
    text = text.strip()
    return (text[:35], name) if text else ("", "")


def kind_of(problem: Problem) -> Kind:
    """The kind of a problem, with its codes for the partner."""
    return KINDS[problem.code]


def errors_of(problems: Iterable[Problem], strict: Collection[str] = ()) -> list[Problem]:
    """Those that are errors, or warnings of a class that counts as such: others are never told to a partner's machine."""
    return [problem for problem in problems if problem.severity is Severity.ERROR or (strict and kind_of(problem).error_class in strict)]


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
