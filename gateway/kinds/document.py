"""Kinds of problems: canonical documents and mapping."""

from gateway.problem import Kind
from gateway.problem import Severity

VALUE_INVALID = Kind(
    code="MAP-VALUE-INVALID",
    title="A value cannot be turned into what the document needs",
    cure="Send the value in the form that is expected, or state its form in the partner's mapping (as:, divide:, table:).",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
    ted="848",
)

FIELD_MISSING = Kind(
    code="MAP-FIELD-MISSING",
    title="Something that the document must have was not sent",
    cure="Send it, or say in the partner's mapping where else it stands (first:) or what it is when nothing is sent (default:).",
    ak3="8",
    ak4="1",
    ak5="5",
    contrl="13",
    ted="007",
)

CODE_UNKNOWN = Kind(
    code="MAP-CODE-UNKNOWN",
    title="A code is not in the mapping's table",
    severity=Severity.WARNING,
    cure="Add the code to the table in the partner's file (tables:), or say what becomes of unknown codes (else:).",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
    error_class="codes",
    ted="848",
)

EXPRESSION_FAILED = Kind(
    code="MAP-EXPRESSION-FAILED",
    title="An expression of the mapping could not be computed",
    severity=Severity.WARNING,
    cure="Look at the expression with the values of this document; guard it with has() or a further condition.",
    ak5="5",
    contrl="12",
)

WRITE_MISSING = Kind(
    code="MAP-WRITE-MISSING",
    title="The document lacks a value that the message must have",
    cure="Complete the document, or give a default: or constant: in the mapping.",
)

WRITE_INVALID = Kind(
    code="MAP-WRITE-INVALID",
    title="A value of the document cannot be written in the form that the message needs",
    cure="Change the value, or say in the mapping how it is to be written (round:, cut:, table:).",
)

CHECK_DIGIT = Kind(
    code="DOC-CHECK-DIGIT",
    title="A GTIN, GLN or SSCC has a wrong check digit or length",
    severity=Severity.WARNING,
    cure="Compare the number with the label or the master data; it is kept as sent.",
    error_class="check_digits",
    ted="848",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
)

DELIVERIES_DIFFER = Kind(
    code="DOC-DELIVERIES-DIFFER",
    title="The deliveries of a line do not add up to its quantity",
    severity=Severity.WARNING,
    cure="Ask the buyer which is right; the line's quantity and its deliveries are kept as sent.",
    ted="010",
)

CURRENCY = Kind(
    code="DOC-CURRENCY",
    title="A currency is none of ISO 4217",
    severity=Severity.WARNING,
    cure="Send the three letters of the currency, such as EUR or USD; it is kept as sent.",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
    ted="848",
    error_class="currencies",
)

COUNTRY = Kind(
    code="DOC-COUNTRY",
    title="A country is none of ISO 3166",
    severity=Severity.WARNING,
    cure="Send the two letters of the country, such as DE or US; it is kept as sent.",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
    ted="848",
    error_class="countries",
)

UNIT = Kind(
    code="DOC-UNIT",
    title="A unit has not the form of a code",
    severity=Severity.WARNING,
    cure="Send a code of Recommendation 20 or 21, or of X12 355, such as EA, PCE or KGM; it is kept as sent.",
    ak3="8",
    ak4="7",
    ak5="5",
    contrl="12",
    ted="H",
    error_class="units",
)
