"""What codecs yield and take: envelopes and transactions.

Segments are plain lists, because speed wins here. `segment[0]` is the tag, `segment[n]` is element n:
  X12       a str as sent; composites and repetitions are cut by whoever knows the schema, since both delimiters may be data
  EDIFACT   a list of components (each a str, release characters removed); where an element repeats (syntax 4): a Repeated
  list of such lists
Trailing empty elements may be absent. XML transactions have `root` (an lxml element) instead of segments.
Offsets are bytes in the file as given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum
from typing import Any

import msgspec

from gateway.problem import Place
from gateway.problem import Problem

Segment = list[Any]


class Syntax(StrEnum):
    """What a file turned out to be; the words of CONTRACT.md."""

    X12 = "x12"
    EDIFACT = "edifact"
    UBL = "ubl"
    CII = "cii"
    CAMT = "camt"
    MT940 = "mt940"
    BAI2 = "bai2"
    LOCKBOX = "lockbox"
    CSV = "csv"
    FIXED = "fixed"
    JSON = "json"
    XML = "xml"
    UNKNOWN = "unknown"


class Repeated(list[Any]):
    """An EDIFACT element that repeats: a list of elements (each a list of components)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """The characters that cut an interchange. `release` and `repetition` are empty where there is none."""

    element: str
    component: str
    segment: str
    release: str = ""
    repetition: str = ""
    decimal: str = "."
    #: the interchange is broken into lines of a fixed width: CR and LF are no data anywhere
    wrapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeStart:
    """ISA or UNB; where a file has no envelope, the file: what is not given is left empty. `sender` and `receiver` are written qualifier:id as in
    CONTRACT.md."""

    syntax: Syntax
    ordinal: int = 1
    offset: int = 0
    delimiters: Delimiters | None = None
    segment: Segment = field(default_factory=list)
    sender: str = ""
    receiver: str = ""
    control_number: str = ""
    #: ISA12 as sent (00401), UNB syntax id and version (UNOC:3)
    version: str = ""
    #: ISA09/ISA10 or UNB S004, as sent
    date: str = ""
    time: str = ""
    test: bool = False
    #: ISA14 `1`, UNB 0031 `1`
    acknowledgment_requested: bool = False
    #: UNB 0026 or empty
    application_reference: str = ""
    #: TA1 segments that stand before the first group
    advice: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStart:
    """GS or UNG. EDIFACT without UNG has no group events."""

    offset: int
    segment: Segment
    #: functional identifier: PO, or the UNG message group
    type: str
    sender: str
    receiver: str
    control_number: str
    version: str


class Transaction(msgspec.Struct, kw_only=True, gc=False):
    """ST..SE, UNH..UNT or one XML document. `segments` include the header and trailer segments. A Struct, because they are made fast."""

    syntax: Syntax
    #: 850, ORDERS; for XML the local name of the root
    type: str
    #: 004010 (GS08 or ST03), D96A (release and version joined, upper case); for UBL 2.1
    version: str
    control_number: str
    segments: list[Segment]
    #: bytes of the transaction as sent, with its terminators, decoded as latin-1 so that one character is one byte
    raw: str
    offset: int
    #: line of the file on which it starts, from 1
    line: int
    delimiters: Delimiters | None = None
    #: EDIFACT association code (EAN008), X12 implementation convention (ST03)
    association: str = ""
    #: CONTRL 0083-ready syntax id and version such as UNOC:3
    charset: str = ""
    interchange_control_number: str = ""
    group_control_number: str = ""
    #: who sends, where a column of the document says so
    sender: str = ""
    #: whose description of such files it was read by, where a partner has one of its own
    owner: str = ""
    #: lxml root for XML, else None
    root: Any = None
    #: where the values lie: of an XML document kept once codecs.xml.locate was asked, of a file in rows its rows
    spots: Any = None
    #: problems of its envelope (counts, control numbers), found by the codec
    problems: list[Problem] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEnd:
    """GE or UNE, or the place where it is missing (`segment` is empty then)."""

    offset: int
    segment: Segment
    control_number: str
    #: number of transactions as declared (None: not readable) and as counted
    declared: int | None
    counted: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeEnd:
    """IEA or UNZ, or the place where it is missing (`segment` is empty then)."""

    offset: int
    segment: Segment
    control_number: str
    declared: int | None
    counted: int
    problems: tuple[Problem, ...] = ()


Event = InterchangeStart | GroupStart | Transaction | GroupEnd | InterchangeEnd | Problem


@dataclass(frozen=True, slots=True)
class Span:
    """Where a segment, element or component lies: bytes in the file. `column`: its first character in the line, where that helps."""

    offset: int
    length: int
    line: int
    column: int | None = None


def place_in(
    transaction: Transaction,
    *,
    index: int,
    element: int | None = None,
    component: int | None = None,
    repetition: int | None = None,
    span: Span | None = None,
) -> Place:
    """The place of segment `index` (1 = ST/UNH) of a transaction; `span` from the codec's `locate`."""
    tag = transaction.segments[index - 1][0] if 0 < index <= len(transaction.segments) else None
    return Place(
        interchange=transaction.interchange_control_number or None,
        group=transaction.group_control_number or None,
        transaction=transaction.control_number or None,
        segment=tag,
        index=index,
        element=element,
        component=component,
        repetition=repetition,
        offset=span.offset if span else None,
        length=span.length if span else None,
        line=span.line if span else None,
        column=span.column if span else None,
    )


def outcome_word(outcomes: Sequence[str]) -> str:
    """Outcome of the whole from the outcomes of its parts, in the words of CONTRACT.md."""
    words = set(outcomes)
    if not words:
        return "accepted"
    if words <= {"accepted", "accepted_with_errors"}:
        return "accepted" if words == {"accepted"} else "accepted_with_errors"
    return "rejected" if words == {"rejected"} else "partially_accepted"
