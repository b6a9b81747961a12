"""Effective plans: the content of each partner, mapping, schema and rule plan that was ever in force, kept once under its digest."""

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of

_TABLE = tables.plan


class Plan(Row, frozen=True, kw_only=True):
    """A plan as it was in force. `kind`: partner, mapping, schema, rules."""

    digest: str
    kind: str
    name: str
    content: str


def keep(connection: Connection, digest: str, kind: str, name: str, content: str) -> None:
    """Keep a plan; one that is there already stays as it is."""
    connection.execute(insert(connection, _TABLE).values(digest=digest, kind=kind, name=name, content=content).on_conflict_do_nothing())


def get(connection: Connection, digest: str) -> Plan | None:
    """The plan of this digest."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.digest == digest)), Plan)


def of_kind(connection: Connection, kind: str) -> list[Plan]:
    """All plans of a kind that were ever in force."""
    return all_of(connection.execute(select(_TABLE).where(_TABLE.c.kind == kind).order_by(_TABLE.c.digest)), Plan)
