"""Answers of partners to what we sent, each kept as it came: acknowledgments, application advices, receipts. An answer that fits nothing
that we sent, one that comes twice, and one that contradicts an earlier one are kept too. Nothing here is ever changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.problem import Problem
from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import values_of

_TABLE = tables.answer


class Answer(Row, frozen=True, kw_only=True):
    """What one answer says about one thing that we sent. `id` follows from where it stood, so that reading it twice keeps it once."""

    id: str
    partner: str
    #: 997, 999, TA1, CONTRL, 824, APERAK, MDN
    kind: str
    #: transport, syntax, application
    layer: str
    #: interchange, group, transaction, document
    level: str
    #: the received document that says it (none: a TA1 or a receipt)
    document: str | None = None
    #: the received file
    transmission: str | None = None
    #: the outbox row that it speaks of
    outbox: str | None = None
    #: by which numbers it names it
    speaks_of: str
    outcome: str
    #: how it stands to those before it: first, further (received, then accepted), repeated, contradicts; unmatched: it fits nothing of ours
    relation: str
    #: its codes in words
    notes: tuple[str, ...] = ()
    #: its faults, each at its place in what we sent
    problems: tuple[Problem, ...] = ()
    at: datetime


def keep(connection: Connection, answers: Sequence[Answer]) -> None:
    """Keep answers; the same again is harmless."""
    if answers:
        connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(index_elements=["id"]), [values_of(answer) for answer in answers])


def of_outbox(connection: Connection, ids: Sequence[str]) -> list[Answer]:
    """What was said of these outbox rows, oldest first."""
    found: list[Answer] = []
    for start in range(0, len(ids), 500):
        query = select(_TABLE).where(_TABLE.c.outbox.in_(list(ids[start : start + 500]))).order_by(_TABLE.c.at, _TABLE.c.id)
        found += all_of(connection.execute(query), Answer)
    return found


def of_document(connection: Connection, document: str, limit: int = 500) -> list[Answer]:
    """What a received acknowledgment says, in no order of importance."""
    query = select(_TABLE).where(_TABLE.c.document == document).order_by(_TABLE.c.at, _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query), Answer)


def unmatched(connection: Connection, partner: str | None = None, limit: int = 50) -> list[Answer]:
    """Answers that fit nothing that we sent, newest first."""
    query = select(_TABLE).where(_TABLE.c.outbox.is_(None)).order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc()).limit(limit)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Answer)


def latest(connection: Connection, partner: str, limit: int = 20) -> list[Answer]:
    """The latest answers of a partner, newest first."""
    query = select(_TABLE).where(_TABLE.c.partner == partner).order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc()).limit(limit)
    return all_of(connection.execute(query), Answer)
