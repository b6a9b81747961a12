"""Opening, migrating, transactions and their troubles."""

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import IntegrityError

from gateway.store import journal
from gateway.store import settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.database import open_database
from gateway.store.incoming import as2_requests
from gateway.store.migrations.run import migrate
from gateway.store.outgoing import receipts
from tests.store.made import NOW


def test_migrations_build_the_tables_of_the_code(database: Database) -> None:
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), tables.METADATA)
    assert differences == []


def test_migrating_twice_is_harmless(database: Database) -> None:
    database.migrate()
    database.migrate()


def test_who_opens_a_database_that_is_as_it_should_be_waits_for_no_writer(sqlite_url: str) -> None:
    """Commands that only read are asked just when a database is locked."""
    first, second = open_database(sqlite_url), open_database(sqlite_url)
    with first.begin():
        began = time.monotonic()
        second.migrate()
        assert time.monotonic() - began < 15, "a writer is waited for for 30 seconds"
    first.close()
    second.close()


def test_receipts_and_requests_of_before_get_what_their_messages_were_for(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for url in (f"sqlite:///{tmp_path / 'old.db'}", str(request.getfixturevalue("postgres_url"))):
        old = open_database(url)
        with old.begin() as connection:
            migrate(connection, "0013")
            transmission = "'T1', 'in', 'as2:A to US', '1@a', 'a.edi', 'ab', 1, '2026-01-01', 'done', 'in:as2', 1, '[]', '{\"as2_to\": \"US\"}'"
            columns = "id, direction, endpoint, source_identity, name, sha256, size, received_at, state, stream, seq, problems, properties"
            connection.exec_driver_sql(f"INSERT INTO transmission ({columns}) VALUES ({transmission})")  # noqa: S608
            for values in (
                "'A', '1@a', 'T1', 'aa', '{}', '2026-01-01T00:00:00.000000Z'",
                "'A', '2@a', NULL, 'bb', '{}', '2026-01-01T00:00:00.000000Z'",
            ):
                connection.exec_driver_sql(f"INSERT INTO receipt VALUES ({values})")  # noqa: S608
        with old.begin() as connection:
            names = {"as2_from": "A", "as2_to": "US", "message_id": "3@a"}
            for subject, action, kept in (("cc", "AS2 message refused", ("cc", "dd")), ("Q", "AS2 message refused", ()), ("ee", "received", ("ee",))):
                told = journal.Entry(
                    stream="s", at=NOW, actor="gateway", action=action, subject_kind="as2_request", subject=subject, facts=names, references=kept
                )
                journal.append(connection, [told])
        old.migrate()
        with old.read() as connection:
            assert [(one.request_sha256, one.partner, one.came_at) for one in as2_requests.named(connection, "3@a")] == [("cc", "", NOW)]
        with old.read() as connection:
            found = [receipts.find(connection, "A", us, message) for us, message in (("US", "1@a"), ("US2", "1@a"), ("US", "2@a"))]
        old.close()
        assert [one.mdn_sha256 if one else None for one in found] == ["aa", None, "bb"]


_MIGRATE = "import sys; from gateway.store.database import open_database; d = open_database(sys.argv[1]); d.migrate(); d.close()"


def _migrate_at_once(url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", _MIGRATE, url], stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    database = open_database(url)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    database.close()


def test_processes_that_start_together_on_a_new_file_migrate_it_once(tmp_path: Path) -> None:
    _migrate_at_once(f"sqlite:///{tmp_path}/new/gateway.db")


def test_processes_that_start_together_on_postgresql_migrate_it_once(postgres_url: str) -> None:
    _migrate_at_once(postgres_url)


def test_a_database_of_a_newer_program_is_refused_in_a_plain_sentence(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTrouble, match="newer version of the gateway") as caught:
        database.migrate()
    assert not caught.value.retry


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        with database.begin() as connection:
            settings.put(connection, "a", "1")
            raise RuntimeError
    with database.read() as connection:
        assert settings.get(connection, "a") is None


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises((DatabaseTrouble, DBAPIError)):
        with database.read() as connection:
            settings.put(connection, "a", "1")


def test_a_reading_transaction_sees_one_state(database: Database) -> None:
    with database.read() as connection:
        assert settings.get(connection, "a") is None
        with database.begin() as writer:
            settings.put(writer, "a", "1")
        assert settings.get(connection, "a") is None


def test_the_change_counter_moves_with_every_commit_and_only_then(database: Database) -> None:
    before = database.change_counter()
    assert database.change_counter() == before
    with database.read() as connection:
        settings.get(connection, "a")
    assert database.change_counter() == before
    with database.begin() as connection:
        settings.put(connection, "a", "1")
    after = database.change_counter()
    assert after != before
    assert database.change_counter() == after


def test_a_writer_waits_for_the_other(database: Database) -> None:
    def add() -> None:
        for _ in range(20):
            with database.begin() as connection:
                connection.execute(text("UPDATE stream SET next_seq = next_seq + 1 WHERE name = 'x'"))

    with database.begin() as connection:
        connection.execute(text("INSERT INTO stream (name, next_seq) VALUES ('x', 0)"))
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT next_seq FROM stream")).scalar_one() == 80


@pytest.mark.parametrize("table", tables.APPEND_ONLY)
def test_history_can_be_neither_changed_nor_removed(database: Database, table: str) -> None:
    columns = tables.METADATA.tables[table].columns
    column = next(iter(columns)).name
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises((DBAPIError, DatabaseTrouble), match="append-only"):
            with database.begin() as connection:
                if database.dialect == "sqlite":  # its triggers look at rows: there must be one
                    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                    values = ", ".join("1" if "INT" in str(column.type).upper() else "'{}'" for column in columns)
                    connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({values})")
                connection.execute(text(statement))


def test_replacing_a_row_of_history_is_refused_as_well(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    with pytest.raises((DBAPIError, DatabaseTrouble), match="append-only"):
        with database.begin() as connection:
            for _ in range(2):
                connection.exec_driver_sql("INSERT OR REPLACE INTO journal_entry VALUES (1, 's', 1, 'a', 'a', 'k', 's', 'e', 'h')")
    database.close()


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError):
        with database.begin() as connection:
            connection.execute(text("INSERT INTO item_unit (item, unit, factor) VALUES ('none', 'XCS', '12')"))


def test_sqlite_writes_ahead_and_waits_for_the_disk(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    with database.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 30_000
    database.close()


def test_a_new_file_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/gateway.db")
    database.migrate()
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    database.close()


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "oracle+x://h/n"])
def test_an_address_that_is_not_understood_is_told_plainly(url: str) -> None:
    with pytest.raises(DatabaseTrouble) as caught:
        open_database(url)
    assert not caught.value.retry


def test_a_file_that_is_no_database_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"ISA*00*" * 1000)
    with pytest.raises(DatabaseTrouble, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path}/gateway.db")


def test_a_server_that_is_away_may_be_tried_again() -> None:
    database = open_database("postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(DatabaseTrouble) as caught:
        with database.begin():
            pass
    assert caught.value.retry
    assert "secret" not in str(caught.value)


def test_a_locked_file_may_be_tried_again(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.database._BUSY_MILLISECONDS", 50)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = open_database(sqlite_url)
    with pytest.raises(DatabaseTrouble) as caught:
        with database.begin():
            pass
    assert caught.value.retry
    other.close()
    database.close()


def test_since_when_nothing_can_be_written_is_known(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.database._BUSY_MILLISECONDS", 50)
    database = open_database(sqlite_url)
    database.migrate()
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert database.failing is None
    for _ in range(2):
        with pytest.raises(DatabaseTrouble), database.begin():
            pass
    assert database.failing is not None and "locked" in database.failing.error
    other.execute("ROLLBACK")
    with database.begin():
        pass
    assert database.failing is None
    other.close()
    database.close()


def test_a_server_that_is_gone_without_a_word_is_noticed(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url)
    with database.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        said = driver.info.get_parameters()
    assert (said["tcp_user_timeout"], said["keepalives_idle"]) == ("30000", "15")
    database.close()
    separator = "&" if "?" in migrated_postgres_url else "?"
    chosen = open_database(f"{migrated_postgres_url}{separator}tcp_user_timeout=5000")
    with chosen.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["tcp_user_timeout"] == "5000"
    chosen.close()


def test_a_killed_connection_of_postgresql_may_be_tried_again(migrated_postgres_url: str) -> None:
    database = open_database(migrated_postgres_url)
    with pytest.raises(DatabaseTrouble) as caught:
        with database.begin() as connection:
            victim = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with database.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": victim})
            settings.put(connection, "a", "1")
    assert caught.value.retry
    with database.begin() as connection:
        settings.put(connection, "a", "2")
    database.close()


def test_values_never_stand_in_an_error(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        with database.begin() as connection:
            for _ in range(2):
                connection.execute(tables.item_unit.insert(), [{"item": "SECRET-ITEM", "unit": "X", "factor": None}])
    assert "[SQL parameters hidden" in str(caught.value)
    if database.dialect == "postgresql":
        with pytest.raises(DatabaseTrouble, match=r"^the database cannot work: data was refused: InvalidTextRepresentation 22P02$") as refused:
            with database.begin() as connection:
                connection.execute(text("SELECT CAST(:value AS integer)"), {"value": "SECRET-VALUE"})
        assert not refused.value.retry


def test_a_transaction_within_another_of_the_same_thread_is_told_not_waited_for_ever(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.database._BUSY_MILLISECONDS", 50)
    database = open_database(sqlite_url)
    with pytest.raises(DatabaseTrouble, match="has not ended"):
        with database.begin(), database.begin():
            pass
    with database.begin() as connection:
        settings.put(connection, "a", "1")
    database.close()


def test_a_server_that_does_not_wait_for_its_disk_is_told_to(migrated_postgres_url: str) -> None:
    database = open_database(f"{migrated_postgres_url}&options=-c%20synchronous_commit%3Doff%20-c%20default_transaction_isolation%3Dserializable")
    with database.begin() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "1min"
    with database.read() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
        assert connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
    with database.begin() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        assert connection.execute(text("SHOW transaction_read_only")).scalar_one() == "off"
    database.close()
