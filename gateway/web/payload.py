"""The archived bytes behind a document: found, read as far as the page needs them, cut into lines and pieces that can be marked.

Nothing here reads more than a few megabytes for a page, however large the file is. One character of the text is one byte of the file
(latin-1), so that offsets are bytes; what is shown is decoded piece by piece.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.codecs import edifact
from gateway.codecs import x12
from gateway.codecs.choose import read as read_events
from gateway.codecs.choose import syntax_of
from gateway.codecs.node import GroupStart
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.pipeline.station import Station
from gateway.store.keeping import erasures
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.records.documents import Document

#: bytes that are walked through to come to a transaction; behind them its own bytes are taken out
WALKED = 4_000_000
#: the largest XML document that is read for a page
LARGEST_XML = 5_000_000
#: bytes of a file without transactions that are shown
SHOWN = 200_000
_CHUNK = 1 << 18
#: control numbers of the group and the transaction that are looked for; None: any
Control = tuple[str | None, str | None]


@dataclass(slots=True)
class Payload:
    """What is known of the bytes. `transaction` is None where they are no EDI, or could not be read again."""

    sha256: str
    size: int
    syntax: Syntax = Syntax.UNKNOWN
    start: InterchangeStart | None = None
    group: GroupStart | None = None
    transaction: Transaction | None = None
    #: the beginning of a file that has no transaction
    text: str = ""
    #: why nothing is shown
    trouble: str = ""


def payload_of(station: Station, row: Document, sent: Iterable[Entry], first_interchange: bool) -> Payload | None:
    """The bytes that a document came in, or left in; None where there are none (not sent yet, made by hand)."""
    if row.sha256 is not None:
        return _open(station, row.sha256, row.byte_offset, row.byte_length, (None, None), first_interchange)
    for entry in reversed(list(sent)):
        # the latest sending: what a partner rejected is shown until it was sent again
        if entry.sha256 is not None:
            return _open(station, entry.sha256, None, None, (entry.group_control, entry.transaction_control), True)
    return None


def _open(station: Station, sha256: str, offset: int | None, length: int | None, control: Control, first: bool) -> Payload:
    try:
        payload = Payload(sha256, station.archive.size(sha256))
    except (ArchiveMissing, ValueError) as error:
        with station.database.read() as connection:
            return Payload("", 0, trouble=erasures.words_of(connection, sha256) or str(error))
    with station.archive.open(sha256) as file:
        head = file.read(4096)
        payload.syntax = syntax_of(head)
        file.seek(0)
        segmented = payload.syntax in {Syntax.X12, Syntax.EDIFACT}
        if not segmented and (payload.syntax is Syntax.UNKNOWN or payload.size > LARGEST_XML):
            payload.text = file.read(SHOWN).decode("latin-1")
            return payload
        chunks: Iterable[bytes] = iter(lambda: file.read(_CHUNK), b"")
        far = segmented and offset is not None and length is not None and offset > WALKED and first
        if far:
            assert offset is not None and length is not None
            beginning = file.read(WALKED)
            file.seek(offset)
            chunks = _taken_out(beginning, file.read(length))
        _find(payload, read_events(chunks)[1], None if far else offset, control)
        if far and payload.transaction is not None:
            assert offset is not None
            payload.transaction.offset = offset
    return payload


def _taken_out(beginning: bytes, transaction: bytes) -> Iterator[bytes]:
    """The envelope of a large file's beginning with one transaction of its far end."""
    for event in read_events([beginning])[1]:
        if isinstance(event, Transaction):
            yield beginning[: event.offset] + transaction
            return


def _find(payload: Payload, events: Iterable[object], offset: int | None, control: Control) -> None:
    group, number = control
    for event in events:
        if isinstance(event, InterchangeStart):
            payload.start, payload.group = event, None
        elif isinstance(event, GroupStart):
            payload.group = event
        elif isinstance(event, Transaction):
            wanted = offset is None or event.offset == offset or event.root is not None
            named = number in {None, event.control_number} and group in {None, event.group_control_number}
            if wanted and (named or event.root is not None):
                payload.transaction = event
                return


# ---------------------------------------------------------------- segments, ready to be shown


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text that is shown in one way: data, delimiter, or a character that would not be seen."""

    text: str
    #: empty, delimiter, invisible, space
    look: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """One element (0: the tag, -1: what stands between elements) with its pieces and the numbers of the problems that stand at it."""

    number: int
    pieces: tuple[Piece, ...]
    problems: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A segment, or a line of a text, as it is shown. `number` 0: it goes on from the line before."""

    number: int
    offset: int
    elements: tuple[Element, ...]
    problems: tuple[int, ...] = ()
    left_out: int = 0


#: characters of a segment or line that are shown
LONGEST_LINE = 4000
_NAMES = {0x09: "tab", 0x0A: "line feed", 0x0D: "carriage return", 0x00: "null", 0x1B: "escape", 0xA0: "no-break space", 0xFEFF: "byte order mark"}


def pieces_of(text: str, delimiters: str = "", release: str = "") -> tuple[Piece, ...]:
    """Text with its delimiters told apart and its invisible characters shown."""
    pieces: list[Piece] = []
    plain: list[str] = []
    position = 0

    def flush() -> None:
        if plain:
            pieces.append(Piece("".join(plain)))
            plain.clear()

    while position < len(text):
        character = text[position]
        if release and character == release and position + 1 < len(text):
            flush()
            pieces.append(Piece(character, "delimiter", "release character"))
            plain.append(text[position + 1])
            position += 2
            continue
        if character in delimiters and character.isprintable() and not character.isspace():
            flush()
            pieces.append(Piece(character, "delimiter"))
        elif character == " ":
            end = position
            while end < len(text) and text[end] == " ":
                end += 1
            if end - position > 1 or end == len(text) or position == 0:
                flush()
                pieces.append(Piece(text[position:end], "space", f"{end - position} space{'s' if end - position > 1 else ''}"))
                position = end
                continue
            plain.append(character)
        elif not character.isprintable():
            flush()
            pieces.append(_invisible(character))
        else:
            plain.append(character)
        position += 1
    flush()
    return tuple(pieces)


def _invisible(character: str) -> Piece:
    code = ord(character)
    symbol = chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "⍽" if code in {0xA0, 0x202F} else "�"
    return Piece(symbol, "invisible", f"{_NAMES.get(code, 'not printable')}, U+{code:04X}")


def shown(raw: str) -> str:
    """Bytes as they are read by people: UTF-8 where they are that, else one character a byte."""
    data = raw.encode("latin-1")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def segment_span(transaction: Transaction, index: int) -> tuple[int, int]:
    """Where segment `index` (from 1) lies in `transaction.raw`."""
    codec = edifact if transaction.syntax is Syntax.EDIFACT else x12
    span = codec.locate(transaction, index)
    start = span.offset - transaction.offset
    return start, start + span.length


def segment_line(transaction: Transaction, index: int, problems: dict[int | None, list[int]]) -> Line:
    """Segment `index` as a line; `problems` are the numbers of its problems by element (None: the segment as a whole)."""
    delimiters = transaction.delimiters
    assert delimiters is not None
    start, end = segment_span(transaction, index)
    raw = transaction.raw[start:end].removesuffix(delimiters.segment)
    left_out = max(0, len(raw) - LONGEST_LINE)
    raw = raw[:LONGEST_LINE]
    inner = "".join({delimiters.component, delimiters.repetition} - {""})
    elements = []
    for number, part in enumerate(_cut(raw, delimiters.element, delimiters.release)):
        if number:
            elements.append(Element(-1, (Piece(delimiters.element, "delimiter"),)))
        told = tuple(problems.get(number, ())) if number else ()
        # the ISA names its own delimiters: there they are data
        look = "" if raw.startswith("ISA") else inner
        elements.append(Element(number, pieces_of(shown(part), look, delimiters.release), told))
    terminator = pieces_of(delimiters.segment, delimiters.segment) if delimiters.segment else ()
    if not left_out:
        elements.append(Element(-1, tuple(Piece(piece.text, piece.look or "delimiter", piece.title) for piece in terminator)))
    whole = tuple(number for numbers in problems.values() for number in numbers)
    return Line(index, transaction.offset + start, tuple(elements), whole, left_out)


def _cut(text: str, delimiter: str, release: str) -> list[str]:
    if not release or release not in text:
        return text.split(delimiter)
    parts, begin, position = [], 0, 0
    while position < len(text):
        if text[position] == release:
            position += 2
            continue
        if text[position] == delimiter:
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    return [*parts, text[begin:]]


def text_lines(text: str, base: int, marks: list[tuple[int, int, int]], marked_lines: dict[int, list[int]], most: int) -> Iterator[Line]:
    """A text in lines, long ones broken between tags; `marks` are (first byte, end, problem), `marked_lines` line -> problems."""
    position = 0
    for number, line in enumerate(text.split("\n"), start=1):
        offset = position
        for order, part in enumerate(_broken(line)):
            if most <= 0:
                return
            most -= 1
            begin, end = offset, offset + len(part)
            here = [(max(first, begin), min(last, end), told) for first, last, told in marks if first < end and last > begin]
            whole = marked_lines.get(number, []) if order == 0 else []
            yield Line(
                number if order == 0 else 0,
                base + begin,
                tuple(_marked(part, begin, here)),
                tuple(dict.fromkeys([*whole, *(told for _, _, told in here)])),
                max(0, len(part) - LONGEST_LINE),
            )
            offset = end
        position += len(line) + 1


def _broken(line: str) -> list[str]:
    """A line that a program wrote without line ends, broken where a tag begins."""
    if len(line) <= 240 or "><" not in line:
        return [line]
    parts = line.split("><")
    return [("<" if order else "") + part + (">" if order < len(parts) - 1 else "") for order, part in enumerate(parts)]


def _marked(part: str, begin: int, marks: list[tuple[int, int, int]]) -> Iterator[Element]:
    position = begin
    part = part[:LONGEST_LINE]
    for first, last, told in sorted(marks):
        if first < position:
            continue
        if first > position:
            yield Element(0, pieces_of(shown(part[position - begin : first - begin].replace("\r", ""))))
        yield Element(0, pieces_of(shown(part[first - begin : last - begin])), (told,))
        position = last
    yield Element(0, pieces_of(shown(part[position - begin :].rstrip("\r"))))
