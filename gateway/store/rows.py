"""Rows of the database as the frozen values of our modules, and writing many of them at once."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import CursorResult
from sqlalchemy import Table
from sqlalchemy import literal_column
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all rows: one field a column, under its name."""


Of = TypeVar("Of", bound=Row)


class StaleState(Exception):
    """Somebody else changed the row in between: read again and decide again."""


def all_of(result: CursorResult[Any], of: type[Of]) -> list[Of]:
    """Every row of a result as a value."""
    names = tuple(result.keys())
    return [of(**dict(zip(names, row, strict=True))) for row in result]


def one_of(result: CursorResult[Any], of: type[Of]) -> Of | None:
    """The first row of a result as a value, None where there is none."""
    rows = all_of(result, of)
    return rows[0] if rows else None


def values_of(row: Row) -> dict[str, Any]:
    """A value's fields by name."""
    return {name: getattr(row, name) for name in row.__struct_fields__}


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """INSERT with ON CONFLICT, in the words of this database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def is_one_of(column: ColumnElement[str], *words: str) -> ColumnElement[bool]:
    """`column IN (...)` with the words written out: a partial index on just that is used only so, not with parameters."""
    written: list[ColumnElement[str]] = [literal_column(f"'{word}'") for word in words]
    return column == written[0] if len(written) == 1 else column.in_(written)


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column of text that no index is asked for: SQLite, which has no statistics, takes that of a whole partner as soon as that of a name."""
    return column.concat(literal_column("''"))


def is_not_zero(column: ColumnElement[int]) -> ColumnElement[bool]:
    """`column <> 0`, written out for the same reason."""
    return column != literal_column("0")


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; where the primary key is there already, the other columns take the new values."""
    parameters = [dict(row) for row in rows]
    if not parameters:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in parameters[0] if name not in keys}
    if others:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), parameters)
    else:
        connection.execute(statement.on_conflict_do_nothing(), parameters)
