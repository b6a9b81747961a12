"""Kinds of problems: files as a whole."""

from gateway.problem import Kind
from gateway.problem import Severity

TYPE_UNSUPPORTED = Kind(
    code="FILE-TYPE-UNSUPPORTED",
    title="A transaction of a type or version that we do not know",
    cure="Add its schema under schemas/ and its mapping under mappings/, or tell the partner which types we take.",
    ak5="1", ik5="1", contrl="17",
)
UNREADABLE = Kind(
    code="FILE-UNREADABLE",
    title="The file is nothing that we can read",
    cure="Look at its first bytes: X12 starts with ISA, EDIFACT with UNA or UNB, XML with '<'.",
)
DUPLICATE_INTERCHANGE = Kind(
    code="FILE-DUPLICATE-INTERCHANGE",
    title="An interchange of this sender with this control number was received before",
    cure="Nothing, if the partner sent it twice; if it is new, ask for a new control number.",
    ta1="025", contrl="26", ak9="",
)
NOT_FOUND = Kind(
    code="FILE-NOT-FOUND",
    title="The file cannot be opened",
    cure="Check the path and the permissions.",
)
BYTE_ORDER_MARK = Kind(
    code="FILE-BYTE-ORDER-MARK",
    title="The file starts with a byte order mark",
    cure="Nothing needs to be done: it is left out. Better send without it.",
    severity=Severity.WARNING,
)
WHITE_SPACE = Kind(
    code="FILE-WHITE-SPACE",
    title="White space stands before the first segment",
    cure="Nothing needs to be done: it is left out. Better send without it.",
    severity=Severity.WARNING,
)
EMPTY = Kind(
    code="FILE-EMPTY",
    title="The file is empty",
    cure="Look whether it was transferred completely.",
)
