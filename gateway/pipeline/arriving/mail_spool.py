"""A mail on its way in: a small one in memory, a large one in a file without a name in the spool folder, which is gone when it is done with."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO
from typing import Protocol

from gateway.exchange.mail_bodies import Left
from gateway.exchange.mail_message import Attachment
from gateway.exchange.mail_message import read_attachments
from gateway.exchange.mail_message import read_large
from gateway.pipeline.arriving.large_files import spool_of
from gateway.pipeline.station import Station
from gateway.transport.imap import Head
from gateway.transport.imap import ImapMailbox

#: a mail up to so many bytes is taken apart in memory
LARGE = 4_000_000
_PIECE = 1 << 20


class Fetched(Protocol):
    """A mail as it came."""

    size: int

    def pieces(self) -> Iterator[bytes]:
        """All of it."""

    def attachments(self) -> list[Attachment]:
        """The files in it; raises Unreadable."""


@contextmanager
def fetched(station: Station, box: ImapMailbox, head: Head, most: int) -> Iterator[Fetched]:
    """The mail, no more than one byte above `most` of it. Raises FileTrouble."""
    if head.size <= LARGE:
        yield _Small(box.fetch(head.uid, most))
        return
    folder = spool_of(station)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        digest, size = hashlib.sha256(), 0
        for piece in box.pieces(head.uid, most):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        yield _Spooled(file, size, digest.hexdigest())


class _Small:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def pieces(self) -> Iterator[bytes]:
        yield self._data

    def attachments(self) -> list[Attachment]:
        return read_attachments(self._data)


class _Spooled:
    def __init__(self, file: IO[bytes], size: int, digest: str) -> None:
        self._file = file
        self._digest = digest
        self.size = size

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from iter(partial(self._file.read, _PIECE), b"")

    def attachments(self) -> list[Attachment]:
        self._file.seek(0)
        return read_large(iter(partial(self._file.readline, _PIECE), b""), Left(self._digest, self._read))

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)
