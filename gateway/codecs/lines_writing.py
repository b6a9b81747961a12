"""Segments to a file in rows, by a layout: quoted or padded as it says. Mirrors codecs/lines.

Its rule: what is written reads back as the same values. What does not fit is refused (ValueError), never cut.

A text that a spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage return, and is no number) gets an
apostrophe before it, since people open such files by a double click (OWASP, CSV injection). `formulas: keep` is for files that only
machines read, `refuse` for those that must not be changed either.
"""

import re
from collections.abc import Iterable

from gateway.codecs.layout import Column
from gateway.codecs.layout import Layout
from gateway.codecs.node import Segment

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_LINE_ENDS = re.compile(r"[\r\n]+")


def write(segments: Iterable[Segment], layout: Layout) -> bytes:
    """The file, with its first row of names where the layout has one. Raises ValueError for what cannot be written."""
    lines = []
    if layout.header:
        lines.append(layout.delimiter.join(_quoted(column.header, layout) for column in layout.records[0].columns))
    for segment in segments:
        lines.append(_fixed(segment, layout) if layout.fixed else _delimited(segment, layout))
    text = "".join(line + layout.line_end for line in lines)
    try:
        return text.encode(layout.charset)
    except UnicodeEncodeError as error:
        raise ValueError(f"'{text[error.start]}' cannot be written in {layout.charset}") from None


def _delimited(segment: Segment, layout: Layout) -> str:
    record = layout.record(segment[0])
    cells = [_quoted(_safe(value, column, layout), layout) for column, value in _values(segment, record.columns, layout)]
    if record.mark:
        cells.insert(layout.mark_at[0] - 1, _quoted(record.mark, layout))
    return layout.delimiter.join(cells)


def _fixed(segment: Segment, layout: Layout) -> str:
    record = layout.record(segment[0])
    row: list[str] = []
    fields = [(column.start, column.end, _padded(value, column)) for column, value in _values(segment, record.columns, layout)]
    if record.mark:
        first, last = layout.mark_at
        fields.append((first, last, record.mark.ljust(last - first + 1)))
    for start, _, text in sorted(fields):
        row.append(" " * (start - 1 - sum(map(len, row))) + text)
    return "".join(row)


def _values(segment: Segment, columns: tuple[Column, ...], layout: Layout) -> Iterable[tuple[Column, str]]:
    for number, column in enumerate(columns, 1):
        value = segment[number] if number < len(segment) else ""
        yield column, value.replace(".", layout.decimal) if column.kind == "decimal" else value


def _padded(value: str, column: Column) -> str:
    width = column.end - column.start + 1
    value = _LINE_ENDS.sub(" ", value)
    if len(value) > width:
        raise ValueError(f"{column.name} is '{value}', {len(value)} characters long; its field has {width}")
    if column.right and value.startswith("-") and column.fill == "0":
        return "-" + value[1:].rjust(width - 1, "0")
    # an empty number is blanks, not zeros
    fill = column.fill if value else " "
    return value.rjust(width, fill) if column.right else value.ljust(width, fill)


def _safe(value: str, column: Column, layout: Layout) -> str:
    if layout.formulas == "keep" or column.is_number or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    if layout.formulas == "refuse":
        raise ValueError(f"{column.name} is '{value}', which a spreadsheet would take for a formula")
    return "'" + value


def _quoted(value: str, layout: Layout) -> str:
    quote, delimiter = layout.quote, layout.delimiter
    bare = not (delimiter in value or "\n" in value or "\r" in value or (quote and quote in value) or value != value.strip())
    if bare:
        return value
    if not quote:
        value = _LINE_ENDS.sub(" ", value).strip()
        if delimiter in value:
            raise ValueError(f"'{value}' holds the delimiter '{delimiter}', and nothing is quoted in this file")
        return value
    return quote + value.replace(quote, quote + quote) + quote
