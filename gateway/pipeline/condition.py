"""How an installation does at this moment: whether a service owns it, what does not work, what waits. For `gateway status`."""

import fcntl
from pathlib import Path

import msgspec

from gateway.pipeline.station import Station
from gateway.store import awaited
from gateway.store import holds
from gateway.store import outbox
from gateway.store import troubles
from gateway.store.troubles import Trouble

#: rows that are counted one by one
_COUNTED = 10_000


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know first."""

    #: process that owns the data, None where no service runs
    owner: str | None
    troubles: list[Trouble]
    #: documents and files that wait for a person
    held: int
    #: rows of the outbox that have not left
    leaving: int
    #: deliveries that were given up
    dead: int
    #: answers of partners that are waited for in time, and those that are late
    answers_waiting: int
    answers_overdue: int


def condition_of(station: Station) -> Condition:
    """The present condition."""
    with station.database.read() as connection:
        awaiting = awaited.counts(connection)
        return Condition(
            owner=owner_of(station.installation.data),
            troubles=troubles.standing(connection),
            held=len(holds.list_open(connection, limit=_COUNTED)),
            leaving=sum(len(outbox.search(connection, state=state, limit=_COUNTED)) for state in outbox.OPEN),
            dead=len(outbox.search(connection, state="dead", limit=_COUNTED)),
            answers_waiting=sum(number for (state, _), number in awaiting.items() if state == "waiting"),
            answers_overdue=sum(number for (state, _), number in awaiting.items() if state == "overdue"),
        )


def owner_of(data: Path) -> str | None:
    """The process that holds the owner's lock. Asked with a shared lock that is given back at once, so that nothing changes hands."""
    try:
        with (data / "engine.lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except FileNotFoundError:
        return None
    return None
