"""Where on a document's page a problem or the origin of a field is to be seen: a segment and element, bytes, a line, a field."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.codecs.node import Transaction
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.web.canonical import Source
from gateway.web.payload import segment_span

#: segments, or lines of a text, on one page
SEGMENTS = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as the page tells it: its number, and where it can be seen."""

    number: int
    problem: Problem
    where: str
    link: str

    @property
    def tone(self) -> str:
        if self.problem.outcome is Outcome.HOLD:
            return "waits"
        return "bad" if self.problem.severity is Severity.ERROR or self.problem.outcome is Outcome.REJECT else "note"


class Finder:
    """Finds what a problem or origin points at: a segment and element, bytes, a line. Keeps what is to be marked."""

    def __init__(self, transaction: Transaction | None, origins: Mapping[str, Sequence[Any]]) -> None:
        self._transaction = transaction
        self._origins = origins
        self._starts: list[int] | None = None
        #: segment -> element (None: the whole) -> numbers of problems
        self.problems: dict[int, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
        #: bytes of an XML document -> number of the problem
        self.marks: list[tuple[int, int, int]] = []
        self.marked_lines: dict[int, list[int]] = defaultdict(list)

    @property
    def _segmented(self) -> bool:
        return self._transaction is not None and self._transaction.root is None

    def mark(self, number: int, problem: Problem) -> str:
        """Mark where a problem is; returns the link to it."""
        place = problem.place
        index, element = place.index, place.element
        if place.field and index is None:
            origin = next((origin for origin in self._origins_of(place.field) if origin.offset is not None), None)
            if origin is not None and self._segmented:
                index, element = self._at(origin.offset)
            elif origin is not None and self._transaction is not None:
                begin = origin.offset - self._transaction.offset
                self.marks.append((begin, begin + max(origin.length or 1, 1), number))
                return "#bytes"
        if self._segmented and index is not None and self._transaction is not None and 0 < index <= len(self._transaction.segments):
            there = element if element is not None and element < len(self._transaction.segments[index - 1]) else None
            self.problems[index][there].append(number)
            return self._segment_link(index, there)
        if self._transaction is not None and self._transaction.root is not None and place.line is not None:
            if place.offset is not None and place.length:
                begin = place.offset - self._transaction.offset
                self.marks.append((begin, begin + place.length, number))
            else:
                self.marked_lines[place.line].append(number)
            return "#bytes"
        return "#" + "f-" + "".join(letter if letter.isalnum() else "-" for letter in place.field) if place.field else ""

    def link_to(self, offset: int | None) -> str:
        """The link to the element at a byte."""
        if offset is None or self._transaction is None:
            return ""
        if not self._segmented:
            return "#bytes"
        index, element = self._at(offset)
        return self._segment_link(index, element)

    def _segment_link(self, index: int, element: int | None) -> str:
        page = "" if index <= SEGMENTS else f"?from={(index - 1) // SEGMENTS * SEGMENTS + 1}"
        return f"{page}#s{index}" + (f"e{element}" if element else "")

    def _origins_of(self, name: str) -> Sequence[Any]:
        """The origins of a field, or of the first field inside of it that has any."""
        if name in self._origins:
            return self._origins[name]
        return next((found for other, found in self._origins.items() if other.startswith((f"{name}.", f"{name}["))), ())

    def _at(self, offset: int) -> tuple[int, int | None]:
        """The segment and element at a byte of the file."""
        transaction = self._transaction
        assert transaction is not None and transaction.delimiters is not None
        if self._starts is None:
            self._starts = [segment_span(transaction, index)[0] for index in range(1, len(transaction.segments) + 1)]
        position = offset - transaction.offset
        index = max(1, bisect_right(self._starts, position))
        before = transaction.raw[self._starts[index - 1] : position]
        released = transaction.delimiters.release
        if released:
            before = before.replace(released * 2, "").replace(released + transaction.delimiters.element, "")
        return index, before.count(transaction.delimiters.element) or None


def source_of(origin: Any, finder: Finder) -> Source:
    """Where a field comes from, with the link to it."""
    return Source(origin.source, origin.how.replace("_", " "), origin.mapping, finder.link_to(origin.offset))


def tell(number: int, problem: Problem, finder: Finder) -> Told:
    """A problem as the page tells it, marked where it is."""
    return Told(number, problem, problem.place.words() if problem.place.words() != "the file" else "", finder.mark(number, problem))
