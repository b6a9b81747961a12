"""EDIFACT: bytes -> envelopes and messages, and back. ISO 9735, syntax versions 1 to 4, with and without UNA.

It knows syntax and nothing of what segments mean. The file slides through a window, one message is in memory at a time, and
all cutting is done by str.split; the release character costs only where it occurs. Nothing that stands in a file raises; it
becomes a Problem, in the stream or on its transaction.
"""

from collections.abc import Iterable
from collections.abc import Iterator

import msgspec

from gateway.codecs import edifact_charset
from gateway.codecs import edifact_header
from gateway.codecs import edifact_text
from gateway.codecs.edifact_envelope import EnvelopeReader
from gateway.codecs.edifact_service import package_words
from gateway.codecs.edifact_service import value
from gateway.codecs.edifact_text import locate
from gateway.codecs.edifact_text import write
from gateway.codecs.interchanges import read_interchanges
from gateway.codecs.node import Event
from gateway.codecs.node import Segment
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.node import place_in
from gateway.codecs.window import MAXIMUM_ELEMENTS
from gateway.codecs.window import MAXIMUM_SEGMENT
from gateway.codecs.window import MAXIMUM_SEGMENTS
from gateway.codecs.window import MAXIMUM_TRANSACTION
from gateway.codecs.window import Window
from gateway.codecs.window import holds_too_much
from gateway.codecs.window import shown
from gateway.codecs.wrapping import unwrap
from gateway.kinds import edifact as kinds
from gateway.problem import Kind
from gateway.problem import Place

__all__ = ["locate", "looks_like", "read", "write"]

looks_like = edifact_header.looks_like

#: problems of one sort that are told for one message
_TOLD = 50


def read(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Everything in a file, in its order, one message in memory at a time. What is wrong comes as a Problem, or with its part."""
    return read_interchanges(_Reader(Window(chunks)))


class _Reader(EnvelopeReader):
    """Reads what stands between UNH and UNT."""

    def at_transaction(self) -> bool:
        """Whether UNH comes next; blanks before it are stepped over."""
        if self.interchange is None:
            return False
        window = self.window
        if window.text.startswith(self.header_start, window.position):
            return True
        window.skip(self.blanks)
        return self.starts_with("UNH")

    def read_transactions(self) -> Iterator[Transaction]:
        """The messages from the window's position on, while all is in order: a trailer that agrees with its header proves the cut.

        The hot path: all work over characters is done by str methods and one search for an odd beginning of a segment.
        """
        window = self.window
        delimiters, segment, element, gap = self.delimiters, self.segment, self.element, self.gap
        component, release, repetition = delimiters.component, delimiters.release or "\0\0", delimiters.repetition
        header_start, trailer_start, behind = self.header_start, self.trailer_start, len(self.trailer_start)
        text, start = window.text, window.position
        while text.startswith(header_start, start):
            found = text.find(trailer_start, start)
            end = text.find(segment, found + behind) + 1 if found >= 0 else 0
            if not end:
                if len(text) - start < MAXIMUM_TRANSACTION and window.more():
                    text, start = window.text, 0
                    continue
                break
            if end - start > MAXIMUM_SEGMENT:
                break
            raw = text[start:end]
            decoded, taken_for = (raw, "") if raw.isascii() else edifact_charset.decode(raw, self.charset)
            if release in decoded or (repetition and repetition in decoded):
                segments = edifact_text.cut(decoded, delimiters)
            else:
                if gap:
                    pieces = decoded[:-1].split(segment + gap)
                    if decoded.count(segment) != len(pieces):
                        break
                else:
                    pieces = decoded.split(segment)
                    pieces.pop()
                segments = [[part.split(component) for part in piece.split(element)] for piece in pieces]
                for one in segments:
                    one[0] = one[0][0]
            if self.odd_start.search(decoded, 0, len(decoded) - 1):
                break
            trailer = segments[-1]
            if trailer[1:] != [[str(len(segments))], segments[0][1]] or trailer[0] != "UNT":
                break
            transaction = self.build(segments, raw, window.base + start)
            self.check_header(transaction)
            if taken_for or self.level is not None:
                self.check_charset(transaction, taken_for)
            if gap and text.startswith(gap, end):
                end += len(gap)
            window.position = start = end
            yield transaction

    def build(self, segments: list[Segment], raw: str, offset: int) -> Transaction:
        """The transaction of these segments."""
        header = segments[0]
        window = self.window
        kind = header[2] if len(header) > 2 else [""]
        if kind and isinstance(kind[0], list):
            kind = kind[0]
        kind = [*kind, "", "", "", "", ""]
        self.index += len(segments)
        self.transactions_counted += 1
        self.interchange_transactions_counted += 1
        interchange = self.interchange
        return Transaction(
            syntax=Syntax.EDIFACT,
            type=kind[0].strip(),
            version=(kind[1].strip() + kind[2].strip()).upper(),
            control_number=value(header, 1),
            segments=segments,
            raw=raw,
            offset=offset,
            line=window.line if window.breaks else window.first_line,
            delimiters=self.delimiters,
            association=kind[4].strip(),
            charset=interchange.version if interchange is not None else "",
            interchange_control_number=self.interchange_number,
            group_control_number=self.group_number,
        )

    def check_header(self, transaction: Transaction) -> None:
        """UNH's type and reference."""
        number, kind = transaction.control_number, transaction.type
        if not number:
            self.tell(transaction, kinds.UNH_CONTROL_NUMBER_MISSING, "UNH has no reference", 1, 1, "", "a reference")
        elif not self.transaction_numbers.add(number):
            message = f"two messages have the reference '{number}'"
            self.tell(transaction, kinds.UNH_DUPLICATE, message, 1, 1, number, "another reference")
        if not kind:
            self.tell(transaction, kinds.UNH_INVALID, "UNH names no message type", 1, 2, kind, "a type such as ORDERS")

    def check_trailer(self, transaction: Transaction) -> None:
        """UNT against UNH and the count."""
        segments = transaction.segments
        count, number = len(segments), transaction.control_number
        declared, closing = value(segments[-1], 1), value(segments[-1], 2)
        if declared.lstrip("0") != str(count):
            message = f"UNT says {declared or 'nothing'}, the message has {count} segments"
            self.tell(transaction, kinds.UNT_COUNT, message, count, 1, declared, str(count))
        if closing != number:
            message = f"UNT has the reference '{closing}', UNH has '{number}'"
            self.tell(transaction, kinds.UNT_CONTROL_NUMBER, message, count, 2, closing, number)

    def tell(
        self,
        transaction: Transaction,
        kind: Kind,
        message: str,
        index: int,
        element: int | None = None,
        found: str | None = None,
        expected: str | None = None,
    ) -> None:
        """Put a problem on the transaction, at its segment or element."""
        place = place_in(transaction, index=index, element=element, span=locate(transaction, index, element))
        transaction.problems.append(kind.at(place, message, found=found, expected=expected))

    def check_charset(self, transaction: Transaction, taken_for: str) -> None:
        """The bytes against the declared character set; characters outside of level A or B are told once an interchange."""
        raw = transaction.raw
        if taken_for:
            first = next((position for position, one in enumerate(raw) if one > "\x7f"), 0)
            message = f"the bytes are no {self.charset or 'declared character set'}; they were taken for {taken_for}"
            self.tell(transaction, kinds.CHARSET, message, *edifact_text.part_at(transaction, first), taken_for, self.charset)
        elif self.level is not None and (left := edifact_charset.outside(raw, self.level)) and left.isascii():
            self.level = None
            shown_characters = " ".join(shown(one) for one in dict.fromkeys(left[:1000]))
            message = f"{self.charset} does not hold these characters: {shown_characters[:100]}"
            self.tell(transaction, kinds.CHARSET, message, *edifact_text.part_at(transaction, raw.find(left[0])), left[0], "UNOC or UNOY")

    # ---- the careful way: trailers may be missing, tags may be wrong

    def read_with_care(self) -> Transaction:
        """The same, looking at each segment: for messages without UNT, with empty segments, odd tags or wrapped lines."""
        window = self.window
        kind, length = self.find_boundary()
        too_large = kind == "large" or holds_too_much(window.text, window.position, length, self.delimiters)
        kept = max(5, window.text.find(self.segment, window.position, window.position + 512) + 1 - window.position) if too_large else length
        raw = window.text[window.position : window.position + kept]
        segments, taken_for = edifact_text.cut_message(raw, self.delimiters, self.charset)
        transaction = self.build(segments, raw, window.offset)
        window.position += length
        if too_large:
            message = f"the message has more than {MAXIMUM_TRANSACTION} bytes, {MAXIMUM_SEGMENTS} segments or {MAXIMUM_ELEMENTS} elements"
            self.tell(transaction, kinds.TRANSACTION_TOO_LARGE, message, 1, expected=f"at most {MAXIMUM_TRANSACTION} bytes")
            if kind == "large":
                self.skip_transaction()
        elif kind == "UNT":
            if not raw.endswith(self.segment):
                self.tell(transaction, kinds.TERMINATOR_MISSING, f"the last segment does not end with '{shown(self.segment)}'", len(segments))
            self.check_trailer(transaction)
        elif kind == "end":
            self.tell_truncated(transaction)
        else:
            self.careful = True
            message = f"message {transaction.control_number} has no UNT: {kind} follows"
            self.tell(transaction, kinds.UNT_MISSING, message, len(segments) + 1, found=kind, expected="UNT")
            last = transaction.problems[-1]
            transaction.problems[-1] = msgspec.structs.replace(last, place=msgspec.structs.replace(last.place, segment="UNT"))
        self.look_at_segments(transaction)
        self.check_header(transaction)
        self.check_charset(transaction, taken_for)
        return transaction

    def tell_package(self, transaction: Transaction, index: int) -> None:
        """A package inside of the message: its object is not read."""
        segment = transaction.segments[index - 1]
        behind = transaction.segments[index] if index < len(transaction.segments) else []
        kind, message = package_words(segment, behind)
        self.tell(transaction, kind, message, index, None, value(segment, 4), "no package" if kind is kinds.PACKAGE else "UNP behind the object")

    def tell_truncated(self, transaction: Transaction) -> None:
        """The file ends inside of the message: say where."""
        window = self.window
        count, tag, offset = len(transaction.segments), transaction.segments[-1][0][:3], window.base + len(window.text)
        place = msgspec.structs.replace(place_in(transaction, index=count), segment=tag, offset=offset, line=window.line)
        message = f"the file ends at byte {offset} inside message {transaction.control_number}, in or behind segment {count} ({tag})"
        transaction.problems.append(kinds.FILE_TRUNCATED.at(place, message, expected="UNT"))

    def find_boundary(self) -> tuple[str, int]:
        """What ends the message (UNT, another tag of the envelope, `end` of the file, `large`) and the message's length."""
        window = self.window
        # all counted from the window's position: from where to look for a boundary, and for packages, in which there is none
        searched = passed = 3
        found: tuple[int, int, str] | None = None
        while True:
            if found is None:
                found = self.next_boundary(searched)
            passed, is_package = self.pass_package(passed, found[0] if found else len(window.text) - window.position)
            if is_package:
                searched = max(searched, passed)
                found = found if found and found[0] >= passed else None
                continue
            have = len(window.text) - window.position
            if found is not None:
                start, distance, tag = found
                if tag != "UNT":
                    return tag, distance
                behind = window.position + distance
                end = window.text.find(self.segment, behind)
                while end >= 0 and edifact_text.is_released(window.text, end, self.delimiters, behind):
                    end = window.text.find(self.segment, end + 1)
                if end >= 0:
                    return "UNT", end + 1 - window.position
                if have - distance > MAXIMUM_SEGMENT:
                    return "large", have
                searched = max(3, start)
            else:
                searched = max(searched, have - 256)
            if have > MAXIMUM_TRANSACTION:
                return "large", have
            if not window.more():
                return ("UNT" if found is not None else "end"), len(window.text[window.position :].rstrip(self.blanks))

    def next_boundary(self, searched: int) -> tuple[int, int, str] | None:
        """Start, end and tag of the next thing that ends a message, counted from the window's position."""
        window = self.window
        found = self.boundary.search(window.text, window.position + searched)
        while found is not None and found["tag"] and edifact_text.is_released(window.text, found.start(), self.delimiters, window.position):
            found = self.boundary.search(window.text, found.start() + 1)
        if found is None:
            return None
        return found.start() - window.position, found.end() - window.position, unwrap(found["tag"] or "UNB")

    def pass_package(self, passed: int, limit: int) -> tuple[int, bool]:
        """Behind the object of the next package that is as long as it says, if there is one before `limit`; else how far it was looked."""
        window = self.window
        if self.delimiters.wrapped:
            return passed, False
        while package := self.package.search(window.text, window.position + passed, window.position + limit):
            behind = package.end() + int(package["length"]) - window.position
            passed = package.end() - window.position - 1
            if behind <= MAXIMUM_TRANSACTION and self.has_package_end(behind):
                return behind, True
        return max(passed, limit - 256), False

    def skip_transaction(self) -> None:
        """Step over the rest of a message that is too large."""
        window = self.window
        while True:
            kind, length = self.find_boundary()
            window.position += length
            if kind != "large":
                return

    def look_at_segments(self, transaction: Transaction) -> None:
        """Each tag and each length; and the empty segments, which are in `raw` only."""
        told = 0
        for index, segment in enumerate(transaction.segments[1:], 2):
            tag = segment[0]
            if "A" <= tag[:1] <= "Z":
                continue
            told += 1
            if told > _TOLD:
                break
            lower = tag.upper() != tag
            message = f"the tag '{tag[:20]}' is in lower case; tags are upper case" if lower else f"'{tag[:20]}' is no segment tag"
            self.tell(transaction, kinds.TAG_MALFORMED, message, index, None, tag[:20], tag[:20].upper() if lower else "three capital letters")
        for index in [number for number, segment in enumerate(transaction.segments, 1) if segment[0] == "UNO"][:_TOLD]:
            self.tell_package(transaction, index)
        for position in edifact_text.empty_segments(transaction.raw, self.delimiters)[:_TOLD]:
            place = Place(
                interchange=transaction.interchange_control_number or None,
                group=transaction.group_control_number or None,
                transaction=transaction.control_number or None,
                offset=transaction.offset + position,
                length=1,
                line=transaction.line + transaction.raw.count("\n", 0, position),
            )
            transaction.problems.append(kinds.SEGMENT_EMPTY.at(place, "an empty segment stands between two segments"))
