"""EDIFACT text: cutting a message, finding places in it, and writing segments (ISO 9735).

It knows nothing of envelopes. The release character costs only where it occurs. Places are computed only when somebody
asks, from the message's bytes as sent.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Sequence
from functools import lru_cache

from gateway.codecs import edifact_charset
from gateway.codecs import edifact_header
from gateway.codecs import edifact_package
from gateway.codecs.node import Delimiters
from gateway.codecs.node import Repeated
from gateway.codecs.node import Segment
from gateway.codecs.node import Span
from gateway.codecs.node import Transaction
from gateway.codecs.window import BLANKS
from gateway.codecs.wrapping import unwrap


@lru_cache(maxsize=64)
def blanks_beside(delimiters: Delimiters) -> str:
    """What may stand between segments without meaning anything."""
    return "".join(blank for blank in BLANKS if blank not in {delimiters.element, delimiters.component, delimiters.segment, delimiters.release})


def boundary(delimiters: Delimiters) -> re.Pattern[str]:
    """Finds the tag (group `tag`) that ends a message: UNT, or one that may only stand outside of it."""
    element, segment, blanks = re.escape(delimiters.element), re.escape(delimiters.segment), re.escape(blanks_beside(delimiters))
    join = r"[\r\n]*" if delimiters.wrapped else ""
    inside = "|".join(join.join(tag) for tag in ("UNT", "UNH", "UNE", "UNG", "UNZ"))
    return re.compile(
        f"(?:{segment}[{blanks}]*|[\\r\\n])(?={edifact_header.INSIDE})|{segment}[{blanks}]*(?=(?P<tag>{inside}){join}(?:{element}|{segment}))"
    )


def is_released(text: str, position: int, delimiters: Delimiters, start: int = 0) -> bool:
    """Whether the character at `position` is released: an odd number of release characters stands before it."""
    release = delimiters.release
    count = 0
    if release:
        while position - count > start and text[position - count - 1] == release:
            count += 1
    return count % 2 == 1


def _split(text: str, delimiter: str, release: str) -> list[str]:
    """Cut at delimiters that are not released; the release characters stay."""
    parts = text.split(delimiter)
    if not release or release not in text:
        return parts
    answer: list[str] = []
    pending: list[str] = []
    for part in parts:
        pending.append(part)
        if part.endswith(release) and (len(part) - len(part.rstrip(release))) % 2:
            continue
        answer.append(part if len(pending) == 1 else delimiter.join(pending))
        pending = []
    if pending:
        answer.append(delimiter.join(pending))
    return answer


@lru_cache(maxsize=64)
def _released(release: str) -> re.Pattern[str]:
    return re.compile(re.escape(release) + "(.)", re.DOTALL)


def cut_segment(text: str, delimiters: Delimiters) -> Segment:
    """One segment without its terminator, cut into elements and components."""
    release, component, repetition = delimiters.release, delimiters.component, delimiters.repetition
    if not (release and release in text):
        parts = text.split(delimiters.element)
        segment: Segment = [part.split(component) for part in parts]
        segment[0] = segment[0][0]
        if repetition and repetition in text:
            for number, part in enumerate(parts):
                if number and repetition in part:
                    segment[number] = Repeated([one.split(component) for one in part.split(repetition)])
        return segment
    pattern = _released(release)

    def components(part: str) -> list[str]:
        return [pattern.sub(r"\1", one) for one in _split(part, component, release)]

    parts = _split(text, delimiters.element, release)
    segment = [components(parts[0])[0]]
    for part in parts[1:]:
        repeats = _split(part, repetition, release) if repetition and repetition in part else ()
        segment.append(Repeated([components(one) for one in repeats]) if len(repeats) > 1 else components(part))
    return segment


def cut(text: str, delimiters: Delimiters) -> list[Segment]:
    """The segments of a message; blanks before tags and empty segments are left out."""
    if delimiters.wrapped:
        text = unwrap(text)
    blanks = blanks_beside(delimiters)
    pieces = [piece.lstrip(blanks) for piece in _split(text, delimiters.segment, delimiters.release)]
    return [cut_segment(piece, delimiters) for piece in pieces if piece]


def cut_message(raw: str, delimiters: Delimiters, charset: str) -> tuple[list[Segment], str]:
    """The segments of a message's bytes, without the objects of packages; and what the text was taken for, where that is not its charset."""
    if edifact_package.may_hold(raw, delimiters):
        raw = "".join(raw[start:end] for start, end in edifact_package.stretches(raw, delimiters, blanks_beside(delimiters)))
    text, taken_for = edifact_charset.decode(raw, charset)
    return cut(text, delimiters), taken_for


@lru_cache(maxsize=2)
def _spans(raw: str, delimiters: Delimiters) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Start and end of each segment in `raw`, and the positions of the terminators of empty ones. Cuts as `cut` does."""
    blanks = blanks_beside(delimiters)
    holds = edifact_package.may_hold(raw, delimiters)
    spans = []
    empty = []
    for position, limit in edifact_package.stretches(raw, delimiters, blanks) if holds else [(0, len(raw))]:
        for piece in _split(raw[position:limit], delimiters.segment, delimiters.release):
            bare = piece.lstrip(blanks)
            end = position + len(piece)
            if bare:
                spans.append((end - len(bare), end))
            elif end < limit:
                empty.append(end)
            position = end + 1
    return tuple(spans), tuple(empty)


def empty_segments(raw: str, delimiters: Delimiters) -> tuple[int, ...]:
    """Positions in `raw` of terminators that end nothing."""
    return _spans(raw, delimiters)[1]


def part_at(transaction: Transaction, position: int) -> tuple[int, int | None]:
    """The segment (UNH = 1) and the element in which a position of `raw` lies; no element in a tag."""
    delimiters = transaction.delimiters
    assert delimiters is not None
    raw = transaction.raw
    spans = _spans(raw, delimiters)[0]
    index = max(1, bisect_right(spans, (position, len(raw))))
    start = spans[index - 1][0] if spans else 0
    return index, len(_split(raw[start:position], delimiters.element, delimiters.release)) - 1 or None


def locate(transaction: Transaction, index: int, element: int | None = None, component: int | None = None, repetition: int | None = None) -> Span:
    """The bytes in the file of segment `index` (UNH = 1), or of a part of it. What is not there lies, empty, where it should begin."""
    delimiters = transaction.delimiters
    assert delimiters is not None
    raw = transaction.raw
    spans = _spans(raw, delimiters)[0]
    if not spans:
        return Span(transaction.offset, 0, transaction.line)
    start, end = spans[min(max(index, 1), len(spans)) - 1]
    if index > len(spans):
        start = end
    if element is not None:
        start, end = _part(raw, start, end, delimiters.element, element, delimiters)
        for number, delimiter in ((repetition, delimiters.repetition), (component, delimiters.component)):
            if number is not None and delimiter:
                start, end = _part(raw, start, end, delimiter, number - 1, delimiters)
    return Span(transaction.offset + start, end - start, transaction.line + raw.count("\n", 0, start))


def _part(raw: str, start: int, end: int, delimiter: str, number: int, delimiters: Delimiters) -> tuple[int, int]:
    """The part with that number, from 0, of raw[start:end]."""
    for _ in range(number):
        found = _find(raw, start, end, delimiter, delimiters)
        if found < 0:
            return end, end
        start = found + 1
    found = _find(raw, start, end, delimiter, delimiters)
    return start, (found if found >= 0 else end)


def _find(raw: str, start: int, end: int, delimiter: str, delimiters: Delimiters) -> int:
    found = raw.find(delimiter, start, end)
    while found >= 0 and is_released(raw, found, delimiters, start):
        found = raw.find(delimiter, found + 1, end)
    return found


def write(
    segments: Iterable[Segment], delimiters: Delimiters = edifact_header.DEFAULT, *, line_end: str = "", una: bool = False, charset: str = "UNOC"
) -> bytes:
    """Segments as bytes. Delimiters in data are released; trailing empty elements and components are left out.

    An element is a str, a list of components, or a Repeated list of such lists. UNA is written when asked for, and when the delimiters are not
    the default ones. Raises ValueError, naming the place, for what the delimiters or the character set cannot write.
    """
    used = delimiters.element + delimiters.component + delimiters.segment + delimiters.release + delimiters.repetition
    special = re.compile(f"[{re.escape(used)}]")
    lines = [_service_string(delimiters)] if una or not _is_default(delimiters) else []
    for index, segment in enumerate(segments, 1):
        try:
            parts = [_element(element, delimiters, special) for element in segment[1:]]
        except ValueError as fault:
            raise ValueError(f"{segment[0]} segment {index}: {fault}") from None
        while parts and not parts[-1]:
            parts.pop()
        lines.append(delimiters.element.join([segment[0], *parts]) + delimiters.segment)
    text = line_end.join([*lines, ""])
    try:
        return edifact_charset.encode(text, charset)
    except UnicodeEncodeError as fault:
        before = text[: fault.start]
        line = text.rfind(delimiters.segment, 0, fault.start) + 1
        raise ValueError(
            f"{text[line : line + 20].strip()!r} segment {before.count(delimiters.segment) + 1}: "
            f"'{text[fault.start : fault.end]}' is no character of {charset}"
        ) from None


def _service_string(delimiters: Delimiters) -> str:
    optional = (delimiters.release or " ") + (delimiters.repetition or " ")
    return f"UNA{delimiters.component}{delimiters.element}{delimiters.decimal}{optional}{delimiters.segment}"


def _is_default(delimiters: Delimiters) -> bool:
    plain = edifact_header.DEFAULT
    return delimiters in (plain, edifact_header.with_repetition(plain), edifact_header.LEVEL_B)


def _element(element: str | Sequence[object], delimiters: Delimiters, special: re.Pattern[str]) -> str:
    if isinstance(element, str):
        return _data(element, delimiters, special)
    if isinstance(element, Repeated):
        if len(element) > 1 and not delimiters.repetition:
            raise ValueError("these delimiters cannot write repetitions")
        return delimiters.repetition.join(_element(one, delimiters, special) for one in element)
    parts = [_data(str(one), delimiters, special) for one in element]
    while parts and not parts[-1]:
        parts.pop()
    return delimiters.component.join(parts)


def _data(value: str, delimiters: Delimiters, special: re.Pattern[str]) -> str:
    if not special.search(value):
        return value
    if not delimiters.release:
        raise ValueError(f"'{value}' contains a delimiter, and there is no release character")
    return special.sub(lambda found: delimiters.release + found.group(), value)
