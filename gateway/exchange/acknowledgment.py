"""Syntax-level answers: 997 and 999 (X12), TA1, CONTRL (EDIFACT). Pure: what was found in an interchange in, segments out.

An acknowledgment is never acknowledged; a group gets at most one of 997 and 999. Which code a problem has stands with its kind
(gateway/kinds), in no other table. Control numbers are given later, by the envelope that really leaves.
"""

import msgspec

from gateway.codecs.node import Syntax
from gateway.exchange.acknowledgment_edifact import edifact_answers
from gateway.exchange.acknowledgment_reading import read_acknowledgment
from gateway.exchange.acknowledgment_reading import read_advice
from gateway.exchange.acknowledgment_result import Acknowledged
from gateway.exchange.acknowledgment_result import AcknowledgmentPolicy
from gateway.exchange.acknowledgment_result import Answer
from gateway.exchange.acknowledgment_result import GroupResult
from gateway.exchange.acknowledgment_result import InterchangeResult
from gateway.exchange.acknowledgment_result import Mark
from gateway.exchange.acknowledgment_result import Policies
from gateway.exchange.acknowledgment_result import ReceivedEnvelope
from gateway.exchange.acknowledgment_result import TransactionResult
from gateway.exchange.acknowledgment_result import number_of
from gateway.exchange.acknowledgment_result import received_envelope
from gateway.exchange.acknowledgment_x12 import group_outcome
from gateway.exchange.acknowledgment_x12 import x12_answers

__all__ = [
    "Acknowledged",
    "AcknowledgmentPolicy",
    "Answer",
    "GroupResult",
    "InterchangeResult",
    "Mark",
    "Policies",
    "ReceivedEnvelope",
    "TransactionResult",
    "answer",
    "group_outcome",
    "number_of",
    "read_acknowledgment",
    "read_advice",
    "received_envelope",
]


def answer(result: InterchangeResult, policy: AcknowledgmentPolicy | Policies) -> list[Answer]:
    """The acknowledgments of an interchange: TA1 and 997 or 999 for its groups, or CONTRL; as the policy of each says, or none."""
    policies = policy if isinstance(policy, Policies) else Policies(policy)
    if result.envelope.syntax == Syntax.EDIFACT.value:
        made = edifact_answers(result, policies.of(result.everything))
    else:
        made = x12_answers(result, policies)
    return [msgspec.structs.replace(one, number=number) for number, one in enumerate(made, 1)]
