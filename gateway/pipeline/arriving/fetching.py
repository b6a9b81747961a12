"""A mailbox is looked into: one listing, its files in that order, each kept, committed, and only then removed. A file that cannot be had, or
not be removed, stops no other; what came in once never comes in again, whatever becomes of the file there.
"""

import errno
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager

import structlog

from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.arriving.large_files import keep_large
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import Kept
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.transport.box import Box
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.checksum import fits

#: most bytes and files that one commit takes in
BATCH_BYTES = 16 << 20
BATCH_FILES = 50
#: files from this size on are never whole in memory
STREAMED = 8 << 20
#: most files of one listing: then the folder is listed anew, so that an older file that came meanwhile has its turn
LONGEST_POLL = 5_000
#: seconds after which a visit ends and the next one begins: a service that stops, or leaves the mailbox to another, waits for no more than that
LONGEST_VISIT = 3.0
#: files that lie there since an earlier visit, and are read once more in this one before they are removed: by name, size and second another
#: one may lie in their place
READ_ONCE_MORE = 100
#: seconds after which that is tried again, since it costs as much as fetching; the second where it costs much
LEFT_BACK_OFF = (1.0, 5.0, 30.0, 300.0, 3_600.0)
LARGE_LEFT_BACK_OFF = (60.0, 3_600.0, 86_400.0)

_log = structlog.get_logger("receive")
_Batch = list[tuple[Found, Arrival]]


def alone() -> bool:
    """No other process looks in here."""
    return True


def poll(
    station: Station,
    address: str,
    box: Box,
    *,
    empty: str = "hold",
    in_the_way: FilesInTheWay | None = None,
    is_ours: Callable[[], bool] = alone,
) -> bool:
    """Fetch what lies ready in a mailbox, commit, then remove; true when something came. `is_ours`: asked before anything is removed."""
    in_the_way = in_the_way if in_the_way is not None else FilesInTheWay(station, address)
    visit = _Visit(station, address, box, empty, in_the_way, is_ours)
    listed = box.list_ready()
    in_the_way.keep_only(listed)
    fresh: list[Found] = []
    left: list[Found] = []
    for found in listed:
        if not in_the_way.waits(found):
            (left if in_the_way.was_left(found) else fresh).append(found)
    fresh = fresh[:LONGEST_POLL]
    end = time.monotonic() + LONGEST_VISIT
    for found in (*fresh, *left[:READ_ONCE_MORE]):
        visit.want(found)
        if visit.lost or time.monotonic() > end:
            break
    visit.take_in()
    in_the_way.tell()
    return not visit.lost and (visit.came or visit.seen < len(fresh))


class _Visit:
    """One look into one mailbox."""

    def __init__(self, station: Station, address: str, box: Box, empty: str, in_the_way: FilesInTheWay, is_ours: Callable[[], bool]) -> None:
        self._station = station
        self._address = address
        self._box = box
        self._empty = empty
        self._in_the_way = in_the_way
        self._is_ours = is_ours
        self._wanted: list[Found] = []
        self._bytes = 0
        #: files that it has come to
        self.seen = 0
        self.came = False
        #: another process looks in here now
        self.lost = False

    def want(self, found: Found) -> None:
        """Take this file in with the next ones, or by itself where it is large; always behind those before it."""
        self.seen += 1
        if found.size >= STREAMED:
            self.take_in()
            self._take_large(found)
            return
        self._wanted.append(found)
        self._bytes += found.size
        if self._bytes >= BATCH_BYTES or len(self._wanted) >= BATCH_FILES:
            self.take_in()

    def take_in(self) -> None:
        """Fetch and take in what is wanted so far."""
        wanted, self._wanted, self._bytes = self._wanted, [], 0
        if not wanted:
            return
        for _ in wanted:
            crash.point(60)
        batch: _Batch = []
        for found, got in zip(wanted, self._box.fetch_many(wanted), strict=True):
            try:
                if isinstance(got, FileTrouble):
                    raise got
                self._demand_checksum(found, [got])
            except FileTrouble as error:
                self._in_the_way.add(found, error.message)
                continue
            crash.point(61)
            batch.append((found, self._arrival(found, got)))
        self._commit(batch)

    def _take_large(self, found: Found) -> None:
        crash.point(60)
        try:
            with _keeping(self._station):
                kept = keep_large(self._station, self._address, self._box, found)
            self._demand_checksum(found, _pieces(self._station, kept))
        except FileTrouble as error:
            self._in_the_way.add(found, error.message)
            return
        crash.point(61)
        self._commit([(found, self._arrival(found, kept))])

    def _arrival(self, found: Found, got: bytes | Kept) -> Arrival:
        return Arrival(
            address=self._address,
            name=found.name,
            identity=found.identity,
            data=got if isinstance(got, bytes) else b"",
            kept=got if isinstance(got, Kept) else None,
            through=not found.size and self._empty == "take",
        )

    def _demand_checksum(self, found: Found, chunks: Sequence[bytes] | Iterator[bytes]) -> None:
        digest = self._box.checksum(found)
        if digest is not None and not fits(digest, chunks):
            raise FileTrouble(f'the file "{found.name}" does not fit its checksum {digest}: ask the sender to put both there again', retry=True)

    def _commit(self, batch: _Batch) -> None:
        """Keep and commit a batch, then remove it from the mailbox; where the disk does not take it all, each file by itself."""
        if not batch:
            return
        try:
            with _keeping(self._station):
                register(self._station, [arrival for _, arrival in batch])
        except FileTrouble as error:
            if len(batch) > 1:
                for one in batch:
                    self._commit([one])
            else:
                self._in_the_way.add(batch[0][0], error.message)
            return
        crash.point(62)
        if self._is_ours():
            self._remove([found for found, _ in batch])
        else:
            # we stood still meanwhile. Whoever looks in here now reads them, finds them known and removes them; what lies under their names
            # by now may be another file that nobody has read
            self.lost = True
            _log.warning("files left to another process", address=self._address, files=len(batch))

    def _remove(self, taken: Sequence[Found]) -> None:
        staying, gone = [], []
        for found, error in zip(taken, self._box.remove_many(taken), strict=True):
            crash.point(63)
            self.came |= error is None
            if error is not None:
                self._in_the_way.add(found, error.message, LARGE_LEFT_BACK_OFF if found.size >= STREAMED else LEFT_BACK_OFF)
                staying.append(found)
            else:
                gone.append(found)
        self._in_the_way.are_gone(gone)
        self._in_the_way.leave(staying)


@contextmanager
def _keeping(station: Station) -> Iterator[None]:
    """Our own disk: a file that is too large for it stands in its own way only, a disk that is full in everybody's."""
    try:
        yield
    except OSError as error:
        sentence = f"what came cannot be kept in {station.archive.place}: {error.strerror or error}"
        if error.errno == errno.EFBIG:
            raise FileTrouble(sentence, retry=True) from error
        raise TransportError(sentence, retry=True) from error


def _pieces(station: Station, kept: Kept) -> Iterator[bytes]:
    with station.archive.open(kept.sha256) as file:
        while chunk := file.read(1 << 20):
            yield chunk
