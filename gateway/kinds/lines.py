"""Kinds of problems: files in rows, delimited (CSV) or of fixed width."""

from gateway.problem import Kind
from gateway.problem import Severity

CHARSET = Kind(
    code="LINES-CHARSET",
    title="Bytes of the file are not in the character set that its description names",
    cure="Save the file in the character set of its description (UTF-8 is the usual one), or say another `charset:` there.",
)
HEADER = Kind(
    code="LINES-HEADER",
    title="The first row does not name the columns that the description wants",
    cure="Send a first row with the names of the columns, each once; or say in the description how the sender names them.",
)
QUOTE = Kind(
    code="LINES-QUOTE",
    title="A quoted value does not end, or something stands behind its end",
    cure="Close the quote, write quotes within a value twice, and put the delimiter right behind the closing quote.",
)
COLUMNS = Kind(
    code="LINES-COLUMNS",
    title="The row has another number of columns than it should have",
    cure="Quote values that hold the delimiter; send empty columns rather than none.",
)
RECORD_UNKNOWN = Kind(
    code="LINES-RECORD-UNKNOWN",
    title="The row begins with a mark that the description does not know",
    cure="Look at the record types of the description: each has its `mark:`.",
)
RECORD_MISPLACED = Kind(
    code="LINES-RECORD-MISPLACED",
    title="The row stands where its record type may not stand",
    cure="Send the rows in the order of the description: what a row belongs to stands before it.",
)
RECORD_MISSING = Kind(
    code="LINES-RECORD-MISSING",
    title="A record that a document must have is missing",
    cure="Send the record, or say in the description that it need not be there.",
)
GROUP_AGAIN = Kind(
    code="LINES-GROUP-AGAIN",
    title="The rows of one document do not stand together",
    cure="Sort the file so that the rows of a document follow each other.",
)
VALUE_MISSING = Kind(code="LINES-VALUE-MISSING", title="A value that must be there is empty", cure="Send the value.")
VALUE_LENGTH = Kind(
    code="LINES-VALUE-LENGTH",
    title="A value is longer or shorter than its column allows",
    cure="Send a value that fits, or change the length in the description.",
)
VALUE_INVALID = Kind(
    code="LINES-VALUE-INVALID",
    title="A value is not of its column's kind",
    cure="Send a number, a date in the form of the description, or one of its codes.",
)
TOO_LONG = Kind(
    code="LINES-TOO-LONG",
    title="A row, or a document of many rows, is larger than we read",
    cure="Look whether a line end is missing or a quote is open; send large documents in several parts.",
)
COLUMN_UNKNOWN = Kind(
    code="LINES-COLUMN-UNKNOWN",
    title="The first row names a column that the description does not have",
    cure="Nothing needs to be done: it is left out. If it matters, add it to the description.",
    severity=Severity.WARNING,
)
