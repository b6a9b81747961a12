"""The processes that work on one installation (nodes of a cluster), each with a heartbeat by the database's clock.

A node that does not beat is declared dead by whoever sees it first: exactly one of them removes its row and frees what it held. A node
that was only frozen finds its row gone when it beats again; whatever it still does fails by its tokens.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update

from gateway.store import tables
from gateway.store.database import session_name
from gateway.store.moments import database_now
from gateway.store.outgoing import tries
from gateway.store.outgoing import webhooks
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import upsert
from gateway.store.rows import values_of
from gateway.store.working import claims

#: service: engine and pages; worker: engine alone; command: a command that works because nobody else does
ROLES = ("service", "worker", "command")
_TABLE = tables.node
_FILES = tables.node_files
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(:names)"
    " AND datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
)


class Node(Row, frozen=True, kw_only=True):
    """One process. `id` is drawn anew at each start."""

    id: str
    host: str
    process: int
    role: str
    #: of the program
    version: str
    started_at: datetime
    beat_at: datetime


def beat(connection: Connection, node: Node) -> bool:
    """Say that a node lives; False where it is new, or was thought dead: then nothing that it held is its own any more."""
    now = database_now(connection)
    if connection.execute(update(_TABLE).where(_TABLE.c.id == node.id).values(beat_at=now)).rowcount == 1:
        return True
    upsert(connection, _TABLE, [{**values_of(node), "beat_at": now}])
    return False


def alive(connection: Connection, silence: timedelta) -> list[Node]:
    """The nodes that beat within `silence`, longest first."""
    limit = database_now(connection) - silence
    return all_of(connection.execute(select(_TABLE).where(_TABLE.c.beat_at > limit).order_by(_TABLE.c.started_at, _TABLE.c.id)), Node)


def known(connection: Connection) -> list[Node]:
    """All nodes, also those that are silent and not declared dead yet."""
    return all_of(connection.execute(select(_TABLE).order_by(_TABLE.c.started_at, _TABLE.c.id)), Node)


def bury(connection: Connection, silence: timedelta) -> list[Node]:
    """Declare dead who was silent for too long, and free what each held: its claims, and the leases of what it was sending."""
    limit = database_now(connection) - silence
    _end_sessions(connection, connection.execute(select(_TABLE.c.id).where(_TABLE.c.beat_at <= limit)).scalars())
    silent = select(_TABLE.c.id).where(_TABLE.c.beat_at <= limit).with_for_update(skip_locked=True)
    dead = all_of(connection.execute(delete(_TABLE).where(_TABLE.c.id.in_(silent.scalar_subquery())).returning(*_TABLE.c)), Node)
    for node in dead:
        _free(connection, node.id)
    return dead


def put_files(connection: Connection, id: str, files: Mapping[str, str]) -> None:
    """What a node works by: names of files, with a digest of each."""
    upsert(connection, _FILES, [{"node": id, "files": dict(files)}])


def files_of(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The same of these nodes, as far as they have said it."""
    return {row.node: row.files for row in connection.execute(select(_FILES).where(_FILES.c.node.in_(ids)))}


def leave(connection: Connection, id: str) -> None:
    """A node ends in order: what it held is free at once."""
    connection.execute(delete(_TABLE).where(_TABLE.c.id == id))
    _free(connection, id)


def _end_sessions(connection: Connection, ids: Iterable[str]) -> None:
    """End what silent nodes have open at the server. One that froze between the statements of a batch is not idle there, so that no timeout
    of the server's would ever end its transaction, and everybody would wait for its locks."""
    names = [session_name(id) for id in ids]
    if names and connection.dialect.name == "postgresql":
        connection.execute(_END, {"names": names})


def _free(connection: Connection, id: str) -> None:
    connection.execute(delete(_FILES).where(_FILES.c.node == id))
    claims.free_all_of(connection, id)
    tries.free_leases_of(connection, id)
    webhooks.free_leases_of(connection, id)
