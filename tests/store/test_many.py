"""Rows that we bind ourselves come out as those that SQLAlchemy binds, for every type, on both databases."""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Connection
from sqlalchemy import Date
from sqlalchemy import Integer
from sqlalchemy import LargeBinary
from sqlalchemy import MetaData
from sqlalchemy import Table
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from gateway.store import tables
from gateway.store.columns import Json
from gateway.store.columns import Moment
from gateway.store.columns import Quantity
from gateway.store.columns import TextBacked
from gateway.store.columns import Words
from gateway.store.database import Database
from gateway.store.many import many_inserts
from gateway.store.many import many_updates

TABLE = Table(
    "of_all_types",
    MetaData(),
    Column("words", Words, primary_key=True),
    Column("moment", Moment),
    Column("quantity", Quantity),
    Column("names", Json(dict[str, str])),
    Column("number", BigInteger),
    Column("truth", Boolean),
    Column("day", Date),
)
NAMES = tuple(column.name for column in TABLE.columns)
ROWS: list[tuple[Any, ...]] = [
    ("plain", datetime(2026, 1, 5, 9, 30, tzinfo=UTC), Decimal("12.50"), {"a": "b"}, 7, True, date(2026, 1, 5)),
    ("nothing", None, None, None, None, None, None),
    ("nul \x00, half \ud800 and ü", datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=2))), Decimal("1E+3"), {}, -(2**40), False, date.max),
]


@pytest.fixture
def connection(database: Database) -> Any:
    with database.begin() as connection:
        TABLE.create(connection)
    with database.begin() as connection:
        yield connection
    with database.begin() as connection:
        TABLE.drop(connection)


def stored(connection: Connection) -> list[Any]:
    return list(connection.execute(select(TABLE).order_by(TABLE.c.words)).all())


def test_every_type_is_bound_as_sqlalchemy_binds_it(connection: Connection) -> None:
    connection.execute(TABLE.insert(), [dict(zip(NAMES, row, strict=True)) for row in ROWS])
    wanted = stored(connection)
    connection.execute(TABLE.delete())
    # in another order than the table's
    turned = tuple(reversed(NAMES))
    many_inserts(TABLE, turned).run(connection, [tuple(reversed(row)) for row in ROWS])
    assert stored(connection) == wanted
    assert [row.quantity for row in wanted] == [None, Decimal("1000"), Decimal("12.50")]


def test_rows_that_are_there_are_left_or_refused_as_asked(connection: Connection) -> None:
    many_inserts(TABLE, NAMES).run(connection, ROWS)
    other = [("plain", None, None, None, 8, None, None), ("new", None, None, None, 9, None, None)]
    many_inserts(TABLE, NAMES, ignore=("words",)).run(connection, other)
    many_inserts(TABLE, NAMES, ignore=()).run(connection, other)
    assert {row.words: row.number for row in stored(connection)}["plain"] == 7
    assert {row.words: row.number for row in stored(connection)}["new"] == 9
    with pytest.raises(IntegrityError), connection.begin_nested():
        many_inserts(TABLE, NAMES).run(connection, other)


def test_many_rows_are_changed_and_none_is_harmless(connection: Connection) -> None:
    many_inserts(TABLE, NAMES).run(connection, ROWS)
    many = many_updates(
        TABLE, "words", ("quantity", "day"), only="number IS DISTINCT FROM 5" if connection.dialect.name == "postgresql" else "number IS NOT 5"
    )
    assert many.run(connection, []) == 0
    assert many.run(connection, [("plain", Decimal("3"), None), ("nothing", Decimal("0.10"), date(2026, 2, 1)), ("nobody", None, None)]) == 2
    changed = {row.words: (row.quantity, row.day) for row in stored(connection)}
    assert changed["plain"] == (Decimal("3"), None)
    assert changed["nothing"] == (Decimal("0.10"), date(2026, 2, 1))


def test_no_column_of_ours_has_a_type_that_would_be_given_as_it_is_by_mistake() -> None:
    known = (TextBacked, Integer, Boolean, Date, LargeBinary)
    columns = [column for table in tables.METADATA.sorted_tables for column in table.columns]
    assert [str(column) for column in columns if not isinstance(column.type, known)] == []
