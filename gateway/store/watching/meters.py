"""Counters since the installation began, added to by every process that works. What a name means stands in pipeline.meters."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import insert

_TABLE = tables.meter
_LABELS = msgspec.json.Decoder(tuple[str, ...]).decode


def add(connection: Connection, counts: Mapping[tuple[str, tuple[str, ...]], int]) -> None:
    """Add to counters; rows are taken in one order, so that two processes never wait for each other in a circle."""
    rows = [
        {"name": name, "labels": msgspec.json.encode(labels).decode(), "value": value} for (name, labels), value in sorted(counts.items()) if value
    ]
    if rows:
        statement = insert(connection, _TABLE)
        adding = {"value": _TABLE.c.value + statement.excluded["value"]}
        connection.execute(statement.on_conflict_do_update(index_elements=["name", "labels"], set_=adding), rows)


def all_counts(connection: Connection) -> dict[tuple[str, tuple[str, ...]], int]:
    """Every counter."""
    query = select(_TABLE.c.name, _TABLE.c.labels, _TABLE.c.value).order_by(_TABLE.c.name, _TABLE.c.labels)
    return {(name, _LABELS(labels)): int(value) for name, labels, value in connection.execute(query)}
