"""Rows from one database into another: the same on both sides, repeated without harm, never over somebody else's."""

import hashlib
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy import Table
from sqlalchemy import select

from gateway.store import journal
from gateway.store import raw
from gateway.store import settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.journal import Entry
from gateway.store.keeping.copying import CopyRefused
from gateway.store.keeping.copying import check_target
from gateway.store.keeping.copying import copy_rows
from gateway.store.rows import insert
from tests.store.made import NOW
from tests.store.made import document
from tests.store.made import insert as insert_documents


def told(done: int, total: int) -> None:
    assert done <= total


def copy(source: Database, target: Database) -> dict[str, tuple[int, int, int]]:
    check_target(source, target)
    with source.read() as connection:
        copied = copy_rows(connection, target, told)
    with source.read() as ours, target.read() as theirs:
        for table, one in zip(raw.CARRIED, copied, strict=True):
            assert raw.digest_of(ours, table) == raw.digest_of(theirs, table) == (one.rows, one.digest)
    return {one.name: (one.added, one.changed, one.removed) for one in copied if one.added or one.changed or one.removed}


def entry(number: int) -> Entry:
    return Entry(stream="s", at=NOW, actor="a", action="made", subject_kind="document", subject=f"D{number}")


def fill(database: Database, first: int = 1, last: int = 5) -> None:
    with database.begin() as connection:
        insert_documents(connection, *(document(f"D{number}", number=f"PÖ 'n\"o\\{number}\t€") for number in range(first, last + 1)))
        journal.append(connection, [entry(number) for number in range(first, last + 1)])


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/source.db")
    database.migrate()
    fill(database)
    yield database
    database.close()


def test_everything_comes_over_and_again_only_what_is_new(source: Database, database: Database) -> None:
    first = copy(source, database)
    assert first["document"] == (5, 0, 0)
    assert copy(source, database) == {}
    fill(source, 6, 7)
    with source.begin() as connection:
        connection.execute(tables.document.update().where(tables.document.c.id == "D1").values(state="accepted"))
        connection.execute(insert(connection, tables.poke).values(stream="x"))
    changed = copy(source, database)
    assert (changed["document"], changed["journal_entry"], changed["poke"]) == ((2, 1, 0), (2, 0, 0), (1, 0, 0))
    with source.begin() as connection:
        connection.execute(tables.poke.delete())
    assert copy(source, database) == {"poke": (0, 0, 1)}


def test_the_copy_goes_on_counting_where_the_source_was(source: Database, database: Database) -> None:
    copy(source, database)
    with database.begin() as connection:
        journal.append(connection, [entry(99)])
        positions = list(connection.execute(select(tables.journal_entry.c.position)).scalars())
    assert len(set(positions)) == 6
    assert max(positions) == positions[-1] == 6


def test_a_row_that_came_out_different_is_found_and_nothing_is_written(source: Database, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add = raw.add

    def spoil(connection: Connection, table: Table, rows: Sequence[raw.Values]) -> None:
        add(connection, table, rows)
        if table.name == "document":
            connection.execute(tables.document.update().where(tables.document.c.id == "D3").values(number="PO9"))

    monkeypatch.setattr(raw, "add", spoil)
    with pytest.raises(CopyRefused, match=r"the table document came out different \(5 rows of 5\); nothing was written"):
        copy(source, database)
    with database.read() as connection:
        assert connection.execute(select(tables.document.c.id)).all() == []


def test_rows_that_refer_to_their_own_table_come_in_their_order(source: Database, database: Database) -> None:
    with source.begin() as connection:
        item = {"id": "I", "partner": "p", "kind": "invoice", "number": "1", "currency": "EUR", "amount_minor": 5, "open_minor": 5}
        days = {"issued_on": date(2026, 1, 1), "due_on": date(2026, 2, 1), "created_at": NOW}
        connection.execute(tables.open_item.insert().values(**item, **days))
        row = {"open_item": "I", "kind": "payment", "currency": "EUR", "amount_minor": 1, "actor": "a", "reason": "r", "at": NOW}
        connection.execute(tables.allocation.insert().values(id="Z", **row))
        connection.execute(tables.allocation.insert().values(id="M", reverses="Z", **row))
        connection.execute(tables.allocation.insert().values(id="A", reverses="M", **row))
    assert copy(source, database)["allocation"] == (3, 0, 0)


def test_a_large_table_comes_over_in_batches(source: Database, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.keeping.copying._BATCH", 7)
    fill(source, 6, 60)
    assert copy(source, database)["document_state"] == (60, 0, 0)
    fill(source, 61, 75)
    assert copy(source, database)["document"] == (15, 0, 0)


def test_a_database_of_something_else_is_refused(source: Database, postgres_url: str) -> None:
    target = open_database(postgres_url)
    with target.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id int)")
    with pytest.raises(CopyRefused, match="tables of something else"):
        check_target(source, target)
    target.close()


def test_another_installation_is_refused(source: Database, database: Database) -> None:
    with database.begin() as connection:
        settings.installation_id(connection)
        journal.append(connection, [entry(1)])
    with pytest.raises(CopyRefused, match="another installation"):
        check_target(source, database)


def test_a_copy_that_went_on_by_itself_is_not_written_over(source: Database, database: Database) -> None:
    copy(source, database)
    fill(database, 50, 51)
    with pytest.raises(CopyRefused, match="gone on by itself"):
        check_target(source, database)
    fill(source, 60, 65)
    with pytest.raises(CopyRefused, match="gone on by itself"):
        check_target(source, database)


def test_history_in_the_target_is_never_changed(source: Database, database: Database) -> None:
    copy(source, database)
    with database.begin() as connection:
        connection.execute(tables.document_state.insert().values(document="D1", transition_no=9, state="x", actor="a", reason="r", at=NOW))
    check_target(source, database)
    with source.read() as connection, pytest.raises(CopyRefused, match="document_state has a row that is not in the source"):
        copy_rows(connection, database, told)


def test_what_is_written_while_it_is_copied_comes_with_the_next_copy(source: Database, database: Database) -> None:
    check_target(source, database)
    stop = threading.Event()
    written = []

    def write() -> None:
        number = 100
        while not stop.is_set():
            fill(source, number, number)
            written.append(number)
            number += 1

    with source.read() as connection:
        raw.digest_of(connection, raw.CARRIED[0])
        writer = threading.Thread(target=write)
        writer.start()
        try:
            copied = copy_rows(connection, database, told)
        finally:
            stop.set()
            writer.join()
    assert {one.name: one.rows for one in copied}["document"] == 5
    assert copy(source, database)["document"] == (len(written), 0, 0)


def test_a_line_of_a_row_comes_back_as_the_row(source: Database) -> None:
    with source.read() as connection:
        for table in raw.CARRIED:
            lines = [raw.line_of(row) for row in raw.rows(connection, table)]
            assert [raw.row_of(table, line) for line in lines] == list(raw.rows(connection, table))
            assert raw.digest_of(connection, table) == (len(lines), hashlib.sha256(b"".join(lines)).hexdigest())
    with pytest.raises(ValueError, match="one value a column"):
        raw.row_of(raw.CARRIED[0], b"[1]\n")
