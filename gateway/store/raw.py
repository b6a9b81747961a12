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
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Connection
from sqlalchemy import Date
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from gateway.store import tables

#: payloads are carried through the archive, and nodes with what they hold are those of living processes
NOT_CARRIED = frozenset({"payload", "payload_piece", "node", "claim", "member"})

Values = tuple[Any, ...]
_METADATA = MetaData()
_ENCODE = msgspec.json.Encoder(enc_hook=str).encode


def _is_text(column: Column[Any]) -> bool:
    return not isinstance(column.type, Boolean | Date) and not _is_number(column)


def _is_number(column: Column[Any]) -> bool:
    try:
        return column.type.python_type is int
    except NotImplementedError:
        return False


def _raw(table: Table) -> Table:
    columns = []
    for column in table.columns:
        kind = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql") if _is_text(column) else column.type
        columns.append(Column(column.name, kind, primary_key=column.primary_key, autoincrement=False))
    return Table(table.name, _METADATA, *columns)


#: every table that is carried, those that others refer to first
CARRIED: tuple[Table, ...] = tuple(_raw(table) for table in tables.METADATA.sorted_tables if table.name not in NOT_CARRIED)


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


def values_by_name(table: Table, row: Sequence[Any]) -> Mapping[str, Any]:
    """A row's values under the names of their columns."""
    return dict(zip((column.name for column in table.columns), row, strict=True))
