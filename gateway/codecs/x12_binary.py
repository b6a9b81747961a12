"""Binary segments of X12 (BIN, BDS): a length, then so many raw bytes, in which delimiters are data.

It knows the two segments and nothing of what holds them. Its rule: a length is believed when a terminator stands right behind
that many bytes; else the segment is cut like any other and the length is told as wrong.
"""

import re
from functools import lru_cache

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment

#: the element that holds the length; the bytes are the element behind it
LENGTHS = {"BIN": 1, "BDS": 2}


@lru_cache(maxsize=64)
def starts(delimiters: Delimiters, blanks: str) -> re.Pattern[str]:
    """Finds the terminator before a binary segment, and its `length`."""
    element, segment = re.escape(delimiters.element), re.escape(delimiters.segment)
    return re.compile(f"{segment}[{blanks}]*(?:BIN{element}|BDS{element}[^{element}{segment}]{{0,80}}{element})(?P<length>[0-9]{{1,15}}){element}")


def may_hold(text: str, delimiters: Delimiters) -> bool:
    """Whether there can be a binary segment at all. Where lines are wrapped, bytes cannot be counted."""
    return not delimiters.wrapped and ("BIN" + delimiters.element in text or "BDS" + delimiters.element in text)


def pieces(text: str, delimiters: Delimiters, blanks: str) -> list[str]:
    """The text cut at its terminators, except for those among binary bytes."""
    search = starts(delimiters, blanks).search
    answer: list[str] = []
    position = scan = 0
    while found := search(text, scan):
        end = found.end() + int(found["length"])
        if text[end : end + 1] != delimiters.segment:
            scan = found.end()
            continue
        if found.start() >= position:
            answer += text[position : found.start()].split(delimiters.segment)
        answer.append(text[found.start() + 1 : end])
        position, scan = end + 1, end
    return [*answer, *text[position:].split(delimiters.segment)]


def cut_segment(text: str, delimiters: Delimiters) -> Segment:
    """One segment; of a binary one that is as long as it says, the bytes are one element."""
    segment: Segment = text.split(delimiters.element)
    number = LENGTHS.get(segment[0])
    if number is None or len(segment) <= number + 1:
        return segment
    whole: Segment = text.split(delimiters.element, number + 1)
    return whole if declared(whole) == len(whole[number + 1]) else segment


def declared(segment: Segment) -> int | None:
    """The length that a binary segment gives; None where that is no number."""
    number = LENGTHS[segment[0]]
    length = segment[number] if len(segment) > number else ""
    return int(length) if length.isascii() and length.isdigit() and len(length) <= 15 else None


def is_whole(segment: Segment) -> bool:
    """Whether a binary segment is as long as it says. Its data have one character a byte."""
    number = LENGTHS[segment[0]]
    return len(segment) == number + 2 and declared(segment) == len(segment[number + 1])
