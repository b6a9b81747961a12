"""A file in which nothing can be read: it waits for a person, alone or among others that are written with it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.kinds import file as file_kinds
from gateway.pipeline.inbound.entries import transmission_ended
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.rows import StaleState


def leave_unread(station: Station, connection: Connection, transmission: Transmission, found: Sequence[Problem]) -> journal.Entry:
    """Hold the file for a person, with what was found in it; returns what the journal says. StaleState where somebody else was quicker."""
    now = station.clock()
    problems = tuple(found) or (
        file_kinds.UNREADABLE.at(NOWHERE, f"'{transmission.name}' is nothing that we can read", expected="X12, EDIFACT, UBL or a bank file"),
    )
    holds.open_hold(
        connection,
        holds.Hold(
            id=short_id("H", transmission.id, now.isoformat()), transmission=transmission.id, kind="unreadable", reasons=problems, opened_at=now
        ),
    )
    if not transmissions.set_state(connection, transmission.id, transmission.state, "unreadable", problems=problems):
        raise StaleState(f"transmission {transmission.id} is no longer {transmission.state}")
    return transmission_ended(transmission, "unreadable", problems, now)
