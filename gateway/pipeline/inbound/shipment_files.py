"""A file of the warehouse's folder: its shipments become documents of their orders' partners, all of them or none. Where one cannot be read, or
nobody has its order, the file waits for a person with that reason; released, it is tried anew."""

import structlog

from gateway.pipeline.inbound.entries import transmission_ended
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.shipments import shipments_of
from gateway.pipeline.trading.shipments import take_shipments
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.rows import StaleState

_log = structlog.get_logger("turned away")
#: the property of a file that says which of our own folders it lay in
INBOX = "inbox"


def is_shipments(transmission: Transmission) -> bool:
    """Whether a file lay in the warehouse's folder: it is shipments, whatever it looks like."""
    return transmission.properties.get(INBOX) == "shipments"


def take_file(station: Station, stream: str, transmission: Transmission) -> bool:
    """Take the file's shipments, or hold it; false where another worker has the stream."""
    crash.point(30)
    shipments, problems = shipments_of(station.archive.read(transmission.sha256), station.plans, None)
    with station.database.begin() as connection:
        if not streams.take(connection, stream):
            return False
        if not problems:
            sha256, name = transmission.sha256, transmission.name
            _, problems = take_shipments(station, connection, shipments, sha256, name, "folder", transmission=transmission.id)
        now, state = station.clock(), "held" if problems else "done"
        if problems:
            id = short_id("H", transmission.id, now.isoformat())
            holds.open_hold(connection, holds.Hold(id=id, transmission=transmission.id, kind="shipment", reasons=tuple(problems), opened_at=now))
        if not transmissions.set_state(connection, transmission.id, transmission.state, state, problems=tuple(problems)):
            raise StaleState(f"transmission {transmission.id} is no longer {transmission.state}")
        journal.append(connection, [transmission_ended(transmission, state, problems, now)])
        crash.point(37)
    if problems:
        _log.info("file held", transmission=transmission.id, problems=codes(problems))
    crash.point(38)
    return True
