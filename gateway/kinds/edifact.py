"""Kinds of problems: EDIFACT syntax and schemas (0085 codes)."""

from gateway.problem import Kind
from gateway.problem import Severity

# Structure of messages (schema)
SEGMENT_UNKNOWN = Kind(
    code="EDIFACT-SEGMENT-UNKNOWN",
    title="The tag names no segment that the directory knows",
    cure="Leave the segment out, or have the schema extended by it.",
    contrl="15",
    error_class="segments",
)
SEGMENT_UNEXPECTED = Kind(
    code="EDIFACT-SEGMENT-UNEXPECTED",
    title="The segment belongs to a group that is not open here",
    cure="Send the segment that opens the group first.",
    contrl="15",
    error_class="segments",
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
    error_class="segments",
)
SEGMENT_OVER_MAXIMUM = Kind(
    code="EDIFACT-SEGMENT-OVER-MAXIMUM",
    title="A segment stands more often than it may",
    cure="Send the segment at most as often as the schema allows.",
    contrl="35",
    error_class="segments",
)
SEGMENT_NOT_IN_TRANSACTION = Kind(
    code="EDIFACT-SEGMENT-NOT-IN-MESSAGE",
    title="The segment exists, but not in this message",
    cure="Leave the segment out.",
    contrl="15",
    error_class="segments",
)
SEGMENT_OUT_OF_ORDER = Kind(
    code="EDIFACT-SEGMENT-OUT-OF-ORDER",
    title="A segment stands behind others that must follow it",
    cure="Send the segments in the order of the schema.",
    contrl="15",
    error_class="segments",
)


# Elements (schema)
ELEMENT_MISSING = Kind(
    code="EDIFACT-ELEMENT-MISSING",
    title="A mandatory element or component is empty",
    cure="Send a value.",
    contrl="13",
    error_class="missing",
)
ELEMENTS_TOO_MANY = Kind(
    code="EDIFACT-ELEMENTS-TOO-MANY",
    title="A segment has more elements than it may",
    cure="Send no more elements than the schema knows.",
    contrl="16",
    error_class="surplus",
)
COMPONENTS_TOO_MANY = Kind(
    code="EDIFACT-COMPONENTS-TOO-MANY",
    title="An element has more components than it may",
    cure="Send fewer components; release plus, colon and apostrophe in text.",
    contrl="16",
    error_class="surplus",
)
REPETITIONS_TOO_MANY = Kind(
    code="EDIFACT-REPETITIONS-TOO-MANY",
    title="An element is repeated more often than it may",
    cure="Send fewer repetitions.",
    contrl="35",
    error_class="surplus",
)
ELEMENT_TOO_SHORT = Kind(
    code="EDIFACT-ELEMENT-TOO-SHORT",
    title="A value is too short",
    cure="Send a value of the length that is asked for.",
    contrl="40",
    error_class="lengths",
)
ELEMENT_TOO_LONG = Kind(
    code="EDIFACT-ELEMENT-TOO-LONG",
    title="A value is too long",
    cure="Send a value of the length that is asked for.",
    contrl="39",
    error_class="lengths",
)
ELEMENT_CHARACTER = Kind(
    code="EDIFACT-ELEMENT-CHARACTER",
    title="A value holds characters that it may not hold, such as letters in a number",
    cure="Send digits in numbers, and no control characters anywhere.",
    contrl="37",
    error_class="characters",
)
CPS_PARENT_UNKNOWN = Kind(
    code="EDIFACT-CPS-PARENT-UNKNOWN",
    title="A packing level names a parent that is no level before it",
    cure="Send in 7166 the 7164 of the level that this one stands under, after that level.",
    severity=Severity.WARNING,
)
CPS_NUMBER_TWICE = Kind(
    code="EDIFACT-CPS-NUMBER-TWICE",
    title="Two packing levels have the same number",
    cure="Number the levels of a message through in 7164.",
    severity=Severity.WARNING,
)
ELEMENT_CODE = Kind(
    code="EDIFACT-ELEMENT-CODE",
    title="A code is not one of those that are allowed",
    cure="Send one of the codes that are named.",
    contrl="12",
    error_class="codes",
    guide_contrl="14",
)
ELEMENT_DATE = Kind(
    code="EDIFACT-ELEMENT-DATE",
    title="A value is no date, time or period in the format that is named beside it",
    cure="Send a date of the calendar in the format of element 2379.",
    contrl="12",
    error_class="dates",
)
ELEMENT_NOT_USED = Kind(
    code="EDIFACT-ELEMENT-NOT-USED",
    title="An element is sent that was agreed not to be used",
    cure="Leave the element empty.",
    contrl="15",
    error_class="surplus",
)
ELEMENT_CONDITION = Kind(
    code="EDIFACT-ELEMENT-CONDITION",
    title="Elements depend on each other, and what they ask for is not sent",
    cure="Send the elements together, or only one of them, as the segment's conditions say.",
    contrl="48",
    error_class="conditions",
)
DECIMAL = Kind(
    code="EDIFACT-DECIMAL",
    title="A number has two decimal marks or separates thousands",
    cure="Send one decimal mark, the one that UNA names or else a point or comma, and nothing between thousands.",
    contrl="19",
    error_class="characters",
)
DIGIT_MISSING = Kind(
    code="EDIFACT-DIGIT-MISSING",
    title="A number starts with its decimal mark",
    cure="Send a digit before the decimal mark: 0.5.",
    severity=Severity.WARNING,
    contrl="38",
    error_class="characters",
)
SEPARATORS_TRAILING = Kind(
    code="EDIFACT-SEPARATORS-TRAILING",
    title="Separators stand behind the last element that there may be",
    cure="End the segment behind its last element that is not empty.",
    severity=Severity.WARNING,
    contrl="45",
    error_class="surplus",
)
PROBLEMS_TOO_MANY = Kind(
    code="EDIFACT-PROBLEMS-TOO-MANY",
    title="The message has more problems than are worth listing",
    cure="Correct those that are listed first.",
    severity=Severity.WARNING,
)


# Interchanges and what stands around them (codecs)
UNA_MALFORMED = Kind(
    code="EDIFACT-UNA-MALFORMED",
    title="The service string advice (UNA) does not have six characters",
    cure="Send UNA with six characters: component, element, decimal, release, repetition or space, terminator.",
    severity=Severity.WARNING,
)
UNB_MALFORMED = Kind(
    code="EDIFACT-UNB-MALFORMED",
    title="The interchange header (UNB) cannot be read",
    cure="Send UNB with syntax, sender, recipient, date and control reference.",
    contrl="13",
)
DELIMITERS_UNUSABLE = Kind(
    code="EDIFACT-DELIMITERS-UNUSABLE",
    title="The delimiters cannot be told apart or are no delimiters",
    cure="Use different characters that are neither letters nor digits in UNA.",
    contrl="20",
)
DELIMITERS_GUESSED = Kind(
    code="EDIFACT-DELIMITERS-GUESSED",
    title="The delimiters are not the default ones and there is no UNA",
    cure="Send UNA where other delimiters than the default ones are used.",
    severity=Severity.WARNING,
    contrl="22",
    error_class="headers",
)
SYNTAX_UNSUPPORTED = Kind(
    code="EDIFACT-SYNTAX-UNSUPPORTED",
    title="The syntax version of the interchange (UNB 0002) is not 1 to 4",
    cure="Send syntax version 1, 2, 3 or 4.",
    severity=Severity.WARNING,
    contrl="2",
    error_class="headers",
)
CHARSET = Kind(
    code="EDIFACT-CHARSET",
    title="The bytes are not in the character set that UNB declares",
    cure="Declare the character set that is sent in UNB 0001 (UNOC for ISO 8859-1, UNOY for UTF-8).",
    severity=Severity.WARNING,
    contrl="21",
    error_class="charsets",
)
CHARSET_UNKNOWN = Kind(
    code="EDIFACT-CHARSET-UNKNOWN",
    title="The character set that UNB declares is not known",
    cure="Declare one of UNOA to UNOL, UNOW or UNOY in UNB 0001.",
    severity=Severity.WARNING,
    contrl="46",
    error_class="headers",
)
WRAPPED = Kind(
    code="EDIFACT-WRAPPED",
    title="The interchange is broken into lines of a fixed width",
    cure="Nothing needs to be done: line breaks inside segments are ignored. Better send without them.",
    severity=Severity.WARNING,
)
INTERACTIVE = Kind(
    code="EDIFACT-INTERACTIVE",
    title="This is an interactive interchange (UIB), which is not supported",
    cure="Send a batch interchange (UNB).",
    contrl="47",
)
PACKAGE = Kind(
    code="EDIFACT-PACKAGE",
    title="There is a package (UNO), whose object is not read",
    cure="Nothing needs to be done for the messages beside it. Send the object by other means if somebody shall see it.",
    severity=Severity.WARNING,
    contrl="47",
)
PACKAGE_MALFORMED = Kind(
    code="EDIFACT-PACKAGE-MALFORMED",
    title="A package (UNO) does not end where it says",
    cure="Send the length of the object in bytes in UNO 0810 and UNP 0810, and the same reference in UNO 0802 and UNP 0802.",
    contrl="29",
)
ENVELOPE_MISSING = Kind(
    code="EDIFACT-ENVELOPE-MISSING",
    title="Messages stand without their envelope (UNB)",
    cure="Send UNB before the first message.",
    contrl="13",
)
UNB_DUPLICATE = Kind(
    code="EDIFACT-UNB-DUPLICATE",
    title="Two interchanges of one file have the same control reference",
    cure="Give each interchange its own control reference.",
    contrl="26",
)
UNZ_MISSING = Kind(
    code="EDIFACT-UNZ-MISSING",
    title="The interchange has no trailer (UNZ)",
    cure="End each interchange with UNZ; look whether the file is complete.",
    contrl="13",
)
UNZ_COUNT = Kind(
    code="EDIFACT-UNZ-COUNT",
    title="The number of messages or groups in UNZ is not what was counted",
    cure="Send the number of messages, or of groups where there are any, in UNZ 0036.",
    contrl="29",
)
UNZ_CONTROL_NUMBER = Kind(
    code="EDIFACT-UNZ-CONTROL-NUMBER",
    title="The control references of UNB and UNZ differ",
    cure="Send the same reference in UNB 0020 and UNZ 0020.",
    contrl="28",
)
SEGMENT_MISPLACED = Kind(
    code="EDIFACT-SEGMENT-MISPLACED",
    title="A segment stands where no segment of its kind may stand",
    cure="Put data segments between UNH and UNT, and trailers behind their headers.",
    contrl="33",
)
JUNK = Kind(
    code="EDIFACT-JUNK",
    title="There is something between, before or behind the interchanges that is no interchange",
    cure="Send nothing but interchanges.",
)
SEGMENT_EMPTY = Kind(
    code="EDIFACT-SEGMENT-EMPTY",
    title="A segment is empty",
    cure="Send one terminator between two segments.",
    severity=Severity.WARNING,
    contrl="18",
)
TERMINATOR_MISSING = Kind(
    code="EDIFACT-TERMINATOR-MISSING",
    title="A segment has no terminator",
    cure="End each segment, also the last one, with the terminator.",
    severity=Severity.WARNING,
)
SEGMENT_ENDLESS = Kind(
    code="EDIFACT-SEGMENT-ENDLESS",
    title="No terminator comes for so long that this can be no segment",
    cure="Check the segment terminator that UNA announces.",
    contrl="18",
)
LOWER_CASE = Kind(
    code="EDIFACT-LOWER-CASE",
    title="The tags are in lower case",
    cure="Send segment tags in upper case.",
    contrl="12",
)


# Groups (codecs)
UNG_DUPLICATE = Kind(
    code="EDIFACT-UNG-DUPLICATE",
    title="Two groups of one interchange have the same reference",
    cure="Give each group of an interchange its own reference.",
    contrl="26",
)
GROUPS_MIXED = Kind(
    code="EDIFACT-GROUPS-MIXED",
    title="Messages stand inside and outside of groups",
    cure="Put all messages of an interchange into groups, or none.",
    contrl="30",
)
UNE_MISSING = Kind(
    code="EDIFACT-UNE-MISSING",
    title="The group has no trailer (UNE)",
    cure="End each group with UNE; look whether the file is complete.",
    contrl="13",
)
UNE_COUNT = Kind(
    code="EDIFACT-UNE-COUNT",
    title="The number of messages in UNE is not what was counted",
    cure="Send the number of messages of the group in UNE 0060.",
    contrl="29",
)
UNE_CONTROL_NUMBER = Kind(
    code="EDIFACT-UNE-CONTROL-NUMBER",
    title="The references of UNG and UNE differ",
    cure="Send the same reference in UNG 0048 and UNE 0048.",
    contrl="28",
)


GROUP_TYPES = Kind(
    code="EDIFACT-GROUP-TYPES",
    title="A group holds messages of another type than it says",
    cure="Put each message into a group of its own type (UNG 0038).",
    severity=Severity.WARNING,
    contrl="31",
    error_class="groups",
)
EMPTY = Kind(
    code="EDIFACT-EMPTY",
    title="An interchange or group holds no message",
    cure="Send no interchange or group without messages.",
    severity=Severity.WARNING,
    contrl="32",
    error_class="headers",
)


# Messages (codecs)
UNH_INVALID = Kind(
    code="EDIFACT-UNH-INVALID",
    title="The message header names no message type (UNH S009)",
    cure="Send type, version and release in UNH S009, such as ORDERS:D:96A:UN.",
    contrl="13",
)
UNH_CONTROL_NUMBER_MISSING = Kind(
    code="EDIFACT-UNH-CONTROL-NUMBER-MISSING",
    title="The message has no reference (UNH 0062)",
    cure="Send a reference in UNH 0062.",
    contrl="13",
)
UNH_DUPLICATE = Kind(
    code="EDIFACT-UNH-DUPLICATE",
    title="Two messages of one interchange or group have the same reference",
    cure="Give each message its own reference.",
    contrl="26",
)
UNT_MISSING = Kind(
    code="EDIFACT-UNT-MISSING",
    title="The message has no trailer (UNT)",
    cure="End each message with UNT; look whether the file is complete.",
    contrl="13",
)
UNT_COUNT = Kind(
    code="EDIFACT-UNT-COUNT",
    title="The number of segments in UNT is not what was counted",
    cure="Send the number of segments, with UNH and UNT, in UNT 0074.",
    contrl="29",
    error_class="counts",
)
UNT_CONTROL_NUMBER = Kind(
    code="EDIFACT-UNT-CONTROL-NUMBER",
    title="The references of UNH and UNT differ",
    cure="Send the same reference in UNH 0062 and UNT 0062.",
    contrl="28",
)
FILE_TRUNCATED = Kind(
    code="EDIFACT-FILE-TRUNCATED",
    title="The file ends in the middle of a message",
    cure="Send the file again, complete.",
    contrl="13",
)
TRANSACTION_TOO_LARGE = Kind(
    code="EDIFACT-TRANSACTION-TOO-LARGE",
    title="The message is larger than we hold in memory",
    cure="Split it into several messages.",
    contrl="18",
)
TAG_MALFORMED = Kind(
    code="EDIFACT-TAG-MALFORMED",
    title="A segment does not begin with a tag in capital letters",
    cure="Begin each segment with its tag of three capital letters; look whether an element contains the terminator without release character.",
    contrl="12",
)
