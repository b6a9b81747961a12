"""Kinds of problems: the control numbers that partners use."""

from gateway.problem import Kind
from gateway.problem import Severity

GAP = Kind(
    code="CONTROL-GAP",
    title="Control numbers of the partner are missing before this one",
    cure="Nothing, if the file comes later; else ask the partner for it. Where it counts otherwise: `check_control_numbers: none` in its file.",
    severity=Severity.WARNING,
)
REPEATED = Kind(
    code="CONTROL-REPEATED",
    title="The partner used a control number again",
    cure="Look whether something came twice; ask the partner to use each number once.",
    severity=Severity.WARNING,
)
