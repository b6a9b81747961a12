"""Interchanges on their way in: which of a transmission's interchanges is how far. The cursor makes a large one resumable after a kill."""

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from gateway.store import streams
from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.many import many_updates
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: open -> done | held | refused; held -> open
STATES = ("open", "done", "held", "refused")
_TABLE = tables.interchange


class Interchange(Row, frozen=True, kw_only=True):
    """One interchange of a transmission. `cursor` counts its transactions that are done; `byte_offset` is where the next one begins."""

    id: str
    transmission: str
    #: place in the transmission, counted from 0
    ordinal: int
    syntax: str
    sender: str
    receiver: str
    partner: str | None = None
    control_number: str
    test: bool = False
    state: str = "open"
    cursor: int = 0
    byte_offset: int = 0
    #: JSON of the caller: the received envelope and its groups so far
    envelope: str = "{}"
    outcome: str | None = None
    opened_at: datetime
    finished_at: datetime | None = None


def open_one(connection: Connection, interchange: Interchange) -> tuple[Interchange, bool]:
    """Begin an interchange; where this ordinal of the transmission is begun already, the one that is there and False."""
    row = values_of(interchange)
    statement = insert(connection, _TABLE).values(row).on_conflict_do_nothing(index_elements=["transmission", "ordinal"])
    if connection.execute(statement.returning(_TABLE.c.id)).scalar_one_or_none() is not None:
        return interchange, True
    known = one_of(
        connection.execute(select(_TABLE).where(_TABLE.c.transmission == interchange.transmission, _TABLE.c.ordinal == interchange.ordinal)),
        Interchange,
    )
    if known is None:
        raise StaleState(f"interchange {interchange.ordinal} of transmission {interchange.transmission} vanished")
    return known, False


_FIELDS = Interchange.__struct_fields__
_INSERT = many_inserts(_TABLE, _FIELDS)
_VALUES = attrgetter(*_FIELDS)
_FINISH = many_updates(_TABLE, "id", ("state", "outcome", "envelope", "finished_at"), only="state = 'open'")


def open_many(connection: Connection, fresh: Sequence[Interchange]) -> None:
    """Begin interchanges that nobody has begun; StaleState where somebody has."""
    try:
        _INSERT.run(connection, map(_VALUES, fresh))
    except IntegrityError as error:
        raise StaleState("one of these interchanges is begun already") from error


def finish_many(connection: Connection, finished: Sequence[Interchange]) -> None:
    """Close open interchanges as these say; StaleState where one was not open."""
    if _FINISH.run(connection, [(one.id, one.state, one.outcome, one.envelope, one.finished_at) for one in finished]) != len(finished):
        raise StaleState("some of these interchanges are no longer open")


def take_controls(connection: Connection, keys: Collection[tuple[str, str, str]]) -> None:
    """Be the only one who begins interchanges of these (sender, receiver, control number), to look whether they are known and to begin them:
    the same may come over another address at this moment."""
    streams.take_names(connection, ["interchange\0" + "\0".join(key) for key in keys])


def known_controls(connection: Connection, keys: Collection[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Which of these (sender, receiver, control number) stand in any interchange: what may be a duplicate."""
    found: set[tuple[str, str, str]] = set()
    pairs: dict[tuple[str, str], list[str]] = {}
    for sender, receiver, control in keys:
        pairs.setdefault((sender, receiver), []).append(control)
    for (sender, receiver), controls in pairs.items():
        query = select(_TABLE.c.control_number).where(
            _TABLE.c.sender == sender, _TABLE.c.receiver == receiver, _TABLE.c.control_number.in_(sorted(controls))
        )
        found.update((sender, receiver, control) for control in connection.execute(query).scalars())
    return found


def advance(connection: Connection, id: str, *, expected_cursor: int, cursor: int, byte_offset: int, envelope: str | None = None) -> None:
    """Move the cursor on, in the transaction that inserts the chunk's documents; StaleState where another worker was quicker."""
    changes: dict[str, Any] = {"cursor": cursor, "byte_offset": byte_offset}
    if envelope is not None:
        changes["envelope"] = envelope
    done = connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == "open", _TABLE.c.cursor == expected_cursor).values(changes))
    if done.rowcount != 1:
        raise StaleState(f"interchange {id} is no longer open at transaction {expected_cursor}")


def finish(
    connection: Connection,
    id: str,
    *,
    at: datetime,
    state: str = "done",
    outcome: str | None = None,
    envelope: str | None = None,
    expected: str = "open",
) -> None:
    """Close an interchange (or hold or refuse it); StaleState where it was not in the expected state."""
    changes: dict[str, Any] = {"state": state, "finished_at": at}
    if outcome is not None:
        changes["outcome"] = outcome
    if envelope is not None:
        changes["envelope"] = envelope
    if connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == expected).values(changes)).rowcount != 1:
        raise StaleState(f"interchange {id} is no longer {expected}")


def reopen(connection: Connection, id: str, expected: str = "held") -> None:
    """A held interchange goes on after a person's decision."""
    done = connection.execute(update(_TABLE).where(_TABLE.c.id == id, _TABLE.c.state == expected).values(state="open", finished_at=None))
    if done.rowcount != 1:
        raise StaleState(f"interchange {id} is no longer {expected}")


def get(connection: Connection, id: str) -> Interchange | None:
    """The interchange of this id."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.id == id)), Interchange)


_OF_TRANSMISSION = select(_TABLE).where(_TABLE.c.transmission == bindparam("of")).order_by(_TABLE.c.ordinal)


def of_transmission(connection: Connection, transmission: str) -> list[Interchange]:
    """All interchanges of a transmission in their order."""
    return all_of(connection.execute(_OF_TRANSMISSION, {"of": transmission}), Interchange)


def find_by_control(
    connection: Connection, *, partner: str | None, sender: str, receiver: str, control_number: str, excluding_transmission: str | None = None
) -> list[Interchange]:
    """Earlier interchanges of the same sender, receiver and control number, newest first: possible duplicates. `partner` None: of anybody."""
    query = select(_TABLE).where(_TABLE.c.sender == sender, _TABLE.c.receiver == receiver, _TABLE.c.control_number == control_number)
    if partner is not None:
        query = query.where(_TABLE.c.partner == partner)
    if excluding_transmission is not None:
        query = query.where(_TABLE.c.transmission != excluding_transmission)
    return all_of(connection.execute(query.order_by(_TABLE.c.opened_at.desc(), _TABLE.c.id.desc())), Interchange)


def with_control(connection: Connection, numbers: Collection[str], partner: str | None = None, limit: int = 20) -> list[Interchange]:
    """Interchanges of anybody (or of one partner) that have one of these control numbers, newest first."""
    # the pairs out of the index alone, which begins with them: no row is read but those that are wanted
    among: ColumnElement[bool] = _TABLE.c.control_number.in_(sorted(numbers))
    if partner is not None:
        among = and_(among, _TABLE.c.partner == partner)
    pairs = connection.execute(select(_TABLE.c.sender, _TABLE.c.receiver, _TABLE.c.control_number).where(among).distinct().limit(limit)).all()
    if not pairs:
        return []
    exact = or_(*(and_(_TABLE.c.sender == pair[0], _TABLE.c.receiver == pair[1], _TABLE.c.control_number == pair[2]) for pair in pairs))
    whose = exact if partner is None else and_(exact, _TABLE.c.partner == partner)
    return all_of(connection.execute(select(_TABLE).where(whose).order_by(_TABLE.c.opened_at.desc(), _TABLE.c.id.desc()).limit(limit)), Interchange)


def duplicates_since(connection: Connection, since: datetime, partners: Collection[str]) -> int:
    """How many interchanges of these partners had come before."""
    query = select(func.count()).where(_TABLE.c.partner.in_(sorted(partners)), _TABLE.c.opened_at >= since, _TABLE.c.outcome == "duplicate")
    return int(connection.execute(query).scalar_one())
