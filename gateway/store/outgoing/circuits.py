"""Accounts at partners' servers that are left alone for a while, or until a person has mended something: whoever meets the failure, polling
or sending, on this machine or another, writes it here, and all the others ask before they knock.

A row is there while it does not work. Its `account` names server, user and the very credentials: what was mended here has another name and
is tried at once.
"""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.columns import storable
from gateway.store.rows import Row
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: resting: it is tried again by itself after `not_before`; stopped: when a person says so, or starts the service anew
STATES = ("resting", "stopped")
_TABLE = tables.circuit
_LONGEST = 2000


class Circuit(Row, frozen=True, kw_only=True):
    """One account that does not work."""

    account: str
    state: str
    error: str
    #: how often it has failed in a row
    failures: int
    since: datetime
    not_before: datetime


def get(connection: Connection, account: str) -> Circuit | None:
    """What is known of an account; None where it works as far as anybody knows."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.account == account)), Circuit)


def put(connection: Connection, circuit: Circuit) -> None:
    """It failed (again); it began when it was first told."""
    row = {**values_of(circuit), "error": storable(circuit.error)[:_LONGEST]}
    statement = insert(connection, _TABLE).values(row)
    changing = {name: statement.excluded[name] for name in ("state", "error", "failures", "not_before")}
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=changing))


def works(connection: Connection, account: str) -> bool:
    """It works (again), or a person says that it may be tried; False where nothing was wrong."""
    return connection.execute(delete(_TABLE).where(_TABLE.c.account == account)).rowcount > 0


def begin_again(connection: Connection) -> None:
    """A new owner begins: what was stopped may be tried once, after its last wait. It is not forgotten how often it has failed, so that a
    service that is started over and over locks no account."""
    connection.execute(update(_TABLE).where(_TABLE.c.state == "stopped").values(state="resting"))


def forget_all(connection: Connection) -> None:
    """A person says that things were mended: everything may be tried at once."""
    connection.execute(delete(_TABLE))
