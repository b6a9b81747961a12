"""The first steps of a received file: kept under its SHA-256, entered in the journal, put on its stream; only then is the sender's
copy removed or the sender told "received". Nothing here looks into the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store import transmissions
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission
from gateway.transport.box import Box
from gateway.transport.box import Found

#: most bytes and files that one commit takes in
BATCH_BYTES = 16 << 20
BATCH_FILES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Bytes as they came: over which address, under which name, and what tells this delivery from any other."""

    address: str
    name: str
    identity: str
    data: bytes
    partner: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


def stream_of(address: str) -> str:
    """Files of one address are opened in the order in which they came."""
    return f"in:{address}"


def register(station: Station, arrivals: Sequence[Arrival], actor: str = "gateway") -> list[tuple[Transmission, bool]]:
    """Keep these files and put them on their streams in one commit; with each whether it is fresh (a second fetch is not)."""
    digests = station.archive.keep_many([arrival.data for arrival in arrivals])
    crash.point(20)
    now = station.clock()
    answer = []
    with station.database.begin() as connection:
        entries = []
        for arrival, sha256 in zip(arrivals, digests, strict=True):
            transmission, fresh = transmissions.register(
                connection,
                Transmission(
                    id=new_id(),
                    direction="in",
                    partner=arrival.partner,
                    endpoint=arrival.address,
                    source_identity=arrival.identity,
                    name=arrival.name,
                    sha256=sha256,
                    size=len(arrival.data),
                    received_at=now,
                    stream=stream_of(arrival.address),
                    properties=arrival.properties,
                ),
            )
            answer.append((transmission, fresh))
            if fresh:
                entries.append(
                    journal.Entry(
                        stream=transmission.stream,
                        at=now,
                        actor=actor,
                        action="received",
                        subject_kind="transmission",
                        subject=transmission.id,
                        facts={"name": arrival.name, "address": arrival.address, "size": str(len(arrival.data))},
                        references=(sha256,),
                    )
                )
                streams.poke(connection, transmission.stream)
        journal.append(connection, entries)
        crash.point(21)
    crash.point(22)
    return answer


def poll(station: Station, address: str, box: Box, partner: str | None = None) -> bool:
    """Fetch what lies ready in a mailbox, commit, then remove; true when something came."""
    batch: list[tuple[Found, Arrival]] = []
    size = 0
    came = False
    for found in box.list_ready():
        crash.point(60)
        data = b"".join(box.fetch(found))
        crash.point(61)
        batch.append((found, Arrival(address=address, name=found.name, identity=found.identity, data=data, partner=partner)))
        size += len(data)
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            _take_in(station, box, batch)
            batch, size, came = [], 0, True
    if batch:
        _take_in(station, box, batch)
        came = True
    return came


def _take_in(station: Station, box: Box, batch: list[tuple[Found, Arrival]]) -> None:
    register(station, [arrival for _, arrival in batch])
    crash.point(62)
    for found, _ in batch:
        box.remove(found)
        crash.point(63)
