"""X12 envelopes: ISA, TA1, GS, GE, IEA and whatever stands between them, with their counts and control numbers.

It knows nothing of what stands between ST and SE. Its rule: an envelope that is missing, doubled or wrong is a problem at
its place, and reading goes on with the next thing that can be read.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from gateway.codecs import x12_binary
from gateway.codecs import x12_header
from gateway.codecs import x12_text
from gateway.codecs.cutting import SegmentCutter
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Event
from gateway.codecs.node import GroupEnd
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.trailers import replace_place
from gateway.codecs.window import BLANKS
from gateway.codecs.window import Numbers
from gateway.codecs.window import Window
from gateway.codecs.window import shown
from gateway.codecs.wrapping import WIDEST
from gateway.codecs.wrapping import unwrap
from gateway.codecs.x12_header_faults import gs_faults
from gateway.codecs.x12_header_faults import isa_faults
from gateway.codecs.x12_header_faults import problems_at
from gateway.codecs.x12_trailers import GE
from gateway.codecs.x12_trailers import IEA
from gateway.codecs.x12_trailers import declared_in
from gateway.codecs.x12_trailers import trailer_problems
from gateway.kinds import x12 as kinds
from gateway.problem import Place
from gateway.problem import Problem


class EnvelopeReader(SegmentCutter):
    """Where we are in the file: which interchange and group are open, with what was counted in them."""

    ENVELOPE_TAGS = ("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1")
    EMPTY_SEGMENT = kinds.SEGMENT_EMPTY
    ENDLESS_SEGMENT = kinds.SEGMENT_ENDLESS
    NO_TERMINATOR = kinds.TERMINATOR_MISSING

    def __init__(self, window: Window) -> None:
        super().__init__(window, Delimiters(element="*", component=">", segment="~"))
        self.ordinal = 0
        self.interchange: InterchangeStart | None = None
        self.group: GroupStart | None = None
        self.interchange_numbers = Numbers()
        self.group_numbers = Numbers()
        self.transaction_numbers = Numbers()
        self.groups_counted = 0
        self.transactions_counted = 0
        #: 004010, out of GS08 or else ISA12
        self.release = ""
        #: transactions without GS are told once an interchange
        self.group_missing_told = False

    def use(self, delimiters: Delimiters) -> None:
        """Cut with these delimiters from now on."""
        super().use(delimiters)
        self.header_start = "ST" + delimiters.element
        self.blanks = x12_text.blanks_beside(delimiters)
        self.gap = ""
        self.boundary = x12_text.boundary(delimiters)
        self.binary = x12_binary.starts(delimiters, self.blanks)
        self.expect_gap()

    def expect_gap(self) -> None:
        """What stands between two segments here decides how a trailer starts, and which start of a segment is odd: a binary one is."""
        self.trailer_start = f"{self.segment}{self.gap}SE{self.element}"
        self.odd_start = re.compile(f"{re.escape(self.segment + self.gap)}(?:[^A-Z]|B(?:IN|DS){re.escape(self.element)})")

    # ---- before, between and behind interchanges

    def lead_in(self) -> Iterator[Event]:
        """What stands before the first interchange."""
        window = self.window
        yield from self.skip_lead(4096)
        delimiters = x12_header.bare_delimiters(window.text[window.position : window.position + 4096])
        if delimiters is not None:
            self.use(delimiters)
            yield from self.open_interchange(["ISA"], 0)
            yield kinds.ENVELOPE_MISSING.at(self.place(), "the file does not start with ISA: the delimiters are guessed", expected="ISA")

    def read_other(self) -> list[Event] | None:
        """Anything but a transaction; None at the end of the file."""
        window = self.window
        window.skip(self.blanks if self.interchange else BLANKS)
        window.hold(x12_header.LONGEST)
        if window.position >= len(window.text):
            return None
        if x12_header.starts(window.text, window.position):
            header = x12_header.read_header(window.text, window.position)
            if isinstance(header, x12_header.Header):
                window.hold(WIDEST)
                if x12_header.is_wrapped(window.text, window.position, header):
                    header = replace(header, broken=True, delimiters=replace(header.delimiters, wrapped=True))
                return self.read_header(header)
            if self.interchange is None:
                problem = kinds.ISA_MALFORMED.at(self.place("ISA"), header, found=window.text[window.position : window.position + 106])
                return [problem, *self.skip_junk(told=True)]
        if self.interchange is None:
            return self.skip_junk(told=False)
        if window.text[window.position] == self.segment:
            return [self.skip_empty()]
        return self.read_envelope_segment()

    def read_header(self, header: x12_header.Header) -> list[Event]:
        """ISA: the interchange before it is closed, where it is still open."""
        window = self.window
        events = self.close_interchange([], window.offset)
        self.index += 1
        segment = header.segment
        self.use(header.delimiters)
        events += self.open_interchange(segment, header.length)
        assert self.interchange is not None
        number = self.interchange.control_number
        if header.broken:
            told = "the interchange is broken into lines" if header.delimiters.wrapped else "ISA is broken into lines, and line breaks end segments"
            events.append(kinds.WRAPPED.at(self.place("ISA"), told))
        elif not header.padded:
            events.append(kinds.ISA_NOT_PADDED.at(self.place("ISA"), "the elements of ISA do not have their fixed widths"))
        if not header.delimiters.component:
            told = f"ISA16 is '{segment[16]}', a character of data" if segment[16] else "ISA16 is empty, a component separator is expected"
            named = self.place("ISA", element=16)
            events.append(kinds.COMPONENT_SEPARATOR_MISSING.at(named, told, found=segment[16], expected="a component separator"))
        events += problems_at("ISA", isa_faults(segment), self.place("ISA"))
        if x12_header.repeats(segment) and not header.delimiters.repetition:
            told = f"ISA11 is '{segment[11]}', which cannot separate repetitions; from 00402 on it must"
            named = self.place("ISA", element=11)
            events.append(kinds.REPETITION_SEPARATOR_MISSING.at(named, told, found=segment[11], expected="a repetition separator"))
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            events.append(
                kinds.ISA_CONTROL_NUMBER_INVALID.at(
                    self.place("ISA", element=13), f"ISA13 is '{number}', nine digits are expected", found=number, expected="nine digits"
                )
            )
        elif not self.interchange_numbers.add(number):
            events.append(
                kinds.ISA_DUPLICATE.at(
                    self.place("ISA", element=13),
                    f"the file holds two interchanges with control number '{number}'",
                    found=number,
                    expected="another number",
                )
            )
        window.position += header.length
        gap = window.skip(self.blanks)
        self.gap = gap if len(gap) <= 2 else ""
        self.expect_gap()
        return self._with_advice(events)

    def _with_advice(self, events: list[Event]) -> list[Event]:
        """The TA1 segments that follow ISA belong to the start of the interchange."""
        start = self.interchange
        answer: list[Event] = []
        for event in events:
            answer += self.advice(event) if event is start else [event]
        return answer

    def advice(self, start: Event) -> list[Event]:
        """The start of the interchange with the TA1 segments that follow its ISA."""
        assert isinstance(start, InterchangeStart)
        advice: list[Segment] = []
        events: list[Event] = []
        while self.starts_with("TA1"):
            self.index += 1
            segment, problems = self.take_segment()
            events += problems
            if segment is None:
                break
            advice.append(segment)
            self.window.skip(self.blanks)
        if advice:
            start = replace(start, advice=tuple(advice))
            self.interchange = start
        return [start, *events]

    def open_interchange(self, segment: Segment, length: int) -> list[Event]:
        """ISA: counting begins anew. `length` is that of ISA in the file; 0 where there is none."""
        values = segment + [""] * (17 - len(segment))
        self.ordinal += 1
        self.groups_counted = self.transactions_counted = 0
        self.group = None
        self.group_missing_told = False
        self.group_numbers, self.transaction_numbers = Numbers(), Numbers()
        self.interchange = InterchangeStart(
            syntax=Syntax.X12,
            ordinal=self.ordinal,
            offset=self.window.offset,
            delimiters=self.delimiters,
            segment=segment if length else [],
            sender=x12_header.identity(values[5], values[6]),
            receiver=x12_header.identity(values[7], values[8]),
            control_number=values[13].strip(),
            version=values[12].strip(),
            date=values[9].strip(),
            time=values[10].strip(),
            test=values[15].strip() == "T",
            acknowledgment_requested=values[14].strip() == "1",
        )
        self.interchange_number, self.group_number = self.interchange.control_number, ""
        self.release = x12_header.release_of(self.interchange.version)
        return [self.interchange]

    def skip_junk(self, *, told: bool) -> list[Event]:
        """Step to the next ISA that can be read, or to the end of the file."""
        window = self.window
        start, line = window.offset, window.line
        if x12_header.is_lower_case(window.text, window.position):
            found = window.text[window.position : window.position + 3]
            found = found if found.isalnum() else found[:2]
            problem = kinds.LOWER_CASE.at(
                Place(offset=start, line=line),
                f"the interchange starts with '{found}' in lower case; tags are upper case",
                found=found,
                expected=found.upper(),
            )
            told = True
        elif separator := x12_header.unusable_separator(window.text, window.position):
            named, told = Place(offset=start, line=line, segment="ISA"), False
            message = f"the element separator behind ISA is '{separator}', a character of data"
            problem = kinds.ISA_MALFORMED.at(named, message, found=separator, expected="a character that no value holds")
        else:
            problem = kinds.JUNK.at(
                Place(offset=start, line=line), "this is no interchange", expected="ISA", found=window.text[window.position : window.position + 40]
            )
        events: list[Event] = [problem] if problem.code == kinds.LOWER_CASE.code or not told else []
        window.seek(x12_header.POSSIBLE, x12_header.LONGEST, x12_header.can_be_read)
        return events

    # ---- segments of the envelope

    def take_segment(self) -> tuple[Segment | None, list[Event]]:
        """The segment at the window's position, cut; the window moves behind it. None when no terminator comes."""
        window = self.window
        events: list[Event] = []
        length = self.measure(events)
        if length is None:
            return None, events
        text = window.text[window.position : window.position + length]
        swallowed = x12_text.SWALLOWED.search(window.text, window.position + 2, window.position + length + 256)
        if swallowed is not None and swallowed.start() < window.position + length:
            events.append(kinds.TERMINATOR_MISSING.at(self.place(text[:3]), f"the segment does not end with '{shown(self.segment)}'"))
            length = swallowed.start() - window.position
            text = text[:length]
            length -= 1
        elif self.delimiters.wrapped:
            text = unwrap(text)
        window.position = min(window.position + length + 1, len(window.text))
        return x12_text.as_utf8(text).rstrip(self.blanks).split(self.element), events

    def read_envelope_segment(self) -> list[Event]:
        """GS, GE, IEA, TA1 or something that has no business here."""
        self.index += 1
        place = self.place()
        segment, events = self.take_segment()
        if segment is None:
            return [*events, *self.close_interchange([], self.window.offset)]
        tag = segment[0]
        if tag == "GS":
            return [*events, *self.open_group(segment, place)]
        if tag == "GE" and self.group is not None:
            return [*events, *self.close_group(segment, place)]
        if tag == "IEA" and self.interchange is not None and self.interchange.segment:
            return [*events, *self.close_interchange(segment, place.offset or 0, place)]
        return [*events, self.misplaced(tag, place)]

    def misplaced(self, tag: str, place: Place) -> Problem:
        """One problem for a run of segments that stand outside of transactions."""
        count = self.skip_strays(tag)
        named = msgspec.structs.replace(place, segment=tag[:3])
        if tag == "TA1":
            return kinds.ADVICE_MISPLACED.at(named, "TA1 stands behind the first group; it is not read here", expected="TA1 between ISA and GS")
        if tag.upper() in self.ENVELOPE_TAGS and tag not in self.ENVELOPE_TAGS:
            return kinds.LOWER_CASE.at(named, f"the tag '{tag}' is in lower case; tags are upper case", found=tag, expected=tag.upper())
        what = f"'{tag[:20]}' stands" if count == 1 else f"{count} segments from '{tag[:20]}' on stand"
        expected = {"SE": "ST before SE", "GE": "GS before GE", "IEA": "ISA before IEA"}.get(tag, "segments between ST and SE")
        return kinds.SEGMENT_MISPLACED.at(named, f"{what} outside of any transaction", found=tag[:20], expected=expected)

    def open_group(self, segment: Segment, place: Place) -> list[Event]:
        """GS: the group before it is closed, where it is still open."""
        events = self.close_group([], place)
        values = segment + [""] * (9 - len(segment))
        self.groups_counted += 1
        self.transactions_counted = 0
        self.transaction_numbers = Numbers()
        self.group = GroupStart(
            offset=place.offset or 0,
            segment=segment,
            type=values[1].strip(),
            sender=values[2].strip(),
            receiver=values[3].strip(),
            control_number=values[6].strip(),
            version=values[8].strip(),
        )
        self.release = x12_header.release_of(self.group.version) or self.release
        self.group_number = self.group.control_number
        events.append(self.group)
        number = self.group.control_number
        named = msgspec.structs.replace(place, group=number, segment="GS", element=6)
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            events.append(
                kinds.GS_CONTROL_NUMBER_INVALID.at(
                    named, f"GS06 is '{number}', one to nine digits are expected", found=number, expected="one to nine digits"
                )
            )
        elif not self.group_numbers.add(number):
            events.append(
                kinds.GS_DUPLICATE.at(
                    named, f"the interchange holds two groups with control number '{number}'", found=number, expected="another number"
                )
            )
        events += problems_at("GS", gs_faults(segment), named)
        return events

    def close_group(self, segment: Segment, place: Place) -> list[Event]:
        """GE, or the place where it is missing."""
        group = self.group
        if group is None:
            return []
        self.group = None
        self.group_number = ""
        self.release = x12_header.release_of(self.interchange.version) if self.interchange else ""
        number, counted = group.control_number, self.transactions_counted
        named = replace_place(place, group=number)
        problems = trailer_problems(GE, segment, named, number, counted, "transactions") if segment else [GE.lacking(named, number)]
        return [
            GroupEnd(
                offset=place.offset or 0,
                segment=segment,
                control_number=number,
                declared=declared_in(segment),
                counted=counted,
                problems=tuple(problems),
            )
        ]

    def outside_group(self) -> Iterator[Problem]:
        """Told once an interchange: transactions without GS."""
        if self.group is None and not self.group_missing_told and self.interchange is not None and self.interchange.segment:
            self.group_missing_told = True
            yield kinds.GROUP_MISSING.at(self.place("ST"), "a transaction stands outside of any group", expected="GS before ST")

    def close_interchange(self, segment: Segment, offset: int, place: Place | None = None) -> list[Event]:
        """IEA, or the place where it is missing."""
        start = self.interchange
        if start is None:
            return []
        place = place or Place(interchange=start.control_number or None, offset=offset, line=self.window.line)
        events = self.close_group([], place)
        declared, number, counted = declared_in(segment), start.control_number, self.groups_counted
        place = msgspec.structs.replace(place, group=None)
        problems: list[Problem] = []
        if segment:
            # a TA1 alone is counted by many
            advice_counted = start.advice and not counted and declared == 1
            problems = trailer_problems(IEA, segment, place, number, 1 if advice_counted else counted, "groups")
        elif start.segment:
            problems = [IEA.lacking(place, number)]
        events.append(
            InterchangeEnd(
                offset=offset,
                segment=segment,
                control_number=number,
                declared=declared,
                counted=counted,
                problems=tuple(problems),
            )
        )
        self.interchange = None
        self.interchange_number = ""
        return events
