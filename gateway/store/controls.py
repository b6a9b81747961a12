"""Control numbers: drawn without gaps, in the transaction that uses them; a rollback gives them back."""

from sqlalchemy import Connection
from sqlalchemy import case
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert

_TABLE = tables.control


class Control(Row, frozen=True, kw_only=True):
    """Where a numbering stands: the last number used, and how many have ever been drawn."""

    partner: str
    our_id: str
    level: str
    last: int
    drawn: int


def draw(connection: Connection, partner: str, our_id: str, level: str, *, count: int = 1, start: int = 1, maximum: int = 999_999_999) -> int:
    """Draw `count` numbers that follow each other; returns the first. `level`: interchange, group or transaction (and message type where a
    partner counts so). Where they do not fit below `maximum` any more the numbering begins at `start` again. The row stays locked: on
    PostgreSQL two senders to the same partner go one after the other.
    """
    if count < 1 or start < 0 or start + count - 1 > maximum:
        raise ValueError(f"{count} control numbers from {start} to {maximum} cannot be drawn")
    statement = insert(connection, _TABLE).values(partner=partner, our_id=our_id, level=level, last=start + count - 1, drawn=count)
    following = case(
        (_TABLE.c.last + count > maximum, start + count - 1), (_TABLE.c.last + 1 < start, start + count - 1), else_=_TABLE.c.last + count
    )
    statement = statement.on_conflict_do_update(
        index_elements=["partner", "our_id", "level"], set_={"last": following, "drawn": _TABLE.c.drawn + count}
    )
    return int(connection.execute(statement.returning(_TABLE.c.last)).scalar_one()) - count + 1


def set_last(connection: Connection, partner: str, our_id: str, level: str, last: int) -> None:
    """Take a numbering over from another system: the next number drawn is `last` + 1."""
    statement = insert(connection, _TABLE).values(partner=partner, our_id=our_id, level=level, last=last, drawn=0)
    connection.execute(statement.on_conflict_do_update(index_elements=["partner", "our_id", "level"], set_={"last": last}))


def ledger(connection: Connection, partner: str | None = None) -> list[Control]:
    """Where all numberings (of a partner) stand."""
    query = select(_TABLE).order_by(_TABLE.c.partner, _TABLE.c.our_id, _TABLE.c.level)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Control)
