"""X12 text: cutting a transaction, finding places in it, and writing segments.

It knows nothing of envelopes. Places are computed only when somebody asks, from the transaction's bytes as sent.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from gateway.codecs import x12_binary
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Span
from gateway.codecs.node import Transaction
from gateway.codecs.window import BLANKS
from gateway.codecs.window import shown
from gateway.codecs.wrapping import unwrap
from gateway.codecs.x12_header import WIDTHS


def as_utf8(text: str, delimiters: Delimiters | None = None) -> str:
    """Latin-1 text read as UTF-8 where its bytes are that, else as it is. Delimiters beyond ASCII rule UTF-8 out."""
    if text.isascii() or delimiters is not None and not (delimiters.element + delimiters.segment).isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def blanks_beside(delimiters: Delimiters) -> str:
    """What may stand between segments without meaning anything."""
    return "".join(blank for blank in BLANKS if blank not in {delimiters.element, delimiters.segment})


#: a whole padded ISA, which is believed wherever it stands
_PADDED_ISA = (
    r"ISA(?P<padded>[^A-Za-z0-9 \r\n])\d\d(?P=padded).{10}(?P=padded)\d\d(?P=padded).{10}(?P=padded)..(?P=padded).{15}(?P=padded)..(?P=padded)"
    r".{15}(?P=padded)\d{6}(?P=padded)\d{4}(?P=padded)"
)


#: a line that starts with ISA
_ANY_ISA = r"ISA(?P<isa>[^A-Za-z0-9 \r\n])\d\d(?P=isa)"
#: an interchange that starts inside of what should be one segment
SWALLOWED = re.compile(f"[\\r\\n][ \\t\\r\\n]*(?={_ANY_ISA})|(?={_PADDED_ISA})")


def boundary(delimiters: Delimiters) -> re.Pattern[str]:
    """Finds the tag (group `tag`) that ends a transaction: SE, or one that may only stand outside of it."""
    element, segment, blanks = re.escape(delimiters.element), re.escape(delimiters.segment), re.escape(blanks_beside(delimiters))
    join = r"[\r\n]*" if delimiters.wrapped else ""
    inside = "|".join(join.join(tag) for tag in ("SE", "ST", "GE", "GS", "IEA"))
    return re.compile(f"(?:{segment}[{blanks}]*|[\\r\\n])(?={_ANY_ISA})|{segment}[{blanks}]*(?=(?P<tag>{inside}){join}{element})|(?={_PADDED_ISA})")


def cut(raw: str, delimiters: Delimiters) -> list[Segment]:
    """The segments of a transaction's bytes; blanks before tags and empty segments are left out. The data of binary segments stay bytes."""
    blanks = blanks_beside(delimiters)
    if x12_binary.may_hold(raw, delimiters):
        binary = [piece.lstrip(blanks) for piece in x12_binary.pieces(raw, delimiters, blanks)]
        cuts = [x12_binary.cut_segment(piece, delimiters) for piece in binary if piece]
        return [segment if segment[0] in x12_binary.LENGTHS else [as_utf8(element, delimiters) for element in segment] for segment in cuts]
    text = as_utf8(raw, delimiters)
    if delimiters.wrapped:
        text = unwrap(text)
    element = delimiters.element
    pieces = [piece.lstrip(blanks) for piece in text.split(delimiters.segment)]
    return [piece.split(element) for piece in pieces if piece]


@lru_cache(maxsize=2)
def _spans(raw: str, delimiters: Delimiters) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Start and end of each segment in `raw`, and the positions of the terminators of empty ones. Cuts as `cut` does."""
    blanks = blanks_beside(delimiters)
    spans = []
    empty = []
    position = 0
    binary = x12_binary.may_hold(raw, delimiters)
    for piece in x12_binary.pieces(raw, delimiters, blanks) if binary else raw.split(delimiters.segment):
        bare = piece.lstrip(blanks)
        end = position + len(piece)
        if bare:
            spans.append((end - len(bare), end))
        elif end < len(raw):
            empty.append(end)
        position = end + 1
    return tuple(spans), tuple(empty)


def empty_segments(raw: str, delimiters: Delimiters) -> tuple[int, ...]:
    """Positions in `raw` of terminators that end nothing."""
    return _spans(raw, delimiters)[1]


def locate(transaction: Transaction, index: int, element: int | None = None, component: int | None = None, repetition: int | None = None) -> Span:
    """The bytes in the file of segment `index` (ST = 1), or of a part of it. What is not there lies, empty, where it should begin."""
    delimiters = transaction.delimiters
    assert delimiters is not None
    raw = transaction.raw
    spans = _spans(raw, delimiters)[0]
    if not spans:
        return Span(transaction.offset, 0, transaction.line)
    start, end = spans[min(max(index, 1), len(spans)) - 1]
    if index > len(spans):
        start = end
    if element is not None and raw[start : start + 3] in x12_binary.LENGTHS:
        parts = x12_binary.cut_segment(raw[start:end], delimiters)
        start = min(end, start + sum(len(part) + 1 for part in parts[:element]))
        end = start + len(parts[element]) if element < len(parts) else end
    elif element is not None:
        start, end = _part(raw, start, end, delimiters.element, element)
        for number, delimiter in ((repetition, delimiters.repetition), (component, delimiters.component)):
            if number is not None and delimiter:
                start, end = _part(raw, start, end, delimiter, number - 1)
    return Span(transaction.offset + start, end - start, transaction.line + raw.count("\n", 0, start))


def _part(raw: str, start: int, end: int, delimiter: str, number: int) -> tuple[int, int]:
    """The part with that number, from 0, of raw[start:end]."""
    for _ in range(number):
        found = raw.find(delimiter, start, end)
        if found < 0:
            return end, end
        start = found + 1
    found = raw.find(delimiter, start, end)
    return start, (found if found >= 0 else end)


def write(segments: Iterable[Segment], delimiters: Delimiters, *, line_end: str = "", as_sent: bool = False, encoding: str = "utf-8") -> bytes:
    """Segments as bytes. ISA is padded to its fixed widths; trailing empty elements are left out (X12.6).

    An element is a str, a list of components, or a Repeated list of either. Data that contains a delimiter raises ValueError, for X12
    cannot release it. `as_sent` takes elements as `read` gives them, in which component and repetition delimiters stand already.
    """
    forbidden = delimiters.element + delimiters.segment
    if not as_sent:
        forbidden += delimiters.component + delimiters.repetition
    bad = re.compile(f"[{re.escape(forbidden)}]")
    others = re.compile(f"[{re.escape(forbidden[1:])}]").search
    between = delimiters.element
    ending = delimiters.segment + line_end
    lines: list[str | bytes] = []
    for index, segment in enumerate(segments, 1):
        if segment[0] == "ISA":
            lines.append(_write_isa(segment, delimiters))
            continue
        if segment[0] in x12_binary.LENGTHS:
            lines.append(_write_binary(segment, delimiters, index))
            continue
        if list not in map(type, segment) and Repeated not in map(type, segment):
            # the ordinary segment: nothing but texts, none with a delimiter in it
            line = between.join(segment)
            if line.count(between) == len(segment) - 1 and not others(line):
                lines.append(line.rstrip(between))
                continue
        parts = [
            element if type(element) is str else _joined(element, delimiters, bad, segment, index, number) for number, element in enumerate(segment)
        ]
        for number, part in enumerate(segment):
            if type(part) is str and bad.search(part):
                raise _contains(part, bad, segment, index, number)
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        lines.append(delimiters.element.join(parts))
    lines.append("")
    if any(isinstance(line, bytes) for line in lines):
        return ending.encode(encoding).join(line if isinstance(line, bytes) else line.encode(encoding) for line in lines)
    return ending.join(cast("list[str]", lines)).encode(encoding)


def _write_binary(segment: Segment, delimiters: Delimiters, index: int) -> bytes:
    """A binary segment; its data have one character a byte."""
    if not x12_binary.is_whole(segment):
        raise ValueError(f"{segment[0]} segment {index}: its length is not that of its data")
    try:
        return delimiters.element.join(segment).encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"{segment[0]} segment {index}: its data are no bytes") from None


def _joined(element: object, delimiters: Delimiters, bad: re.Pattern[str], segment: Segment, index: int, number: int) -> str:
    """A composite (a list of str) or a repeated element as text."""
    assert isinstance(element, list)
    delimiter = delimiters.component
    parts = []
    if isinstance(element, Repeated):
        delimiter = delimiters.repetition
        parts = [one if isinstance(one, str) else _joined(one, delimiters, bad, segment, index, number) for one in element]
    else:
        parts = list(element)
        while parts and not parts[-1]:
            parts.pop()
    if len(parts) > 1 and not delimiter:
        raise ValueError(f"{segment[0]} segment {index}, element {number}: these delimiters cannot write repetitions or composites")
    for given in element:
        if isinstance(given, str) and bad.search(given):
            raise _contains(given, bad, segment, index, number)
    return delimiter.join(parts)


def _contains(value: str, bad: re.Pattern[str], segment: Segment, index: int, number: int) -> ValueError:
    found = bad.search(value)
    delimiter = found.group() if found else ""
    return ValueError(
        f"{segment[0]} segment {index}, element {number}: '{value}' contains the delimiter '{shown(delimiter)}', which X12 cannot release"
    )


def _write_isa(segment: Segment, delimiters: Delimiters) -> str:
    """ISA with its fixed widths; its ISA16 is the component separator."""
    if len(segment) != 17:
        raise ValueError(f"ISA has {len(segment) - 1} elements, 16 are needed")
    parts = ["ISA"]
    for number, (value, width) in enumerate(zip(segment[1:16], WIDTHS, strict=False), 1):
        if len(value) > width:
            raise ValueError(f"ISA{number:02} '{value}' has {len(value)} characters, at most {width} fit")
        if number != 11 and any(one in value for one in (delimiters.element, delimiters.segment, delimiters.component) if one):
            raise ValueError(f"ISA{number:02} '{value}' contains a delimiter")
        parts.append(value.rjust(width, "0") if number == 13 else value.ljust(width))
    return delimiters.element.join([*parts, delimiters.component])
