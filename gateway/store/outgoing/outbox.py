r"""The outbox: what shall leave, in order, and how far it is. Sending itself is outside of any transaction, so rows are claimed by lease.

    waiting -> claimed -> prepared -> sent -> acknowledged | rejected     held_back (behind another)     dead (given up)     cancelled (by a person)
                              \-> posted -/     (the partner took it and posts its receipt later: store.posted)

A row's identity (file name or Message-ID), digest and control numbers are written once, by `prepare`, and are the same on every try.
Within a stream rows leave in the order of `seq`: one that waits for its time or another worker's lease keeps the later ones back;
dead and cancelled rows keep nobody back but what belongs to the same order (precedence.py). How rows are claimed and what became of a try
stands in tries.py, what people do to rows in deliveries.py.
Knows no transport and no syntax.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import FromClause
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import streams
from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.outgoing import pauses
from gateway.store.outgoing import precedence
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of
from gateway.store.rows import unindexed

OPEN = ("waiting", "claimed", "prepared")
#: states that a row can only have once its bytes have left: a partner that answers has them, whatever the try looked like from here
LEFT = ("sent", "acknowledged", "rejected")
#: the partner's station took the bytes; its receipt, which decides, is posted to us later. Keeps nothing behind it back
POSTED = "posted"
#: a lease that ends later than this is of a clock that has gone back since: it holds nobody
LONGEST_LEASE = timedelta(minutes=10)
_TABLE = tables.outbox


class Entry(Row, frozen=True, kw_only=True):
    """One thing to send. `id` is made of document and leg, so that enqueueing it twice makes one row."""

    id: str
    document: str | None = None
    partner: str
    endpoint: str
    stream: str
    #: 0 in a new one: drawn when it is enqueued
    seq: int = 0
    #: document, acknowledgment, receipt, letter, ...
    kind: str
    #: like x12/004010/855
    spec: str
    #: canonical JSON, or the acknowledgment's segments; empty where it is the body of its document, which `claim` puts in
    body: str = ""
    properties: Mapping[str, str] = {}
    state: str = "waiting"
    test: bool = False
    created_at: datetime
    #: not before: end of the undo window, next try
    due_at: datetime
    attempts: int = 0
    lease_token: str | None = None
    lease_until: datetime | None = None
    identity: str | None = None
    sha256: str | None = None
    transmission: str | None = None
    transaction_type: str | None = None
    interchange_control: str | None = None
    group_control: str | None = None
    transaction_control: str | None = None
    sent_at: datetime | None = None
    last_error: str | None = None
    expects_ack: bool = False
    ack_state: str | None = None
    ack_due_at: datetime | None = None
    acknowledged_at: datetime | None = None
    #: how the partner's application took it (824, APERAK)
    application_state: str | None = None
    #: the row that must leave before it, of one that is held back
    behind: str | None = None


_NEW_NAMES = tuple(name for name in Entry.__struct_fields__ if name != "seq")
_NEW_OF = attrgetter(*_NEW_NAMES)
_INSERT = many_inserts(_TABLE, ("seq", *_NEW_NAMES), ignore=("id",))


def enqueue(connection: Connection, entries: Sequence[Entry], *, fresh_ids: bool = False) -> list[str]:
    """Insert rows whose id is not there yet; returns the ids that are new. Sequence numbers are drawn in the order given. `fresh_ids`: the
    caller has just made what they are named after, so that nobody needs to ask; one that is there all the same is left alone."""
    known: set[str] = set()
    ids = [] if fresh_ids else [entry.id for entry in entries]
    for start in range(0, len(ids), 500):
        known.update(connection.execute(select(_TABLE.c.id).where(_TABLE.c.id.in_(ids[start : start + 500]))).scalars())
    fresh: dict[str, Entry] = {}
    for entry in entries:
        if entry.id not in known:
            fresh.setdefault(entry.id, entry)
    if not fresh:
        return []
    counts: dict[str, int] = {}
    for entry in fresh.values():
        counts[entry.stream] = counts.get(entry.stream, 0) + 1
    following = streams.draw_many(connection, counts)
    rows = []
    for entry in fresh.values():
        rows.append((following[entry.stream], *_NEW_OF(entry)))
        following[entry.stream] += 1
    _INSERT.run(connection, rows)
    return list(fresh)


def try_now(connection: Connection, now: datetime, partner: str | None = None) -> int:
    """Make everything (of one partner) due whose last try failed: a person has started the service anew or says that the fault is mended."""
    waiting = is_one_of(_TABLE.c.state, *OPEN) & _TABLE.c.last_error.is_not(None) & (_TABLE.c.due_at > now)
    if partner is not None:
        waiting &= _TABLE.c.partner == partner
    return connection.execute(update(_TABLE).where(waiting).values(due_at=now)).rowcount


def streams_due(connection: Connection, now: datetime) -> list[str]:
    """The streams whose first open row can be claimed now: what a sweep pokes. A lease that has run out counts as free."""
    free = or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= now, _TABLE.c.lease_until > now + LONGEST_LEASE)
    query = _first_open(_TABLE.c.stream).where(_TABLE.c.due_at <= now, free, pauses.not_paused(_TABLE.c.partner)).order_by(_TABLE.c.stream)
    return sorted({*connection.execute(query).scalars(), *precedence.streams_freed(connection)})


def under_way(connection: Connection, now: datetime) -> bool:
    """Whether somebody holds the lease of a row at this moment: it is being sent."""
    leased = is_one_of(_TABLE.c.state, *OPEN) & (_TABLE.c.lease_until > now) & (_TABLE.c.lease_until <= now + LONGEST_LEASE)
    return connection.execute(select(_TABLE.c.id).where(leased).limit(1)).first() is not None


def next_due(connection: Connection) -> datetime | None:
    """When the next stream's first open row falls due or its lease runs out: how long an idle sender may sleep."""
    first = _first_open(func.min(func.coalesce(_TABLE.c.lease_until, _TABLE.c.due_at))).where(pauses.not_paused(_TABLE.c.partner))
    return connection.execute(first).scalar_one_or_none()


def next_try(connection: Connection, stopped: Collection[str] = ()) -> datetime | None:
    """When the next row is tried again whose last try failed. `stopped`: endpoints (`partner:endpoint`) that wait for a person."""
    leaves = (_TABLE.c.partner + ":" + _TABLE.c.endpoint).not_in(sorted(stopped))
    failed = (is_one_of(_TABLE.c.state, *OPEN), _TABLE.c.last_error.is_not(None), pauses.not_paused(_TABLE.c.partner), leaves)
    return connection.execute(select(func.min(_TABLE.c.due_at)).where(*failed)).scalar_one_or_none()


def get(connection: Connection, id: str) -> Entry | None:
    """The row of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Entry)


def get_many(connection: Connection, ids: Sequence[str]) -> list[Entry]:
    """The rows of these ids, in the order in which they leave."""
    found: list[Entry] = []
    for start in range(0, len(ids), 500):
        found += all_of(connection.execute(select(_TABLE).where(_TABLE.c.id.in_(list(ids[start : start + 500])))), Entry)
    return sorted(found, key=lambda entry: entry.seq)


def get_existing(connection: Connection, id: str) -> Entry:
    """The row of this id, which the caller knows to be there."""
    entry = get(connection, id)
    if entry is None:
        raise StaleState(f"outbox row {id} does not exist")
    return entry


def of_document(connection: Connection, document: str) -> list[Entry]:
    """What a document led to, in the order of making."""
    return all_of(
        connection.execute(select(_TABLE).where(_TABLE.c.document == document).order_by(_TABLE.c.created_at, _TABLE.c.seq, _TABLE.c.id)), Entry
    )


def of_interchange(connection: Connection, interchange: str) -> list[Entry]:
    """The acknowledgments of an interchange: their ids begin with its id and a colon."""
    query = select(_TABLE).where(_TABLE.c.id > f"{interchange}:", _TABLE.c.id < f"{interchange};").order_by(_TABLE.c.id)
    return all_of(connection.execute(query), Entry)


def named(connection: Connection, name: str, partner: str | None = None, limit: int = 20) -> list[Entry]:
    """What left (to a partner) under this name, or has this id, newest first."""
    query = select(_TABLE).where(or_(_TABLE.c.identity == name, _TABLE.c.id == name)).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id).limit(limit)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Entry)


def of_file(connection: Connection, one: Entry, limit: int) -> list[Entry]:
    """The rows that left in the same file as this one."""
    mine = _TABLE.alias("mine")
    query = (
        select(_TABLE)
        .select_from(_TABLE)
        .join(mine, is_same_file(mine, _TABLE))
        .where(mine.c.id == one.id)
        .order_by(_TABLE.c.seq, _TABLE.c.id)
        .limit(limit)
    )
    return all_of(connection.execute(query), Entry)


def with_control(connection: Connection, numbers: Collection[str], partners: Collection[str], limit: int = 20) -> list[Entry]:
    """What left to these partners in an interchange or group that has one of these control numbers, newest first."""
    ours = _TABLE.c.partner.in_(sorted(partners))
    numbered = or_(
        and_(ours, _TABLE.c.interchange_control.in_(sorted(numbers))),
        and_(ours, _TABLE.c.group_control.in_(sorted(numbers))),
    )
    return all_of(connection.execute(select(_TABLE).where(numbered).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id).limit(limit)), Entry)


def is_same_file(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two rows left in one file. Its name alone does not tell: control numbers count for each partner, so others have files named alike."""
    return and_(
        one.c.identity == other.c.identity,
        one.c.sha256 == other.c.sha256,
        *(unindexed(one.c[name]) == unindexed(other.c[name]) for name in ("partner", "endpoint")),
    )


def search(
    connection: Connection,
    *,
    state: str | None = None,
    partner: str | None = None,
    ack_state: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Newest first; `after` is (created_at, id) of the last one of the page before."""
    query = select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_TABLE.c.state == state)
    if partner is not None:
        query = query.where(_TABLE.c.partner == partner)
    if ack_state is not None:
        query = query.where(is_one_of(_TABLE.c.ack_state, ack_state))
    if after is not None:
        query = query.where(_TABLE.c.created_at <= after[0], or_(_TABLE.c.created_at < after[0], _TABLE.c.id < after[1]))
    return all_of(connection.execute(query), Entry)


# ---------------------------------------------------------------- how


def _first_open(what: Any) -> Select[Any]:
    """Something of each stream's first open row, the only one that can leave next."""
    first = select(_TABLE.c.stream, func.min(_TABLE.c.seq).label("seq")).where(is_one_of(_TABLE.c.state, *OPEN)).group_by(_TABLE.c.stream).subquery()
    return select(what).select_from(_TABLE).join(first, and_(first.c.stream == _TABLE.c.stream, first.c.seq == _TABLE.c.seq))
