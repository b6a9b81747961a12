"""Bytes to rows and rows to cells, delimited or of fixed width. Works on bytes, so that every cell knows where it lies; knows no columns.

A quoted cell may hold line ends. A quote that never ends costs its own row and no more: the rows behind it are read again as
they stand. Nothing here keeps more than one row, and no row is larger than MAX_ROW.
"""

import re
from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

#: bytes of a row; what goes on for longer has lost its line end
MAX_ROW = 1 << 20
#: bytes after which an open quote is taken for one that never ends
MAX_QUOTED = 1 << 16


@dataclass(frozen=True, slots=True)
class Row:
    """A row without its line end. `fault`: what is wrong with its quotes, or that it is too long."""

    data: bytes
    offset: int
    line: int
    fault: str = ""
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a row, and its bytes in the row (without quotes around it)."""

    value: bytes
    start: int
    end: int


def physical(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int, bool]]:
    """Lines without their ends, each with its offset, and whether it is too long (then its rest is left out)."""
    buffer = b""
    offset = 0
    skipping = False
    for chunk in chunks:
        lines = (buffer + chunk).splitlines(keepends=True)
        # what is not ended may go on, and so may a line whose CR is followed by an LF
        buffer = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if not skipping:
                text = line.rstrip(b"\r\n")
                yield text[:MAX_ROW], offset, len(text) > MAX_ROW
            skipping = False
            offset += len(line)
        if len(buffer) > MAX_ROW and not buffer.endswith(b"\r"):
            if not skipping:
                yield buffer[:MAX_ROW], offset, True
            skipping = True
            offset += len(buffer)
            buffer = b""
    if buffer and not skipping:
        yield buffer.rstrip(b"\r\n"), offset, False


def rows(chunks: Iterable[bytes], quote: bytes, delimiter: bytes) -> Iterator[Row]:
    """Rows of a delimited file; with an empty `quote` every line is one."""
    waiting: deque[tuple[bytes, int, bool]] = deque()
    lines = physical(chunks)
    number = 0
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        number += 1
        data, offset, too_long = line
        if too_long or not quote or quote not in data or not _open(data, quote, delimiter, inside=False):
            yield Row(data, offset, number, too_long=too_long)
            continue
        held, parts, size, inside = [line], [data], len(data), True
        while inside and size <= MAX_QUOTED:
            more = waiting.popleft() if waiting else next(lines, None)
            if more is None:
                break
            # line ends within the quotes are data: as many bytes as there are between the lines
            gap = more[1] - held[-1][1] - len(held[-1][0])
            parts += [b"\r\n" if gap == 2 else b"\n" * gap, more[0]]
            held.append(more)
            size = more[1] + len(more[0]) - offset
            inside = quote not in more[0] or _open(more[0], quote, delimiter, inside=True)
        if inside:
            yield Row(data, offset, number, fault=_NOT_CLOSED)
            waiting.extendleft(reversed(held[1:]))
            continue
        yield Row(b"".join(parts), offset, number)
        number += len(held) - 1


def _open(data: bytes, quote: bytes, delimiter: bytes, *, inside: bool) -> bool:
    """Whether the last cell of a line is quoted and not closed; `inside`: the line begins within such a cell."""
    if inside:
        closed = _closing(data, 0, quote)
        if closed < 0:
            return True
        found = data.find(delimiter, closed + 1)
        if found < 0:
            return False
        data = data[found + len(delimiter) :]
    return cells(data, quote, delimiter)[1] == _NOT_CLOSED


_NOT_CLOSED = "a quote does not end"
_BEHIND = "something stands behind a closing quote"
_BLANKS = re.compile(rb"[ \t]*")


def cells(data: bytes, quote: bytes, delimiter: bytes) -> tuple[list[Cell], str]:
    """The cells of a delimited row, and what is wrong with their quotes."""
    answer: list[Cell] = []
    fault = ""
    position, length = 0, len(data)
    while True:
        blanks = _BLANKS.match(data, position)
        first = blanks.end() if blanks else position
        if quote and data.startswith(quote, first):
            closed = _closing(data, first + 1, quote)
            if closed < 0:
                answer.append(Cell(data[first + 1 :], first + 1, length))
                return answer, _NOT_CLOSED
            value, start, end = data[first + 1 : closed].replace(quote + quote, quote), first + 1, closed
            position = data.find(delimiter, closed + 1)
            tail = data[closed + 1 : position if position >= 0 else length]
            if tail.strip():
                value, end, fault = value + tail, closed + 1 + len(tail), _BEHIND
        else:
            begin = position
            position = data.find(delimiter, begin)
            end = position if position >= 0 else length
            value, start = data[begin:end], begin
        answer.append(Cell(value, start, end))
        if position < 0:
            return answer, fault
        position += len(delimiter)


def _closing(data: bytes, position: int, quote: bytes) -> int:
    """Where the quoted value ends; quotes within it are written twice."""
    while True:
        found = data.find(quote, position)
        if found < 0 or not data.startswith(quote, found + 1):
            return found
        position = found + 2


def column_of(data: bytes, start: int, charset: str) -> int:
    """The character of the line at which a cell begins, from 1."""
    before = data[:start]
    begin = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    return len(before[begin:].decode(charset, "replace")) + 1
