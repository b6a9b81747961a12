"""Number series of our own documents (invoices, credit notes, despatch notes) per legal entity: without a gap, because tax law asks for that.

A number is drawn in the transaction that writes the document's row: neither exists without the other.
"""

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import insert

_TABLE = tables.series


def draw(connection: Connection, entity: str, name: str, *, count: int = 1, start: int = 1) -> int:
    """Draw `count` numbers that follow each other; returns the first. `start` holds for a new series only."""
    if count < 1:
        raise ValueError("at least one number must be drawn")
    statement = insert(connection, _TABLE).values(entity=entity, name=name, last=start + count - 1)
    statement = statement.on_conflict_do_update(index_elements=["entity", "name"], set_={"last": _TABLE.c.last + count})
    return int(connection.execute(statement.returning(_TABLE.c.last)).scalar_one()) - count + 1


def last(connection: Connection, entity: str, name: str) -> int | None:
    """The last number drawn, None for a series not begun."""
    return connection.execute(select(_TABLE.c.last).where(_TABLE.c.entity == entity, _TABLE.c.name == name)).scalar_one_or_none()
