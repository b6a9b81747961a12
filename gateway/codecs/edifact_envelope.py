"""EDIFACT envelopes: UNA, UNB, UNG, UNE, UNZ and whatever stands between them, with their counts and references.

It knows nothing of what stands between UNH and UNT. Its rule: an envelope that is missing, doubled or wrong is a problem at
its place, and reading goes on with the next thing that can be read.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from gateway.codecs import edifact_charset
from gateway.codecs import edifact_header
from gateway.codecs import edifact_package
from gateway.codecs import edifact_text
from gateway.codecs.cutting import SegmentCutter
from gateway.codecs.edifact_service import identity
from gateway.codecs.edifact_service import is_whole_unb
from gateway.codecs.edifact_service import package_words
from gateway.codecs.edifact_service import unb_problems
from gateway.codecs.edifact_service import value
from gateway.codecs.edifact_trailers import UNE
from gateway.codecs.edifact_trailers import UNZ
from gateway.codecs.edifact_trailers import declared_in
from gateway.codecs.edifact_trailers import nothing_between
from gateway.codecs.edifact_trailers import trailer_problems
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Event
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.trailers import number_of
from gateway.codecs.trailers import replace_place
from gateway.codecs.window import BLANKS
from gateway.codecs.window import MAXIMUM_SEGMENT
from gateway.codecs.window import MAXIMUM_TRANSACTION
from gateway.codecs.window import Numbers
from gateway.codecs.window import Window
from gateway.codecs.window import shown
from gateway.codecs.wrapping import WIDEST
from gateway.codecs.wrapping import unwrap
from gateway.kinds import edifact as kinds
from gateway.problem import Place
from gateway.problem import Problem


class EnvelopeReader(SegmentCutter):
    """Where we are in the file: which interchange and group are open, with what was counted in them."""

    ENVELOPE_TAGS = ("UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT")
    EMPTY_SEGMENT = kinds.SEGMENT_EMPTY
    ENDLESS_SEGMENT = kinds.SEGMENT_ENDLESS
    NO_TERMINATOR = kinds.TERMINATOR_MISSING

    def __init__(self, window: Window) -> None:
        super().__init__(window, edifact_header.DEFAULT)
        self.ordinal = 0
        self.interchange: InterchangeStart | None = None
        self.group: GroupStart | None = None
        self.interchange_numbers = Numbers()
        self.group_numbers = Numbers()
        self.transaction_numbers = Numbers()
        self.groups_counted = 0
        self.transactions_counted = self.packages_counted = 0
        self.interchange_transactions_counted = self.interchange_packages_counted = 0
        self.charset = ""
        #: what level A or B holds, until something else was told
        self.level: bytes | None = None
        self.mixture_told = False

    def use(self, delimiters: Delimiters) -> None:
        """Cut with these delimiters from now on."""
        super().use(delimiters)
        self.header_start = "UNH" + delimiters.element
        self.blanks = edifact_text.blanks_beside(delimiters)
        self.boundary = edifact_text.boundary(delimiters)
        self.package = edifact_package.starts(delimiters, self.blanks)
        self.package_end = edifact_package.ends(delimiters, self.blanks)
        self.package_rest = edifact_package.rest(delimiters)
        self.expect_gap("")

    def expect_gap(self, gap: str) -> None:
        """What stands between two segments here decides how a trailer starts, and which start of a segment is odd: a package's is."""
        self.gap = gap if len(gap) <= 2 else ""
        self.trailer_start = f"{self.segment}{self.gap}UNT{self.element}"
        segment, release = re.escape(self.segment), re.escape(self.delimiters.release)
        element = re.escape(self.element)
        self.odd_start = re.compile(f"{segment}{f'(?<!{release}{segment})' if release else ''}{re.escape(self.gap)}(?:[^A-Z]|UNO{element})")

    # ---- before, between and behind interchanges

    def lead_in(self) -> Iterator[Event]:
        """What stands before the first interchange."""
        window = self.window
        yield from self.skip_lead(edifact_header.LONGEST)
        if edifact_header.is_bare(window.text, window.position):
            start = window.text[window.position : window.position + 4]
            found = start[3]
            if found != self.element:
                yield kinds.DELIMITERS_UNUSABLE.at(
                    self.place(start[:3]),
                    f"{start[:3]} is followed by '{found}', and no UNA says what the delimiters are",
                    found=found,
                    expected="UNA",
                )
            else:
                yield from self.open_bare()

    def open_bare(self) -> list[Event]:
        """Messages without UNB: the interchange has no identities."""
        events = self.open_interchange(["UNB"], self.window.offset)
        return [*events, kinds.ENVELOPE_MISSING.at(self.place(), "no UNB stands before the first message", expected="UNB")]

    def read_other(self) -> list[Event] | None:
        """Anything but a message; None at the end of the file."""
        window = self.window
        window.skip(self.blanks if self.interchange else BLANKS)
        window.hold(edifact_header.LONGEST)
        text, position = window.text, window.position
        if position >= len(text):
            return None
        if edifact_header.starts(text, position) and (self.interchange is None or not text.startswith("UNA" + self.element, position)):
            return self.read_head()
        if self.interchange is None:
            return self.skip_junk()
        if text[position] == self.segment:
            return [self.skip_empty()]
        return self.read_envelope_segment()

    def read_head(self) -> list[Event]:
        """UNA and UNB: the interchange before it is closed, where it is still open."""
        window = self.window
        head = edifact_header.read_head(window.text, window.position)
        if not isinstance(head, edifact_header.Head):
            problem = kinds.DELIMITERS_UNUSABLE.at(
                self.place(), head, found=window.text[window.position : window.position + 9], expected="UNA, or + behind the tag"
            )
            if self.interchange is None:
                return [problem, *self.skip_junk(told=True)]
            self.index += 1
            self.take_segment()
            return [problem]
        events = self.close_interchange([], window.offset)
        # what is odd about UNA belongs to the interchange that it opens
        odd: list[Event] = []
        start = window.offset
        self.use(head.delimiters)
        if head.repaired:
            odd.append(
                kinds.UNA_MALFORMED.at(self.place("UNA", length=head.length), "UNA has five characters, six are expected", expected="UNA:+.? '")
            )
        if head.guessed:
            odd.append(
                kinds.DELIMITERS_GUESSED.at(
                    self.place("UNB"),
                    f"the delimiters are guessed: element '{shown(self.element)}', component "
                    f"'{shown(head.delimiters.component)}', segment '{shown(self.segment)}'",
                    found=self.element,
                    expected="UNA",
                )
            )
        window.position += head.length
        window.skip(self.blanks)
        window.hold(edifact_header.LONGEST)
        if not window.text.startswith("UNB" + self.element, window.position):
            if edifact_header.is_interactive(window.text, window.position):
                return [*events, *odd, *self.skip_junk()]
            return [*events, *self.open_bare(), *odd]
        window.hold(WIDEST)
        charset, version = window.text[window.position + 4 : window.position + 8], window.text[window.position + 9 : window.position + 10]
        if head.delimiters.repetition and version in {"1", "2", "3"}:
            # the asterisk of a UNA that was made for all versions is data before version 4
            head = replace(head, delimiters=replace(head.delimiters, repetition=""))
            self.use(head.delimiters)
        if edifact_header.is_wrapped(self.head_of_interchange(), head.delimiters, charset):
            self.use(replace(head.delimiters, wrapped=True))
            odd.append(kinds.WRAPPED.at(self.place("UNB"), "the interchange is broken into lines inside of segments"))
        self.index += 1
        place = self.place("UNB")
        segment, problems = self.take_segment()
        if segment is None:
            return [*events, *odd, *problems]
        events += [*self.open_interchange(segment, start), *odd]
        events += self.check_head(segment, replace_place(place, interchange=self.interchange_number))
        self.expect_gap(window.skip(self.blanks))
        return [*events, *problems]

    def head_of_interchange(self) -> str:
        """What stands between here and the next trailer, as far as it shows whether lines are broken."""
        window = self.window
        end = window.text.find(f"{self.segment}UNZ", window.position, window.position + WIDEST)
        return window.text[window.position : end if end >= 0 else window.position + WIDEST]

    def check_head(self, segment: Segment, place: Place) -> Iterator[Problem]:
        """UNB by itself, and its reference beside those of the file."""
        yield from unb_problems(segment, place)
        number = self.interchange_number
        if is_whole_unb(segment) and not self.interchange_numbers.add(number):
            message = f"the file holds two interchanges with control reference '{number}'"
            yield kinds.UNB_DUPLICATE.at(replace_place(place, element=5), message, found=number, expected="another reference")

    def open_interchange(self, segment: Segment, offset: int) -> list[Event]:
        """UNB: counting begins anew. `offset` is where the interchange starts, its UNA included."""
        self.ordinal += 1
        self.groups_counted = self.transactions_counted = self.interchange_transactions_counted = 0
        self.packages_counted = self.interchange_packages_counted = 0
        self.group = None
        self.group_number = ""
        self.mixture_told = False
        self.group_numbers, self.transaction_numbers = Numbers(), Numbers()
        self.charset = value(segment, 1, 1)
        used = self.delimiters
        self.level = edifact_charset.level(self.charset, used.element + used.component + used.segment + used.release + used.repetition + used.decimal)
        version = ":".join(part for part in (self.charset, value(segment, 1, 2)) if part)
        self.interchange = InterchangeStart(
            syntax=Syntax.EDIFACT,
            ordinal=self.ordinal,
            offset=offset,
            delimiters=self.delimiters,
            segment=segment if len(segment) > 1 else [],
            sender=identity(segment, 2),
            receiver=identity(segment, 3),
            control_number=value(segment, 5),
            version=version,
            date=value(segment, 4, 1),
            time=value(segment, 4, 2),
            test=value(segment, 11) not in {"", "0"},
            acknowledgment_requested=value(segment, 9) not in {"", "0"},
            application_reference=value(segment, 7),
        )
        self.interchange_number = self.interchange.control_number
        return [self.interchange]

    def skip_junk(self, *, told: bool = False) -> list[Event]:
        """Step to the next interchange that can be read, or to the end of the file."""
        window = self.window
        place = Place(offset=window.offset, line=window.line)
        text, position = window.text, window.position
        found = text[position : position + 40]
        events: list[Event] = []
        if edifact_header.is_interactive(text, position):
            events.append(
                kinds.INTERACTIVE.at(place, "this is an interactive interchange, only batch interchanges are read", found=found[:3], expected="UNB")
            )
        elif edifact_header.is_lower_case(text, position):
            events.append(
                kinds.LOWER_CASE.at(
                    place,
                    f"the interchange starts with '{found[:3]}' in lower case; tags are upper case",
                    found=found[:3],
                    expected=found[:3].upper(),
                )
            )
        elif not told:
            events.append(kinds.JUNK.at(place, "this is no interchange", found=found, expected="UNA or UNB"))
        window.seek(edifact_header.POSSIBLE, edifact_header.LONGEST, edifact_header.starts)
        return events

    # ---- segments of the envelope

    def find_terminator(self) -> int:
        """How far the next terminator that is not released is; -1 when there is none near enough."""
        window = self.window
        skipped = 0
        while True:
            window.position += skipped
            length = window.find(self.segment, MAXIMUM_SEGMENT)
            window.position -= skipped
            if length < 0:
                return -1
            length += skipped
            if not edifact_text.is_released(window.text, window.position + length, self.delimiters, window.position):
                return length
            skipped = length + 1

    def take_segment(self) -> tuple[Segment | None, list[Event]]:
        """The segment at the window's position, cut; the window moves behind it. None when no terminator comes."""
        window = self.window
        events: list[Event] = []
        length = self.measure(events)
        if length is None:
            return None, events
        text = window.text[window.position : window.position + length]
        swallowed = re.search(rf"[\r\n]\s*(?=UN[HGTEZ]{re.escape(self.element)})", text) if not self.delimiters.wrapped else None
        if swallowed is not None:
            events.append(kinds.TERMINATOR_MISSING.at(self.place(text[:3]), f"the segment does not end with '{shown(self.segment)}'"))
            text, length = text[: swallowed.start()], swallowed.end() - 1
        elif self.delimiters.wrapped:
            text = unwrap(text)
        charset = text[4:8] if text.startswith("UNB") else self.charset
        decoded, taken_for = edifact_charset.decode(text, charset)
        if taken_for:
            message = f"the bytes are no {charset}; they were taken for {taken_for}"
            events.append(kinds.CHARSET.at(self.place(text[:3]), message, found=taken_for, expected=charset))
        window.position = min(window.position + length + 1, len(window.text))
        return edifact_text.cut_segment(decoded.rstrip(self.blanks), self.delimiters), events

    def read_envelope_segment(self) -> list[Event]:
        """UNG, UNE, UNZ or something that has no business here."""
        self.index += 1
        place = self.place()
        segment, events = self.take_segment()
        if segment is None:
            return [*events, *self.close_interchange([], self.window.offset)]
        tag = segment[0]
        if tag == "UNO":
            return [*events, self.read_package(segment, place)]
        if tag == "UNG":
            return [*events, *self.open_group(segment, place)]
        if tag == "UNE" and self.group is not None:
            return [*events, *self.close_group(segment, place)]
        if tag == "UNZ" and self.interchange is not None and self.interchange.segment:
            return [*events, *self.close_interchange(segment, place.offset or 0, place)]
        return [*events, self.misplaced(tag, place)]

    def has_package_end(self, behind: int) -> bool:
        """Whether UNP stands that many bytes from here."""
        self.window.hold(behind + 64)
        return self.package_end.match(self.window.text, self.window.position + behind) is not None

    def read_package(self, segment: Segment, place: Place) -> Problem:
        """A package beside messages: it is stepped over with its object. Trailers count it by the standard; many leave it out."""
        window = self.window
        self.packages_counted += 1
        self.interchange_packages_counted += 1
        length = number_of(value(segment, 4))
        closing: Segment = []
        if length is not None and length <= MAXIMUM_TRANSACTION and self.has_package_end(length):
            window.position += length
            window.skip(self.blanks)
            self.index += 1
            closing = self.take_segment()[0] or []
        else:
            # its UNP, where one comes before anything else that we know
            window.hold(MAXIMUM_SEGMENT)
            found = self.package_rest.search(window.text, window.position)
            if found is not None and found["end"]:
                window.position = found.start()
                self.index += 1
                self.take_segment()
        kind, message = package_words(segment, closing)
        return kind.at(
            replace_place(place, segment="UNO"),
            message,
            found=value(segment, 4),
            expected="no package" if kind is kinds.PACKAGE else "UNP behind the object",
        )

    def misplaced(self, tag: str, place: Place) -> Problem:
        """One problem for a run of segments that stand outside of messages."""
        count = self.skip_strays(tag)
        named = replace_place(place, segment=tag[:3])
        if tag[:3].upper() in self.ENVELOPE_TAGS and tag[:3] not in self.ENVELOPE_TAGS:
            return kinds.LOWER_CASE.at(named, f"the tag '{tag[:3]}' is in lower case; tags are upper case", found=tag[:3], expected=tag[:3].upper())
        if edifact_header.is_interactive(tag + self.element):
            return kinds.INTERACTIVE.at(named, "this is an interactive message, only batch messages are read", found=tag, expected="UNH")
        what = f"'{tag[:20]}' stands" if count == 1 else f"{count} segments from '{tag[:20]}' on stand"
        expected = {"UNT": "UNH before UNT", "UNE": "UNG before UNE", "UNZ": "UNB before UNZ"}.get(tag, "segments between UNH and UNT")
        return kinds.SEGMENT_MISPLACED.at(named, f"{what} outside of any message", found=tag[:20], expected=expected)

    def open_group(self, segment: Segment, place: Place) -> list[Event]:
        """UNG: the group before it is closed, where it is still open."""
        events = self.close_group([], place)
        self.groups_counted += 1
        self.transactions_counted = self.packages_counted = 0
        self.transaction_numbers = Numbers()
        number = value(segment, 5)
        self.group = GroupStart(
            offset=place.offset or 0,
            segment=segment,
            type=value(segment, 1),
            sender=identity(segment, 2),
            receiver=identity(segment, 3),
            control_number=number,
            version=(value(segment, 7, 1) + value(segment, 7, 2)).upper(),
        )
        self.group_number = number
        events.append(self.group)
        if not self.group_numbers.add(number):
            named = replace_place(place, group=number, segment="UNG", element=5)
            events.append(
                kinds.UNG_DUPLICATE.at(
                    named, f"the interchange holds two groups with reference '{number}'", found=number, expected="another reference"
                )
            )
        return events

    def close_group(self, segment: Segment, place: Place) -> list[Event]:
        """UNE, or the place where it is missing."""
        group = self.group
        if group is None:
            return []
        self.group = None
        self.group_number = ""
        number = group.control_number
        counted = self.transactions_counted
        if declared_in(segment) == counted + self.packages_counted:
            counted += self.packages_counted
        problems = trailer_problems(UNE, segment, replace_place(place, group=number), number, counted, "messages")
        if segment and not counted:
            problems += (nothing_between(place, "UNG", f"group {number} holds no message"),)
        return [
            GroupEnd(
                offset=place.offset or 0,
                segment=segment,
                control_number=number,
                declared=declared_in(segment),
                counted=counted,
                problems=problems,
            )
        ]

    def outside_group(self) -> Iterator[Problem]:
        """Told once an interchange: a message without UNG beside groups."""
        if self.groups_counted and self.group is None and not self.mixture_told:
            self.mixture_told = True
            yield kinds.GROUPS_MIXED.at(
                self.place("UNH"), "a message stands outside of any group (no UNG before UNH), others inside", found="UNH", expected="UNG before UNH"
            )

    def close_interchange(self, segment: Segment, offset: int, place: Place | None = None) -> list[Event]:
        """UNZ, or the place where it is missing."""
        start = self.interchange
        if start is None:
            return []
        place = replace_place(place or Place(offset=offset, line=self.window.line), interchange=start.control_number)
        events = self.close_group([], place)
        counted = self.groups_counted or self.interchange_transactions_counted
        if not self.groups_counted and declared_in(segment) == counted + self.interchange_packages_counted:
            counted += self.interchange_packages_counted
        problems: tuple[Problem, ...] = ()
        if segment or start.segment:
            problems = trailer_problems(UNZ, segment, place, start.control_number, counted, "groups" if self.groups_counted else "messages")
        if segment and start.segment and not counted:
            problems += (nothing_between(place, "UNB", f"interchange {start.control_number} holds no message"),)
        events.append(
            InterchangeEnd(
                offset=offset,
                segment=segment,
                control_number=start.control_number,
                declared=declared_in(segment),
                counted=counted,
                problems=problems,
            )
        )
        self.interchange = None
        self.interchange_number = ""
        return events
