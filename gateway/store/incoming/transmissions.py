"""Transmissions: one delivery of bytes each, in or out. The bytes themselves lie in the archive under their SHA-256.

Registering the same source identity with the same bytes from the same endpoint again is harmless: it is told as not fresh.
"""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection
from sqlalchemy import Integer
from sqlalchemy import bindparam
from sqlalchemy import select
from sqlalchemy import update

from gateway.problem import Problem
from gateway.store import streams
from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.many import many_updates
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: received -> opening -> done | held | unreadable; held -> received
STATES = ("received", "opening", "done", "held", "unreadable")
_TABLE = tables.transmission
#: values in one question
_AT_ONCE = 500


class Transmission(Row, frozen=True, kw_only=True):
    """One delivery. `seq` 0 in a new one: it is drawn when it is registered."""

    id: str
    #: in or out
    direction: str
    partner: str | None = None
    #: name of the endpoint it came by or leaves by
    endpoint: str
    #: what tells this delivery from others at its source: path, size and time of a remote file, AS2 Message-ID, ...
    source_identity: str
    name: str
    sha256: str
    size: int
    received_at: datetime
    state: str = "received"
    stream: str
    seq: int = 0
    problems: tuple[Problem, ...] = ()
    properties: Mapping[str, str] = {}


_INSERT = many_inserts(_TABLE, Transmission.__struct_fields__, ignore=())
_WITH_IDS = select(_TABLE.c.id, _TABLE.c.seq).where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))


def register(connection: Connection, transmission: Transmission) -> tuple[Transmission, bool]:
    """Keep a transmission; where it is known already, the one that is there and False."""
    known = _known(connection, transmission)
    if known is not None:
        return known, False
    seq = streams.draw(connection, transmission.stream)
    row = {**values_of(transmission), "seq": seq}
    inserted = connection.execute(insert(connection, _TABLE).values(row).on_conflict_do_nothing().returning(_TABLE.c.id)).scalar_one_or_none()
    if inserted is None:  # another process registered the same file meanwhile
        known = _known(connection, transmission)
        if known is None:
            raise ValueError(f"transmission {transmission.id} exists already with other bytes")
        return known, False
    return Transmission(**row), True


def register_many(connection: Connection, arrived: Sequence[Transmission]) -> list[tuple[Transmission, bool]]:
    """Keep transmissions that came in, in this order; with each what `register` tells. The statements do not grow in number with the files.

    Nearly all are new: they are written first, and asked after only where some were known. Numbers drawn for those are left out.
    """
    fresh = {_source_of(one): one for one in reversed(arrived)}
    counts: dict[str, int] = {}
    for one in fresh.values():
        counts[one.stream] = counts.get(one.stream, 0) + 1
    following = streams.draw_many(connection, counts)
    there: dict[tuple[str, str, str], Transmission] = {}
    for one in arrived:
        source = _source_of(one)
        if fresh[source] is one:
            there[source] = msgspec.structs.replace(one, seq=following[one.stream])
            following[one.stream] += 1
    new = {(row.id, row.seq) for row in there.values()}
    if _INSERT.run(connection, [astuple(row) for row in there.values()]) < len(there):
        # by this process before, or by another one meanwhile
        ids = [row.id for row in there.values()]
        new &= {(id, seq) for part in _in_parts(ids) for id, seq in connection.execute(_WITH_IDS, {"ids": part})}
        absent = [one for one in there.values() if (one.id, one.seq) not in new]
        known = _known_among(connection, absent)
        for one in absent:
            if _source_of(one) not in known:
                raise ValueError(f"transmission {one.id} exists already with other bytes")
        there |= known
    answer: list[tuple[Transmission, bool]] = []
    for one in arrived:
        row = there[_source_of(one)]
        answer.append((row, fresh[_source_of(one)] is one and (row.id, row.seq) in new))
    return answer


def _in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _source_of(transmission: Transmission) -> tuple[str, str, str]:
    return transmission.endpoint, transmission.source_identity, transmission.sha256


_OF_SOURCES = select(_TABLE).where(
    is_one_of(_TABLE.c.direction, "in"), _TABLE.c.endpoint == bindparam("at"), _TABLE.c.source_identity.in_(bindparam("sources", expanding=True))
)


def of_sources(connection: Connection, endpoint: str, sources: Sequence[str]) -> list[Transmission]:
    """What came in from these places of an endpoint."""
    return all_of(connection.execute(_OF_SOURCES, {"at": endpoint, "sources": list(sources)}), Transmission)


def _known_among(connection: Connection, arrived: Sequence[Transmission]) -> dict[tuple[str, str, str], Transmission]:
    """Those that are there already, by source."""
    identities: dict[str, list[str]] = {}
    for one in arrived:
        identities.setdefault(one.endpoint, []).append(one.source_identity)
    found = []
    for endpoint, names in identities.items():
        for part in _in_parts(names):
            found += of_sources(connection, endpoint, part)
    return {_source_of(one): one for one in found}


def _known(connection: Connection, transmission: Transmission) -> Transmission | None:
    if transmission.direction != "in":
        return get(connection, transmission.id)
    return one_of(
        connection.execute(
            select(_TABLE).where(
                is_one_of(_TABLE.c.direction, "in"),
                _TABLE.c.endpoint == transmission.endpoint,
                _TABLE.c.source_identity == transmission.source_identity,
                _TABLE.c.sha256 == transmission.sha256,
            )
        ),
        Transmission,
    )


def get(connection: Connection, id: str) -> Transmission | None:
    """The transmission of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Transmission)


def get_many(connection: Connection, ids: Collection[str]) -> dict[str, Transmission]:
    """Transmissions by id; those that do not exist are left out."""
    wanted = sorted(set(ids))
    found: list[Transmission] = []
    for part in _in_parts(wanted):
        found += all_of(connection.execute(select(_TABLE).where(_TABLE.c.id.in_(part))), Transmission)
    return {one.id: one for one in found}


_OPEN = (
    select(_TABLE)
    .where(_TABLE.c.stream == bindparam("in_stream"), is_one_of(_TABLE.c.state, "received", "opening"))
    .order_by(_TABLE.c.seq)
    .limit(bindparam("most", type_=Integer))
)


def next_open(connection: Connection, stream: str, limit: int = 1) -> list[Transmission]:
    """The first transmissions of the stream that are not through yet."""
    return all_of(connection.execute(_OPEN, {"in_stream": stream, "most": limit}), Transmission)


class Ended(Row, frozen=True, kw_only=True):
    """A transmission that was taken in at once, from `received` to its end."""

    id: str
    partner: str | None
    problems: tuple[Problem, ...] = ()
    state: str = "done"


_END = many_updates(_TABLE, "id", ("state", "partner", "problems"), only="state = 'received'")


def end_many(connection: Connection, ended: Sequence[Ended]) -> None:
    """Move transmissions from `received` to their ends; StaleState where one of them was elsewhere."""
    if _END.run(connection, [(one.id, one.state, one.partner, one.problems) for one in ended]) != len(ended):
        raise StaleState("some of these transmissions are no longer received")


def set_state(
    connection: Connection,
    id: str,
    expected: str,
    state: str,
    *,
    partner: str | None = None,
    problems: tuple[Problem, ...] | None = None,
    properties: Mapping[str, str] | None = None,
) -> bool:
    """Move a transmission on; False where it was not (any more) in the expected state."""
    changes: dict[str, Any] = {"state": state}
    given = {"partner": partner, "problems": problems, "properties": properties}
    changes.update({name: value for name, value in given.items() if value is not None})
    return connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == expected).values(changes)).rowcount == 1


def streams_open(connection: Connection) -> list[str]:
    """The streams in which a transmission waits to be opened: what a sweep pokes."""
    query = select(_TABLE.c.stream).where(is_one_of(_TABLE.c.state, "received", "opening")).distinct().order_by(_TABLE.c.stream)
    return list(connection.execute(query).scalars())


def with_bytes(connection: Connection, sha256: str, direction: str = "in") -> list[Transmission]:
    """All transmissions that carried exactly these bytes, oldest first: whoever asks decides whether that is a duplicate."""
    query = select(_TABLE).where(_TABLE.c.sha256 == sha256, _TABLE.c.direction == direction).order_by(_TABLE.c.received_at, _TABLE.c.id)
    return all_of(connection.execute(query), Transmission)


def named(connection: Connection, name: str, partner: str | None = None, limit: int = 20) -> list[Transmission]:
    """Transmissions (of a partner) of this file name, or id, newest first."""
    wanted = (_TABLE.c.name == name) | (_TABLE.c.id == name)
    query = select(_TABLE).where(wanted).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(limit)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Transmission)


def search(
    connection: Connection,
    *,
    state: str | None = None,
    partner: str | None = None,
    direction: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Transmission]:
    """Newest first; `after` is (received_at, id) of the last one of the page before."""
    query = select(_TABLE).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(limit)
    for column, value in ((_TABLE.c.state, state), (_TABLE.c.partner, partner), (_TABLE.c.direction, direction)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(_TABLE.c.received_at <= after[0], (_TABLE.c.received_at < after[0]) | (_TABLE.c.id < after[1]))
    return all_of(connection.execute(query), Transmission)
