"""GE and IEA of X12 against their headers (X12.5, X12.6): counts of what stood between, and control numbers.

Its rule: numbers of interchanges and groups are numeric, so leading zeros do not count.
"""

from gateway.codecs.node import Segment
from gateway.codecs.trailers import Trailer
from gateway.codecs.trailers import number_of
from gateway.kinds import x12 as kinds
from gateway.problem import Place
from gateway.problem import Problem

GE = Trailer(
    tag="GE",
    holder="group",
    count="GE01",
    number="GE02",
    header_number="GS06",
    missing=kinds.GE_MISSING,
    miscounts=kinds.GE_COUNT,
    differs=kinds.GE_CONTROL_NUMBER,
)
IEA = Trailer(
    tag="IEA",
    holder="interchange",
    count="IEA01",
    number="IEA02",
    header_number="ISA13",
    missing=kinds.IEA_MISSING,
    miscounts=kinds.IEA_COUNT,
    differs=kinds.IEA_CONTROL_NUMBER,
)


def declared_in(segment: Segment) -> int | None:
    """What a trailer counts; None where there is no trailer, or it says no count."""
    return number_of(segment[1]) if len(segment) > 1 else None


def trailer_problems(trailer: Trailer, segment: Segment, place: Place, number: str, counted: int, what: str) -> list[Problem]:
    """A trailer that miscounts `what` was there, or names another number than its header."""
    _, declared, closing = [*segment, "", ""][:3]
    problems = [trailer.miscounted(place, declared, counted, what)] if number_of(declared) != counted else []
    if not _same_number(closing, number):
        problems.append(trailer.misnamed(place, closing, number))
    return problems


def _same_number(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    return one == other or (one.isdecimal() and other.isdecimal() and one.lstrip("0") == other.lstrip("0"))
