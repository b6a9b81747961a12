"""What the keys of an agreement about answers may say, and what they mean: classes of errors, delimiters, versions.

Knows no partner and no interchange: text in, values or a sentence about what is wrong out.
"""

import re
from typing import Literal

from gateway.codecs.node import Delimiters

#: words for sorts of errors, as `accept_errors` and `refuse_warnings` name them; a kind of problem says which one it belongs to
ErrorClass = Literal[
    "codes",
    "dates",
    "lengths",
    "characters",
    "conditions",
    "missing",
    "surplus",
    "segments",
    "counts",
    "headers",
    "groups",
    "charsets",
    "check_digits",
    "currencies",
    "countries",
    "units",
]
RECEIVED = "received"
_SIX_DIGITS = re.compile(r"\d{6}", re.ASCII)
_SYNTAX = re.compile(r"UNO[A-Z]:[1-4]")
_NO_DELIMITER = re.compile(r"[A-Za-z0-9 ]")


def delimiters_fault(text: str, syntax: str) -> str:
    """What is wrong with `acknowledge_delimiters`; nothing where it can be used."""
    if text == RECEIVED:
        return ""
    lengths, example = ({3, 4}, '"*>~^" (element, component, segment, repetition)') if syntax == "x12" else ({6}, '":+.? \'" (as in UNA)')
    wanted = text if syntax == "x12" else text[:2] + text[3:4].strip() + text[4:5].strip() + text[5:]
    if len(text) not in lengths or len(set(wanted)) < len(wanted) or _NO_DELIMITER.search(wanted):
        return f"'{text}' is no set of delimiters: write {RECEIVED}, or the characters like {example}"
    return ""


def delimiters_of(text: str, syntax: str) -> Delimiters:
    """The delimiters that `text`, which was checked, stands for."""
    if syntax == "x12":
        return Delimiters(element=text[0], component=text[1], segment=text[2], repetition=text[3:4])
    return Delimiters(component=text[0], element=text[1], decimal=text[2], release=text[3].strip(" "), repetition=text[4].strip(" "), segment=text[5])


def version_fault(text: str, syntax: str) -> str:
    """What is wrong with `acknowledge_version`; nothing where it can be used."""
    if syntax == "x12":
        return "" if _SIX_DIGITS.fullmatch(text) else f"'{text}' is no version of X12: write it like 004010"
    return "" if _SYNTAX.fullmatch(text) else f"'{text}' is no syntax of EDIFACT: write it like UNOA:2, UNOC:3 or UNOC:4"
