"""X12: bytes -> envelopes and transactions, and back. X12.5 and X12.6; every release alike.

It knows syntax and nothing of what segments mean. The file slides through a window, one transaction is in memory at a time, and
all cutting is done by str.split. Composites and repetitions are left as sent: whoever knows the schema cuts them, since both
delimiters may be data. Nothing that stands in a file raises; it becomes a Problem, in the stream or on its transaction.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator

import msgspec

from gateway.codecs import x12_binary
from gateway.codecs import x12_header
from gateway.codecs import x12_text
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
from gateway.codecs.x12_envelope import EnvelopeReader
from gateway.codecs.x12_text import locate
from gateway.codecs.x12_text import write
from gateway.kinds import x12 as kinds
from gateway.problem import Kind
from gateway.problem import Place

__all__ = ["locate", "looks_like", "read", "write"]

looks_like = x12_header.looks_like

_X12 = Syntax.X12
_TYPE = re.compile(r"[0-9]{3}", re.ASCII)
#: problems of one sort that are told for one transaction
_TOLD = 50


def read(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Everything in a file, in its order, one transaction in memory at a time. What is wrong comes as a Problem, or with its part."""
    return read_interchanges(_Reader(Window(chunks)))


class _Reader(EnvelopeReader):
    """Reads what stands between ST and SE."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        #: types that were looked at once and are well formed
        self.good_types: set[str] = set()

    def at_transaction(self) -> bool:
        """Whether ST comes next; blanks before it are stepped over."""
        if self.interchange is None:
            return False
        window = self.window
        if window.text.startswith(self.header_start, window.position):
            return True
        window.skip(self.blanks)
        return self.starts_with("ST")

    def read_transactions(self) -> Iterator[Transaction]:
        """The transactions from the window's position on, while all is in order: a trailer that agrees with its header proves the cut.

        The hot path: all work over characters is done by str methods and one search for an odd beginning of a segment.
        """
        window = self.window
        delimiters, segment, element, gap = self.delimiters, self.segment, self.element, self.gap
        header_start, trailer_start, behind = self.header_start, self.trailer_start, len(self.trailer_start)
        is_new, is_odd, good_types = self.transaction_numbers.add, self.odd_start.search, self.good_types
        text, start = window.text, window.position
        shortest = 0
        while text.startswith(header_start, start):
            found = text.find(trailer_start, start + shortest)
            end = text.find(segment, found + behind) + 1 if found >= 0 else 0
            if not end:
                if len(text) - start < MAXIMUM_TRANSACTION and window.more():
                    text, start = window.text, 0
                    continue
                break
            if end - start > MAXIMUM_SEGMENT:
                break
            raw = text[start:end]
            decoded = raw if raw.isascii() else x12_text.as_utf8(raw, delimiters)
            if gap:
                pieces = decoded[:-1].split(segment + gap)
                if decoded.count(segment) != len(pieces):
                    break
            else:
                pieces = decoded.split(segment)
                pieces.pop()
            segments = [piece.split(element) for piece in pieces]
            header, trailer, count = segments[0], segments[-1], len(segments)
            if len(header) < 3 or trailer[1] != str(count) or trailer[-1] != header[2] or len(trailer) != 3:
                break
            if is_odd(decoded, 0, len(decoded) - 1):
                break
            kind, number = header[1], header[2]
            association = header[3].strip() if len(header) > 3 else ""
            self.index += count
            self.transactions_counted += 1
            transaction = Transaction(
                syntax=_X12,
                type=kind,
                version=self.release or x12_header.release_of(association),
                control_number=number,
                segments=segments,
                raw=raw,
                offset=window.base + start,
                line=window.line if window.breaks else window.first_line,
                delimiters=delimiters,
                association=association,
                interchange_control_number=self.interchange_number,
                group_control_number=self.group_number,
            )
            new = is_new(number)
            if not (new and number and kind in good_types):
                self.check_header(transaction, new)
            if gap and text.startswith(gap, end):
                end += len(gap)
            window.position = start = end
            shortest = min(shortest or MAXIMUM_SEGMENT, len(raw) - 64) if len(raw) > 128 else 0
            yield transaction

    def build(self, segments: list[Segment], raw: str) -> Transaction:
        """The transaction of these segments."""
        header = segments[0]
        if len(header) != 3:
            header = [*header, "", ""]
        association = header[3].strip() if len(header) > 3 else ""
        window = self.window
        self.index += len(segments)
        self.transactions_counted += 1
        return Transaction(
            syntax=Syntax.X12,
            type=header[1],
            version=self.release or x12_header.release_of(association),
            control_number=header[2],
            segments=segments,
            raw=raw,
            offset=window.base + window.position,
            line=window.line,
            delimiters=self.delimiters,
            association=association,
            interchange_control_number=self.interchange_number,
            group_control_number=self.group_number,
        )

    def check_header(self, transaction: Transaction, new: bool) -> None:
        """ST's type and control number."""
        number, kind = transaction.control_number, transaction.type
        if not new:
            self.tell(
                transaction, kinds.ST_DUPLICATE, f"the group holds two transactions with control number '{number}'", 1, 2, number, "another number"
            )
        if not number.strip():
            self.tell(transaction, kinds.ST_CONTROL_NUMBER_INVALID, "ST02 is empty, not 4 to 9 characters", 1, 2, number, "4 to 9 characters")
        if _TYPE.fullmatch(kind):
            self.good_types.add(kind)
        else:
            self.tell(transaction, kinds.ST_INVALID, f"ST01 is '{kind}', three digits are expected", 1, 1, kind, "three digits")

    def check_trailer(self, transaction: Transaction) -> None:
        """SE against ST and the count."""
        segments = transaction.segments
        _, declared, closing = [*segments[-1], "", ""][:3]
        count, number = str(len(segments)), transaction.control_number
        if declared.strip().lstrip("0") != count:
            self.tell(
                transaction,
                kinds.SE_COUNT,
                f"SE01 says {declared or 'nothing'}, the transaction has {count} segments",
                len(segments),
                1,
                declared,
                count,
            )
        if closing.strip() != number.strip():
            self.tell(transaction, kinds.SE_CONTROL_NUMBER, f"SE02 is '{closing}', ST02 is '{number}'", len(segments), 2, closing, number)

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

    # ---- the careful way: trailers may be missing, tags may be wrong

    def read_with_care(self) -> Transaction:
        """The same, looking at each segment: for transactions without SE, with empty segments, odd tags or wrapped lines."""
        window = self.window
        kind, length = self.find_boundary()
        too_large = kind == "large" or holds_too_much(window.text, window.position, length, self.delimiters)
        kept = max(4, window.text.find(self.segment, window.position, window.position + 256) + 1 - window.position) if too_large else length
        raw = window.text[window.position : window.position + kept]
        segments = x12_text.cut(raw, self.delimiters)
        transaction = self.build(segments, raw)
        window.position += length
        if kind == "SE" and not too_large:
            if not raw.endswith(self.segment):
                self.tell(transaction, kinds.TERMINATOR_MISSING, f"the last segment does not end with '{shown(self.segment)}'", len(segments))
        elif too_large:
            self.tell(
                transaction,
                kinds.TRANSACTION_TOO_LARGE,
                f"the transaction has more than {MAXIMUM_TRANSACTION} bytes, {MAXIMUM_SEGMENTS} segments or {MAXIMUM_ELEMENTS} elements",
                1,
                expected=f"at most {MAXIMUM_TRANSACTION} bytes",
            )
            if kind == "large":
                self.skip_transaction()
        elif kind == "end":
            self.tell_truncated(transaction)
        else:
            self.careful = True
            self.tell(
                transaction,
                kinds.SE_MISSING,
                f"transaction {transaction.control_number} has no SE: {kind} follows",
                len(segments),
                found=kind,
                expected="SE",
            )
        self.look_at_segments(transaction)
        self.check_header(transaction, self.transaction_numbers.add(transaction.control_number))
        if kind == "SE" and not too_large:
            self.check_trailer(transaction)
        return transaction

    def tell_truncated(self, transaction: Transaction) -> None:
        """The file ends inside of the transaction: say where."""
        window = self.window
        count, tag, offset = len(transaction.segments), transaction.segments[-1][0][:3], window.base + len(window.text)
        place = msgspec.structs.replace(place_in(transaction, index=count), segment=tag, offset=offset, line=window.line)
        message = f"the file ends at byte {offset} inside transaction {transaction.control_number}, in or behind segment {count} ({tag})"
        transaction.problems.append(kinds.FILE_TRUNCATED.at(place, message, expected="SE"))

    def find_boundary(self) -> tuple[str, int]:
        """What ends the transaction (SE, another tag of the envelope, `end` of the file, `large`) and the transaction's length."""
        window = self.window
        # all counted from the window's position: from where to look for a boundary, and for binary segments, in which there is none
        searched = passed = 2
        found: tuple[int, int, str] | None = None
        while True:
            if found is None:
                match = self.boundary.search(window.text, window.position + searched)
                if match is not None:
                    found = match.start() - window.position, match.end() - window.position, unwrap(match["tag"] or "ISA")
            passed, is_binary = self.pass_binary(passed, found[0] if found else len(window.text) - window.position)
            if is_binary:
                searched = max(searched, passed)
                found = found if found and found[0] >= passed else None
                continue
            have = len(window.text) - window.position
            if found is not None:
                start, distance, tag = found
                if tag != "SE":
                    return tag, distance
                behind = window.position + distance
                end = window.text.find(self.segment, behind)
                swallowed = x12_text.SWALLOWED.search(window.text, behind, end + 256 if end >= 0 else len(window.text))
                if swallowed is not None and (end < 0 or swallowed.start() < end):
                    return "SE", swallowed.start() - window.position
                if end >= 0:
                    return "SE", end + 1 - window.position
                if have - distance > MAXIMUM_SEGMENT:
                    return "large", have
                searched = max(2, start)
            else:
                searched = max(searched, have - 256)
            if have > MAXIMUM_TRANSACTION:
                return "large", have
            if not window.more():
                return ("SE" if found is not None else "end"), len(window.text[window.position :].rstrip(self.blanks))

    def pass_binary(self, passed: int, limit: int) -> tuple[int, bool]:
        """Behind the next binary segment that is as long as it says, if there is one before `limit`; else how far it was looked."""
        window = self.window
        if self.delimiters.wrapped:
            return passed, False
        while binary := self.binary.search(window.text, window.position + passed, window.position + limit):
            behind = binary.end() + int(binary["length"]) - window.position
            passed = binary.end() - window.position
            if behind <= MAXIMUM_TRANSACTION and window.hold(behind + 1) and window.text[window.position + behind] == self.segment:
                return behind, True
        return max(passed, limit - 256), False

    def skip_transaction(self) -> None:
        """Step over the rest of a transaction that is too large."""
        window = self.window
        while True:
            kind, length = self.find_boundary()
            window.position += length
            if kind != "large":
                return

    def look_at_segments(self, transaction: Transaction) -> None:
        """Each tag and each length; and the empty segments, which are in `raw` only."""
        segments = transaction.segments
        told = 0
        for index, segment in enumerate(segments[1:], 2):
            tag = segment[0]
            if "A" <= tag[:1] <= "Z":
                continue
            told += 1
            if told > _TOLD:
                break
            lower = tag.upper() != tag
            message = f"the tag '{tag[:20]}' is in lower case; tags are upper case" if lower else f"'{tag[:20]}' is no segment tag"
            self.tell(
                transaction, kinds.TAG_MALFORMED, message, index, None, tag[:20], tag.upper() if lower else "two or three capital letters and digits"
            )
        wrong = [(index, one) for index, one in enumerate(segments, 1) if one[0] in x12_binary.LENGTHS and not x12_binary.is_whole(one)]
        for index, segment in wrong[:_TOLD]:
            number = x12_binary.LENGTHS[segment[0]]
            found = segment[number] if len(segment) > number else ""
            message = f"{segment[0]}{number:02} says '{found[:20]}', the terminator is not that many bytes behind it"
            self.tell(transaction, kinds.BINARY_LENGTH, message, index, number, found[:20], "the length of the data")
        if len(transaction.raw) > MAXIMUM_SEGMENT:
            for index, segment in enumerate(segments, 1):
                if sum(map(len, segment)) > MAXIMUM_SEGMENT:
                    self.tell(
                        transaction,
                        kinds.SEGMENT_ENDLESS,
                        f"a segment is longer than {MAXIMUM_SEGMENT} bytes",
                        index,
                        None,
                        None,
                        f"at most {MAXIMUM_SEGMENT} bytes",
                    )
        for position in x12_text.empty_segments(transaction.raw, self.delimiters)[:_TOLD]:
            place = Place(
                interchange=transaction.interchange_control_number or None,
                group=transaction.group_control_number or None,
                transaction=transaction.control_number or None,
                offset=transaction.offset + position,
                length=1,
                line=transaction.line + transaction.raw.count("\n", 0, position),
            )
            transaction.problems.append(kinds.SEGMENT_EMPTY.at(place, "an empty segment stands between two segments"))
