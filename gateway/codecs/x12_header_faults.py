"""What is odd in ISA and GS although they can be read: values that their elements may not have (X12.5, X12.6).

Nothing of it keeps anything from being read. A TA1 that is sent anyway notes the first of them.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator

import msgspec

from gateway.codecs.node import Segment
from gateway.codecs.x12_header import REPETITION_SINCE
from gateway.kinds import x12 as kinds
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem

#: element, kind, what was found, what is expected
Fault = tuple[int, Kind, str, str]

_QUALIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_VERSION = re.compile(r"00[0-9]{3}", re.ASCII)
#: with the century too: it is taken, and told as a width that is not right
_DATE = re.compile(r"(?:[0-9]{2})?[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?<!0230|0231|0431|0631|0931|1131)", re.ASCII)
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]", re.ASCII)
_AUTHORIZATIONS = frozenset(f"{number:02}" for number in range(9))
_OLDEST, _NEWEST = "00200", "00899"


def isa_faults(segment: Segment) -> Iterator[Fault]:
    """The elements of an ISA whose values may not be."""
    values = [value.strip() for value in segment] + [""] * (17 - len(segment))
    if values[1] not in _AUTHORIZATIONS:
        yield 1, kinds.ISA_AUTHORIZATION, values[1], "00 to 08"
    elif (values[1] == "00") == bool(values[2]):
        yield 2, kinds.ISA_AUTHORIZATION_EMPTY, values[2], "spaces" if values[1] == "00" else "the authorization"
    if values[3] not in {"00", "01"}:
        yield 3, kinds.ISA_SECURITY, values[3], "00 or 01"
    elif (values[3] == "00") == bool(values[4]):
        # a password is never shown
        yield 4, kinds.ISA_SECURITY_EMPTY, "a value" if values[4] else "", "spaces" if values[3] == "00" else "the password"
    for element, kind in ((5, kinds.ISA_SENDER_QUALIFIER), (7, kinds.ISA_RECEIVER_QUALIFIER)):
        if not _QUALIFIER.fullmatch(values[element]):
            yield element, kind, values[element], "two letters or digits"
    for element, kind in ((6, kinds.ISA_SENDER), (8, kinds.ISA_RECEIVER)):
        if not values[element]:
            yield element, kind, "", "an identifier"
    if not _DATE.fullmatch(values[9]):
        yield 9, kinds.ISA_DATE, values[9], "a date YYMMDD"
    if not _TIME.fullmatch(values[10]):
        yield 10, kinds.ISA_TIME, values[10], "a time HHMM"
    yield from _version_faults(values[11], values[12])
    if values[14] not in {"0", "1"}:
        yield 14, kinds.ISA_ACKNOWLEDGMENT, values[14], "0 or 1"
    if values[15] not in {"P", "T", "I"}:
        yield 15, kinds.ISA_USAGE, values[15], "P or T"


def _version_faults(standard: str, version: str) -> Iterator[Fault]:
    if not _VERSION.fullmatch(version):
        yield 12, kinds.ISA_VERSION, version, "five digits such as 00401"
        return
    if not _OLDEST <= version <= _NEWEST:
        yield 12, kinds.ISA_VERSION_UNSUPPORTED, version, f"{_OLDEST} or later"
    if version < REPETITION_SINCE and standard != "U":
        yield 11, kinds.ISA_STANDARD_UNSUPPORTED, standard, "U"


def gs_faults(segment: Segment) -> Iterator[Fault]:
    """The elements of a GS whose values may not be."""
    values = [value.strip() for value in segment] + [""] * (9 - len(segment))
    for element, kind in ((2, kinds.GS_SENDER), (3, kinds.GS_RECEIVER)):
        if len(values[element]) < 2:
            yield element, kind, values[element], "two to fifteen characters"
    if values[7] not in {"X", "T"}:
        yield 7, kinds.GS_AGENCY, values[7], "X"


def problems_at(tag: str, faults: Iterable[Fault], place: Place) -> list[Problem]:
    """The faults of a header as problems at their elements."""
    return [
        kind.at(
            msgspec.structs.replace(place, segment=tag, element=element),
            f"{tag}{element:02} is '{found}', {expected} is expected" if found else f"{tag}{element:02} is empty, {expected} is expected",
            found=found,
            expected=expected,
        )
        for element, kind, found, expected in faults
    ]
