"""Which rows of the outbox wait for an earlier one of the same order: an order response that could not be delivered, or that rests in its undo
window, is not overtaken by the despatch advice of its order, whatever stream that leaves by (docs/decisions/0063).

    waiting -> held_back -> waiting       as soon as the row that it is behind has left, or will not leave

What has a number or bytes already is never held back: it may have left. Documents belong together when an order led to both, in one step or
two. Which is earlier says the order in which they were made. Only asked where a partner has something dead, held back, or open in another
stream: the usual claim pays one look into three small indexes.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import crash
from gateway.store import tables
from gateway.store.rows import is_one_of

#: stands in the name of a stream whose rows leave at times that were agreed, behind the endpoint: nobody waits for such a row before it failed
WINDOW = " @ "
#: a row in one of these may still leave: what belongs behind it waits
UNFINISHED = ("waiting", "claimed", "prepared", "held_back", "dead")
_OPEN = ("waiting", "claimed", "prepared")
_TABLE = tables.outbox
_LINK = tables.link
#: identifiers in one list
_MANY = 400


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that could leave now, and has neither number nor bytes yet."""

    id: str
    document: str
    seq: int


def situation(connection: Connection, partner: str, stream: str) -> str:
    """Before rows of a stream are taken: `paused`, the partner is; `others`, some of them may have to wait for another row (something of this
    partner is dead, held back here, or open in another stream); or `quiet`."""
    beginning = stream[: stream.find(partner) + len(partner)]
    names = {"partner": partner, "stream": stream, "beginning": beginning, "end": beginning + "\U0010ffff"}
    return str(connection.execute(_SITUATION, names).scalar_one())


def behind_others(connection: Connection, stream: str, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Those of the candidates (rows of one stream) that must wait, each with the row that it is behind."""
    orders = _orders_of(connection, [one.document for one in candidates])
    if not orders:
        return {}
    family = _led_to(connection, sorted({order for found in orders.values() for order in found}))
    rows = _unfinished(connection, sorted({document for found in family.values() for document in found}))
    places = _places(connection, sorted({*orders, *(row.document for row in rows)}))
    found: dict[str, str] = {}
    for one in candidates:
        if one.document not in orders:
            continue
        related = {document for order in orders[one.document] for document in family[order]}
        stream_of, place = places[one.document]
        for row in rows:
            if row.document == one.document or row.document not in related:
                continue
            if row.stream == stream and row.state in _OPEN and row.seq < one.seq:
                continue  # it leaves before anyway: a stream keeps its order
            if WINDOW in row.stream and row.state in _OPEN and not row.failed:
                continue
            if places[row.document][0] == stream_of and places[row.document][1] < place:
                found[one.id] = row.id
                break
    return found


def hold_back(connection: Connection, behind: Mapping[str, str]) -> None:
    """Let rows wait behind others; a lease on them is given up, and the try does not count."""
    for id, other in behind.items():
        tried = case((_TABLE.c.lease_token.is_(None), _TABLE.c.attempts), else_=_TABLE.c.attempts - 1)
        changes = {"state": "held_back", "behind": other, "lease_token": None, "lease_until": None, "attempts": tried}
        connection.execute(update(_TABLE).where(_TABLE.c.id == id, is_one_of(_TABLE.c.state, "waiting", "claimed")).values(changes))
    if behind:
        crash.point(89)


def wake(connection: Connection, stream: str) -> bool:
    """Rows of a stream whose forerunner is done with can leave again, at their place; whether there were any."""
    return connection.execute(_WAKE, {"where": stream}).rowcount > 0


def streams_freed(connection: Connection) -> list[str]:
    """The streams in which a row waits behind nothing any more."""
    held = is_one_of(_TABLE.c.state, "held_back")
    return sorted(connection.execute(select(_TABLE.c.stream).where(held, _is_free(_TABLE)).distinct()).scalars())


def streams_behind(connection: Connection, ids: Sequence[str]) -> list[str]:
    """The streams in which something waits behind these rows: to be poked when they are done with."""
    found: set[str] = set()
    for start in range(0, len(ids), _MANY):
        found.update(connection.execute(_BEHIND, {"ids": list(ids[start : start + _MANY])}).scalars())
    return sorted(found)


# ---------------------------------------------------------------- how


@dataclass(frozen=True, slots=True)
class _Unfinished:
    id: str
    document: str
    stream: str
    seq: int
    state: str
    failed: bool


def _is_free(row: Any) -> ColumnElement[bool]:
    """Whether nothing stands before a held row any more."""
    other = _TABLE.alias("other")
    return ~exists(select(other.c.id).where(other.c.id == row.c.behind, is_one_of(other.c.state, *UNFINISHED)))


def _pairs(connection: Connection, given: Sequence[str], upward: bool) -> list[tuple[str, str]]:
    """Links of documents, as (given, other end)."""
    near, far = (_LINK.c.to_document, _LINK.c.from_document) if upward else (_LINK.c.from_document, _LINK.c.to_document)
    found: list[tuple[str, str]] = []
    for start in range(0, len(given), _MANY):
        query: Select[Any] = select(near, far).where(near.in_(list(given[start : start + _MANY])))
        found += [(row[0], row[1]) for row in connection.execute(query)]
    return found


def _within_two_steps(connection: Connection, given: Sequence[str], upward: bool) -> dict[str, set[str]]:
    reached: dict[str, set[str]] = {document: set() for document in given}
    first = _pairs(connection, given, upward)
    for near, far in first:
        reached[near].add(far)
    further: dict[str, set[str]] = {}
    for near, far in _pairs(connection, sorted({far for _, far in first}), upward):
        further.setdefault(near, set()).add(far)
    for near, far in first:
        reached[near] |= further.get(far, set())
    return reached


def _orders_of(connection: Connection, made: Sequence[str]) -> dict[str, set[str]]:
    """The orders that led to documents of ours."""
    reached = _within_two_steps(connection, sorted(set(made)), upward=True)
    ids = sorted({document for found in reached.values() for document in found})
    orders: set[str] = set()
    document = tables.document
    for start in range(0, len(ids), _MANY):
        query = select(document.c.id).where(document.c.id.in_(ids[start : start + _MANY]), document.c.kind == "order")
        orders.update(connection.execute(query).scalars())
    return {one: found & orders for one, found in reached.items() if found & orders}


def _led_to(connection: Connection, orders: Sequence[str]) -> dict[str, set[str]]:
    return _within_two_steps(connection, orders, upward=False)


def _unfinished(connection: Connection, made: Sequence[str]) -> list[_Unfinished]:
    columns: list[ColumnElement[Any]] = [_TABLE.c[name] for name in ("id", "document", "stream", "seq", "state")]
    columns.append(_TABLE.c.last_error.is_not(None))
    found: list[_Unfinished] = []
    for start in range(0, len(made), _MANY):
        of_these = and_(_TABLE.c.document.in_(list(made[start : start + _MANY])), _TABLE.c.state.in_(UNFINISHED))
        found += [_Unfinished(*row) for row in connection.execute(select(*columns).where(of_these))]
    return found


def _places(connection: Connection, made: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Where documents stand in the order of making: their stream and their number in it."""
    document = tables.document
    found: dict[str, tuple[str, int]] = {}
    for start in range(0, len(made), _MANY):
        query = select(document.c.id, document.c.stream, document.c.seq).where(document.c.id.in_(list(made[start : start + _MANY])))
        found.update({row.id: (row.stream, row.seq) for row in connection.execute(query)})
    return found


# ---------------------------------------------------------------- statements of every claim, made once


def _situation() -> Select[Any]:
    partner: BindParameter[str] = bindparam("partner")
    here: BindParameter[str] = bindparam("stream")
    name = tables.stream.c.name
    # by name, each with one look into the index of open rows: however much waits elsewhere is not walked
    opened = select(_TABLE.c.id).where(_TABLE.c.stream == name, is_one_of(_TABLE.c.state, *_OPEN)).order_by(_TABLE.c.seq).limit(1)
    others = (name >= bindparam("beginning"), name < bindparam("end"), name != here)
    elsewhere = select(name).where(*others, opened.correlate(tables.stream).exists())
    died = select(_TABLE.c.id).where(is_one_of(_TABLE.c.state, "dead"), _TABLE.c.partner == partner).order_by(_TABLE.c.partner).limit(1)
    kept = select(_TABLE.c.id).where(is_one_of(_TABLE.c.state, "held_back"), _TABLE.c.stream == here).order_by(_TABLE.c.stream).limit(1)
    paused = select(tables.pause.c.partner).where(tables.pause.c.partner == partner)
    return select(case((exists(paused), "paused"), (or_(*(exists(one) for one in (elsewhere, died, kept))), "others"), else_="quiet"))


_SITUATION = _situation()
_BEHIND = select(_TABLE.c.stream).where(is_one_of(_TABLE.c.state, "held_back"), _TABLE.c.behind.in_(bindparam("ids", expanding=True))).distinct()
_WAKE = (
    update(_TABLE)
    .where(is_one_of(_TABLE.c.state, "held_back"), _TABLE.c.stream == bindparam("where"), _is_free(_TABLE))
    .values(state="waiting", behind=None)
)
