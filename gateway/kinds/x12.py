"""Kinds of problems: X12 envelopes, segments and elements (AK3, AK4, AK5, AK9, TA1 codes)."""

from gateway.problem import Kind
from gateway.problem import Severity

# Interchanges and what stands around them (codecs)
ISA_MALFORMED = Kind(
    code="X12-ISA-MALFORMED",
    title="The interchange header (ISA) cannot be read",
    cure="Send 16 elements after ISA, with one separator between them and a terminator behind the last.",
    ta1="022",
)
ISA_NOT_PADDED = Kind(
    code="X12-ISA-NOT-PADDED",
    title="The elements of ISA do not have their fixed widths",
    cure="Pad the elements of ISA with spaces to their fixed widths.",
    severity=Severity.WARNING,
)
ISA_CONTROL_NUMBER_INVALID = Kind(
    code="X12-ISA-CONTROL-NUMBER-INVALID",
    title="The interchange control number (ISA13) is not nine digits",
    cure="Send nine digits in ISA13.",
    ta1="018",
)
ISA_DUPLICATE = Kind(
    code="X12-ISA-DUPLICATE",
    title="Two interchanges of one file have the same control number",
    cure="Give each interchange its own control number.",
    ta1="025",
)
ISA_AUTHORIZATION = Kind(
    code="X12-ISA-AUTHORIZATION",
    title="The qualifier of the authorization (ISA01) is not 00 to 08",
    cure="Send 00 in ISA01 where no authorization was agreed.",
    severity=Severity.WARNING,
    ta1="010",
    error_class="headers",
)
ISA_AUTHORIZATION_EMPTY = Kind(
    code="X12-ISA-AUTHORIZATION-EMPTY",
    title="The authorization (ISA02) does not go with its qualifier (ISA01)",
    cure="Send spaces in ISA02 with 00 in ISA01, and the authorization with any other.",
    severity=Severity.WARNING,
    ta1="011",
    error_class="headers",
)
ISA_SECURITY = Kind(
    code="X12-ISA-SECURITY",
    title="The qualifier of the password (ISA03) is neither 00 nor 01",
    cure="Send 00 in ISA03 where no password was agreed.",
    severity=Severity.WARNING,
    ta1="012",
    error_class="headers",
)
ISA_SECURITY_EMPTY = Kind(
    code="X12-ISA-SECURITY-EMPTY",
    title="The password (ISA04) does not go with its qualifier (ISA03)",
    cure="Send spaces in ISA04 with 00 in ISA03, and the password with 01.",
    severity=Severity.WARNING,
    ta1="013",
    error_class="headers",
)
ISA_SENDER_QUALIFIER = Kind(
    code="X12-ISA-SENDER-QUALIFIER",
    title="The qualifier of the sender (ISA05) is not two letters or digits",
    cure="Send a qualifier such as ZZ, 01 or 12 in ISA05.",
    severity=Severity.WARNING,
    ta1="005",
    error_class="headers",
)
ISA_SENDER = Kind(
    code="X12-ISA-SENDER",
    title="The sender (ISA06) is empty",
    cure="Send the sender's identifier in ISA06.",
    severity=Severity.WARNING,
    ta1="006",
    error_class="headers",
)
ISA_RECEIVER_QUALIFIER = Kind(
    code="X12-ISA-RECEIVER-QUALIFIER",
    title="The qualifier of the receiver (ISA07) is not two letters or digits",
    cure="Send a qualifier such as ZZ, 01 or 12 in ISA07.",
    severity=Severity.WARNING,
    ta1="007",
    error_class="headers",
)
ISA_RECEIVER = Kind(
    code="X12-ISA-RECEIVER",
    title="The receiver (ISA08) is empty",
    cure="Send the receiver's identifier in ISA08.",
    severity=Severity.WARNING,
    ta1="008",
    error_class="headers",
)
ISA_DATE = Kind(
    code="X12-ISA-DATE",
    title="The date of the interchange (ISA09) is no date",
    cure="Send the date as YYMMDD in ISA09.",
    severity=Severity.WARNING,
    ta1="014",
    error_class="headers",
)
ISA_TIME = Kind(
    code="X12-ISA-TIME",
    title="The time of the interchange (ISA10) is no time",
    cure="Send the time as HHMM in ISA10.",
    severity=Severity.WARNING,
    ta1="015",
    error_class="headers",
)
ISA_STANDARD_UNSUPPORTED = Kind(
    code="X12-ISA-STANDARD-UNSUPPORTED",
    title="ISA11 does not name the standard of an interchange before 00402",
    cure="Send U in ISA11, or a version from 00402 on in ISA12, where ISA11 separates repetitions.",
    severity=Severity.WARNING,
    ta1="002",
    error_class="headers",
)
ISA_VERSION_UNSUPPORTED = Kind(
    code="X12-ISA-VERSION-UNSUPPORTED",
    title="The version of the interchange (ISA12) is none that there is",
    cure="Send a version from 00200 on, such as 00401 or 00501, in ISA12.",
    severity=Severity.WARNING,
    ta1="003",
    error_class="headers",
)
ISA_VERSION = Kind(
    code="X12-ISA-VERSION",
    title="The version of the interchange (ISA12) is not five digits",
    cure="Send five digits, such as 00401, in ISA12.",
    severity=Severity.WARNING,
    ta1="017",
    error_class="headers",
)
ISA_ACKNOWLEDGMENT = Kind(
    code="X12-ISA-ACKNOWLEDGMENT",
    title="The wish for an acknowledgment (ISA14) is neither 0 nor 1",
    cure="Send 0 or 1 in ISA14; anything else counts as 0.",
    severity=Severity.WARNING,
    ta1="019",
    error_class="headers",
)
ISA_USAGE = Kind(
    code="X12-ISA-USAGE",
    title="The usage of the interchange (ISA15) is not P, T or I",
    cure="Send P for production or T for test in ISA15; anything else counts as production.",
    severity=Severity.WARNING,
    ta1="020",
    error_class="headers",
)
COMPONENT_SEPARATOR_MISSING = Kind(
    code="X12-COMPONENT-SEPARATOR-MISSING",
    title="There is no component separator in ISA16: it is empty, or a character of data",
    cure="Send a component separator in ISA16.",
    severity=Severity.WARNING,
    ta1="027",
    error_class="headers",
)
REPETITION_SEPARATOR_MISSING = Kind(
    code="X12-REPETITION-SEPARATOR-MISSING",
    title="There is no repetition separator in ISA11, although the version of the interchange is 00402 or later",
    cure="Send a repetition separator in ISA11 that is neither another delimiter nor a letter, a digit or a space; or version 00401 in ISA12.",
    severity=Severity.WARNING,
    ta1="016",
    error_class="headers",
)
BINARY_LENGTH = Kind(
    code="X12-BINARY-LENGTH",
    title="The length that a binary segment (BIN, BDS) gives is not that of its data",
    cure="Send the number of bytes between the separator and the terminator.",
    ak3="8",
    ak4="6",
    ak5="5",
)
WRAPPED = Kind(
    code="X12-WRAPPED",
    title="The interchange is broken into lines of a fixed width",
    cure="Nothing needs to be done: line breaks inside segments are ignored. Better send without them.",
    severity=Severity.WARNING,
)
ENVELOPE_MISSING = Kind(
    code="X12-ENVELOPE-MISSING",
    title="Groups or transactions stand without their envelope (ISA, GS)",
    cure="Send ISA and GS before the first transaction.",
    ta1="024",
    ak9="",
)
GROUP_MISSING = Kind(
    code="X12-GROUP-MISSING",
    title="A transaction stands outside of any group (GS)",
    cure="Send GS before the first ST of an interchange.",
    ta1="024",
)
IEA_MISSING = Kind(
    code="X12-IEA-MISSING",
    title="The interchange has no trailer (IEA)",
    cure="End each interchange with IEA; look whether the file is complete.",
    ta1="023",
)
IEA_COUNT = Kind(
    code="X12-IEA-COUNT",
    title="The number of groups in IEA01 is not what was counted",
    cure="Send the number of groups of the interchange in IEA01.",
    ta1="021",
)
IEA_CONTROL_NUMBER = Kind(
    code="X12-IEA-CONTROL-NUMBER",
    title="The control numbers of ISA and IEA differ",
    cure="Send the same number in ISA13 and IEA02.",
    ta1="001",
)
SEGMENT_MISPLACED = Kind(
    code="X12-SEGMENT-MISPLACED",
    title="A segment stands where no segment of its kind may stand",
    cure="Put data segments between ST and SE, and trailers behind their headers.",
    ta1="024",
)
ADVICE_MISPLACED = Kind(
    code="X12-ADVICE-MISPLACED",
    title="A TA1 stands behind the first group",
    cure="Send TA1 between ISA and the first GS.",
    severity=Severity.WARNING,
)
JUNK = Kind(
    code="X12-JUNK",
    title="There is something between, before or behind the interchanges that is no interchange",
    cure="Send nothing but interchanges.",
    ta1="",
)
SEGMENT_EMPTY = Kind(
    code="X12-SEGMENT-EMPTY",
    title="A segment is empty",
    cure="Send one terminator between two segments.",
    severity=Severity.WARNING,
)
TERMINATOR_MISSING = Kind(
    code="X12-TERMINATOR-MISSING",
    title="The last segment of the file has no terminator",
    cure="End the last segment with the terminator too.",
    severity=Severity.WARNING,
)
SEGMENT_ENDLESS = Kind(
    code="X12-SEGMENT-ENDLESS",
    title="No terminator comes for so long that this can be no segment",
    cure="Check the segment terminator that ISA announces.",
    ta1="004",
    ak3="8",
    ak5="5",
)
LOWER_CASE = Kind(
    code="X12-LOWER-CASE",
    title="The tags are in lower case",
    cure="Send segment tags in upper case.",
    ta1="022",
    ak3="1",
    ak5="5",
)


# Groups (codecs)
GS_CONTROL_NUMBER_INVALID = Kind(
    code="X12-GS-CONTROL-NUMBER-INVALID",
    title="The group control number (GS06) is not one to nine digits",
    cure="Send one to nine digits in GS06.",
    ak9="6",
)
GS_SENDER = Kind(
    code="X12-GS-SENDER",
    title="The sending application (GS02) is not at least two characters",
    cure="Send two to fifteen characters in GS02.",
    severity=Severity.WARNING,
    ak9_newer="7",
    error_class="headers",
)
GS_RECEIVER = Kind(
    code="X12-GS-RECEIVER",
    title="The receiving application (GS03) is not at least two characters",
    cure="Send two to fifteen characters in GS03.",
    severity=Severity.WARNING,
    ak9_newer="8",
    error_class="headers",
)
GS_AGENCY = Kind(
    code="X12-GS-AGENCY",
    title="The agency of the standard (GS07) is neither X nor T",
    cure="Send X in GS07.",
    severity=Severity.WARNING,
    ak9_newer="9",
    error_class="headers",
)
GS_DUPLICATE = Kind(
    code="X12-GS-DUPLICATE",
    title="Two groups of one interchange have the same control number",
    cure="Give each group of an interchange its own control number.",
    ak9="6",
    ak9_newer="19",
)
GE_MISSING = Kind(
    code="X12-GE-MISSING",
    title="The group has no trailer (GE)",
    cure="End each group with GE; look whether the file is complete.",
    ak9="3",
)
GE_COUNT = Kind(
    code="X12-GE-COUNT",
    title="The number of transactions in GE01 is not what was counted",
    cure="Send the number of transactions of the group in GE01.",
    ak9="5",
)
GE_CONTROL_NUMBER = Kind(
    code="X12-GE-CONTROL-NUMBER",
    title="The control numbers of GS and GE differ",
    cure="Send the same number in GS06 and GE02.",
    ak9="4",
)


# Transactions (codecs)
ST_INVALID = Kind(
    code="X12-ST-INVALID",
    title="The transaction header has no identifier of three digits in ST01",
    cure="Send the transaction set's identifier, such as 850, in ST01.",
    ak5="6",
)
ST_CONTROL_NUMBER_INVALID = Kind(
    code="X12-ST-CONTROL-NUMBER-INVALID",
    title="The transaction has no control number (ST02)",
    cure="Send 4 to 9 characters in ST02.",
    ak5="7",
)
ST_NOT_IN_GROUP = Kind(
    code="X12-ST-NOT-IN-GROUP",
    title="The transaction stands in a group of another type",
    cure="Put each transaction into a group of its own type: GS01 is PO for 850, SH for 856, IN for 810.",
    severity=Severity.WARNING,
    ak5="6",
    ik5="18",
    error_class="groups",
)
ST_CONVENTION = Kind(
    code="X12-ST-CONVENTION",
    title="The guide that ST03 names is not of the version or not the one of the group",
    cure="Send the same guide in ST03 and GS08, such as 005010X231A1, or nothing in ST03.",
    severity=Severity.WARNING,
    ak5="19",
    ik5="19",
    error_class="groups",
)
ST_DUPLICATE = Kind(
    code="X12-ST-DUPLICATE",
    title="Two transactions of one group have the same control number",
    cure="Give each transaction of a group its own control number.",
    ak5="23",
)
SE_MISSING = Kind(
    code="X12-SE-MISSING",
    title="The transaction has no trailer (SE)",
    cure="End each transaction with SE; look whether the file is complete.",
    ak5="2",
)
SE_COUNT = Kind(
    code="X12-SE-COUNT",
    title="The number of segments in SE01 is not what was counted",
    cure="Send the number of segments, with ST and SE, in SE01.",
    ak5="4",
    error_class="counts",
)
SE_CONTROL_NUMBER = Kind(
    code="X12-SE-CONTROL-NUMBER",
    title="The control numbers of ST and SE differ",
    cure="Send the same number in ST02 and SE02.",
    ak5="3",
)
FILE_TRUNCATED = Kind(
    code="X12-FILE-TRUNCATED",
    title="The file ends in the middle of a transaction",
    cure="Send the file again, complete.",
    ak5="2",
    ta1="023",
)
TRANSACTION_TOO_LARGE = Kind(
    code="X12-TRANSACTION-TOO-LARGE",
    title="The transaction is larger than we hold in memory",
    cure="Split it into several transactions.",
    ak5="5",
)
TAG_MALFORMED = Kind(
    code="X12-TAG-MALFORMED",
    title="A segment does not begin with a tag in capital letters",
    cure="Begin each segment with its tag of two or three capital letters and digits; look whether an element contains the terminator.",
    ak3="1",
    ak5="5",
)


# Structure of transactions (schema)
SEGMENT_UNKNOWN = Kind(
    code="X12-SEGMENT-UNKNOWN",
    title="The tag names no segment that the version knows",
    cure="Leave the segment out, or have the schema extended by it.",
    ak3="1",
    ak5="5",
    error_class="segments",
)
SEGMENT_UNEXPECTED = Kind(
    code="X12-SEGMENT-UNEXPECTED",
    title="The segment belongs to a loop that is not open here",
    cure="Send the segment that opens the loop first.",
    ak3="2",
    ak5="5",
    error_class="segments",
    guide3="I4",
)
SEGMENT_MISSING = Kind(
    code="X12-SEGMENT-MISSING",
    title="A mandatory segment or loop is missing",
    cure="Send the segment at the place that is named.",
    ak3="3",
    ak5="5",
    guide3="I8",
)
LOOP_OVER_MAXIMUM = Kind(
    code="X12-LOOP-OVER-MAXIMUM",
    title="A loop stands more often than it may",
    cure="Send the loop at most as often as the schema allows.",
    ak3="4",
    ak5="5",
    error_class="segments",
)
SEGMENT_OVER_MAXIMUM = Kind(
    code="X12-SEGMENT-OVER-MAXIMUM",
    title="A segment stands more often than it may",
    cure="Send the segment at most as often as the schema allows.",
    ak3="5",
    ak5="5",
    error_class="segments",
)
SEGMENT_NOT_IN_TRANSACTION = Kind(
    code="X12-SEGMENT-NOT-IN-TRANSACTION",
    title="The segment exists, but not in this transaction",
    cure="Leave the segment out.",
    ak3="6",
    ak5="5",
    error_class="segments",
    guide3="I4",
)
SEGMENT_OUT_OF_ORDER = Kind(
    code="X12-SEGMENT-OUT-OF-ORDER",
    title="A segment stands behind others that must follow it",
    cure="Send the segments in the order of the schema.",
    ak3="7",
    ak5="5",
    error_class="segments",
    guide3="I4",
)


# Elements (schema)
ELEMENT_MISSING = Kind(
    code="X12-ELEMENT-MISSING",
    title="A mandatory element or component is empty",
    cure="Send a value.",
    ak3="8",
    ak4="1",
    ak5="5",
    error_class="missing",
    guide4="I9",
)
ELEMENT_CONDITION = Kind(
    code="X12-ELEMENT-CONDITION",
    title="An element is empty although another one demands it",
    cure="Send the elements together, as the segment's conditions demand.",
    ak3="8",
    ak4="2",
    ak5="5",
    error_class="conditions",
    guide4="I9",
)
ELEMENTS_TOO_MANY = Kind(
    code="X12-ELEMENTS-TOO-MANY",
    title="A segment has more elements than it may",
    cure="Send no more elements than the schema knows.",
    ak3="8",
    ak4="3",
    ak5="5",
    error_class="surplus",
)
ELEMENT_TOO_SHORT = Kind(
    code="X12-ELEMENT-TOO-SHORT",
    title="A value is too short",
    cure="Send a value of the length that is asked for.",
    ak3="8",
    ak4="4",
    ak5="5",
    error_class="lengths",
    guide4="I12",
)
ELEMENT_TOO_LONG = Kind(
    code="X12-ELEMENT-TOO-LONG",
    title="A value is too long",
    cure="Send a value of the length that is asked for.",
    ak3="8",
    ak4="5",
    ak5="5",
    error_class="lengths",
    guide4="I12",
)
ELEMENT_CHARACTER = Kind(
    code="X12-ELEMENT-CHARACTER",
    title="A value holds characters that it may not hold, such as letters in a number",
    cure="Send digits in numbers, and no control characters anywhere.",
    ak3="8",
    ak4="6",
    ak5="5",
    error_class="characters",
    guide4="I12",
)
HL_PARENT_UNKNOWN = Kind(
    code="X12-HL-PARENT-UNKNOWN",
    title="A level names a parent that is no level before it",
    cure="Send in HL02 the HL01 of the level that this one stands under, after that level.",
    ak3="8",
    ak4="7",
    ak5="5",
    error_class="segments",
)
HL_NUMBER_TWICE = Kind(
    code="X12-HL-NUMBER-TWICE",
    title="Two levels have the same number",
    cure="Number the levels of a transaction through in HL01.",
    ak3="8",
    ak4="7",
    ak5="5",
    error_class="segments",
)
ELEMENT_CODE = Kind(
    code="X12-ELEMENT-CODE",
    title="A code is not one of those that are allowed",
    cure="Send one of the codes that are named.",
    ak3="8",
    ak4="7",
    ak5="5",
    error_class="codes",
    guide4="I6",
)
ELEMENT_DATE = Kind(
    code="X12-ELEMENT-DATE",
    title="A value is no date of the calendar in the form that is asked for",
    cure="Send a date like 20260131.",
    ak3="8",
    ak4="8",
    ak5="5",
    error_class="dates",
)
ELEMENT_TIME = Kind(
    code="X12-ELEMENT-TIME",
    title="A value is no time of day in the form that is asked for",
    cure="Send a time like 1430.",
    ak3="8",
    ak4="9",
    ak5="5",
    error_class="dates",
)
ELEMENT_EXCLUSION = Kind(
    code="X12-ELEMENT-EXCLUSION",
    title="Two elements stand together that exclude each other",
    cure="Send only one of them.",
    ak3="8",
    ak4="10",
    ak5="5",
    error_class="conditions",
    guide4="I13",
)
REPETITIONS_TOO_MANY = Kind(
    code="X12-REPETITIONS-TOO-MANY",
    title="An element is repeated more often than it may",
    cure="Send fewer repetitions.",
    ak3="8",
    ak4="3",
    ak5="5",
    ik4="12",
    error_class="surplus",
)
COMPONENTS_TOO_MANY = Kind(
    code="X12-COMPONENTS-TOO-MANY",
    title="A composite has more components than it may",
    cure="Send fewer components.",
    ak3="8",
    ak4="3",
    ak5="5",
    ik4="13",
    error_class="surplus",
)
ELEMENT_NOT_USED = Kind(
    code="X12-ELEMENT-NOT-USED",
    title="An element is sent that was agreed not to be used",
    cure="Leave the element empty.",
    ak3="8",
    ak4="3",
    ak5="5",
    ik4="I10",
    error_class="surplus",
)
PROBLEMS_TOO_MANY = Kind(
    code="X12-PROBLEMS-TOO-MANY",
    title="The transaction has more problems than are worth listing",
    cure="Correct those that are listed first.",
    severity=Severity.WARNING,
)
