"""Putting transactions into their interchange: ISA GS ST..SE GE IEA, or UNB UNH..UNT UNZ. Counts and control numbers are right by
construction. X12.5, X12.6; ISO 9735 syntax 3 and 4. Identities are written qualifier:id, like everywhere in this house."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax

EDIFACT_DELIMITERS = Delimiters(element="+", component=":", segment="'", release="?")
#: what separates repetitions from EDIFACT syntax 4 on
EDIFACT_REPETITION = "*"

#: functional group of each transaction (X12 element 479)
GROUPS = {
    "180": "AN",
    "214": "QM",
    "812": "CD",
    "830": "PS",
    "832": "SC",
    "846": "IB",
    "861": "RC",
    "862": "SS",
    "850": "PO",
    "855": "PR",
    "856": "SH",
    "810": "IN",
    "820": "RA",
    "860": "PC",
    "865": "CA",
    "997": "FA",
    "999": "FA",
    "824": "AG",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Everything about an interchange but its content. `version`: 004010 for X12, unused for EDIFACT (each message has its own)."""

    syntax: Syntax
    sender: str
    receiver: str
    interchange_control: str
    group_control: str = "1"
    group_type: str = ""
    version: str = "004010"
    #: ISA12 where it is not the beginning of `version`
    interchange_version: str = ""
    at: datetime
    test: bool = False
    acknowledgment_requested: bool = False
    #: UNB S001
    syntax_version: str = "UNOC:3"
    #: None: the usual ones, or where the data holds one of them (X12 cannot release it) others that it does not hold
    delimiters: Delimiters | None = None
    application_reference: str = ""
    #: GS02 and GS03 or UNG S006 and S007, where they are not those of the interchange
    group_sender: str = ""
    group_receiver: str = ""
    #: write UNA also where the delimiters are the default ones
    una: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One transaction: the segments between its header and its trailer. `version` is D96A or, for CONTRL, 3 or 4."""

    type: str
    control_number: str
    body: Sequence[Segment]
    version: str = ""
    association: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Transactions of one type and version, which X12 puts into a functional group of their own."""

    type: str
    control_number: str
    version: str
    transactions: Sequence[Outgoing]


def wrap(envelope: Envelope, transactions: Sequence[Outgoing], *, advice: Sequence[Segment] = (), line_end: str = "") -> bytes:
    """The bytes of one interchange with these transactions in one group; raises ValueError where data holds a delimiter (X12).

    `advice` are TA1 segments; an X12 interchange of TA1 alone has no group.
    """
    if not transactions:
        return wrap_groups(envelope, [], advice=advice, line_end=line_end)
    kind = envelope.group_type or (GROUPS[transactions[0].type] if envelope.syntax is Syntax.X12 else "")
    group = Group(type=kind, control_number=envelope.group_control, version=envelope.version, transactions=transactions)
    return wrap_groups(envelope, [group], advice=advice, line_end=line_end)


def wrap_groups(envelope: Envelope, groups: Sequence[Group], *, advice: Sequence[Segment] = (), line_end: str = "") -> bytes:
    """The bytes of one interchange with these groups (EDIFACT: with their messages, in UNG only where the envelope has a group type)."""
    transactions = [transaction for group in groups for transaction in group.transactions]
    if envelope.syntax is Syntax.X12:
        delimiters = _x12_delimiters(envelope, transactions)
        return x12.write(_x12_segments(envelope, delimiters, groups, advice), delimiters, line_end=line_end)
    charset = envelope.syntax_version.partition(":")[0]
    segments = _edifact_segments(envelope, transactions)
    return edifact.write(segments, _edifact_delimiters(envelope), line_end=line_end, una=envelope.una, charset=charset)


def _split(identity: str) -> tuple[str, str]:
    """Qualifier and id of an identity; without a colon all of it is the id."""
    qualifier, colon, value = identity.partition(":")
    return (qualifier, value) if colon else ("", qualifier)


#: what may stand in for each X12 delimiter, in this order
_X12_CHOICES = {"element": "*|\x1d", "component": ">:<\\\x1f", "segment": "~\x1c", "repetition": "^\x1e"}


def _x12_delimiters(envelope: Envelope, transactions: Sequence[Outgoing]) -> Delimiters:
    """The envelope's own, or the first of each choice that the data does not hold. Before 00402 nothing separates repetitions."""
    repeats = (envelope.interchange_version or envelope.version[:5]) >= "00402"
    if envelope.delimiters is not None:
        return envelope.delimiters if repeats else replace(envelope.delimiters, repetition="")
    used = "".join(["".join(_texts(segment)) for transaction in transactions for segment in transaction.body])
    chosen = {name: next((one for one in choices if one not in used), choices[0]) for name, choices in _X12_CHOICES.items()}
    repetition = chosen["repetition"] if repeats else ""
    return Delimiters(element=chosen["element"], component=chosen["component"], segment=chosen["segment"], repetition=repetition)


def _texts(element: list[Any]) -> list[str]:
    """All texts of a segment, a composite, a repeated element."""
    if list not in map(type, element) and Repeated not in map(type, element):
        return element
    answer: list[str] = []
    for part in element:
        answer += [part] if isinstance(part, str) else _texts(part)
    return answer


def _x12_segments(envelope: Envelope, delimiters: Delimiters, groups: Sequence[Group], advice: Sequence[Segment]) -> list[Segment]:
    (sender_qualifier, sender), (receiver_qualifier, receiver) = _split(envelope.sender), _split(envelope.receiver)
    control = envelope.interchange_control.zfill(9)
    segments: list[Segment] = [
        [
            "ISA",
            "00",
            " " * 10,
            "00",
            " " * 10,
            (sender_qualifier or "ZZ").ljust(2),
            sender.ljust(15),
            (receiver_qualifier or "ZZ").ljust(2),
            receiver.ljust(15),
            f"{envelope.at:%y%m%d}",
            f"{envelope.at:%H%M}",
            delimiters.repetition or "U",
            envelope.interchange_version or envelope.version[:5],
            control,
            "1" if envelope.acknowledgment_requested else "0",
            "T" if envelope.test else "P",
            delimiters.component,
        ],
        *[list(segment) for segment in advice],
    ]
    for group in groups:
        segments.append(
            [
                "GS",
                group.type,
                _split(envelope.group_sender or envelope.sender)[1].strip(),
                _split(envelope.group_receiver or envelope.receiver)[1].strip(),
                # dates got their century with 004010
                f"{envelope.at:%Y%m%d}" if envelope.version >= "004010" else f"{envelope.at:%y%m%d}",
                f"{envelope.at:%H%M}",
                group.control_number,
                "X",
                group.version,
            ]
        )
        for transaction in group.transactions:
            header = ["ST", transaction.type, transaction.control_number.zfill(4)]
            if transaction.association:
                header.append(transaction.association)
            segments += [header, *transaction.body, ["SE", str(len(transaction.body) + 2), header[2]]]
        segments.append(["GE", str(len(group.transactions)), group.control_number])
    segments.append(["IEA", str(len(groups)), control])
    return segments


def _edifact_delimiters(envelope: Envelope) -> Delimiters:
    if envelope.delimiters is not None:
        return envelope.delimiters
    if envelope.syntax_version.endswith(":4"):
        return Delimiters(element="+", component=":", segment="'", release="?", repetition=EDIFACT_REPETITION)
    return EDIFACT_DELIMITERS


def _edifact_segments(envelope: Envelope, transactions: Sequence[Outgoing]) -> list[Segment]:
    four = envelope.syntax_version.endswith(":4")
    unb: Segment = [
        "UNB",
        envelope.syntax_version.split(":"),
        _party(envelope.sender),
        _party(envelope.receiver),
        [f"{envelope.at:%Y%m%d}" if four else f"{envelope.at:%y%m%d}", f"{envelope.at:%H%M}"],
        [envelope.interchange_control],
        [""],
        [envelope.application_reference],
        [""],
        ["1" if envelope.acknowledgment_requested else ""],
        [""],
        ["1" if envelope.test else ""],
    ]
    while len(unb) > 6 and unb[-1] == [""]:
        unb.pop()
    segments = [unb]
    grouped = bool(envelope.group_type and transactions)
    if grouped:
        first = _identifier(transactions[0])
        segments.append(
            [
                "UNG",
                [envelope.group_type],
                _party(envelope.group_sender or envelope.sender),
                _party(envelope.group_receiver or envelope.receiver),
                unb[4],
                [envelope.group_control],
                [first[3]],
                [first[1], first[2], *first[4:]],
            ]
        )
    for transaction in transactions:
        segments += [
            ["UNH", [transaction.control_number], _identifier(transaction)],
            *transaction.body,
            ["UNT", [str(len(transaction.body) + 2)], [transaction.control_number]],
        ]
    if grouped:
        segments.append(["UNE", [str(len(transactions))], [envelope.group_control]])
    segments.append(["UNZ", ["1" if grouped else str(len(transactions))], [envelope.interchange_control]])
    return segments


def _party(identity: str) -> list[str]:
    qualifier, value = _split(identity)
    return [value, qualifier] if qualifier else [value]


def _identifier(transaction: Outgoing) -> list[str]:
    """UNH S009: D96A is D:96A:UN; the service message CONTRL is D:3:UN in syntax 3 and 4:1:UN in syntax 4."""
    if transaction.type == "CONTRL":
        return ["CONTRL", "4", "1", "UN"] if transaction.version == "4" else ["CONTRL", "D", "3", "UN"]
    parts = [transaction.type, transaction.version[:1].upper(), transaction.version[1:].upper(), "UN"]
    return [*parts, transaction.association] if transaction.association else parts
