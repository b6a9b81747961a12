"""Numbers: those that we draw, and the control numbers that were used, both ways."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import Integer
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy import Table

from gateway.store.columns import Moment
from gateway.store.columns import Words
from gateway.store.tables.metadata import METADATA

control = Table(
    "control",
    METADATA,
    Column("partner", Words, nullable=False),
    Column("our_id", Words, nullable=False),
    Column("level", Words, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("drawn", BigInteger, nullable=False),
    PrimaryKeyConstraint("partner", "our_id", "level"),
    sqlite_with_rowid=False,
)

_COUNTING = ("partner", "direction", "identity", "level", "kind", "test")


def _counting() -> list[Column[Any]]:
    """What a counting of control numbers is known by."""
    return [Column(name, Boolean() if name == "test" else Words(), nullable=False) for name in _COUNTING]


counting = Table(
    "counting",
    METADATA,
    *_counting(),
    Column("round", Integer, nullable=False),
    Column("latest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("repeated", BigInteger, nullable=False),
    Column("last_repeated", BigInteger),
    Column("rolled_at", Moment),
    Column("changed_at", Moment, nullable=False),
    PrimaryKeyConstraint(*_COUNTING),
    sqlite_with_rowid=False,
)

# Numbers that follow each other are one row: a partner's million interchanges are one row, and one more for each gap.
control_run = Table(
    "control_run",
    METADATA,
    *_counting(),
    Column("round", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    PrimaryKeyConstraint(*_COUNTING, "round", "first"),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    METADATA,
    Column("entity", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("entity", "name"),
    sqlite_with_rowid=False,
)
