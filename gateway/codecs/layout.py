"""What a file in rows looks like: its columns, its record types, how rows make documents, how values are written. Frozen values.

schema/rows.py makes them of YAML; codecs/lines.py reads and writes by them. They know nothing of mappings.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.codecs.node import Event

#: the segment that stands for the first row of a document, where all rows are of one type
FIRST = "first_row"
#: and the rows themselves
ROW = "row"


class Form(Protocol):
    """How a file without an envelope is read: rows, JSON or XML by a description of their own, the base one or a partner's."""

    @property
    def spec(self) -> str:
        """csv/orders"""
        ...

    @property
    def owner(self) -> str:
        """The partner that the description is particular to; empty where it is everybody's."""
        ...

    @property
    def said(self) -> bool:
        """Somebody said that the file is of this form: then it is, and what does not fit is a problem."""
        ...

    def fits(self, head: bytes) -> bool:
        """Whether a file that starts with these bytes may be one of it."""
        ...

    def read(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        """Everything in a file of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A value of a row. `kind`: text, integer, decimal, N2 (two digits behind a point that is not written), date, datetime, boolean."""

    name: str
    #: its name in the first row of the file
    header: str
    kind: str = "text"
    #: of a date, like DD.MM.CCYY
    form: str = ""
    mandatory: bool = False
    min: int = 0
    max: int = 0
    codes: frozenset[str] | None = None
    #: fixed width: where it stands, from 1 to the last character
    start: int = 0
    end: int = 0
    #: characters that fill it up when it is written in fixed width, and the side that they stand on
    fill: str = " "
    right: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in ("integer", "decimal") or self.kind[:1] == "N"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A type of row. `mark` tells it from the others; empty where all rows are of one type."""

    name: str
    mark: str = ""
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A file in rows."""

    spec: str
    fixed: bool
    records: tuple[Record, ...]
    charset: str = "utf-8"
    #: the first row names the columns
    header: bool = False
    delimiter: str = ","
    #: empty: values are never quoted
    quote: str = '"'
    #: a row that starts so is none
    comment: str = ""
    line_end: str = "\r\n"
    decimal: str = "."
    thousands: str = ""
    #: (CSV) column of the file, or (fixed) first and last character, where the mark of a record stands
    mark_at: tuple[int, int] = (1, 1)
    #: record that begins a document; empty where rows are grouped by values
    opens: str = ""
    #: positions of columns whose values the rows of one document have in common; none: each row is a document
    group_by: tuple[int, ...] = ()
    #: all rows of the file are one document
    whole: bool = False
    #: records of the file itself (its first or last row), which belong to no document
    of_file: frozenset[str] = frozenset()
    #: record and position of the column that says who sends
    sender: tuple[str, int] | None = None
    #: what becomes of a written text that a spreadsheet would take for a formula: escape (an apostrophe before it), keep, refuse
    formulas: str = "escape"

    @property
    def syntax(self) -> str:
        return "fixed" if self.fixed else "csv"

    def record(self, name: str) -> Record:
        """The record of that name, which there must be."""
        return next(record for record in self.records if record.name == name)
