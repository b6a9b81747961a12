"""Kinds of problems: EDIFACT syntax and schemas (0085 codes)."""

from gateway.problem import Kind
from gateway.problem import Severity

# Structure of messages (schema)
SEGMENT_UNKNOWN = Kind(
    code="EDIFACT-SEGMENT-UNKNOWN",
    title="The tag names no segment that the directory knows",
    cure="Leave the segment out, or have the schema extended by it.",
    contrl="15",
)
SEGMENT_UNEXPECTED = Kind(
    code="EDIFACT-SEGMENT-UNEXPECTED",
    title="The segment belongs to a group that is not open here",
    cure="Send the segment that opens the group first.",
    contrl="15",
)
SEGMENT_MISSING = Kind(
    code="EDIFACT-SEGMENT-MISSING",
    title="A mandatory segment or group is missing",
    cure="Send the segment at the place that is named.",
    contrl="13",
)
LOOP_OVER_MAXIMUM = Kind(
    code="EDIFACT-GROUP-OVER-MAXIMUM",
    title="A segment group stands more often than it may",
    cure="Send the group at most as often as the schema allows.",
    contrl="36",
)
SEGMENT_OVER_MAXIMUM = Kind(
    code="EDIFACT-SEGMENT-OVER-MAXIMUM",
    title="A segment stands more often than it may",
    cure="Send the segment at most as often as the schema allows.",
    contrl="35",
)
SEGMENT_NOT_IN_TRANSACTION = Kind(
    code="EDIFACT-SEGMENT-NOT-IN-MESSAGE",
    title="The segment exists, but not in this message",
    cure="Leave the segment out.",
    contrl="15",
)
SEGMENT_OUT_OF_ORDER = Kind(
    code="EDIFACT-SEGMENT-OUT-OF-ORDER",
    title="A segment stands behind others that must follow it",
    cure="Send the segments in the order of the schema.",
    contrl="15",
)


# Elements (schema)
ELEMENT_MISSING = Kind(
    code="EDIFACT-ELEMENT-MISSING",
    title="A mandatory element or component is empty",
    cure="Send a value.",
    contrl="13",
)
ELEMENTS_TOO_MANY = Kind(
    code="EDIFACT-ELEMENTS-TOO-MANY",
    title="A segment has more elements than it may",
    cure="Send no more elements than the schema knows.",
    contrl="16",
)
COMPONENTS_TOO_MANY = Kind(
    code="EDIFACT-COMPONENTS-TOO-MANY",
    title="An element has more components than it may",
    cure="Send fewer components; release plus, colon and apostrophe in text.",
    contrl="16",
)
REPETITIONS_TOO_MANY = Kind(
    code="EDIFACT-REPETITIONS-TOO-MANY",
    title="An element is repeated more often than it may",
    cure="Send fewer repetitions.",
    contrl="35",
)
ELEMENT_TOO_SHORT = Kind(
    code="EDIFACT-ELEMENT-TOO-SHORT",
    title="A value is too short",
    cure="Send a value of the length that is asked for.",
    contrl="40",
)
ELEMENT_TOO_LONG = Kind(
    code="EDIFACT-ELEMENT-TOO-LONG",
    title="A value is too long",
    cure="Send a value of the length that is asked for.",
    contrl="39",
)
ELEMENT_CHARACTER = Kind(
    code="EDIFACT-ELEMENT-CHARACTER",
    title="A value holds characters that it may not hold, such as letters in a number",
    cure="Send digits in numbers, and no control characters anywhere.",
    contrl="37",
)
ELEMENT_CODE = Kind(
    code="EDIFACT-ELEMENT-CODE",
    title="A code is not one of those that are allowed",
    cure="Send one of the codes that are named.",
    contrl="12",
)
ELEMENT_DATE = Kind(
    code="EDIFACT-ELEMENT-DATE",
    title="A value is no date, time or period in the format that is named beside it",
    cure="Send a date of the calendar in the format of element 2379.",
    contrl="12",
)
ELEMENT_NOT_USED = Kind(
    code="EDIFACT-ELEMENT-NOT-USED",
    title="An element is sent that was agreed not to be used",
    cure="Leave the element empty.",
    contrl="15",
)
PROBLEMS_TOO_MANY = Kind(
    code="EDIFACT-PROBLEMS-TOO-MANY",
    title="The message has more problems than are worth listing",
    cure="Correct those that are listed first.",
    severity=Severity.WARNING,
)
