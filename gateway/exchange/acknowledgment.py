"""Syntax-level answers: 997 and 999 (X12), TA1, CONTRL (EDIFACT). Pure: what was found in an interchange in, segments out.

An acknowledgment is never acknowledged; a group gets at most one of 997 and 999. Which code a problem has stands with its kind
(gateway/kinds), in no other table. Control numbers are given later, by the envelope that really leaves.
"""

from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment_edifact import edifact_answers
from gateway.exchange.acknowledgment_reading import read_acknowledgment
from gateway.exchange.acknowledgment_reading import read_advice
from gateway.exchange.acknowledgment_result import Acknowledged
from gateway.exchange.acknowledgment_result import AcknowledgmentPolicy
from gateway.exchange.acknowledgment_result import Answer
from gateway.exchange.acknowledgment_result import GroupResult
from gateway.exchange.acknowledgment_result import InterchangeResult
from gateway.exchange.acknowledgment_result import ReceivedEnvelope
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.exchange.acknowledgment_result import received_envelope
from gateway.exchange.acknowledgment_x12 import group_outcome
from gateway.exchange.acknowledgment_x12 import x12_answers

__all__ = [
    "Acknowledged",
    "AcknowledgmentPolicy",
    "Answer",
    "GroupResult",
    "InterchangeResult",
    "ReceivedEnvelope",
    "TransactionResult",
    "answer",
    "group_outcome",
    "read_acknowledgment",
    "read_advice",
    "received_envelope",
]


def answer(result: InterchangeResult, policy: AcknowledgmentPolicy) -> list[Answer]:
    """The acknowledgments of an interchange: none, or TA1 and one 997/999 for all its groups of a version, or one CONTRL."""
    if policy.which == "none":
        return []
    if result.envelope.syntax == Syntax.EDIFACT.value:
        return edifact_answers(result, policy)
    return x12_answers(result, policy)
