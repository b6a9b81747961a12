"""Wake-ups of a cluster: jobs of Procrastinate that say "look at this stream" and nothing else. They lie in a schema of their own, which
can be emptied or dropped at any time: pokes are rows of ours, and a sweep finds work without any of them.

A job is deferred on the caller's connection, so that it commits or is rolled back with what it tells of. Neither `lock` nor
`queueing_lock` of Procrastinate is used: a dead node's job would keep its stream closed, and a second one would fail the transaction.
"""

import hashlib
from datetime import datetime
from datetime import timedelta
from functools import cache

from procrastinate import App
from procrastinate import SyncPsycopgConnector
from procrastinate import __version__ as version
from procrastinate.exceptions import ProcrastinateException
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection
from sqlalchemy import text

from gateway.store.database import DatabaseTrouble

SCHEMA = "procrastinate"
QUEUE = "streams"
TASK = "gateway.serve"
#: "GWJOBS" as a number: who makes the schema holds this advisory lock
_LOCK = 0x4757_4A4F_4253


def install(connection: Connection) -> bool:
    """Make Procrastinate's tables, anew where they are another version's: nothing in them is worth keeping. False where all is there."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if is_installed(connection):
        return False
    before = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    connection.exec_driver_sql(f"SET LOCAL search_path TO {SCHEMA}")
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(SchemaManager.get_schema())
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS '{_made_by()}'")
    connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": before})
    return True


def is_installed(connection: Connection) -> bool:
    """Whether the tables are there, of this version of Procrastinate."""
    present = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"
    return bool(connection.execute(text(present), {"name": SCHEMA}).scalar_one_or_none() == _made_by())


def wake(connection: Connection, stream: str, not_before: datetime | None = None) -> None:
    """A job for a stream, in the connection's transaction."""
    deferrer = _app().configure_task(TASK, queue=QUEUE, schedule_at=not_before, connection=connection.connection.driver_connection)
    try:
        deferrer.defer(stream=stream)
    except ProcrastinateException as error:
        # what fails here is the connection, or tables that somebody dropped: the next heartbeat makes them anew
        raise DatabaseTrouble(f"the database cannot work: {str(error.__cause__ or error).strip()}", retry=True) from error


def forget_left_over(connection: Connection, silence: timedelta) -> int:
    """Remove jobs that a worker began which died since; the sweep wakes their streams anew."""
    gone = "DELETE FROM procrastinate.procrastinate_workers WHERE last_heartbeat < now() - make_interval(secs => :seconds)"
    connection.execute(text(gone), {"seconds": silence.total_seconds()})
    return connection.execute(text("DELETE FROM procrastinate.procrastinate_jobs WHERE status <> 'todo' AND worker_id IS NULL")).rowcount


def forget_waiting(connection: Connection) -> int:
    """Remove jobs that nobody has taken up: for a process that did all work itself because there was no other."""
    return connection.execute(text("DELETE FROM procrastinate.procrastinate_jobs WHERE status = 'todo'")).rowcount


def waiting(connection: Connection) -> int:
    """Jobs that no node has taken up yet."""
    return int(connection.execute(text("SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status = 'todo'")).scalar_one())


@cache
def _app() -> App:
    """Never opened: it defers on connections of ours."""
    return App(connector=SyncPsycopgConnector())


def _made_by() -> str:
    return f"procrastinate {version} {hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()[:16]}"
