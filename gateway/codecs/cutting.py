"""Segments of an envelope, cut one after the other: where we are in the file, where a segment ends, and what it costs when none does.

X12 and EDIFACT share it; it knows no tag. Its rule: a segment that does not end is a problem at its place, and never keeps more of the
file in memory than a segment may have.
"""

from collections.abc import Iterator
from typing import ClassVar

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Event
from gateway.codecs.window import BLANKS
from gateway.codecs.window import BYTE_ORDER_MARK
from gateway.codecs.window import MAXIMUM_SEGMENT
from gateway.codecs.window import Window
from gateway.codecs.window import shown
from gateway.codecs.wrapping import unwrap
from gateway.kinds import file as file_kinds
from gateway.problem import Kind
from gateway.problem import Place
from gateway.problem import Problem


class SegmentCutter:
    """Where we are in the file, and with which delimiters it is cut there."""

    #: tags that stand outside of transactions, or begin and end them
    ENVELOPE_TAGS: ClassVar[tuple[str, ...]]
    EMPTY_SEGMENT: ClassVar[Kind]
    ENDLESS_SEGMENT: ClassVar[Kind]
    NO_TERMINATOR: ClassVar[Kind]
    #: what may stand between segments without meaning anything
    blanks: str

    def __init__(self, window: Window, delimiters: Delimiters) -> None:
        self.window = window
        #: segments of the file so far, for places outside of transactions
        self.index = 0
        self.interchange_number = self.group_number = ""
        self.use(delimiters)

    def use(self, delimiters: Delimiters) -> None:
        """Cut with these delimiters from now on."""
        self.delimiters = delimiters
        self.element = delimiters.element
        self.segment = delimiters.segment
        #: a trailer was missing somewhere: look for the end of each transaction with care
        self.careful = delimiters.wrapped

    def place(self, segment: str | None = None, *, element: int | None = None, length: int | None = None) -> Place:
        """The place of the segment at the window's position, outside of transactions."""
        return Place(
            interchange=self.interchange_number or None,
            group=self.group_number or None,
            segment=segment,
            index=self.index or None,
            element=element,
            offset=self.window.offset,
            length=length,
            line=self.window.line,
        )

    def starts_with(self, tag: str) -> bool:
        """Whether a segment with that tag comes next."""
        self.window.hold(16)
        head = self.window.text[self.window.position : self.window.position + 16]
        return (unwrap(head) if self.delimiters.wrapped else head).startswith(tag + self.element)

    def find_terminator(self) -> int:
        """How far the next terminator is; -1 when there is none near enough."""
        return self.window.find(self.segment, MAXIMUM_SEGMENT)

    def measure(self, events: list[Event]) -> int | None:
        """The length of the segment at the window's position. One that the file's end ends is told in `events`; None for one without any
        end, which is told too and stepped over with all that follows."""
        length = self.find_terminator()
        if length >= 0:
            return length
        window = self.window
        if window.ended and len(window.text) - window.position <= MAXIMUM_SEGMENT:
            events.append(self.NO_TERMINATOR.at(self.place(), f"the last segment does not end with '{shown(self.segment)}'"))
            return len(window.text) - window.position
        message = f"no segment terminator '{shown(self.segment)}' comes within {MAXIMUM_SEGMENT} bytes"
        events.append(self.ENDLESS_SEGMENT.at(self.place(), message, expected="a segment terminator"))
        window.position = len(window.text)
        while window.more():
            window.position = len(window.text)
        return None

    def skip_lead(self, longest: int) -> Iterator[Problem]:
        """A byte order mark and blanks before the first segment are told and stepped over."""
        window = self.window
        window.hold(longest)
        if window.text.startswith(BYTE_ORDER_MARK):
            yield file_kinds.BYTE_ORDER_MARK.at(Place(offset=0, length=3, line=1), "the file starts with a byte order mark")
            window.position = 3
        if window.skip(BLANKS):
            yield file_kinds.WHITE_SPACE.at(Place(offset=0, line=1), "white space stands before the first segment")
        window.hold(longest)

    def skip_empty(self) -> Problem:
        """Step over empty segments."""
        problem = self.EMPTY_SEGMENT.at(self.place(length=1), "an empty segment stands between two segments")
        self.window.position += 1
        self.window.skip(self.blanks + self.segment)
        return problem

    def skip_strays(self, tag: str) -> int:
        """Step over what follows a segment that stands outside of any transaction, up to the next one of the envelope; how many it is with it."""
        window = self.window
        count = 1
        while tag not in self.ENVELOPE_TAGS:
            window.skip(self.blanks)
            window.hold(8)
            following = window.text[window.position : window.position + 4]
            if not following or following.startswith((*self.ENVELOPE_TAGS, self.segment)):
                break
            length = self.find_terminator()
            if length < 0:
                break
            window.position += length + 1
            self.index += 1
            count += 1
        return count
