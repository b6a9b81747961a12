"""The head of an EDIFACT interchange: UNA, and the delimiters that follow from it or from UNB alone (ISO 9735).

It knows nothing of groups and messages. Its rule: UNA says what the delimiters are; without it they are those of level A
(or of level B with its control characters); where even that does not fit, they are guessed and it is told.
"""

import re
from dataclasses import dataclass
from dataclasses import replace

from gateway.codecs.node import Delimiters
from gateway.codecs.window import BLANKS
from gateway.codecs.window import BYTE_ORDER_MARK
from gateway.codecs.wrapping import LINE_ENDS
from gateway.codecs.wrapping import are_broken
from gateway.codecs.wrapping import full_lines

#: UNA and UNB together are shorter than this
LONGEST = 1024
DEFAULT = Delimiters(element="+", component=":", segment="'", release="?")
#: syntax level B: information separators, and no release character
LEVEL_B = Delimiters(element="\x1d", component="\x1f", segment="\x1c")
#: the repetition separator of syntax version 4 where there is no UNA
REPETITION = "*"

_NO_DELIMITER = "[A-Za-z0-9 \r\n]"
_UNA = re.compile(r"UNA(.)(.)(.)(.)(.)(.)", re.DOTALL)
_UNA_AND_NEXT = re.compile(r"UNA.{5,6}[ \t\r\n]*UN[BGH][^A-Za-z0-9 \r\n]", re.DOTALL)
_NEXT = re.compile(r"[ \t\r\n]*(?:UN[BGH]|UI[BH])")
_UNB = re.compile(r"UNB([^A-Za-z0-9 \r\n])")
_GUESS = re.compile(
    r"UNB(?P<element>[^A-Za-z0-9 ])[A-Z]{4}(?P<component>[^A-Za-z0-9 ])\d"
    r"(?:(?!(?P=element)UN).){4,300}?(?P<segment>[^A-Za-z0-9 ])[ \t\r\n]*UN[GH](?P=element)"
)
_BARE = re.compile(r"(?:UNH|UNG)([^A-Za-z0-9 \r\n])[A-Za-z0-9]{1,14}[^A-Za-z0-9 \r\n]")
_INTERACTIVE = re.compile(r"UI[BGHTZ][^A-Za-z0-9 \r\n]")
_LOWER_CASE = re.compile(r"(?!UNA)(?i:una)[^A-Za-z0-9 \r\n]{4}|(?!UN[BH])(?i:un[bh])([^A-Za-z0-9 \r\n])[A-Za-z0-9]{1,14}[^A-Za-z0-9 \r\n]")
#: where in junk it is worth looking for an interchange
POSSIBLE = re.compile(r"UNA[^A-Za-z0-9 \r\n]{2}.[^A-Za-z0-9\r\n]{2}|UNB([^A-Za-z0-9 \r\n])[A-Z]{4}[^A-Za-z0-9 \r\n]|UIB[^A-Za-z0-9 \r\n]")
#: a new interchange inside of what should be a message
INSIDE = r"UNA[^A-Za-z0-9 \r\n]{2}.[^A-Za-z0-9\r\n]{2}.[ \t\r\n]*UNB|UNB[^A-Za-z0-9 \r\n]UNO[A-Z][^A-Za-z0-9 \r\n][1-4]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What UNA and the beginning of UNB say. `length` is that of UNA, without what follows it."""

    delimiters: Delimiters
    length: int
    #: UNA had only five characters; the delimiters were guessed
    repaired: bool = False
    guessed: bool = False


def starts(text: str, position: int = 0) -> bool:
    """Whether UNA or UNB begins here."""
    if _UNB.match(text, position) or _UNA_AND_NEXT.match(text, position):
        return True
    return text.startswith("UNA", position) and isinstance(read_head(text, position), Head)


def is_bare(text: str, position: int = 0) -> bool:
    """Whether a message or group without interchange begins here."""
    return _BARE.match(text, position) is not None


def is_interactive(text: str, position: int = 0) -> bool:
    """Whether this is an interactive interchange or message."""
    return _INTERACTIVE.match(text, position) is not None


def is_lower_case(text: str, position: int = 0) -> bool:
    """Whether this is an interchange written in lower case."""
    return _LOWER_CASE.match(text, position) is not None


def looks_like(head: bytes) -> bool:
    """Whether a file that starts with these bytes is meant to be EDIFACT."""
    text = head.decode("latin-1").removeprefix(BYTE_ORDER_MARK).lstrip(BLANKS)
    return any(test(text) for test in (starts, is_bare, is_interactive, is_lower_case)) or (text[:1] == "'" and starts(text, 1))


def read_head(text: str, position: int) -> Head | str:
    """The delimiters of the interchange at `position`, or a sentence that says why there are none."""
    found = _UNA.match(text, position)
    if found is not None:
        component, element, decimal, release, repetition, segment = found.groups()
        length, repaired = 9, False
        if segment.isalnum() and _NEXT.match(text, position + 8):
            length, repaired, segment, repetition = 8, True, repetition, ""
        delimiters = Delimiters(
            element=element, component=component, segment=segment, release=release.strip(" "), repetition=repetition.strip(" "), decimal=decimal
        )
        fault = _fault(delimiters)
        return fault or Head(delimiters=delimiters, length=length, repaired=repaired)
    unb = _UNB.match(text, position)
    if unb is None:
        return "neither UNA nor UNB stands here"
    if unb[1] == DEFAULT.element:
        head = text[position : position + LONGEST]
        if DEFAULT.segment not in head and "\nUN" in head:
            delimiters = replace(DEFAULT, segment="\r" if "\r\n" in head else "\n")
            return Head(delimiters=delimiters, length=0, guessed=True)
        version = text[position + 9 : position + 10] if text[position + 8 : position + 9] == DEFAULT.component else ""
        return Head(delimiters=with_repetition(DEFAULT) if version == "4" else DEFAULT, length=0)
    if unb[1] == LEVEL_B.element:
        return Head(delimiters=LEVEL_B, length=0)
    guess = _GUESS.match(text, position)
    if guess is None:
        return f"UNB is followed by '{unb[1]}', and no UNA says what the delimiters are"
    delimiters = Delimiters(element=guess["element"], component=guess["component"], segment=guess["segment"])
    return _fault(delimiters) or Head(delimiters=delimiters, length=0, guessed=True)


def with_repetition(delimiters: Delimiters) -> Delimiters:
    """The same with the repetition separator of syntax version 4."""
    return replace(delimiters, repetition=REPETITION)


def _fault(delimiters: Delimiters) -> str:
    used = [delimiters.element, delimiters.component, delimiters.segment]
    used += [one for one in (delimiters.release, delimiters.repetition) if one]
    if len(set(used)) < len(used):
        return "the delimiters of UNA are not different"
    if any(one.isascii() and one.isalnum() or one == " " for one in used):
        return "a delimiter of UNA is a letter, a digit or a space"
    return ""


def is_wrapped(head: str, delimiters: Delimiters, charset: str) -> bool:
    """Whether the beginning of an interchange shows that its lines are broken anywhere, not only behind segments.

    In levels A and B line breaks are no characters of data; elsewhere only lines of one width are believed.
    """
    lines = full_lines(head)
    if delimiters.segment in LINE_ENDS or not lines:
        return False
    service = re.compile(f"UN[EGHTZ]{re.escape(delimiters.element)}")
    following = [*lines[1:], ""]
    # a line break before a tag of the envelope stands where a terminator is missing
    inside = [
        line
        for line, after in zip(lines, following, strict=True)
        if line.strip() and not line.rstrip(" ").endswith(delimiters.segment) and not service.match(after)
    ]
    if not inside:
        return False
    return charset.upper() in {"UNOA", "UNOB"} or are_broken(lines, delimiters.segment)
