"""The head of an X12 interchange: ISA read by counting its elements, and the delimiters that follow from it.

It knows nothing of groups and transactions. Its rule: delimiters are what the file says, whatever they are, as long as
they can be told apart; padded and unpadded headers are read alike.
"""

import re
from dataclasses import dataclass

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment
from gateway.codecs.window import BLANKS
from gateway.codecs.window import BYTE_ORDER_MARK
from gateway.codecs.wrapping import LINE_ENDS
from gateway.codecs.wrapping import WIDEST
from gateway.codecs.wrapping import are_broken
from gateway.codecs.wrapping import full_lines

#: a padded ISA has 106 characters; room for bad padding and line breaks
LONGEST = 512
WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
#: from this version of the interchange on ISA11 is the repetition separator (X12.5)
REPETITION_SINCE = "00402"

_LINE_BREAK = re.compile(r"[\r\n]+")
#: a line break before ISA16, or between it and its terminator, which another tag follows
_BROKEN_END = re.compile(r"^(?:[\r\n]{1,2}([^A-Za-z0-9])|([^\r\n])[\r\n]{1,2})(?=[^A-Za-z0-9 \r\n][\r\n]{0,2}(?:GS|TA1|IEA|ST|ISA))")
_NEXT = re.compile(r"GS|TA1|IEA|ST")
#: where in junk it is worth looking for an ISA
POSSIBLE = re.compile(r"I[\r\n]{0,2}S[\r\n]{0,2}A[\r\n]{0,2}([^A-Za-z0-9 \r\n])(?:[\r\n]{0,2}[A-Za-z0-9 ]){0,2}[\r\n]{0,2}\1")
#: the three letters may be broken by the line breaks of a wrapped file
_START = re.compile(r"I[\r\n]{0,2}S[\r\n]{0,2}A[\r\n]{0,2}([^A-Za-z0-9 \r\n])")
#: a whole padded ISA whose element separator is a character of data
_UNUSABLE = re.compile(r"ISA([A-Za-z0-9 ])\d\d\1.{10}\1\d\d\1.{10}\1")
_LOWER_CASE = re.compile(r"(?!ISA)(?i:isa)[^A-Za-z0-9 \r\n]|(?!ST|GS)(?i:st|gs)([^A-Za-z0-9 \r\n])[A-Za-z0-9 ]{2,15}\1", re.ASCII)
#: without ISA: ST, a type of three digits and a control number, then what ends that segment, then another tag
_BARE_TRANSACTION = re.compile(
    r"ST(?P<element>[^A-Za-z0-9 \r\n])\d{3}(?P=element)[A-Za-z0-9]{1,9}(?:(?P=element)[A-Za-z0-9]{1,35})?[ ]*"
    r"(?P<segment>[^A-Za-z0-9 ])[ \t\r\n]*[A-Z][A-Z0-9]{1,2}(?P=element)",
    re.ASCII,
)
_BARE_GROUP = re.compile(
    r"GS(?P<element>[^A-Za-z0-9 \r\n])[A-Z0-9]{2}(?P=element)[^\r\n]{4,120}?(?P<segment>[^A-Za-z0-9 ])[ \t\r\n]*ST(?P=element)\d{3}(?P=element)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An ISA that was read. `length` is its length in the file with its terminator; `padded` whether its widths are right; `broken`
    whether there are line breaks in it."""

    segment: Segment
    delimiters: Delimiters
    length: int
    padded: bool
    broken: bool


def starts(text: str, position: int = 0) -> bool:
    """Whether an ISA begins here."""
    return _START.match(text, position) is not None


def can_be_read(text: str, position: int) -> bool:
    """Whether an ISA begins here that is whole."""
    return starts(text, position) and isinstance(read_header(text, position), Header)


def unusable_separator(text: str, position: int = 0) -> str:
    """The letter, digit or space that separates the elements of the ISA that begins here, if that is so."""
    found = _UNUSABLE.match(text, position)
    return found[1] if found is not None else ""


def is_lower_case(text: str, position: int = 0) -> bool:
    """Whether this is an interchange written in lower case."""
    return _LOWER_CASE.match(text, position) is not None


def looks_like(head: bytes) -> bool:
    """Whether a file that starts with these bytes is meant to be X12."""
    text = head.decode("latin-1").removeprefix(BYTE_ORDER_MARK).lstrip(BLANKS)
    return starts(text) or is_lower_case(text) or bool(unusable_separator(text)) or bare_delimiters(text) is not None


def bare_delimiters(text: str) -> Delimiters | None:
    """The delimiters of a file that starts with GS or ST: guessed from where the next segment starts."""
    found = _BARE_TRANSACTION.match(text) or _BARE_GROUP.match(text)
    if found is None or found["element"] == found["segment"]:
        return None
    component = next(one for one in ">:<" if one not in {found["element"], found["segment"]})
    return Delimiters(element=found["element"], component=component, segment=found["segment"])


def read_header(text: str, position: int) -> Header | str:
    """The ISA at `position`, or a sentence that says why it cannot be read."""
    begun = _START.match(text, position)
    if begun is None:
        return "no ISA stands here"
    head = text[position : position + LONGEST]
    element = begun[1]
    parts = head.split(element, 16)
    if len(parts) < 17:
        return f"ISA has {len(parts) - 1} elements, 16 are expected"
    for number, (part, width) in enumerate(zip(parts[1:16], WIDTHS, strict=False), 1):
        if len(_LINE_BREAK.sub("", part)) > 3 * width + 10:
            return f"ISA{number:02} has {len(part)} characters, {width} are expected"
    tail = _BROKEN_END.sub(r"\1\2", parts[16])
    wrapped = tail != parts[16] or any(_LINE_BREAK.search(part) for part in parts[:16])
    length = len(head) - len(tail)
    if wrapped:
        parts = [_LINE_BREAK.sub("", part) for part in parts]
    if len(tail) < 2:
        return "the file ends inside ISA"
    component, segment = tail[0], tail[1]
    length += 2
    if _NEXT.match(tail, 1) and tail[3:4] in {element, "1", "A"}:
        component, segment = "", component
        length -= 1
    fault = _fault(element, component, segment, tail)
    if fault:
        return fault
    # a line break that ends segments cannot be left out elsewhere: only ISA is joined then
    broken, wrapped = wrapped, wrapped and segment not in LINE_ENDS
    values = parts[:16] + [component]
    if not all(value.isascii() for value in values):
        values = [_as_utf8(value) for value in values]
    if _is_data(component):
        component = ""
    repetition = values[11] if repeats(values) and len(values[11]) == 1 and values[11] not in {element, segment, component} else ""
    if _is_data(repetition):
        repetition = ""
    padded = all(len(value) == width for value, width in zip(values[1:16], WIDTHS, strict=False))
    return Header(
        segment=values,
        length=length,
        padded=padded,
        broken=broken,
        delimiters=Delimiters(element=element, component=component, segment=segment, repetition=repetition, wrapped=wrapped),
    )


def repeats(segment: Segment) -> bool:
    """Whether ISA11 is the repetition separator, by the version in ISA12."""
    return bool(segment[12].strip() >= REPETITION_SINCE)


def _is_data(delimiter: str) -> bool:
    """Whether values hold this character, so that nothing can be cut by it."""
    return delimiter == " " or (delimiter.isascii() and delimiter.isalnum())


def is_wrapped(text: str, position: int, header: Header) -> bool:
    """Whether the interchange at `position` is broken into lines of one width, all longer than its ISA, without regard to its segments."""
    segment = header.delimiters.segment
    first = text.find("\n", position, position + WIDEST)
    if segment in LINE_ENDS or first < 0 or text.find("\n", first + 1, first + header.length) >= 0:
        return False
    return are_broken(full_lines(text[position : position + WIDEST]), segment)


def _fault(element: str, component: str, segment: str, tail: str) -> str:
    if segment in {element, component} or element == component:
        return f"the delimiters of ISA are not different: element '{element}', component '{component}', segment '{segment}'"
    if _is_data(segment):
        return f"the segment terminator behind ISA16 is '{segment}', a character of data"
    if "\xc2" <= segment <= "\xf4" and "\x80" <= tail[2:3] <= "\xbf":
        return "the segment terminator behind ISA16 is no single byte"
    return ""


def _as_utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def release_of(version: str) -> str:
    """The six digits of GS08 (004010VICS, 005010X220A1; some write 4010) or of ISA12 (00401) that name the release."""
    version = version.strip()
    if version[:6].isdigit() and len(version) >= 6:
        return version[:6]
    if version.isdigit() and len(version) == 4:
        return "00" + version
    return version + "0" if version.isdigit() and len(version) == 5 else version


def identity(qualifier: str, identifier: str) -> str:
    """ISA05 and ISA06, or ISA07 and ISA08, as qualifier:id."""
    qualifier, identifier = qualifier.strip(), identifier.strip()
    return f"{qualifier}:{identifier}" if qualifier or identifier else ""
