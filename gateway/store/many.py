"""Writing many rows of one shape: a statement is compiled once a database, then the rows go to the driver as they are.

SQLAlchemy binds each value of each row through several calls; with ten lines an order that was a third of what an order costs. Here the
same types are asked for their conversion once, and a function made of them binds a row in one expression. SQLite takes row after row
(there is no way between the processes); PostgreSQL takes all rows in one statement, a column an array, since each statement costs it
more than its row does.
"""

import re
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Connection
from sqlalchemy import CursorResult
from sqlalchemy import Date
from sqlalchemy import Dialect
from sqlalchemy import Insert
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import Update
from sqlalchemy import bindparam
from sqlalchemy import literal_column
from sqlalchemy import update
from sqlalchemy.sql.dml import ReturningInsert

from gateway.store.columns import Moment
from gateway.store.columns import TextBacked
from gateway.store.columns import Words
from gateway.store.columns import moment_text
from gateway.store.columns import storable
from gateway.store.rows import insert

#: a row as the driver takes it, of a row in the order of our names
_Binder = Callable[[Sequence[Any]], tuple[Any, ...]]
#: a character that stands between texts while they are made one; a text that has it in itself goes the slow way
_SEPARATOR = "\x01"
_VALUES = re.compile(r"VALUES \([^()]*\)")


class Many:
    """One statement, run for many rows at once. `names` are its parameters in the order in which rows give them."""

    def __init__(self, names: Sequence[str], build: Callable[[Connection], Insert | Update], at_once: Callable[[Dialect], str | None]) -> None:
        self._names = tuple(names)
        self._build = build
        self._at_once = at_once
        self._compiled: dict[str, tuple[str, _Binder]] = {}

    def run(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> int:
        """Run it; returns how many rows were written."""
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._compile(connection)
        text, bind = self._compiled[name]
        bound = [bind(row) for row in rows]
        if not bound:
            return 0
        if name == "postgresql":
            # one value for each column: all rows in one statement
            return connection.exec_driver_sql(text, tuple(map(_array, zip(*bound, strict=True)))).rowcount
        return connection.exec_driver_sql(text, bound).rowcount

    def _compile(self, connection: Connection) -> tuple[str, _Binder]:
        statement = self._build(connection)
        dialect = connection.dialect
        compiled: Any = statement.compile(dialect=_with_places(dialect), column_keys=self._names if isinstance(statement, Insert) else None)
        kinds = {name: compiled.binds[name].type for name in self._names}
        if dialect.name != "postgresql":
            return str(compiled), _binder(self._names, compiled.positiontup, kinds, dialect)
        text = self._at_once(dialect)
        if text is None:
            names = tuple(compiled.positiontup)
            text = _VALUES.sub(f"SELECT * FROM unnest({_arrays(names, kinds)})", str(compiled))  # noqa: S608  names of ours
        else:
            names = self._names
            text = text.replace("{arrays}", _arrays(names, kinds))
        return text, _binder(self._names, names, kinds, dialect)


class Single:
    """One statement, run for one set of values at a time, where it is run for nearly everything that comes in. `names` are its parameters in the
    order in which `run` takes them. What it returns are the driver's own values: for texts and numbers."""

    def __init__(self, names: Sequence[str], build: Callable[[Connection], Insert | Select[Any] | ReturningInsert[Any]]) -> None:
        self._names = tuple(names)
        self._build = build
        self._compiled: dict[str, tuple[str, _Binder]] = {}

    def run(self, connection: Connection, *values: Any) -> CursorResult[Any]:
        """Run it."""
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._compile(connection)
        text, bind = self._compiled[name]
        return connection.exec_driver_sql(text, bind(values))

    def _compile(self, connection: Connection) -> tuple[str, _Binder]:
        compiled: Any = self._build(connection).compile(dialect=_with_places(connection.dialect))
        kinds = {name: compiled.binds[name].type for name in self._names}
        return str(compiled), _binder(self._names, compiled.positiontup, kinds, connection.dialect)


def many_inserts(table: Table, names: Sequence[str], ignore: Sequence[str] | None = None) -> Many:
    """INSERT of many rows; those that are there already by the columns `ignore` (empty: by any key) are left as they are."""

    def build(connection: Connection) -> Insert:
        statement = insert(connection, table)
        return statement if ignore is None else statement.on_conflict_do_nothing(index_elements=list(ignore) or None)

    return Many(names, build, lambda dialect: None)


def many_upserts(build: Callable[[Connection], Insert], names: Sequence[str]) -> Many:
    """INSERT with an ON CONFLICT of its own; no key may come twice."""
    return Many(names, build, lambda dialect: None)


def many_updates(table: Table, key: str, names: Sequence[str], only: str | None = None) -> Many:
    """UPDATE of these columns in many rows, each found by `key`, whose value a row gives first. `only`: a condition in SQL of our own."""
    statement = update(table).where(table.c[key] == bindparam("key")).values({name: bindparam(f"new_{name}") for name in names})
    if only is not None:
        statement = statement.where(literal_column(only))
    given = ("key", *(f"new_{name}" for name in names))

    def at_once(dialect: Dialect) -> str:
        quote = dialect.identifier_preparer.quote
        changes = ", ".join(f"{quote(name)} = given.new_{name}" for name in names)
        condition = f" AND {only}" if only is not None else ""
        return (
            f"UPDATE {quote(table.name)} SET {changes} FROM unnest({{arrays}}) AS given({', '.join(given)}) "  # noqa: S608  names of ours
            f"WHERE {quote(table.name)}.{quote(key)} = given.key{condition}"
        )

    return Many(given, lambda connection: statement, at_once)


def _with_places(dialect: Dialect) -> Dialect:
    """The same dialect with places instead of names: rows are tuples."""
    if dialect.name != "postgresql":
        return dialect
    placed: Dialect = type(dialect)(paramstyle="format")  # type: ignore[call-arg]  # each of SQLAlchemy's dialects takes it
    return placed


def _arrays(names: Sequence[str], kinds: dict[str, Any]) -> str:
    return ", ".join(f"%s::{_array_of(kinds[name])}" for name in names)


def _array(values: Collection[Any]) -> str:
    """Values as the text of a PostgreSQL array. The driver's own way looks at each text with regular expressions: more than all other work."""
    try:
        text = _SEPARATOR.join(values)
    except TypeError:
        # not only texts
        return f"{{{','.join(map(_element, values))}}}"
    if text.count(_SEPARATOR) != len(values) - 1:
        return f"{{{','.join(map(_element, values))}}}"
    # all of a column's texts at once
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return '{"' + text.replace(_SEPARATOR, '","') + '"}'


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is str:
        if "\\" in value:
            value = value.replace("\\", "\\\\")
        return f'"{value}"' if '"' not in value else '"' + value.replace('"', '\\"') + '"'
    return str(value)


def _array_of(of: Any) -> str:
    if isinstance(of, TextBacked):
        return "text[]"
    if isinstance(of, BigInteger):
        return "bigint[]"
    if isinstance(of, Integer):
        return "integer[]"
    if isinstance(of, Boolean):
        return "boolean[]"
    if isinstance(of, Date):
        return "date[]"
    raise TypeError(f"columns of the type {of!r} are not written in bulk")


def _binder(given: Sequence[str], wanted: Sequence[str], kinds: dict[str, Any], dialect: Dialect) -> _Binder:
    """A function that turns a row in the order of `given` into one in the order of `wanted`, converted."""
    parts = []
    known: dict[str, Any] = {}
    for place, name in enumerate(wanted):
        value = f"row[{given.index(name)}]"
        convert = _converter(kinds[name], dialect)
        if type(kinds[name]) is Words:
            # what nearly every value is, told without a call
            known["storable"] = storable
            value = f"(v if (v := {value}) is None or (v.isascii() and '\\x00' not in v) else storable(v))"
        elif type(kinds[name]) is Moment:
            known["moment_text"] = moment_text
            value = f"(v if (v := {value}) is None else moment_text(v))"
        elif convert is not None:
            known[f"convert_{place}"] = convert
            value = f"convert_{place}({value})"
        parts.append(value)
    binder: _Binder = eval(f"lambda row: ({', '.join(parts)},)", known)  # noqa: S307  places and names of ours, no data
    return binder


def _converter(of: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value of this type is given to the driver; None: as it is."""
    if isinstance(of, TextBacked):
        return of.to_text
    if isinstance(of, Date):
        return _iso_date if dialect.name == "sqlite" else None
    return None


def _iso_date(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
