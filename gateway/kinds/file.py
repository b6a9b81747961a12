"""Kinds of problems: files as a whole."""

from gateway.problem import Kind
from gateway.problem import Severity

STEP_FAILED = Kind(
    code="FILE-STEP-FAILED",
    title="The gateway failed over this file, again and again",
    cure="Report the error that the log has. The files behind it go on; release the hold to try it again (with a newer version), or reject it.",
)
STEP_DIED = Kind(
    code="FILE-STEP-DIED",
    title="The program ended without a word at this file, again and again",
    cure="Look whether the machine had memory left (journalctl -k); report it. Files behind it go on; release the hold to try again, or reject it.",
)
UNREADABLE = Kind(
    code="FILE-UNREADABLE",
    title="The file is nothing that we can read",
    cure="Look at its first bytes: X12 starts with ISA, EDIFACT with UNA or UNB, XML with '<'. Other files need an agreement, or --as.",
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
ENCODING = Kind(
    code="FILE-ENCODING",
    title="The file is an interchange in an encoding that is not taken: UTF-16, UTF-32, EBCDIC or base64",
    cure="Send ASCII, ISO 8859 or UTF-8, as the syntax of the interchange allows.",
)
