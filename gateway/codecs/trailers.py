"""Trailers of groups and interchanges: GE, IEA, UNE, UNZ. One idea in two syntaxes: a count, and the number of the header again.

It knows no delimiters and cuts nothing. Its rule: each trailer that is missing, miscounts or names another number is one problem at
its place, with what was found and what was expected.
"""

from dataclasses import dataclass

from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """What a trailer, its parts and the header's number are called, and the kinds of what can be wrong with it."""

    tag: str
    holder: str
    count: str
    number: str
    header_number: str
    missing: Kind
    miscounts: Kind
    differs: Kind

    def lacking(self, place: Place, number: str) -> Problem:
        """There is no trailer where one should be."""
        return self.missing.at(replace_place(place, segment=None, index=None), f"{self.holder} {number} has no {self.tag}", expected=self.tag)

    def miscounted(self, place: Place, declared: str, counted: int, what: str) -> Problem:
        """The trailer counts otherwise than we do."""
        message = f"{self.count} says {declared or 'nothing'}, the {self.holder} has {counted} {what}"
        return self.miscounts.at(replace_place(place, segment=self.tag, element=1), message, found=declared, expected=str(counted))

    def misnamed(self, place: Place, closing: str, number: str) -> Problem:
        """The trailer names another number than the header."""
        message = f"{self.number} is '{closing}', {self.header_number} is '{number}'"
        return self.differs.at(replace_place(place, segment=self.tag, element=2), message, found=closing, expected=number)


def number_of(text: str) -> int | None:
    """A count or a length; None where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def replace_place(
    place: Place,
    *,
    interchange: str | None = None,
    group: str | None = None,
    segment: str | None = "",
    index: int | None = -1,
    element: int | None = None,
    component: int | None = None,
) -> Place:
    """The place with some of its parts exchanged."""
    return Place(
        interchange=interchange or place.interchange,
        group=group or place.group,
        segment=place.segment if segment == "" else segment,
        index=place.index if index == -1 else index,
        element=element,
        component=component,
        offset=place.offset,
        line=place.line,
    )
