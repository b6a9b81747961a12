"""Tries to send rows of the outbox: claimed by lease, given their numbers and bytes, and what became of the try. Who holds the lease may record
it, nobody else: whoever lost it meets StaleState, and the new holder sends again under the same identity.

The states and what may follow which stand in outbox.py. Knows no transport and no syntax.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.columns import Moment
from gateway.store.outgoing import precedence
from gateway.store.outgoing.outbox import LEFT
from gateway.store.outgoing.outbox import LONGEST_LEASE
from gateway.store.outgoing.outbox import OPEN
from gateway.store.outgoing.outbox import POSTED
from gateway.store.outgoing.outbox import Entry
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import is_one_of
from gateway.store.rows import values_of

#: states in which the holder of the lease may still record how its try ended: a quick acknowledgment may have come in between
_OWNED = ("claimed", "prepared", *LEFT)
#: how often rows that must wait for others are set aside in one claim; the sweep goes on where there are more
_LOOKS = 10
_TABLE = tables.outbox
_CONTENT = tables.document_content


class Preparation(Row, frozen=True, kw_only=True):
    """What is fixed about a row before its first try: several rows of one interchange share identity and digest."""

    id: str
    identity: str
    sha256: str
    transaction_type: str | None = None
    interchange_control: str | None = None
    group_control: str | None = None
    transaction_control: str | None = None
    transmission: str | None = None


class Numbers(Row, frozen=True, kw_only=True):
    """The control numbers that a row will leave under: given to it before its bytes are made, and kept on every try."""

    id: str
    interchange_control: str
    group_control: str | None = None
    transaction_control: str | None = None


def claim(connection: Connection, *, stream: str, now: datetime, lease: timedelta, limit: int, token: str) -> list[Entry]:
    """Take the next rows of a stream for `lease`, in order. Rows that were prepared before come back as they were prepared.

    Empty where the first open row is not due, or another worker's lease on it still runs.
    """
    taken = _next(connection, stream, now, limit)
    if not taken and precedence.wake(connection, stream):
        taken = _next(connection, stream, now, limit)
    situation = precedence.situation(connection, taken[0].partner, stream) if taken else "paused"
    if situation == "paused":
        return []
    if situation == "others":
        taken = _without_those_behind(connection, stream, now, limit)
    claimed = [
        msgspec.structs.replace(
            entry,
            state="prepared" if entry.identity is not None else "claimed",
            lease_token=token,
            lease_until=now + lease,
            attempts=entry.attempts + 1,
        )
        for entry in taken
    ]
    for state in ("claimed", "prepared"):
        ids = [entry.id for entry in claimed if entry.state == state]
        if ids:
            connection.execute(_CLAIM, {"ids": ids, "as": state, "token": token, "until": now + lease})
    return _with_bodies(connection, claimed)


def _with_bodies(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """The rows with what is to leave: the canonical JSON of a document lies with the document alone."""
    wanted = sorted({entry.document for entry in entries if not entry.body and entry.document is not None})
    bodies: dict[str, str | None] = {}
    for start in range(0, len(wanted), 500):
        query = select(_CONTENT.c.document, _CONTENT.c.body).where(_CONTENT.c.document.in_(wanted[start : start + 500]))
        bodies.update({row.document: row.body for row in connection.execute(query)})
    return [msgspec.structs.replace(entry, body=bodies.get(entry.document or "") or "") if not entry.body else entry for entry in entries]


def _next(connection: Connection, stream: str, now: datetime, limit: int) -> list[Entry]:
    """The first open rows of a stream as far as they are due and free."""
    found: list[Entry] = []
    for entry in all_of(connection.execute(_NEXT, {"where": stream, "most": limit}), Entry):
        if entry.due_at > now or (entry.lease_until is not None and now < entry.lease_until <= now + LONGEST_LEASE):
            break
        found.append(entry)
    return found


def _without_those_behind(connection: Connection, stream: str, now: datetime, limit: int) -> list[Entry]:
    """The next rows, when those that must wait for another row of their order are set aside."""
    precedence.wake(connection, stream)
    for _ in range(_LOOKS):
        found = _next(connection, stream, now, limit)
        behind = precedence.behind_others(connection, stream, candidates_of(found))
        if not behind:
            return found
        precedence.hold_back(connection, behind)
    return []


def candidates_of(entries: Sequence[Entry]) -> list[precedence.Candidate]:
    """Those that may be asked to wait for others of their order."""
    fresh = [entry for entry in entries if entry.identity is None and entry.interchange_control is None]
    return [precedence.Candidate(entry.id, entry.document, entry.seq) for entry in fresh if entry.document is not None]


def extend(connection: Connection, ids: Sequence[str], token: str, until: datetime) -> None:
    """Prolong a lease during a long sending; StaleState where it was lost."""
    _owned(connection, ids, token, {"lease_until": until})


def prolong(connection: Connection, ids: Sequence[str], token: str, until: datetime) -> int:
    """Prolong the lease of those of these rows that are still held and not done with; how many that are."""
    ours = (_TABLE.c.id.in_(list(ids)), _TABLE.c.lease_token == token, _TABLE.c.state.in_(OPEN))
    return connection.execute(update(_TABLE).where(*ours).values(lease_until=until)).rowcount


def unclaim(connection: Connection, ids: Sequence[str], token: str) -> None:
    """Give claimed rows back untried (a batch that would grow too large)."""
    _owned(
        connection,
        ids,
        token,
        {"state": _unless_acknowledged(_resting_state()), "lease_token": None, "lease_until": None, "attempts": _TABLE.c.attempts - 1},
    )


def under(connection: Connection, token: str) -> list[Entry]:
    """What is held under a token now, in order."""
    query = select(_TABLE).where(is_one_of(_TABLE.c.state, *OPEN), _TABLE.c.lease_token == token).order_by(_TABLE.c.seq)
    return all_of(connection.execute(query), Entry)


def number(connection: Connection, token: str, numbers: Sequence[Numbers]) -> None:
    """Give control numbers to rows that have none; StaleState where the lease was lost."""
    if not numbers:
        return
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("key"), _TABLE.c.lease_token == token, _TABLE.c.state == "claimed", _TABLE.c.interchange_control.is_(None))
        .values({name: bindparam(name) for name in Numbers.__struct_fields__ if name != "id"})
    )
    rows = [{"key": one.id, **{name: value for name, value in values_of(one).items() if name != "id"}} for one in numbers]
    if connection.execute(statement, rows).rowcount != len(rows):
        raise StaleState("some of these outbox rows are no longer ours to number")


def prepare(connection: Connection, token: str, preparations: Sequence[Preparation]) -> None:
    """Fix identity, digest and control numbers; StaleState where the lease was lost or a row was prepared before."""
    if not preparations:
        return
    names = [name for name in Preparation.__struct_fields__ if name != "id"]
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("key"), _TABLE.c.lease_token == token, _TABLE.c.state == "claimed")
        .values({"state": "prepared", **{name: bindparam(name) for name in names}})
    )
    rows = [{"key": preparation.id, **{name: getattr(preparation, name) for name in names}} for preparation in preparations]
    if connection.execute(statement, rows).rowcount != len(rows):
        raise StaleState("some of these outbox rows are no longer ours to prepare")


def sent(connection: Connection, ids: Sequence[str], token: str, at: datetime, ack_due_at: datetime | None = None) -> None:
    """Record that rows have left; those that expect an acknowledgment wait for it until `ack_due_at`. StaleState where the lease was lost."""
    left = _TABLE.c.state.in_(("prepared", "sent"))
    waits = and_(left, _TABLE.c.expects_ack, _TABLE.c.ack_state.is_(None))
    _owned(
        connection,
        ids,
        token,
        {
            # the partner's acknowledgment may have been quicker than we: then it stays
            "state": case((left, "sent"), else_=_TABLE.c.state),
            "sent_at": at,
            "lease_token": None,
            "lease_until": None,
            "last_error": None,
            "ack_state": case((waits, "waiting"), else_=_TABLE.c.ack_state),
            "ack_due_at": case((waits, literal(ack_due_at, Moment())), else_=None),
        },
        states=("prepared", *LEFT),
    )


def posted(connection: Connection, ids: Sequence[str], token: str, at: datetime, until: datetime) -> None:
    """Record that the partner's station took rows, and that its receipt is waited for until `until`. StaleState where the lease was lost."""
    left = _TABLE.c.state == "prepared"
    changes = {"state": case((left, POSTED), else_=_TABLE.c.state), "due_at": case((left, literal(until, Moment())), else_=_TABLE.c.due_at)}
    _owned(connection, ids, token, {**changes, "sent_at": at, "lease_token": None, "lease_until": None, "last_error": None})


def failed(connection: Connection, ids: Sequence[str], token: str, next_due: datetime, error: str) -> None:
    """Record a try that did not work; the rows wait until `next_due`. StaleState where the lease was lost."""
    state = _unless_acknowledged(_resting_state())
    _owned(connection, ids, token, {"state": state, "lease_token": None, "lease_until": None, "due_at": next_due, "last_error": error})


def postpone(connection: Connection, ids: Sequence[str], token: str, next_due: datetime, why: str) -> None:
    """Give rows back untried until `next_due`: the endpoint is left alone. It counts as no try. StaleState where the lease was lost."""
    state = _unless_acknowledged(_resting_state())
    changes = {"state": state, "lease_token": None, "lease_until": None, "due_at": next_due, "last_error": why}
    _owned(connection, ids, token, {**changes, "attempts": _TABLE.c.attempts - 1})


def dead(connection: Connection, ids: Sequence[str], token: str, error: str) -> None:
    """Give up on rows after the last try; a person may revive them. StaleState where the lease was lost."""
    _owned(connection, ids, token, {"state": _unless_acknowledged("dead"), "lease_token": None, "lease_until": None, "last_error": error})


def forget_leases(connection: Connection) -> int:
    """Free all claimed rows at once, untried: only for an engine that knows itself to be the sole sender (its dead predecessor held them)."""
    open_rows = is_one_of(_TABLE.c.state, *OPEN) & _TABLE.c.lease_token.is_not(None)
    return connection.execute(update(_TABLE).where(open_rows).values(state=_resting_state(), lease_token=None, lease_until=None)).rowcount


def free_leases_of(connection: Connection, node: str) -> int:
    """Free the rows that a node of a cluster was sending when it died; it cannot record anything about them any more."""
    token = _TABLE.c.lease_token
    theirs = is_one_of(_TABLE.c.state, *OPEN) & (token > f"{node}.") & (token < f"{node}/")
    return connection.execute(update(_TABLE).where(theirs).values(state=_resting_state(), lease_token=None, lease_until=None)).rowcount


# ---------------------------------------------------------------- how

#: statements of every claim, made once
_NEXT = (
    select(_TABLE)
    .where(_TABLE.c.stream == bindparam("where"), is_one_of(_TABLE.c.state, *OPEN))
    .order_by(_TABLE.c.seq)
    .limit(bindparam("most"))
    .with_for_update()
)
_CLAIM = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=bindparam("as"),
        lease_token=bindparam("token"),
        lease_until=bindparam("until", type_=_TABLE.c.lease_until.type),
        attempts=_TABLE.c.attempts + 1,
    )
)


def _owned(connection: Connection, ids: Sequence[str], token: str, changes: Mapping[str, Any], states: Sequence[str] = _OWNED) -> None:
    """Change rows that we hold the lease of; all or StaleState."""
    done = connection.execute(
        update(_TABLE).where(_TABLE.c.id.in_(list(ids)), _TABLE.c.lease_token == token, _TABLE.c.state.in_(states)).values(dict(changes))
    )
    if done.rowcount != len(set(ids)):
        raise StaleState(f"the lease of {len(set(ids)) - done.rowcount} of {len(set(ids))} outbox rows was lost, or they are in another state")


def _resting_state() -> Any:
    """Where an open row rests between tries: what is prepared stays prepared."""
    return case((_TABLE.c.identity.is_(None), "waiting"), else_="prepared")


def _unless_acknowledged(state: Any) -> Any:
    """A partner that acknowledged has our bytes, whatever the try looked like from here."""
    return case((_TABLE.c.state.in_(LEFT), _TABLE.c.state), else_=state)
