"""The first steps of a received file: kept under its SHA-256, entered in the journal, put on its stream; only then is the sender's
copy removed or the sender told "received". Nothing here looks into the bytes.
"""

import errno
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

import structlog

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store import transmissions
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission
from gateway.transport.box import Box
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError

#: most bytes and files that one commit takes in
BATCH_BYTES = 16 << 20
BATCH_FILES = 50
#: seconds after which a file that could not be had is tried again
FILE_BACK_OFF = (1.0, 5.0, 30.0, 300.0)

_log = structlog.get_logger("receive")


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


class Troubles:
    """Files of one mailbox that could not be taken in: told once, tried again later and later, in nobody's way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}

    def waits(self, found: Found) -> bool:
        """Whether it is too early to try this file again."""
        return found.identity in self._known and self._clock() < self._known[found.identity][1]

    def add(self, address: str, found: Found, error: str) -> None:
        """It failed (again)."""
        failures = self._known.get(found.identity, (0, 0.0))[0]
        self._known[found.identity] = (failures + 1, self._clock() + FILE_BACK_OFF[min(failures, len(FILE_BACK_OFF) - 1)])
        if not failures:
            _log.warning("file not taken", address=address, file=found.name, error=error)

    def over(self, address: str, found: Found) -> None:
        """It was taken in after all."""
        if self._known.pop(found.identity, None) is not None:
            _log.info("file taken after all", address=address, file=found.name)

    def keep_only(self, listed: Sequence[Found]) -> None:
        """Forget files that are gone."""
        if self._known:
            there = {found.identity for found in listed}
            self._known = {identity: trouble for identity, trouble in self._known.items() if identity in there}


def poll(station: Station, address: str, box: Box, partner: str | None = None, troubles: Troubles | None = None) -> bool:
    """Fetch what lies ready in a mailbox, commit, then remove; true when something came. A file that cannot be had stops no other."""
    troubles = troubles or Troubles()
    batch: list[tuple[Found, Arrival]] = []
    size = 0
    came = False
    listed = box.list_ready()
    troubles.keep_only(listed)
    for found in listed:
        if troubles.waits(found):
            continue
        crash.point(60)
        try:
            data = b"".join(box.fetch(found))
        except FileTrouble as error:
            troubles.add(address, found, error.message)
            continue
        crash.point(61)
        batch.append((found, Arrival(address=address, name=found.name, identity=found.identity, data=data, partner=partner)))
        size += len(data)
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            came |= _take_in(station, box, address, batch, troubles)
            batch, size = [], 0
    return (bool(batch) and _take_in(station, box, address, batch, troubles)) or came


def _take_in(station: Station, box: Box, address: str, batch: list[tuple[Found, Arrival]], troubles: Troubles) -> bool:
    """Keep and commit a batch, then remove it from the mailbox; where the disk does not take it all, each file by itself."""
    try:
        register(station, [arrival for _, arrival in batch])
    except OSError as error:
        if error.errno != errno.EFBIG:
            # no other file fares better: the mailbox waits
            raise TransportError(f"what came cannot be kept in {station.archive.place}: {error.strerror or error}", retry=True) from error
        if len(batch) > 1:
            taken = [_take_in(station, box, address, [one], troubles) for one in batch]
            return any(taken)
        troubles.add(address, batch[0][0], f"it cannot be kept in {station.archive.place}: {error.strerror or error}")
        return False
    crash.point(62)
    came = False
    for found, _ in batch:
        try:
            box.remove(found)
        except FileTrouble as error:
            # it is taken in, once: what lies there still is not fresh when it is fetched again
            troubles.add(address, found, error.message)
        else:
            troubles.over(address, found)
            came = True
        crash.point(63)
    return came
