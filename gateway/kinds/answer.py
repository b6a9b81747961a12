"""Kinds of problems: what partners answer to what we sent, or fail to answer."""

from gateway.problem import Kind
from gateway.problem import Severity

REJECTED = Kind(
    code="ANSWER-REJECTED",
    title="The partner rejected what we sent",
    cure="Look at the marked places, correct the document, master data or mapping, then send it again; or settle it with the partner and say so.",
)
PARTLY_ACCEPTED = Kind(
    code="ANSWER-PARTLY-ACCEPTED",
    title="The partner took what we sent only in part",
    cure="Ask the partner what is missing, then send it again or settle it.",
)
FAULT = Kind(
    code="ANSWER-FAULT",
    title="The partner found a fault at this place of what we sent",
    cure="Compare the place with the partner's guide: correct the data, or the mapping in the partner's file.",
)
OVERDUE = Kind(
    code="ANSWER-OVERDUE",
    title="The partner has not answered in the agreed time",
    cure="Ask the partner whether it arrived; if not, send the same bytes again. It is settled by itself when the answer comes.",
)
UNMATCHED = Kind(
    code="ANSWER-UNMATCHED",
    title="An answer that fits nothing we sent",
    cure="Compare its control numbers with what we sent; ask the partner which system it speaks to.",
    severity=Severity.WARNING,
)
ALREADY_THERE = Kind(
    code="ANSWER-ALREADY-THERE",
    title="The partner refuses a repeat of what it has already",
    cure="Nothing need be sent again. Where the partner has not said whether it takes it, ask for its answer to the first sending.",
    severity=Severity.WARNING,
)
CONTRADICTS = Kind(
    code="ANSWER-CONTRADICTS",
    title="A second answer says something else than the first",
    cure="Ask the partner which one holds. A rejection counts whenever it comes; what was rejected stays so.",
    severity=Severity.WARNING,
)
