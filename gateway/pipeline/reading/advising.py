"""TA1 segments that a partner sent, against their description. What is wrong with them is a warning: there is nothing to refuse."""

from collections.abc import Iterator

from gateway.codecs.node import InterchangeStart
from gateway.pipeline.plans import Plans
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.schema.diagnose import diagnose
from gateway.schema.plan import SegmentUse


def advice_problems(start: InterchangeStart, plans: Plans) -> Iterator[Problem]:
    """What is wrong with the TA1 of an interchange, by the version of its ISA12."""
    spec = plans.nearest(f"x12/{start.version}/ta1")
    schema = plans.schema(spec) if spec is not None else None
    if schema is None or start.delimiters is None:
        return
    use = schema.plan.root.children[0]
    assert isinstance(use, SegmentUse)
    for segment in start.advice:
        for finding in diagnose(segment, use, "x12", start.delimiters):
            place = Place(interchange=start.control_number, segment="TA1", element=finding.element, element_reference=finding.reference)
            yield finding.kind.at(place, finding.message, found=finding.found, expected=finding.expected, severity=Severity.WARNING)
