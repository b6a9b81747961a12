"""Files in rows (CSV, fixed width) <-> transactions, by a layout. The same events as any codec: the file is one interchange
without a sender, each document in it one transaction, whose segments are its rows: `[record, value, value, ...]`.

A malformed row is a problem of its document, with line and column; the rest goes on. Whether values are what their columns
say is the schema's business (schema/rows.py); what they mean, nobody's here.
"""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from itertools import chain

from gateway.codecs.layout import Column
from gateway.codecs.layout import Layout
from gateway.codecs.layout import Record
from gateway.codecs.node import Event
from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Segment
from gateway.codecs.node import Span
from gateway.codecs.node import Syntax
from gateway.codecs.node import Transaction
from gateway.codecs.rows import Cell
from gateway.codecs.rows import Row
from gateway.codecs.rows import cells
from gateway.codecs.rows import column_of
from gateway.codecs.rows import rows
from gateway.kinds import file as file_kinds
from gateway.kinds import lines as kinds
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity

#: rows of one document, and bytes of it: it is held in memory as a whole
MAX_ROWS = 100_000
MAX_BYTES = 64 << 20
#: problems of rows that one document tells
MOST = 100
#: documents whose keys are remembered, to see rows that come too late
_MOST_KEYS = 1_000_000
_SHOWN = 40
_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(r"[ _-]+")


@dataclass(slots=True)
class Rows:
    """Where the rows of a transaction lie: kept in its `spots`, for `locate`."""

    layout: Layout
    #: for each record the file's column (from 0) of each of its columns; -1 where the file has none
    order: dict[str, list[int]]
    #: offset, length and line of each row, in the order of the segments
    places: list[tuple[int, int, int]] = field(default_factory=list)
    #: the numbers in the segments are plain ones by now, whatever signs the file has
    plain: bool = False


@dataclass(frozen=True, slots=True)
class LinesForm:
    """A layout as a form that a file may have."""

    layout: Layout
    said: bool = False
    #: the partner that the layout is particular to
    owner: str = ""

    @property
    def spec(self) -> str:
        return self.layout.spec

    def fits(self, head: bytes) -> bool:
        """Whether the beginning of a file may be of this form."""
        return fits(head, self.layout)

    def read(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        """`read` with this form's layout."""
        return read(chunks, self.layout, self.owner)


def fits(head: bytes, layout: Layout) -> bool:
    """Whether the first row of a file may be one of this layout: its names, its mark, or the number of its columns."""
    head = head.removeprefix(_BOM)
    if b"\0" in head or head.lstrip().startswith((b"<", b"{", b"[")):
        return False
    first = next((row for row in _rows_of([head], layout) if row.data.strip()), None)
    if first is None:
        return False
    if layout.fixed:
        if any(record.mark for record in layout.records):
            return _mark(first.data, layout) in {record.mark for record in layout.records}
        return len(first.data) >= max((column.end for column in layout.records[0].columns if column.mandatory), default=1)
    found = [_text(cell.value, layout) for cell in _cells(first.data, layout)[0]]
    if layout.header:
        names = {_name(text) for text in found}
        return all(_name(column.header) in names for record in layout.records for column in record.columns if column.mandatory)
    if any(record.mark for record in layout.records):
        return len(found) >= layout.mark_at[0] and found[layout.mark_at[0] - 1] in {record.mark for record in layout.records}
    columns = layout.records[0].columns
    return max((number for number, column in enumerate(columns, 1) if column.mandatory), default=1) <= len(found) <= len(columns)


def read(chunks: Iterable[bytes], layout: Layout, owner: str = "") -> Iterator[Event]:
    """The file as one interchange."""
    iterator = iter(chunks)
    head = next(iterator, b"")
    while len(head) < 4 and (more := next(iterator, b"")):
        head += more
    start = len(_BOM) if head.startswith(_BOM) else 0
    yield InterchangeStart(syntax=Syntax(layout.syntax))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield kinds.CHARSET.at(Place(offset=0, line=1), "the file is in UTF-16", found="UTF-16", expected=layout.charset)
        return
    yield from _Reader(layout, start, owner).events(chain([head[start:]], iterator))


class _Reader:
    def __init__(self, layout: Layout, start: int, owner: str) -> None:
        self.layout = layout
        self.owner = owner
        #: bytes before the first row
        self.start = start
        self.marked = {record.mark: record for record in layout.records if record.mark}
        self.order = _order(layout)
        self.width: int | None = None
        self.open: Transaction | None = None
        self.pieces: list[bytes] = []
        self.key: tuple[str, ...] = ()
        self.keys: set[int] = set()
        self.size = 0
        self.counted = 0
        self.end = start

    def events(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        header = self.layout.header
        for row in _rows_of(chunks, self.layout):
            self.end = self.start + row.offset + len(row.data)
            if not row.data.strip() or (self.layout.comment and row.data.startswith(self.layout.comment.encode())):
                continue
            if header:
                header = False
                wrong = self._header(row)
                yield from wrong
                if any(problem.severity is Severity.ERROR for problem in wrong):
                    return
                continue
            yield from self._row(row)
        if self.open is not None:
            yield self._close()
        elif not self.counted:
            yield file_kinds.EMPTY.at(Place(offset=self.end), "the file holds no document", found="0 rows", expected="at least one row")
        yield InterchangeEnd(offset=self.end, segment=[], control_number="", declared=None, counted=self.counted)

    def _header(self, row: Row) -> list[Problem]:
        """Which column of the file is which of ours."""
        held, fault = _cells(row.data, self.layout)
        names = [_name(_text(cell.value, self.layout)) for cell in held]
        self.width = len(held)
        place = self._place(row, 0)
        columns = self.layout.records[0].columns
        twice = sorted({name for name in names if name and names.count(name) > 1 and name in {_name(column.header) for column in columns}})
        missing = [column.header for column in columns if column.mandatory and _name(column.header) not in names]
        problems = []
        if fault:
            problems.append(kinds.QUOTE.at(place, f"row {row.line} names the columns, but {fault}", expected="names of columns"))
        if twice or missing:
            words = f"lacks {', '.join(missing)}" if missing else f"names {', '.join(twice)} twice"
            found = ", ".join(name for name in names if name)[:200]
            problems.append(kinds.HEADER.at(place, f"the first row {words}", found=found, expected=", ".join(column.header for column in columns)))
        known = {_name(column.header) for column in columns}
        for number, (name, cell) in enumerate(zip(names, held, strict=True), 1):
            if name and name not in known and len(problems) < MOST:
                shown = _text(cell.value, self.layout)[:_SHOWN]
                at = self._place(row, cell.start, cell.end - cell.start)
                problems.append(kinds.COLUMN_UNKNOWN.at(at, f"column {number} is '{shown}', which is left out", found=shown, expected="a known name"))
        self.order[self.layout.records[0].name] = [names.index(_name(column.header)) if _name(column.header) in names else -1 for column in columns]
        return problems

    def _row(self, row: Row) -> Iterator[Event]:
        problems: list[Problem] = []
        if row.too_long:
            problems.append(kinds.TOO_LONG.at(self._place(row, 0), f"the row on line {row.line} is too long", expected="at most 1 MB"))
        held, fault = _cells(row.data, self.layout)
        if row.fault or fault:
            fault = row.fault or fault
            at = self._place(row, held[-1].start if held else 0)
            problems.append(kinds.QUOTE.at(at, f"on line {row.line} {fault}", found=_text(row.data, self.layout)[:_SHOWN]))
        record = self._record(row, held)
        if record is None:
            mark = _mark(row.data, self.layout) if self.layout.fixed else self._mark_of(held)
            words = f"the row on line {row.line} begins with the mark '{mark[:_SHOWN]}', which is no record of {self.layout.spec}"
            problem = kinds.RECORD_UNKNOWN.at(self._place(row, 0), words, found=mark[:_SHOWN], expected=", ".join(sorted(self.marked)))
            yield from self._told([problem])
            return
        if record.name in self.layout.of_file:
            return
        segment = self._segment(row, record, held, problems)
        yield from self._begin_if_new(segment, row, record)
        if self.open is None:
            words = f"the row on line {row.line} ({record.name}) stands before any {self.layout.opens}"
            yield kinds.RECORD_MISPLACED.at(self._place(row, 0), words, found=record.name, expected=self.layout.opens)
            return
        yield from self._told(problems)
        self._add(segment, row)

    def _told(self, problems: list[Problem]) -> Iterator[Problem]:
        """Problems of a row belong to its document, or to the file where none is open."""
        if self.open is None:
            yield from problems
        else:
            self.open.problems.extend(problems[: max(MOST - len(self.open.problems), 0)])

    def _add(self, segment: Segment, row: Row) -> None:
        assert self.open is not None
        if len(self.open.segments) >= MAX_ROWS or self.size > MAX_BYTES:
            if not any(problem.code == kinds.TOO_LONG.code for problem in self.open.problems):
                words = f"the document has more than {MAX_ROWS} rows or {MAX_BYTES} bytes"
                self.open.problems.append(kinds.TOO_LONG.at(self._place(row, 0), words, expected=f"at most {MAX_ROWS} rows"))
            return
        offset = self.start + row.offset
        gap = offset - self.open.offset - self.size
        # what stands between two rows (a line end, an empty line) is kept as blanks: only its length matters
        self.pieces += [b"\r\n" if gap == 2 else b"\n" * gap, row.data]
        self.size += gap + len(row.data)
        self.open.segments.append(segment)
        self.open.spots.places.append((offset, len(row.data), row.line))

    def _begin_if_new(self, segment: Segment, row: Row, record: Record) -> Iterator[Event]:
        key: tuple[str, ...] = ()
        if self.layout.opens:
            begins = record.name == self.layout.opens
        elif self.layout.whole:
            begins = self.open is None
        else:
            key = tuple(segment[position] for position in self.layout.group_by)
            begins = self.open is None or not key or key != self.key
        if not begins:
            return
        if self.open is not None:
            yield self._close()
        self.key = key
        sender = self.layout.sender
        self.open = Transaction(
            syntax=Syntax(self.layout.syntax),
            type=self.layout.spec.partition("/")[2],
            version="",
            control_number=key[0] if key else "",
            segments=[],
            raw="",
            offset=self.start + row.offset,
            line=row.line,
            sender=segment[sender[1]] if sender is not None and sender[0] == record.name else "",
            owner=self.owner,
            spots=Rows(self.layout, self.order),
            problems=[],
        )
        self.pieces, self.size = [], 0
        if key and any(key):
            held = hash(key)
            if held in self.keys:
                columns = [record.columns[position - 1].name for position in self.layout.group_by]
                words = f"rows of {', '.join(columns)} '{', '.join(key)[:_SHOWN]}' stood further up in the file already"
                self.open.problems.append(
                    kinds.GROUP_AGAIN.at(self._place(row, 0), words, found=", ".join(key)[:_SHOWN], expected="all its rows together")
                )
            elif len(self.keys) < _MOST_KEYS:
                self.keys.add(held)

    def _close(self) -> Transaction:
        assert self.open is not None
        closed, self.open = self.open, None
        closed.raw = b"".join(self.pieces).decode("latin-1")
        self.counted += 1
        return closed

    def _record(self, row: Row, held: Sequence[Cell]) -> Record | None:
        if not self.marked:
            return self.layout.records[0]
        return self.marked.get(_mark(row.data, self.layout) if self.layout.fixed else self._mark_of(held))

    def _mark_of(self, held: Sequence[Cell]) -> str:
        at = self.layout.mark_at[0] - 1
        return _text(held[at].value, self.layout) if at < len(held) else ""

    def _segment(self, row: Row, record: Record, held: list[Cell], problems: list[Problem]) -> Segment:
        if self.layout.fixed:
            held = [_field(row.data, column) for column in record.columns]
        order = self.order[record.name]
        segment: Segment = [record.name]
        for number in order:
            if not 0 <= number < len(held):
                segment.append("")
                continue
            cell = held[number]
            try:
                segment.append(cell.value.decode(self.layout.charset).strip())
            except UnicodeDecodeError as error:
                segment.append(cell.value.decode(self.layout.charset, "replace").strip())
                bad = cell.value[error.start : error.start + 1].hex().upper()
                words = f"byte {bad} (hexadecimal) is no {self.layout.charset}"
                at = self._place(row, cell.start + error.start, 1)
                problems.append(kinds.CHARSET.at(at, words, found=bad, expected=self.layout.charset))
        if not self.layout.fixed:
            self._count(row, record, held, problems)
        return segment

    def _count(self, row: Row, record: Record, held: Sequence[Cell], problems: list[Problem]) -> None:
        """As many columns as the first row has; without one, no more than the description has."""
        wanted = self.width if self.width is not None else max(self.order[record.name], default=-1) + 1
        more = any(cell.value.strip() for cell in held[wanted:])
        if more or (self.width is not None and len(held) < wanted):
            at = self._place(row, held[wanted].start if more else len(row.data))
            words = f"the row on line {row.line} has {len(held)} columns, {'the first row' if self.width else record.name} has {wanted}"
            problems.append(kinds.COLUMNS.at(at, words, found=str(len(held)), expected=str(wanted)))

    def _place(self, row: Row, start: int, length: int | None = None) -> Place:
        column = column_of(row.data, start, self.layout.charset)
        line = row.line + row.data.count(b"\n", 0, start)
        return Place(offset=self.start + row.offset + start, length=length, line=line, column=column)


def _order(layout: Layout) -> dict[str, list[int]]:
    """The file's column of each of ours, where no first row says it: in their order, the mark left out."""
    answer = {}
    for record in layout.records:
        numbers = [number for number in range(len(record.columns) + 1) if not (record.mark and not layout.fixed and number == layout.mark_at[0] - 1)]
        answer[record.name] = numbers[: len(record.columns)]
    return answer


def _rows_of(chunks: Iterable[bytes], layout: Layout) -> Iterator[Row]:
    return rows(chunks, b"" if layout.fixed else layout.quote.encode(), layout.delimiter.encode())


def _cells(data: bytes, layout: Layout) -> tuple[list[Cell], str]:
    if layout.fixed:
        return [], ""
    quote, delimiter = layout.quote.encode(), layout.delimiter.encode()
    return cells(data, quote, delimiter)


def _field(data: bytes, column: Column) -> Cell:
    """A field of fixed width. Blanks around the value are no part of it."""
    part = data[column.start - 1 : column.end]
    value = part.strip()
    start = column.start - 1 + (len(part) - len(part.lstrip()) if value else 0)
    return Cell(value, start, start + len(value))


def _mark(data: bytes, layout: Layout) -> str:
    first, last = layout.mark_at
    return _text(data[first - 1 : last], layout)


def _text(data: bytes, layout: Layout) -> str:
    return data.decode(layout.charset, "replace").strip()


def _name(text: str) -> str:
    """A name of a column as it is compared: in small letters, blanks and signs between words alike."""
    return _PLAIN.sub("_", text.strip().lower())


def locate(transaction: Transaction, index: int, position: int | None = None) -> Span:
    """Where a row lies, or a value of it; found again in the raw bytes when asked for. Raises LookupError where there is no such row."""
    held: Rows = transaction.spots
    if not 0 < index <= len(held.places):
        raise LookupError(f"no row {index}")
    offset, length, line = held.places[index - 1]
    start = offset - transaction.offset
    data = transaction.raw[start : start + length].encode("latin-1")
    if not position:
        return Span(offset, length, line, 1)
    record = held.layout.record(transaction.segments[index - 1][0])
    if held.layout.fixed:
        cell = _field(data, record.columns[position - 1])
    else:
        number = held.order[record.name][position - 1]
        found = _cells(data, held.layout)[0]
        cell = found[number] if 0 <= number < len(found) else Cell(b"", length, length)
    column = column_of(data, cell.start, held.layout.charset)
    return Span(offset + cell.start, cell.end - cell.start, line + data.count(b"\n", 0, cell.start), column)


def place_of(transaction: Transaction, index: int, position: int | None = None) -> Place:
    """The place of a row or a value, for a Problem."""
    span = locate(transaction, index, position)
    return Place(
        transaction=transaction.control_number or None,
        segment=transaction.segments[index - 1][0],
        index=index,
        element=position,
        offset=span.offset,
        length=span.length,
        line=span.line,
        column=span.column,
    )
