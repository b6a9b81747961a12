"""Files that were taken in and could not be removed where they lay: known by what tells them from others, so that they are not fetched
again, by no process. A row goes when its file is gone. Rule: a row is only made after the file's transmission was committed.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import insert

_TABLE = tables.left_behind
_AT_ONCE = 500


def add(connection: Connection, address: str, identities: Sequence[str], at: datetime) -> None:
    """These files lie there still."""
    if identities:
        rows = [{"address": address, "identity": identity, "since": at} for identity in identities]
        connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(), rows)


def of(connection: Connection, address: str) -> set[str]:
    """The identities of the files that were left at an address."""
    return set(connection.execute(select(_TABLE.c.identity).where(_TABLE.c.address == address)).scalars())


def forget(connection: Connection, address: str, identities: Iterable[str]) -> None:
    """These files are gone."""
    gone = list(identities)
    for start in range(0, len(gone), _AT_ONCE):
        connection.execute(delete(_TABLE).where(_TABLE.c.address == address, _TABLE.c.identity.in_(gone[start : start + _AT_ONCE])))
