"""The first steps of a received file: kept under its SHA-256, entered in the journal, put on its stream; only then is the sender's
copy removed or the sender told "received". Nothing here looks into the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.identity import new_id
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.visible import visible_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Bytes that are in the archive already: a large file never is in memory as a whole."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Bytes as they came: over which address, under which name, and what tells this delivery from any other."""

    address: str
    name: str
    identity: str
    data: bytes = b""
    #: instead of data
    kept: Kept | None = None
    #: nothing is to be done with it: it is entered and that is all
    through: bool = False
    partner: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


def stream_of(address: str) -> str:
    """Files of one address are opened in the order in which they came."""
    return f"in:{address}"


def register(station: Station, arrivals: Sequence[Arrival], actor: str = "gateway") -> list[tuple[Transmission, bool]]:
    """Keep these files and put them on their streams in one commit; with each whether it is fresh (a second fetch is not)."""
    written = iter(station.archive.keep_many([arrival.data for arrival in arrivals if arrival.kept is None]))
    kept = [arrival.kept or Kept(sha256=next(written), size=len(arrival.data)) for arrival in arrivals]
    crash.point(20)
    now = station.clock()
    arrived = [_transmission(arrival, bytes_, now) for arrival, bytes_ in zip(arrivals, kept, strict=True)]
    with station.database.begin() as connection:
        answer = transmissions.register_many(connection, arrived)
        entries = []
        for arrival, (transmission, fresh) in zip(arrivals, answer, strict=True):
            if fresh:
                entries.append(
                    journal.Entry(
                        stream=transmission.stream,
                        at=now,
                        actor=actor,
                        action="received",
                        subject_kind="transmission",
                        subject=transmission.id,
                        facts={"name": transmission.name, "address": arrival.address, "size": str(transmission.size)},
                        references=(transmission.sha256,),
                    )
                )
        for stream in dict.fromkeys(transmission.stream for transmission, fresh in answer if fresh and transmission.state == "received"):
            streams.poke(connection, stream)
        journal.append(connection, entries)
        crash.point(21)
    crash.point(22)
    return answer


def _transmission(arrival: Arrival, kept: Kept, now: datetime) -> Transmission:
    return Transmission(
        id=new_id(),
        direction="in",
        partner=arrival.partner,
        endpoint=arrival.address,
        source_identity=arrival.identity,
        name=visible_name(arrival.name),
        sha256=kept.sha256,
        size=kept.size,
        received_at=now,
        state="done" if arrival.through else "received",
        stream=stream_of(arrival.address),
        properties=arrival.properties,
    )
