"""Packages of EDIFACT (UNO, an object, UNP): where the object lies, so that nothing in it is taken for segments.

It knows the two segments and nothing of what objects are; they stay in the file as sent and are not read. Its rule: the
length in UNO (S022 0810) is believed when UNP stands right behind that many bytes.
"""

import re
from functools import lru_cache

from gateway.codecs.node import Delimiters


@lru_cache(maxsize=64)
def starts(delimiters: Delimiters, blanks: str) -> re.Pattern[str]:
    """Finds a UNO behind a terminator, up to the `length` of its object; or, at the beginning of what is searched, without one."""
    element, segment = re.escape(delimiters.element), re.escape(delimiters.segment)
    part = f"[^{element}{segment}]*{element}"
    component = re.escape(delimiters.component)
    return re.compile(
        f"(?:^|{segment}[{blanks}]*)UNO{element}{part}{part}{part}(?P<length>[0-9]{{1,15}})(?:{component}[^{element}{segment}]*)?"
        f"(?:{element}[^{segment}]*)?{segment}"
    )


@lru_cache(maxsize=64)
def ends(delimiters: Delimiters, blanks: str) -> re.Pattern[str]:
    """Matches what must stand behind an object."""
    return re.compile(f"[{blanks}]*UNP{re.escape(delimiters.element)}")


@lru_cache(maxsize=64)
def rest(delimiters: Delimiters) -> re.Pattern[str]:
    """Finds the `end` of a package whose length is wrong, or what comes before it."""
    element, segment = re.escape(delimiters.element), re.escape(delimiters.segment)
    return re.compile(f"(?P<end>UNP{element}[0-9]{{1,15}}{element})|{segment}[ \\r\\n]*UN[OHEGZB]{element}")


def may_hold(text: str, delimiters: Delimiters) -> bool:
    """Whether there can be a package at all. Where lines are wrapped, bytes cannot be counted."""
    return not delimiters.wrapped and "UNO" + delimiters.element in text


def stretches(text: str, delimiters: Delimiters, blanks: str) -> list[tuple[int, int]]:
    """What is text: from where to where, without the objects."""
    search, is_end = starts(delimiters, blanks).search, ends(delimiters, blanks).match
    answer: list[tuple[int, int]] = []
    position = scan = 0
    while found := search(text, scan):
        end = found.end() + int(found["length"])
        scan = found.end() - 1
        if end <= len(text) and is_end(text, end):
            answer.append((position, found.end()))
            position, scan = end, end
    return [*answer, (position, len(text))]
