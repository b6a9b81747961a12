"""The database: opened, migrated, and handed out as transactions. SQLite (one machine) and PostgreSQL (more than one).

Knows connections, not tables. `begin()` is the only way to write: on SQLite it takes the writer's place at once (BEGIN IMMEDIATE), so a
transaction never fails half way because another one wrote. `read()` sees one state of the data and cannot write.
"""

import hashlib
import math
import os
import sqlite3
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.store import crash
from gateway.store.database_trouble import DatabaseTrouble as DatabaseTrouble
from gateway.store.database_trouble import trouble_of
from gateway.store.turns import Turns

if TYPE_CHECKING:
    import psycopg

_BUSY_MILLISECONDS = 30_000
#: a server that is gone without a word (its machine lost power, a cable) is noticed within half a minute, not after a quarter of an hour
_LINE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
#: the server's own settings for a session, for the same
_ASKED_BY_THE_SERVER = {name: _LINE[name] for name in ("keepalives_idle", "keepalives_interval", "keepalives_count")}
#: seconds after which a connection to PostgreSQL is asked whether it still has its server, before it is used
RESTED = 0.5
#: "GWMIGRAT" as a number: who migrates a PostgreSQL database holds this advisory lock
_MIGRATION_LOCK = 0x4757_4D49_4752_4154


#: what is told of transactions under way when they are through
_when_written: WeakKeyDictionary[Connection, list[Callable[[], object]]] = WeakKeyDictionary()


def when_written(connection: Connection, tell: Callable[[], object]) -> None:
    """Have something told (a line of the log) when this transaction is committed; never where it is rolled back."""
    _when_written.setdefault(connection, []).append(tell)


@dataclass(frozen=True, slots=True)
class Failing:
    """Writing failed, and has not passed since."""

    since: datetime
    #: the same on the steady clock
    counted: float
    error: str


class Database:
    """An open database. Safe to share between threads; open it anew after a fork."""

    def __init__(self, url: URL) -> None:
        self.url = url
        #: in a cluster: how a poke wakes a node (streams.Waker)
        self.waker: Callable[[Connection, str, datetime | None], None] | None = None
        #: sqlite or postgresql
        self.dialect = url.get_backend_name()
        self._writer = _sqlite_engine(url, read_only=False) if self.dialect == "sqlite" else _postgresql_engine(url)
        self._reader = _sqlite_engine(url, read_only=True) if self.dialect == "sqlite" else self._writer
        self._watcher: Connection | None = None
        self._watching = Lock()
        self._turns = Turns()
        #: nothing could be written since then, as far as it was tried; None where the last writing passed
        self.failing: Failing | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end of the block, rolled back by an exception."""
        try:
            with self._turn(), _plainly(), self._writer.connect() as connection:
                if self.waker is not None:
                    connection = connection.execution_options(waker=self.waker)
                with connection.begin():
                    yield connection
                    crash.point(25)
                self.failing = None
                crash.point(26)
                for tell in _when_written.pop(connection, ()):
                    tell()
        except DatabaseTrouble as error:
            if self.failing is None:
                self.failing = Failing(datetime.now(UTC), time.monotonic(), str(error))
            raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        if not self._turns.take(_BUSY_MILLISECONDS / 1000):
            raise DatabaseTrouble("the database cannot work: another transaction of this process has not ended", retry=True)
        try:
            yield
        finally:
            self._turns.give()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, on one state of the data."""
        with _plainly(), self._reader.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def change_counter(self) -> int:
        """A number that is another one as soon as anybody has committed something: cheap enough to ask every 100 ms.

        SQLite: PRAGMA data_version (it does not count what its own connection writes; this one never writes).
        PostgreSQL: the snapshot of running transactions, which every commit changes, so that no writer needs to remember to tell.
        """
        with self._watching, _plainly():
            if self._watcher is None:
                engine = self._reader if self.dialect == "sqlite" else self._writer
                self._watcher = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                if self.dialect == "sqlite":
                    return int(self._watcher.exec_driver_sql("PRAGMA data_version").scalar_one())
                snapshot = str(self._watcher.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
                return int.from_bytes(hashlib.sha256(snapshot.encode()).digest()[:7])
            except DBAPIError:
                self._watcher.invalidate()
                self._watcher.close()
                self._watcher = None
                raise

    def session(self, silence: timedelta) -> Connection:
        """A session of PostgreSQL for one purpose, outside of transactions; the server ends it after `silence` without a word."""
        with _plainly():
            connection = self._writer.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"SET idle_session_timeout = {int(silence.total_seconds() * 1000)}")
            return connection

    def freeze_after(self, silence: timedelta, node: str = "") -> None:
        """Let the server end transactions of this process that stand still for so long: a frozen process must not keep others out. Under the
        node's name others end them too (nodes.bury). For connections that are opened from now on."""
        if self.dialect == "postgresql":
            name = session_name(node) if node else "gateway"
            statement = f"SET idle_in_transaction_session_timeout = {int(silence.total_seconds() * 1000)}; SET application_name = '{name}'"

            @event.listens_for(self._writer, "connect")
            def set_up(connection: "psycopg.Connection[Any]", _record: Any) -> None:
                connection.execute(statement)
                connection.commit()

            self._writer.dispose()

    def migrate(self) -> None:
        """Bring the database to this program's tables. Several processes may do so at once; a newer database is refused."""
        from gateway.store.migrations.newest import is_newest

        with self.read() as connection:
            # nearly always: who only reads must not wait for a writer
            if is_newest(connection):
                return
        with self.begin() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            if not is_newest(connection):
                from gateway.store.migrations.run import migrate

                migrate(connection)

    def close(self) -> None:
        """Give back all connections."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._writer.dispose()
        self._reader.dispose()


def session_name(node: str) -> str:
    """What the sessions of a process of a cluster are called at the server."""
    return f"gateway {node}"


def open_database(url: str) -> Database:
    """Open `sqlite:///path/to/file` or `postgresql://user@host/name`; a new SQLite file can be read by its owner alone."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise DatabaseTrouble("the database's address is not understood; write sqlite:///FILE or postgresql://USER@HOST/NAME", retry=False) from None
    if backend == "postgresql":
        return Database(parsed.set(drivername="postgresql+psycopg"))
    if backend != "sqlite":
        raise DatabaseTrouble(f"databases of the kind '{backend}' are not known; expected sqlite or postgresql", retry=False)
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise DatabaseTrouble("SQLite needs a file: a database in memory would lose every document", retry=False)
    _prepare_file(Path(parsed.database))
    return Database(parsed.set(drivername="sqlite+pysqlite"))


@contextmanager
def _plainly() -> Iterator[None]:
    """Troubles of the database as DatabaseTrouble; our own mistakes (constraints, statements) stay what they are."""
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except DBAPIError as error:
        raise trouble_of(error) from error
    except PoolTimeout as error:
        raise DatabaseTrouble("all connections to the database are in use", retry=True) from error


def _prepare_file(path: Path) -> None:
    """Make the file (mode 0600: it holds bank and personal data; its -wal and -shm inherit that) and put it into WAL mode once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DatabaseTrouble(f"the database file {path} cannot be opened: {error.strerror}", retry=False) from error
    deadline = time.monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        connection = sqlite3.connect(path, timeout=_BUSY_MILLISECONDS / 1000, isolation_level=None)
        try:
            # SQLite does not wait on its own when two processes turn a new file to WAL at the same moment
            if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal":
                return
            raise DatabaseTrouble(f"the file system of {path} cannot hold SQLite's write-ahead log; use a local disk or PostgreSQL", retry=False)
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DatabaseTrouble(f"the database file {path} cannot be opened: {error}", retry=False) from error
            time.sleep(0.02)
        except sqlite3.DatabaseError as error:
            raise DatabaseTrouble(f"the database file {path} cannot be opened: {error}", retry=False) from error
        finally:
            connection.close()


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, pool_size=8, max_overflow=56, connect_args={"timeout": _BUSY_MILLISECONDS / 1000, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            f"cache_size={-16000 if read_only else -64000}",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
            f"query_only={'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":  # the watcher stays outside of transactions
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    import psycopg

    # a node that freezes in a transaction must not hold a stream for ever
    ours = "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c application_name=gateway"
    theirs = url.query.get("options", "")
    options = f"{ours} {theirs if isinstance(theirs, str) else ' '.join(theirs)}".rstrip()
    engine = create_engine(
        url.difference_update_query(["options"]),
        hide_parameters=True,
        pool_size=8,
        max_overflow=56,
        # whatever the server's default is: who waits for a lock must then see what its holder wrote
        isolation_level="READ COMMITTED",
        connect_args={"options": options, "connect_timeout": 10, **{name: value for name, value in _LINE.items() if name not in url.query}},
    )

    @event.listens_for(engine, "checkin")
    def put_back(_connection: Any, record: Any) -> None:
        record.info["rests since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def take_out(connection: Any, record: Any, _proxy: Any) -> None:
        # one that rested may have lost its server; to ask each time costs as much as a small statement
        if time.monotonic() - record.info.get("rests since", math.inf) > RESTED:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error:
                raise InvalidatePoolError from None

    @event.listens_for(engine, "connect")
    def set_up(connection: "psycopg.Connection[Any]", _record: Any) -> None:
        # a commit that we have told a partner about must survive a power cut, whatever the server's default is
        connection.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
        # where the jobs of a cluster are; a schema that is not there is passed over
        connection.execute("SELECT set_config('search_path', current_setting('search_path') || ', procrastinate', false)")
        # a machine that lost power in the midst of a batch: to the server that is no idle transaction, and it would ask after two hours
        connection.execute("SELECT " + ", ".join(f"set_config('tcp_{name}', '{value}', false)" for name, value in _ASKED_BY_THE_SERVER.items()))
        connection.commit()

    return engine
