"""Writing many rows of one shape: a statement is compiled once a database, then the rows go to the driver as tuples.

SQLAlchemy binds each value of each row through several calls; with ten lines an order that was a third of what an order costs. Here the
same types are asked for their conversion once, and a function made of them binds a row in one expression.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Date
from sqlalchemy import Dialect
from sqlalchemy import Insert
from sqlalchemy import Table
from sqlalchemy import Update

from gateway.store.columns import TextBacked
from gateway.store.rows import insert

#: a row as the driver takes it, of a row in the order of our names
_Binder = Callable[[Sequence[Any]], tuple[Any, ...]]


class Many:
    """One statement, run for many rows at once. `names` are its parameters in the order in which rows give them."""

    def __init__(self, build: Callable[[Connection], Insert | Update], names: Sequence[str]) -> None:
        self._build = build
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, _Binder]] = {}

    def run(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> int:
        """Run it; returns how many rows the database says were written (as far as it tells)."""
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(connection)
        text, bind = self._compiled[dialect.name]
        bound = [bind(row) for row in rows]
        return connection.exec_driver_sql(text, bound).rowcount if bound else 0

    def _compile(self, connection: Connection) -> tuple[str, _Binder]:
        statement = self._build(connection)
        # the same dialect with places instead of names: rows are tuples
        dialect = connection.dialect
        placed = dialect
        if dialect.name == "postgresql":
            placed = type(dialect)(paramstyle="format")  # type: ignore[call-arg]  # each of SQLAlchemy's dialects takes it
        compiled: Any = statement.compile(dialect=placed, column_keys=self._names if isinstance(statement, Insert) else None)
        parts: list[str] = []
        known: dict[str, Any] = {}
        for place, name in enumerate(compiled.positiontup):
            convert = _converter(compiled.binds[name].type, dialect)
            if name not in self._names:
                # a value that the statement itself holds is the same for all rows
                value = compiled.binds[name].value
                known[f"value_{place}"] = convert(value) if convert is not None else value
                parts.append(f"value_{place}")
            elif convert is not None:
                known[f"convert_{place}"] = convert
                parts.append(f"convert_{place}(row[{self._names.index(name)}])")
            else:
                parts.append(f"row[{self._names.index(name)}]")
        return str(compiled), _binder(parts, known)


def many_inserts(table: Table, names: Sequence[str], ignore: Sequence[str] | None = None) -> Many:
    """INSERT of many rows; those that are there already by the columns `ignore` (empty: by any key) are left as they are."""

    def build(connection: Connection) -> Insert:
        statement = insert(connection, table)
        return statement if ignore is None else statement.on_conflict_do_nothing(index_elements=list(ignore) or None)

    return Many(build, names)


def _binder(parts: Sequence[str], known: dict[str, Any]) -> _Binder:
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
