"""Control numbers: drawn without gaps, in the transaction that uses them; a rollback gives them back."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert

_TABLE = tables.control
_DRAWING: dict[str, Any] = {}


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
    values = {"its_partner": partner, "its_id": our_id, "its_level": level, "first": start + count - 1, "count": count, "maximum": maximum}
    return int(connection.execute(_drawing(connection), values).scalar_one()) - count + 1


def _drawing(connection: Connection) -> Any:
    """The statement that draws, built once for each kind of database: it runs for every interchange that leaves."""
    name = connection.dialect.name
    if name not in _DRAWING:
        last = _TABLE.c.last
        count, maximum, first = (bindparam(word, type_=last.type) for word in ("count", "maximum", "first"))
        following = case((last + count > maximum, first), (last + count < first, first), else_=last + count)
        _DRAWING[name] = (
            insert(connection, _TABLE)
            .values(partner=bindparam("its_partner"), our_id=bindparam("its_id"), level=bindparam("its_level"), last=first, drawn=count)
            .on_conflict_do_update(index_elements=["partner", "our_id", "level"], set_={"last": following, "drawn": _TABLE.c.drawn + count})
            .returning(last)
        )
    return _DRAWING[name]


def set_last(connection: Connection, partner: str, our_id: str, level: str, last: int) -> None:
    """Take a numbering over from another system: the next number drawn is `last` + 1."""
    statement = insert(connection, _TABLE).values(partner=partner, our_id=our_id, level=level, last=last, drawn=0)
    connection.execute(statement.on_conflict_do_update(index_elements=["partner", "our_id", "level"], set_={"last": last}))


def ledger(connection: Connection, partner: str | None = None) -> list[Control]:
    """Where all numberings (of a partner) stand."""
    query = select(_TABLE).order_by(_TABLE.c.partner, _TABLE.c.our_id, _TABLE.c.level)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Control)
