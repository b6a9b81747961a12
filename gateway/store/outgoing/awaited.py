"""What we sent and what the partner said of it: finding the rows that an answer speaks of, noting the answer on them, and those whose
answer is late. There are two layers: `syntax` (997, 999, TA1, CONTRL) and `application` (824, APERAK).

A row's ack_state: waiting -> received | accepted | accepted_with_errors | partially_accepted | rejected, or overdue while it does not come;
replaced where it was sent again before it came; already_there where it was refused as a repeat of what they have.
What is rejected stays rejected, whatever is said later.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import Update
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.columns import Moment
from gateway.store.outgoing.outbox import LEFT
from gateway.store.outgoing.outbox import POSTED
from gateway.store.outgoing.outbox import Entry
from gateway.store.outgoing.outbox import is_same_file
from gateway.store.rows import all_of
from gateway.store.rows import is_one_of

#: the partner refuses a row for nothing but that its number came before
ALREADY_THERE = "already_there"
#: what an answer may come to, and the states of its being awaited
STATES = ("waiting", "received", "accepted", "accepted_with_errors", "partially_accepted", "rejected", "overdue", "replaced", ALREADY_THERE)
_TABLE = tables.outbox
#: rows that an answer may end before we know ourselves that they have left, also where we had given them up
_LEAVING = ("prepared", POSTED, "dead")
_ANSWERABLE = (*_LEAVING, *LEFT)


def find_sent(
    connection: Connection,
    *,
    partner: str,
    syntax: str = "",
    interchange_control: str | None = None,
    group_control: str | None = None,
    transaction_control: str | None = None,
    transaction_types: Iterable[str] = (),
) -> list[Entry]:
    """The rows that left under these control numbers (empty: nothing that we sent), in the order in which they stood. `syntax` (x12, edifact) is
    that of the answer: numbers count for each by itself.

    Control numbers are compared without leading zeros. Where numbers have been used again, the latest sending is meant. `transaction_types`
    are those that the answer may speak of. A row that is only prepared is meant too: its bytes may have left before we could record it,
    and the partner may be quick.
    """
    query = select(_TABLE).where(_TABLE.c.partner == partner, _TABLE.c.state.in_(_ANSWERABLE), _TABLE.c.identity.is_not(None))
    given = {"interchange_control": interchange_control, "group_control": group_control, "transaction_control": transaction_control}
    if not any(given.values()):
        raise ValueError("an answer needs at least one control number")
    for name, control in given.items():
        if control:
            query = query.where(_TABLE.c[name].in_(_spellings(control)))
    if syntax:
        query = query.where(_TABLE.c.spec.startswith(f"{syntax}/", autoescape=True))
    types = sorted(set(transaction_types))
    if types:
        query = query.where(_TABLE.c.transaction_type.in_(types))
    candidates = all_of(connection.execute(query.order_by(_TABLE.c.created_at.desc(), _TABLE.c.seq.desc()).with_for_update()), Entry)
    # a file is its name and its bytes: names are made of numbers, which begin anew
    meant = [entry for entry in candidates if (entry.identity, entry.sha256) == (candidates[0].identity, candidates[0].sha256)]
    return meant[::-1]


def sent_for(connection: Connection, documents: Sequence[str]) -> list[Entry]:
    """The rows of these documents that have left, newest first."""
    query = select(_TABLE).where(_TABLE.c.document.in_(list(documents)), _TABLE.c.state.in_(_ANSWERABLE), _TABLE.c.identity.is_not(None))
    return all_of(connection.execute(query.order_by(_TABLE.c.created_at.desc(), _TABLE.c.seq.desc())), Entry)


def note(connection: Connection, ids: Sequence[str], outcome: str, at: datetime, layer: str = "syntax") -> None:
    """Note what the partner said on rows. `received`: it has them, and says no more. What came with them in one interchange has left too."""
    for part in (list(ids[start : start + 500]) for start in range(0, len(ids), 500)):
        _note(connection, part, outcome, at, layer)
        connection.execute(_HAVE_LEFT, {"ids": part, "heard_at": at})


def _note(connection: Connection, ids: Sequence[str], outcome: str, at: datetime, layer: str) -> None:
    state = "rejected" if outcome == "rejected" else case((_TABLE.c.state == "rejected", "rejected"), else_="acknowledged")
    arrived = {"sent_at": func.coalesce(_TABLE.c.sent_at, literal(at, Moment())), "last_error": None}
    changes = {"state": state, "acknowledged_at": at, **arrived}
    # whoever says anything has it: nothing is waited for any longer
    has_it = case(
        (or_(_TABLE.c.ack_state.is_(None), _TABLE.c.ack_state.in_(("waiting", "overdue", "replaced", ALREADY_THERE))), "received"),
        else_=_TABLE.c.ack_state,
    )
    rows = update(_TABLE).where(_TABLE.c.id.in_(ids))
    if outcome == "received":
        changes["state"] = case((_TABLE.c.state.in_(_LEAVING), "sent"), else_=_TABLE.c.state)
        connection.execute(rows.values(**changes, ack_state=has_it, ack_due_at=None))
    elif layer == "application":
        told = or_(_TABLE.c.application_state.is_(None), _TABLE.c.application_state != "rejected")
        connection.execute(rows.where(told).values(**changes, application_state=outcome, ack_state=has_it, ack_due_at=None))
    else:
        told = or_(_TABLE.c.ack_state.is_(None), _TABLE.c.ack_state != "rejected")
        connection.execute(rows.where(told).values(**changes, ack_state=outcome, ack_due_at=None))


def note_repeat(connection: Connection, id: str, at: datetime, *, ends_wait: bool) -> None:
    """Note that the partner refuses a row as a repeat: it has it. `ends_wait`: how it takes it was said before, or is not waited for."""
    row = update(_TABLE).where(_TABLE.c.id == id)
    left = case((_TABLE.c.state.in_(_LEAVING), "sent"), else_=_TABLE.c.state)
    connection.execute(row.values(state=left, sent_at=func.coalesce(_TABLE.c.sent_at, literal(at, Moment())), last_error=None))
    if ends_wait:
        open_ = or_(_TABLE.c.ack_state.is_(None), _TABLE.c.ack_state.in_(("waiting", "overdue", "replaced", "received")))
        connection.execute(row.where(open_).values(ack_state=ALREADY_THERE, acknowledged_at=at, ack_due_at=None))


def replace(connection: Connection, ids: Sequence[str]) -> None:
    """What was sent is sent again: the answer is waited for at the new row. One that comes to the old numbers is still noted there."""
    waiting = _TABLE.c.ack_state.in_(("waiting", "overdue"))
    connection.execute(update(_TABLE).where(_TABLE.c.id.in_(list(ids)), waiting).values(ack_state="replaced", ack_due_at=None))


def overdue(connection: Connection, now: datetime, limit: int = 100) -> list[Entry]:
    """Rows whose answer should have come by now, longest overdue first."""
    query = (
        select(_TABLE)
        .where(is_one_of(_TABLE.c.ack_state, "waiting"), _TABLE.c.ack_due_at <= now)
        .order_by(_TABLE.c.ack_due_at, _TABLE.c.id)
        .limit(limit)
    )
    return all_of(connection.execute(query), Entry)


def mark_overdue(connection: Connection, id: str) -> bool:
    """Note that an answer is overdue (it may still come); False where it is no longer waited for."""
    return connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.ack_state == "waiting").values(ack_state="overdue")).rowcount == 1


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many answers are waited for or overdue: (state, partner) -> rows."""
    query = (
        select(_TABLE.c.ack_state, _TABLE.c.partner, func.count())
        .where(is_one_of(_TABLE.c.ack_state, "waiting", "overdue"))
        .group_by(_TABLE.c.ack_state, _TABLE.c.partner)
    )
    return {(state, partner): int(count) for state, partner, count in connection.execute(query)}


def _spellings(control: str) -> list[str]:
    """A control number as it may have been written: ISA13 has nine digits, GS06 none to spare, EDIFACT up to fourteen."""
    bare = control.lstrip("0") or "0"
    return sorted({control, bare, *(bare.zfill(width) for width in (4, 5, 6, 9, 14))})


def _have_left() -> Update:
    """What lies in one file with these rows has left too: in theirs, not in another partner's that is named alike."""
    heard = _TABLE.alias("heard")
    companions = exists(select(heard.c.id).where(heard.c.id.in_(bindparam("ids", expanding=True)), is_same_file(heard, _TABLE)).correlate(_TABLE))
    # by name first: there is an index on that
    named = _TABLE.c.identity.in_(select(heard.c.identity).where(heard.c.id.in_(bindparam("ids", expanding=True))))
    sent_at = func.coalesce(_TABLE.c.sent_at, bindparam("heard_at", type_=Moment()))
    return update(_TABLE).where(named, companions, _TABLE.c.state.in_(_LEAVING)).values(state="sent", sent_at=sent_at)


_HAVE_LEFT = _have_left()
