"""What every transport that moves files has in common: four verbs and the values they speak in.

A box is a place where files come from and go to. It knows names, bytes and addresses; it must not know partners, the
database or what a file means. Rule: fetching changes nothing; a file is removed only when the caller says so, after its commit.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

#: Bytes handed on at a time by `fetch`.
CHUNK = 256 * 1024

#: Endings that senders give to a file while they still write it (WinSCP: .filepart).
UNFINISHED = (".tmp", ".part", ".filepart")

#: The longest name that we write, in bytes: leaves room for the leading dot and `.tmp` within the 255 of most file systems.
LONGEST_NAME = 200

#: Two moments of `send` that a box tells its caller, who may want to know what happens when the process dies there
#: (store.crash has them under these numbers; a box knows of no store).
WRITTEN, RENAMED = 64, 65

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')


def passing_nothing(moment: int) -> None:
    """Nobody wants to know."""


class TransportError(Exception):
    """The outside world failed. `retry`: the same again may work; `stop`: leave this endpoint alone until a person has looked."""

    def __init__(self, message: str, *, retry: bool, stop: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry
        self.stop = stop


class FileTrouble(TransportError):
    """One file cannot be read, taken away or is not the one that was found: its neighbours can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that lies ready. `identity` names this very file: a new file of the same name has another one."""

    name: str
    identity: str
    size: int


class Box(Protocol):
    """A place where files come from and go to; every verb may raise TransportError."""

    def list_ready(self) -> list[Found]:
        """The files that are complete, oldest first."""
        ...

    def fetch(self, found: Found) -> Iterator[bytes]:
        """The file's bytes in pieces; raises at the end when the file was another or changed while it was read."""
        ...

    def remove(self, found: Found) -> None:
        """Take the file away; harmless when it is gone, refused when another file has its name now."""
        ...

    def send(self, name: str, data: bytes) -> None:
        """Make the file appear whole under (the safe form of) this name; the same again is harmless."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next verb opens it again."""
        ...


def is_ignored(name: str) -> bool:
    """Whether a name says of itself that the file is hidden or unfinished."""
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def safe_name(name: str) -> str:
    """The name as we write it: no path, no hidden file, nothing a file system refuses; two different names stay different."""
    normal = unicodedata.normalize("NFC", name)
    safe = _UNSAFE.sub("_", normal.encode("utf-8", "replace").decode("utf-8")).strip(". ")
    if safe and safe == name and not is_ignored(safe) and len(safe.encode()) <= LONGEST_NAME:
        return safe
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem, dot, ending = safe.rpartition(".")
    if not dot or len(ending) > 10 or is_ignored(safe):
        stem, dot, ending = safe.replace(".", "_"), "", ""
    room = LONGEST_NAME - len(f"-{mark}{dot}{ending}".encode())
    return f"{stem.encode()[:room].decode('utf-8', 'ignore')}-{mark}{dot}{ending}".lstrip(".- ")
