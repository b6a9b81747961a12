"""Kinds of problems: what the walk of a file itself finds, apart from what stands in it."""

from gateway.problem import Kind
from gateway.problem import Severity

TYPE_UNSUPPORTED = Kind(
    code="FILE-TYPE-UNSUPPORTED",
    title="A transaction of a type or version that we do not know",
    cure="Add its schema under schemas/ and its mapping under mappings/, or tell the partner which types we take.",
    ak5="1",
    ak9="1",
    ik5="1",
    contrl="17",
)
VERSION_NEAREST = Kind(
    code="FILE-VERSION-NEAREST",
    title="A version that we lack was checked against the nearest one",
    cure="Nothing, if the document came out right; else ask for the version, or add its differences under schemas/.",
    severity=Severity.WARNING,
)
DUPLICATE_INTERCHANGE = Kind(
    code="FILE-DUPLICATE-INTERCHANGE",
    title="An interchange of this sender with this control number was received before",
    cure="Nothing, if the partner sent it twice; if it is new, ask for a new control number.",
    ta1="025",
    contrl="26",
)
NOT_FOUND = Kind(
    code="FILE-NOT-FOUND",
    title="The file cannot be opened",
    cure="Check the path and the permissions.",
)
STEP_FAILED = Kind(
    code="DOCUMENT-STEP-FAILED",
    title="The gateway failed over this document",
    cure="Look into the program's log for the error; release the hold to try again. The document is kept as it came.",
)
STEP_DIED = Kind(
    code="DOCUMENT-STEP-DIED",
    title="The program ended without a word at this document, again and again",
    cure="Look whether the machine had memory left (journalctl -k) and report it. The documents behind it go on; release the hold to try it again.",
)
ANSWER_REPLACED = Kind(
    code="GATEWAY-ANSWER-REPLACED",
    title="An answer of ours did not pass our own check and left without its details",
    cure="The partner has an answer that is right, but short. Look at the answer's file in schemas/ if it was changed here; else report the faults.",
    severity=Severity.WARNING,
)
