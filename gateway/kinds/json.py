"""Kinds of problems: JSON files."""

from gateway.problem import Kind
from gateway.problem import Severity

NOT_WELL_FORMED = Kind(
    code="JSON-NOT-WELL-FORMED",
    title="The file is no JSON",
    cure="Send JSON as RFC 8259 has it: UTF-8, names and texts in double quotes, no comma after the last value, no comments.",
)
TOO_LARGE = Kind(code="JSON-TOO-LARGE", title="The JSON file is larger than we read", cure="Send several smaller files.")
TOO_DEEP = Kind(
    code="JSON-TOO-DEEP",
    title="Objects and lists are nested deeper than any business document needs",
    cure="Check what made the file.",
)
KEY_TWICE = Kind(
    code="JSON-KEY-TWICE", title="A name stands twice in one object", cure="Send each name once: which of the two is meant cannot be told."
)
KEY_UNKNOWN = Kind(
    code="JSON-KEY-UNKNOWN",
    title="An object has a name that the description does not have",
    cure="Nothing needs to be done: it is left out. If it matters, add it to the description.",
    severity=Severity.WARNING,
)
VALUE_MISSING = Kind(code="JSON-VALUE-MISSING", title="A value that must be there is missing or null", cure="Send the value.")
VALUE_INVALID = Kind(
    code="JSON-VALUE-INVALID",
    title="A value is not of its field's kind",
    cure="Send a number, a date in the form of the description, one of its codes, an object or a list, as the description says.",
)
VALUE_LENGTH = Kind(
    code="JSON-VALUE-LENGTH",
    title="A value is longer or shorter than its field allows",
    cure="Send a value that fits, or change the length in the description.",
)
