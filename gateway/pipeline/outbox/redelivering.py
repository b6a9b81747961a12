"""A person looks after what leaves: tries again what was given up, at once what waits for its next try, and stops what has not begun to leave.

The three words are kept apart: a retry takes up the same row under the same identity, here; a resend is a new row for a document that had
left or was stopped (resending.py); a replay runs something that arrived anew.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.circuits import try_again
from gateway.pipeline.outbox.resending import NotResent
from gateway.pipeline.outbox.resending import find_document
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.outgoing import deliveries
from gateway.store.outgoing import outbox
from gateway.store.outgoing import precedence
from gateway.store.outgoing.outbox import Entry
from gateway.store.watching import troubles

#: documents whose amounts stand in the books, whether they leave or not
BOOKED = frozenset({"invoice", "credit_note"})


class NotDone(Exception):
    """A delivery that cannot be tried again or stopped as it is now. One sentence says why."""


def find_row(station: Station, reference: str) -> Entry:
    """The row that is meant: by its id, or by the number or id of its document (the latest one)."""
    with station.database.read() as connection:
        entry = outbox.get(connection, reference)
    if entry is not None:
        return entry
    try:
        row = find_document(station, reference)
    except NotResent as error:
        raise NotDone(str(error)) from None
    with station.database.read() as connection:
        rows = outbox.of_document(connection, row.id)
    if not rows:
        raise NotDone(f"{row.kind.replace('_', ' ')} {row.number} does not leave by any delivery: it is only kept")
    return rows[-1]


def to_try_again(station: Station, partner: str | None = None) -> list[str]:
    """What `retry` would take: what was given up, and what waits for its next try."""
    with station.database.read() as connection:
        return [entry.id for entry in deliveries.failing(connection, partner, station.clock())]


def retry(station: Station, ids: Sequence[str], actor: str, reason: str = "") -> list[Entry]:
    """Take rows up again: those that were given up, and those that wait for their next try. Raises NotDone for others; all or none."""
    with station.database.begin() as connection:
        now = station.clock()
        taken: list[Entry] = []
        for id in ids:
            before = outbox.get(connection, id)
            if before is None:
                raise NotDone(f"There is no delivery '{id}'")
            if not (deliveries.revive(connection, id, now) or deliveries.hasten(connection, id, now)):
                raise NotDone(f"{name_of(before)} {_state(before)}: there is nothing to try again")
            taken.append(before)
        given_up.take_up(connection, taken, actor, f"tried again{f': {reason}' if reason else ''}", now)
        _note(connection, station, taken, "tried again", actor, reason)
        for stream in sorted({entry.stream for entry in taken}):
            streams.poke(connection, stream)
        crash.point(87)
    _knock_again(station, {entry.partner for entry in taken})
    with station.database.read() as connection:
        return outbox.get_many(connection, ids)


def _knock_again(station: Station, partners: set[str]) -> None:
    """Who tries again where an account is stopped says that it was mended: it may be knocked at."""
    with station.database.read() as connection:
        stopped = {trouble.partner for trouble in troubles.standing(connection) if trouble.kind == "sending" and trouble.state == "stopped"}
    for id in sorted(partners & stopped):
        loaded = station.installation.directory.partners.get(id)
        if loaded is not None:
            try_again(station, loaded.partner)


def cancel(station: Station, id: str, actor: str, reason: str) -> Entry:
    """Stop a row before it leaves, or for good where it was given up. No control number is used up by what never left."""
    if not reason.strip():
        raise NotDone("Stopping something needs a reason: it stands in the journal")
    with station.database.begin() as connection:
        before = outbox.get(connection, id)
        if before is None:
            raise NotDone(f"There is no delivery '{id}'")
        if not deliveries.cancel(connection, id):
            raise NotDone(f"{name_of(before)} {_state(before)}: it is too late to stop it")
        now = station.clock()
        _note(connection, station, [before], "stopped", actor, reason)
        if before.document is not None:
            given_up.stop(connection, before.document, actor, reason, now)
        for stream in (before.stream, *precedence.streams_behind(connection, [id])):
            streams.poke(connection, stream)
        crash.point(87)
    with station.database.read() as connection:
        return outbox.get_existing(connection, id)


def can_retry(entry: Entry) -> bool:
    """Whether `retry` takes a row, as far as the row itself says."""
    return entry.state == "dead" or (entry.state in {"waiting", "prepared"} and entry.last_error is not None)


def can_stop(entry: Entry) -> bool:
    """Whether `cancel` takes a row, as far as the row itself says."""
    untouched = entry.state in {"waiting", "held_back"} and entry.identity is None and entry.interchange_control is None
    return untouched or (entry.state == "waiting" and entry.identity is not None) or entry.state == "dead"


def name_of(entry: Entry) -> str:
    """A row in words, as far as the row itself says."""
    return f"{entry.kind.replace('_', ' ')} {entry.id} ({entry.spec} to {entry.partner})"


def what_remains(entry: Entry) -> str:
    """What a person should know after stopping a row."""
    if entry.kind in BOOKED:
        return "It stands in the books all the same: credit it if it shall not be owed, or send it after all with gateway resend."
    return "Send it after all with gateway resend." if entry.document is not None else ""


def _state(entry: Entry) -> str:
    if entry.state == "waiting" or entry.state == "held_back":
        return "waits for its turn"
    if entry.state == "claimed":
        return "is being sent at this moment"
    if entry.state == "prepared":
        return "has its control numbers and may have reached the partner"
    return {"dead": "was given up", "cancelled": "was stopped"}.get(entry.state, "has left")


def _note(connection: Connection, station: Station, entries: Sequence[Entry], action: str, actor: str, reason: str) -> None:
    now = station.clock()
    made = [
        journal.Entry(
            stream=entry.stream,
            at=now,
            actor=actor,
            action=f"{entry.kind} {action}",
            subject_kind="outbox",
            subject=entry.id,
            reason=reason,
            facts={name: value for name, value in {"spec": entry.spec, "identity": entry.identity or "", "was": entry.state}.items() if value},
        )
        for entry in entries
    ]
    journal.append(connection, made)
