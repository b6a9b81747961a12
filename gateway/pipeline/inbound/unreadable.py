"""A file in which nothing can be read: it waits for a person, alone or among others that are written with it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from gateway.kinds import file as file_kinds
from gateway.pipeline.endpoints import only_owner
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
    problems = _problems(transmission, found)
    holds.open_hold(connection, _hold(transmission, problems, now))
    partner = _whose(station, transmission)
    if not transmissions.set_state(connection, transmission.id, transmission.state, "unreadable", partner=partner, problems=problems):
        raise StaleState(f"transmission {transmission.id} is no longer {transmission.state}")
    return transmission_ended(transmission, "unreadable", problems, now, partner=partner)


def leave_all_unread(station: Station, connection: Connection, files: Sequence[tuple[Transmission, Sequence[Problem]]]) -> list[journal.Entry]:
    """The same for several files that nobody has begun with: the statements do not grow in number with them."""
    now = station.clock()
    told = [(transmission, _problems(transmission, found)) for transmission, found in files]
    holds.open_many(connection, [_hold(transmission, problems, now) for transmission, problems in told])
    transmissions.end_many(
        connection,
        [
            transmissions.Ended(id=transmission.id, partner=_whose(station, transmission), problems=problems, state="unreadable")
            for transmission, problems in told
        ],
    )
    return [transmission_ended(transmission, "unreadable", problems, now, partner=_whose(station, transmission)) for transmission, problems in told]


def _whose(station: Station, transmission: Transmission) -> str | None:
    """The partner over whose endpoint the file came: nothing in it says so."""
    return transmission.partner or only_owner(station.installation.directory, transmission.endpoint)


def _problems(transmission: Transmission, found: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(found) or (
        file_kinds.UNREADABLE.at(NOWHERE, f"'{transmission.name}' is nothing that we can read", expected="X12, EDIFACT, UBL or a bank file"),
    )


def _hold(transmission: Transmission, problems: tuple[Problem, ...], now: datetime) -> holds.Hold:
    return holds.Hold(
        id=short_id("H", transmission.id, now.isoformat()), transmission=transmission.id, kind="unreadable", reasons=problems, opened_at=now
    )
