"""The archive: bytes kept unchanged under their SHA-256. Knows no meaning of bytes; where they lie is a backend's matter.

What holds for every backend (archive_folder, archive_database, archive_remote): bytes are whole and safe before anybody can name them, or
they are absent; keeping the same bytes again is harmless; what is read is checked against its digest; a payload of any size is kept and opened in
pieces. Bytes that nothing refers to (the process died before its row was committed) do no harm: store.tidying removes them later.
"""

import hashlib
import re
from abc import ABC
from abc import abstractmethod
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

_DIGEST = re.compile(r"[0-9a-f]{64}")
#: what the database keeps payloads in, and what large ones are read in
PIECE = 1 << 20
#: bytes that are kept again after so many seconds count as written anew, so that nobody removes them as forgotten
FRESH = 86_400.0


class ArchiveMissing(Exception):
    """The archive does not hold these bytes, or they are not what they were."""


class ArchiveTrouble(OSError):
    """The place of the archive cannot be reached or does not take bytes; the same may pass later."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the archive holds under one digest."""

    sha256: str
    size: int
    #: when it was last written, in seconds since 1970
    at: float


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """Where an archive lies: a folder, the URL of an object store with what opens it, or (neither of them) the database."""

    folder: Path | None = None
    url: str | None = None
    #: what fsspec is told: keys, endpoint; never shown
    options: Mapping[str, object] = field(default_factory=dict, repr=False)


class Archive(ABC):
    """Payloads by digest. Safe to share between threads and processes."""

    #: where it is, in words for people
    place: str

    def keep(self, data: bytes) -> str:
        """Keep bytes; returns their SHA-256 once they are safe."""
        return self.keep_many([data])[0]

    @abstractmethod
    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        """Keep several payloads for little more than the price of one."""

    @abstractmethod
    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep bytes that come in pieces; returns their SHA-256 and how many there were."""

    @abstractmethod
    def open(self, sha256: str) -> BinaryIO:
        """The bytes as an open file that can be searched in."""

    @abstractmethod
    def has(self, sha256: str) -> bool:
        """Whether there is a payload of this digest."""

    @abstractmethod
    def size(self, sha256: str) -> int:
        """How many bytes there are."""

    @abstractmethod
    def stored(self) -> Iterator[Stored]:
        """Everything that is held, in no order."""

    @abstractmethod
    def remove(self, sha256: str, *, older_than: float | None = None) -> bool:
        """Erase a payload for good; False where there is none, or none last written before `older_than` (seconds since 1970).

        Whoever calls this knows that nothing needs it.
        """

    @abstractmethod
    def clear_incoming(self, older_than: float) -> int:
        """Remove what dead processes left half written before `older_than` (seconds since 1970); returns how much."""

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against their digest."""
        data = self._whole(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArchiveMissing(f"the payload {sha256} in {self.place} was altered or is damaged; restore it from a backup")
        return data

    def verify(self, sha256: str) -> bool:
        """Whether the bytes are there and still what they were."""
        try:
            with self.open(sha256) as file:
                digest = hashlib.sha256()
                while data := file.read(PIECE):
                    digest.update(data)
                return digest.hexdigest() == sha256
        except ArchiveMissing:
            return False

    def _whole(self, sha256: str) -> bytes:
        with self.open(sha256) as file:
            return file.read()

    def _missing(self, sha256: str) -> ArchiveMissing:
        return ArchiveMissing(f"the archive in {self.place} does not hold {sha256}; restore it from a backup")


def checked_digest(sha256: str) -> str:
    """A digest as the archive names payloads; nothing else may become part of a path or key."""
    if not _DIGEST.fullmatch(sha256):
        raise ValueError("an archive's file is named by 64 hexadecimal digits")
    return sha256
