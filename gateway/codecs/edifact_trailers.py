"""UNE and UNZ of EDIFACT against their headers (ISO 9735): counts of what stood between, and references."""

from gateway.codecs.edifact_service import value
from gateway.codecs.node import Segment
from gateway.codecs.trailers import Trailer
from gateway.codecs.trailers import number_of
from gateway.codecs.trailers import replace_place
from gateway.kinds import edifact as kinds
from gateway.problem import Place
from gateway.problem import Problem

UNE = Trailer(
    tag="UNE",
    holder="group",
    count="UNE 0060",
    number="UNE 0048",
    header_number="UNG 0048",
    missing=kinds.UNE_MISSING,
    miscounts=kinds.UNE_COUNT,
    differs=kinds.UNE_CONTROL_NUMBER,
)
UNZ = Trailer(
    tag="UNZ",
    holder="interchange",
    count="UNZ 0036",
    number="UNZ 0020",
    header_number="UNB 0020",
    missing=kinds.UNZ_MISSING,
    miscounts=kinds.UNZ_COUNT,
    differs=kinds.UNZ_CONTROL_NUMBER,
)


def declared_in(segment: Segment) -> int | None:
    """What a trailer counts; None where there is no trailer, or it says no count."""
    return number_of(value(segment, 1))


def trailer_problems(trailer: Trailer, segment: Segment, place: Place, number: str, counted: int, what: str) -> tuple[Problem, ...]:
    """A trailer that is missing, miscounts or names another reference."""
    if not segment:
        return (trailer.lacking(place, number),)
    declared, closing = value(segment, 1), value(segment, 2)
    problems = [trailer.miscounted(place, declared, counted, what)] if number_of(declared) != counted else []
    return (*problems, trailer.misnamed(place, closing, number)) if closing != number else tuple(problems)


def nothing_between(place: Place, tag: str, message: str) -> Problem:
    """A header that nothing follows but its trailer."""
    return kinds.EMPTY.at(replace_place(place, segment=tag, index=None), message, found="none", expected="a message")
