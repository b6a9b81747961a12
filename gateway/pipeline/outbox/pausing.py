"""A person pauses a partner and lets it go on: nothing leaves to it meanwhile, and where that is wanted its mailboxes are left alone."""

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.outgoing import outbox
from gateway.store.outgoing import pauses
from gateway.store.outgoing.pauses import Pause


class NotPaused(Exception):
    """A partner that cannot be paused or resumed. One sentence says why."""


def pause(station: Station, partner: str, actor: str, reason: str, *, fetching: bool = False) -> Pause:
    """Send nothing to a partner until it is resumed; what is being sent at this moment comes to its end."""
    if partner not in station.installation.directory.partners:
        raise NotPaused(f"There is no partner '{partner}': gateway partner list names them")
    if not reason.strip():
        raise NotPaused("Pausing a partner needs a reason: it stands in the journal and on its page")
    with station.database.begin() as connection:
        now = station.clock()
        wanted = Pause(partner=partner, actor=actor, reason=reason, since=now, fetching=fetching)
        if pauses.pause(connection, wanted):
            facts = {"fetching": "paused too" if fetching else "goes on"}
            journal.append(connection, [_entry(station, partner, "paused", actor, reason, facts)])
        crash.point(88)
    with station.database.read() as connection:
        return pauses.get(connection, partner) or wanted


def resume(station: Station, partner: str, actor: str, reason: str = "") -> None:
    """Let a partner go on: what waited for it leaves now, in its order."""
    with station.database.begin() as connection:
        if not pauses.resume(connection, partner):
            raise NotPaused(f"{partner} is not paused")
        journal.append(connection, [_entry(station, partner, "resumed", actor, reason, {})])
        for stream in outbox.streams_due(connection, station.clock()):
            streams.poke(connection, stream)
        crash.point(88)


def _entry(station: Station, partner: str, action: str, actor: str, reason: str, facts: dict[str, str]) -> journal.Entry:
    return journal.Entry(
        stream=f"partner:{partner}",
        at=station.clock(),
        actor=actor,
        action=f"partner {action}",
        subject_kind="partner",
        subject=partner,
        reason=reason,
        facts=facts,
    )
