"""What does not work now: a mailbox, a step or a sending endpoint, with what happened and what to do. A row is there while the trouble
stands and goes when it ends; what happened to documents stands in the journal, not here."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.columns import storable
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import values_of

#: retrying: it is tried again by itself; stopped: it waits for a person; warning: it works, but not for much longer
STATES = ("retrying", "stopped", "warning")
_TABLE = tables.trouble
_LONGEST = 2000


class Trouble(Row, frozen=True, kw_only=True):
    """One thing that does not work. `name` tells it from all others: `mailbox sftp://...`, `sending acme:box`, `step in:...`."""

    name: str
    #: mailbox, folder, step, sending, certificate
    kind: str
    partner: str | None = None
    state: str
    error: str
    #: what a person can do
    cure: str
    since: datetime


def stands(connection: Connection, trouble: Trouble) -> None:
    """A trouble stands (still): what is known of it is brought up to date, but it began when it was first told."""
    row = {**values_of(trouble), "error": storable(trouble.error)[:_LONGEST]}
    statement = insert(connection, _TABLE).values(row)
    changing = {name: statement.excluded[name] for name in ("kind", "partner", "state", "error", "cure")}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changing))


def is_over(connection: Connection, name: str) -> bool:
    """A trouble has ended; False where there was none."""
    return connection.execute(delete(_TABLE).where(_TABLE.c.name == name)).rowcount > 0


def forget_all(connection: Connection) -> None:
    """A new owner begins: whatever does not work will be told anew."""
    connection.execute(delete(_TABLE))


def forget_machine(connection: Connection, host: str) -> None:
    """What was told of one machine alone (its disks, its files): it begins anew, or is gone for good."""
    for trouble in standing(connection):
        if trouble.name.endswith(f" on {host}"):
            is_over(connection, trouble.name)


def standing(connection: Connection) -> list[Trouble]:
    """Everything that does not work now: what waits for a person first, then by age."""
    return all_of(
        connection.execute(select(_TABLE).order_by((_TABLE.c.state != "stopped"), (_TABLE.c.state == "warning"), _TABLE.c.since, _TABLE.c.name)),
        Trouble,
    )
