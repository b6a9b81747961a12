"""A transmission that is read between two steps: its chunks one after the other, as they are to be written. Writes nothing.

Reading needs no database (reading/cutting.py); what came before, which only the database knows, is looked at here.
"""

from collections.abc import Iterator
from typing import BinaryIO
from typing import Protocol

from sqlalchemy import Connection

from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.exchange.directory import BY_HAND
from gateway.exchange.directory import foreign_to
from gateway.exchange.partner import LoadedPartner
from gateway.kinds import pipeline as kinds
from gateway.pipeline.inbound import number_checks
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.reading.chunk import Job
from gateway.pipeline.reading.cutting import Cutting
from gateway.pipeline.reading.progress import Progress
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import Place
from gateway.problem import Problem
from gateway.store.incoming import interchanges
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission
from gateway.store.rows import StaleState

#: transactions, and seconds of reading, that are written together at most
CHUNK = 100
CHUNK_SECONDS = 0.15
#: bytes that are read from the archive at a time
PIECE = 1 << 18


class Splitting(Protocol):
    """A transmission on its way. Lives between steps; after a kill it is made anew and skips what is done."""

    @property
    def transmission(self) -> Transmission: ...

    @property
    def station(self) -> Station:
        """The installation as it was when the file was begun: it is read to its end by that."""
        ...

    #: the envelope of the interchange that ends with the chunk last taken
    progress: Progress
    #: problems outside of any interchange
    loose: list[Problem]

    def next_chunk(self) -> Chunk | None:
        """The next transactions, the rest of the interchange, or the end of the payload; None where they are not read yet."""
        ...

    def close(self) -> None: ...


class ReadHere:
    """Read in this process."""

    def __init__(self, station: Station, transmission: Transmission, *, alone: bool = True) -> None:
        """`alone` False: a fresh file among others that are written in one commit; whoever does that looks for duplicates."""
        self.station = station
        self.transmission = transmission
        self.progress = Progress()
        self.loose: list[Problem] = []
        self._file = station.archive.open(transmission.sha256)
        job = job_of(station, transmission) if alone else new_job(transmission)
        self._cutting = Cutting(
            station.installation,
            station.plans,
            job,
            pieces_of(self._file),
            judge=Earlier(station, transmission).judge if alone else None,
            at_hand=station.at_hand.put,
        )

    def close(self) -> None:
        self._file.close()

    def next_chunk(self) -> Chunk:
        chunk = self._cutting.next_chunk()
        self.loose += chunk.loose
        if chunk.progress is not None:
            self.progress = chunk.progress
        return chunk


class Earlier:
    """What the database knows of interchanges that came before."""

    def __init__(self, station: Station, transmission: Transmission) -> None:
        self._station = station
        self._transmission = transmission
        self._address = address_of(transmission)

    def judge(self, start: InterchangeStart, opens: bool) -> tuple[Problem | None, Problem | None]:
        """Why an interchange is refused as a whole, or why it waits for a person."""
        foreign = self._foreign(start) if opens else None
        if foreign is not None:
            return None, foreign
        refused = self._duplicate_of(start)
        return refused, self._waits(start) if opens and refused is None else None

    def _foreign(self, start: InterchangeStart) -> Problem | None:
        """Why the interchange is not taken for its sender's. Asked before anything of it is looked up, counted or answered: one that has no
        transaction, a TA1, or a number that was used before is entitled to nothing either."""
        loaded = self._loaded(start)
        if loaded is None or start.syntax not in {Syntax.X12, Syntax.EDIFACT}:
            return None
        return foreign_to(loaded, start.sender, self._address)

    def _waits(self, start: InterchangeStart) -> Problem | None:
        """Why an interchange behind a gap waits for a person, where its sender is checked strictly; not again when one vouched for it."""
        loaded = self._loaded(start)
        if loaded is None or self._address == BY_HAND:
            return None
        with self._station.database.read() as connection:
            return number_checks.must_wait(connection, loaded, start)

    def _duplicate_of(self, start: InterchangeStart) -> Problem | None:
        """An interchange of this sender with this control number that came before: answered, never booked twice."""
        if not self._is_counted(start):
            return None
        with self._station.database.read() as connection:
            earlier = self._find(connection, start)
        if earlier is None:
            return None
        return kinds.DUPLICATE_INTERCHANGE.at(
            Place(interchange=start.control_number, segment=start.segment[0] if start.segment else None, offset=start.offset),
            f"Interchange {start.control_number} of {start.sender} was received before, on {earlier.opened_at:%Y-%m-%d %H:%M} UTC",
            found=start.control_number,
            expected="a control number that was not used before",
        )

    def look_again(self, connection: Connection, start: InterchangeStart) -> None:
        """Before an interchange is begun, in the transaction that begins it: StaleState where the same was begun over another address since
        it was judged."""
        if not self._is_counted(start):
            return
        interchanges.take_controls(connection, [(start.sender, start.receiver, start.control_number)])
        earlier = self._find(connection, start)
        if earlier is not None:
            raise StaleState(f"interchange {start.control_number} of {start.sender} came over another address as {earlier.id} at the same moment")

    def _is_counted(self, start: InterchangeStart) -> bool:
        return bool(start.control_number) and start.syntax in {Syntax.X12, Syntax.EDIFACT} and self._loaded(start) is not None

    def _find(self, connection: Connection, start: InterchangeStart) -> Interchange | None:
        loaded = self._loaded(start)
        assert loaded is not None
        earlier = interchanges.find_by_control(
            connection,
            partner=loaded.partner.id,
            sender=start.sender,
            receiver=start.receiver,
            control_number=start.control_number,
            excluding_transmission=self._transmission.id,
        )
        earlier = [row for row in earlier if row.state in {"open", "done"} and row.syntax == start.syntax.value]
        earlier = number_checks.still_counts(connection, loaded, start, earlier, self._station.clock()) if earlier else earlier
        return earlier[0] if earlier else None

    def _loaded(self, start: InterchangeStart) -> LoadedPartner | None:
        return self._station.installation.directory.find(start.syntax.value, start.sender)


def new_interchange(station: Station, transmission: Transmission, start: InterchangeStart, ordinal: int, partner: str | None) -> Interchange:
    """The row of an interchange that begins."""
    return Interchange(
        id=short_id("I", transmission.id, ordinal),
        transmission=transmission.id,
        ordinal=ordinal,
        syntax=start.syntax.value,
        sender=start.sender,
        receiver=start.receiver,
        partner=partner,
        control_number=start.control_number,
        test=start.test,
        opened_at=station.clock(),
        byte_offset=start.offset,
    )


def address_of(transmission: Transmission) -> str:
    """Where a file came by, or as if it had where a person vouched for it."""
    return transmission.properties.get("entitled", transmission.endpoint)


def new_job(transmission: Transmission, done: dict[int, tuple[str, int]] | None = None) -> Job:
    """What is to be read of a transmission."""
    return Job(
        sha256=transmission.sha256,
        address=address_of(transmission),
        endpoint=transmission.endpoint,
        spec=transmission.properties.get("as"),
        partner=transmission.partner,
        most=CHUNK,
        seconds=CHUNK_SECONDS,
        done=done or {},
    )


def job_of(station: Station, transmission: Transmission) -> Job:
    """The same behind what was written of it already."""
    with station.database.read() as connection:
        done = {row.ordinal: (row.state, row.cursor) for row in interchanges.of_transmission(connection, transmission.id)}
    return new_job(transmission, done)


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """An open file, piece by piece."""
    return iter(lambda: file.read(PIECE), b"")
