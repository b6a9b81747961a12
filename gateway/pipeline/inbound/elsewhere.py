"""A large file that another process reads (pipeline/readers.py): its chunks are taken here as they come, and written as if they had been read
here. What only the database knows is looked at when an interchange begins; the chunks of one that is refused or waits are let go.
"""

import msgspec

from gateway.pipeline.inbound.splitting import Earlier
from gateway.pipeline.inbound.splitting import job_of
from gateway.pipeline.readers import CHUNK
from gateway.pipeline.readers import Gone
from gateway.pipeline.readers import Reader
from gateway.pipeline.reading.chunk import Chunk
from gateway.pipeline.reading.chunk import Failure
from gateway.pipeline.reading.progress import Progress
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.store import crash
from gateway.store.database import DatabaseTrouble
from gateway.store.incoming.transmissions import Transmission
from gateway.store.payloads.archive import ArchiveMissing

#: seconds that a step waits for a chunk: then the other streams have their turn
WAIT = 0.1
_decode = msgspec.msgpack.Decoder(Chunk).decode
_decode_failure = msgspec.msgpack.Decoder(Failure).decode


class ReadingFailed(Exception):
    """A fault of ours in the process that read the file. Its words say where, not what was in the file; `name` and `words` are the fault's own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.name} at {failure.where}")
        self.name = failure.name
        self.words = failure.words


class ReadElsewhere:
    """Read in another process."""

    def __init__(self, station: Station, transmission: Transmission, reader: Reader) -> None:
        self.station = station
        self.transmission = transmission
        self.progress = Progress()
        self.loose: list[Problem] = []
        self._reader = reader
        self._earlier = Earlier(station, transmission)
        self._ordinal = -1
        #: the interchange that is refused, or waits, while its chunks come in
        self._whole: Chunk | None = None
        self._is_through = False
        reader.ask(msgspec.msgpack.encode(job_of(station, transmission)))
        crash.point(172)

    def close(self) -> None:
        self.station.readers.give_back(self.transmission.id, whole=self._is_through)

    def next_chunk(self) -> Chunk | None:
        """The next chunk that is to be written, None where it is not there yet. Gone where the process has ended."""
        while (message := self._reader.take(WAIT)) is not None:
            if message[:1] != CHUNK:
                raise _error_of(_decode_failure(memoryview(message)[1:]))
            chunk = self._judged(_decode(memoryview(message)[1:]))
            if chunk is not None:
                crash.point(173)
                return chunk
        return None

    def _judged(self, chunk: Chunk) -> Chunk | None:
        """The chunk as it would have been read here; None where there is nothing to write yet."""
        self.loose += chunk.loose
        self._is_through = chunk.through
        if chunk.progress is not None:
            self.progress = chunk.progress
        if chunk.start is not None and chunk.ordinal != self._ordinal:
            self._ordinal, self._whole = chunk.ordinal, None
            refused, held = self._earlier.judge(chunk.start, chunk.opens)
            if refused is not None or held is not None:
                self._whole = Chunk(start=chunk.start, ordinal=chunk.ordinal, first=chunk.first, opens=chunk.opens, refused=refused, held=held)
        whole = self._whole
        if whole is None or chunk.start is None:
            return chunk
        if not chunk.ends:
            return None
        whole.end, whole.through = chunk.end, chunk.through
        self._whole = None
        return whole


def _error_of(failure: Failure) -> Exception:
    match failure.kind:
        case "missing":
            return ArchiveMissing(failure.words)
        case "os":
            return OSError(failure.words)
        case "database":
            return DatabaseTrouble(failure.words, retry=True)
        case "memory":
            return Gone("it needed more memory than it may take", fault=True)
        case _:
            return ReadingFailed(failure)
