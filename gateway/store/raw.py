"""The tables as they are stored: rows as plain values, in the order of their keys, on both databases the same.

For copying and for backups: nothing is converted that is only carried. A row's line is its values as JSON, so that a table has the same lines, and
the same digest over them, wherever it lies.
"""

import datetime
import hashlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Connection
from sqlalchemy import Date
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from gateway.store import tables

#: payloads are carried through the archive, and nodes with what they hold are those of living processes
NOT_CARRIED = frozenset({"payload", "payload_piece", "node", "claim", "node_files", "stream_head"})

Values = tuple[Any, ...]
_ENCODE = msgspec.json.Encoder(enc_hook=str).encode


class ColumnForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column as a backup describes it."""

    name: str
    #: text, whole, truth, day
    kind: str
    key: bool = False
    #: refers to another row of the same table
    own: bool = False


def form_of(table: Table) -> tuple[ColumnForm, ...]:
    """A table of ours as its columns' forms."""
    return tuple(
        ColumnForm(str(column.name), _kind(column), column.primary_key, any(key.column.table is table for key in column.foreign_keys))
        for column in table.columns
    )


def table_of(name: str, form: Sequence[ColumnForm]) -> Table:
    """A table of these columns, as it is stored."""
    made = (Column(column.name, _TYPES[column.kind], primary_key=column.key, autoincrement=False, info={"own": column.own}) for column in form)
    return Table(name, MetaData(), *made)


def own_references(table: Table) -> list[int]:
    """Where in a row references to other rows of the same table stand."""
    return [index for index, column in enumerate(table.columns) if column.info["own"]]


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Boolean):
        return "truth"
    if isinstance(column.type, Date):
        return "day"
    return "whole" if isinstance(column.type, Integer) else "text"


_TYPES: Mapping[str, TypeEngine[Any]] = {
    "truth": Boolean(),
    "day": Date(),
    "whole": BigInteger(),
    "text": Text().with_variant(postgresql.TEXT(collation="C"), "postgresql"),
}

#: every table that is carried, those that others refer to first
FORMS: Mapping[str, tuple[ColumnForm, ...]] = {
    str(table.name): form_of(table) for table in tables.METADATA.sorted_tables if table.name not in NOT_CARRIED
}
CARRIED: tuple[Table, ...] = tuple(table_of(name, form) for name, form in FORMS.items())


def keys_of(table: Table) -> tuple[int, ...]:
    """Where in a row its key stands."""
    return tuple(index for index, column in enumerate(table.columns) if column.primary_key)


def rows(connection: Connection, table: Table) -> Iterator[Values]:
    """All rows in the order of their keys, a few thousand in memory at a time."""
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execute(query, execution_options={"yield_per": 2000}):
        yield tuple(row)


def line_of(row: Sequence[Any]) -> bytes:
    """A row as a line of a backup."""
    return _ENCODE(row) + b"\n"


def row_of(table: Table, line: bytes) -> Values:
    """The row of a line; ValueError where it is none of this table."""
    try:
        values = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise ValueError(f"a line of {table.name} is not JSON: {error}") from None
    if not isinstance(values, list) or len(values) != len(table.columns):
        raise ValueError(f"a line of {table.name} has not one value a column")
    return tuple(
        datetime.date.fromisoformat(value) if isinstance(column.type, Date) and value is not None else value
        for column, value in zip(table.columns, values, strict=True)
    )


def digest_of(connection: Connection, table: Table) -> tuple[int, str]:
    """How many rows there are, and the SHA-256 over their lines."""
    count, digest = 0, hashlib.sha256()
    for row in rows(connection, table):
        digest.update(line_of(row))
        count += 1
    return count, digest.hexdigest()


def add(connection: Connection, table: Table, batch: Sequence[Values]) -> None:
    """Insert rows; on PostgreSQL by COPY, which is many times quicker."""
    if not batch:
        return
    if connection.dialect.name != "postgresql":
        names = [column.name for column in table.columns]
        connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in batch])
        return
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN") as copy:
        for row in batch:
            copy.write_row(row)


def add_in_order(connection: Connection, table: Table, waiting: Sequence[Values]) -> None:
    """Insert rows that refer to others of their table: each after those that it refers to. ValueError where they stand in a circle."""
    places, keys = own_references(table), keys_of(table)
    while waiting:
        absent = {row[keys[0]] for row in waiting}
        ready = [row for row in waiting if not any(row[place] in absent for place in places)]
        if not ready:
            raise ValueError(f"rows of {table.name} refer to each other in a circle")
        add(connection, table, ready)
        waiting = [row for row in waiting if any(row[place] in absent for place in places)]


def refers_to_own(table: Table, row: Values) -> bool:
    """Whether a row refers to another one of its table."""
    return any(row[place] is not None for place in own_references(table))


def values_by_name(table: Table, row: Sequence[Any]) -> Mapping[str, Any]:
    """A row's values under the names of their columns."""
    return dict(zip((column.name for column in table.columns), row, strict=True))
