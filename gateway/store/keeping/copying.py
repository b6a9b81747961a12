"""A whole installation's rows from one database into another, also while it runs: from one state of the source, in one transaction of the target.

The target is empty, or it is a former copy of the same installation that has not gone on by itself: its journal is the beginning of ours. Then
only what is different is written. Killed in between, the target is what it was before.
"""

import hashlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import tuple_
from sqlalchemy import update

from gateway.store import crash
from gateway.store import raw
from gateway.store import settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.raw import Values

_BATCH = 4000
#: done, of how many
Progress = Callable[[int, int], None]


class CopyRefused(Exception):
    """The target is somebody else's, or not what it should be; nothing was written."""


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that is the same on both sides now, proven by its digest."""

    name: str
    rows: int
    digest: str
    added: int
    changed: int
    removed: int


def check_target(source: Database, target: Database) -> None:
    """Make the target ready, or CopyRefused with why it cannot be one. Its own rows are not touched."""
    with target.read() as connection:
        present = set(inspect(connection).get_table_names())
    if present and "alembic_version" not in present:
        raise CopyRefused(f"the target holds {len(present)} tables of something else ({', '.join(sorted(present)[:3])}, ...); name an empty database")
    foreign = present - {"alembic_version", *tables.METADATA.tables} if "alembic_version" in present else set()
    if foreign and "journal_entry" not in present:
        raise CopyRefused(f"the target holds tables of something else ({', '.join(sorted(foreign)[:3])}, ...); name an empty database")
    target.migrate()
    with source.begin() as connection:
        ours = settings.installation_id(connection)
    with target.read() as connection:
        theirs = settings.get(connection, "installation")
        if theirs is None and not has_rows(connection, tables.METADATA.tables):
            return
        if theirs != ours:
            raise CopyRefused("the target is another installation of the gateway; name an empty database, or a former copy of this one")
        entries = tables.journal_entry
        newest = connection.execute(select(entries.c.position, entries.c.hash).order_by(entries.c.position.desc()).limit(1)).one_or_none()
    if newest is not None:
        with source.read() as connection:
            known = connection.execute(select(entries.c.hash).where(entries.c.position == newest.position)).scalar_one_or_none()
        if known != newest.hash:
            raise CopyRefused("the target was a copy of this installation and has gone on by itself since; it is not written over")


def copy_rows(source: Connection, target: Database, progress: Progress, before_commit: Callable[[], None] = lambda: None) -> list[CopiedTable]:
    """Make the target's rows those of the source's transaction, prove it, and commit."""
    stay_awake(source)
    total = sum(source.execute(select(func.count()).select_from(table)).scalar_one() for table in raw.CARRIED)
    done = 0

    def moved(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    with target.begin() as connection:
        stay_awake(connection)
        changes = [_Change(source, connection, table) for table in raw.CARRIED]
        for change in changes:
            change.bring(moved)
        for change in reversed(changes):
            change.remove()
        copied = []
        for change in changes:
            count, digest = raw.digest_of(connection, change.table)
            if (count, digest) != (change.rows, change.digest):
                raise CopyRefused(f"the table {change.table.name} came out different ({count} rows of {change.rows}); nothing was written")
            copied.append(CopiedTable(change.table.name, count, digest, change.added, change.changed, len(change.gone)))
        set_sequences(connection)
        before_commit()
        crash.point(17)
    return copied


def set_sequences(connection: Connection) -> None:
    """What the database counts up goes on behind what is there."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.METADATA.sorted_tables:
        for column in table.primary_key.columns:
            name = connection.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar_one()
            if name is not None:
                highest = connection.execute(select(func.max(column))).scalar_one()
                if highest is not None:
                    connection.execute(text("SELECT setval(:name, :highest)"), {"name": name, "highest": highest})


class _Change:
    """One table on its way: read in the order of its keys on both sides, written where it differs."""

    def __init__(self, source: Connection, target: Connection, table: Table) -> None:
        self.source = source
        self.target = target
        self.table = table
        self.rows = self.added = self.changed = 0
        self.digest = ""
        self.gone: list[Values] = []
        self._keys = raw.keys_of(table)
        self._fixed = table.name in tables.APPEND_ONLY
        self._was_empty = target.execute(select(table).limit(1)).first() is None
        #: rows that refer to others of the same table, written when those are there
        self._later: list[Values] = []

    def bring(self, moved: Callable[[int], None]) -> None:
        """Add and change rows."""
        digest = hashlib.sha256()
        reader = raw.rows(self.source, self.table)
        low: Values | None = None
        while batch := list(islice(reader, _BATCH)):
            for row in batch:
                digest.update(raw.line_of(row))
            self.rows += len(batch)
            high = self._key(batch[-1])
            self._put(batch, low, high)
            low = high
            moved(len(batch))
        self._put([], low, None)
        raw.add_in_order(self.target, self.table, self._later)
        self.digest = digest.hexdigest()

    def remove(self) -> None:
        """Take away what the source does not have any more."""
        for row in self.gone:
            self.target.execute(delete(self.table).where(self._is(row)))

    def _put(self, batch: Sequence[Values], low: Values | None, high: Values | None) -> None:
        there = {} if self._was_empty else {self._key(row): row for row in self._range(low, high)}
        new = []
        for row in batch:
            known = there.pop(self._key(row), None)
            if known is None:
                new.append(row)
            elif known != row:
                self._refuse_if_fixed(row)
                self.target.execute(update(self.table).where(self._is(row)).values(raw.values_by_name(self.table, row)))
                self.changed += 1
        for row in there.values():
            self._refuse_if_fixed(row)
            self.gone.append(row)
        self.added += len(new)
        self._later += [row for row in new if raw.refers_to_own(self.table, row)]
        raw.add(self.target, self.table, [row for row in new if not raw.refers_to_own(self.table, row)])

    def _refuse_if_fixed(self, row: Values) -> None:
        if self._fixed:
            raise CopyRefused(f"the target's {self.table.name} has a row that is not in the source ({self._key(row)}); it is not written over")

    def _range(self, low: Values | None, high: Values | None) -> Iterator[Values]:
        key = tuple_(*self.table.primary_key.columns)
        query = select(self.table)
        if low is not None:
            query = query.where(key > tuple_(*low))
        if high is not None:
            query = query.where(key <= tuple_(*high))
        for row in self.target.execute(query):
            yield tuple(row)

    def _key(self, row: Values) -> Values:
        return tuple(row[index] for index in self._keys)

    def _is(self, row: Values) -> ColumnElement[bool]:
        return and_(*(column == value for column, value in zip(self.table.primary_key.columns, self._key(row), strict=True)))


def has_rows(connection: Connection, present: Collection[str]) -> bool:
    """Whether anything is yet in those of our tables that are there."""
    ours = (table for table in raw.CARRIED if table.name in present and table.name != "setting")
    return any(connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None for table in ours)


def stay_awake(connection: Connection) -> None:
    """A transaction that reads or writes everything may take longer than the server lets a forgotten one stay."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def totals(copied: Sequence[CopiedTable]) -> Mapping[str, int]:
    """Rows in all, and what was done with them."""
    return {name: sum(getattr(table, name) for table in copied) for name in ("rows", "added", "changed", "removed")}
