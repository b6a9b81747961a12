"""What every transport that moves files has in common: four verbs and the values they speak in.

A box is a place where files come from and go to. It knows names, bytes and addresses; it must not know partners, the
database or what a file means. Rule: fetching changes nothing; a file is removed only when the caller says so, after its commit.
"""

import abc
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: Bytes handed on at a time by `fetch`.
CHUNK = 256 * 1024

#: Endings that senders give to a file while they still write it (WinSCP: .filepart).
UNFINISHED = (".tmp", ".part", ".filepart", ".incomplete")

#: At most so many names are taken from one listing; the rest comes when these are gone.
LONGEST_LISTING = 200_000

#: The longest name that we write, in bytes: leaves room for the leading dot and `.tmp` within the 255 of most file systems.
LONGEST_NAME = 200

#: Moments of `send` and of a `remove` that moves, which a box tells its caller, who may want to know what happens when the process dies
#: there (store.crash has them under these numbers; a box knows of no store).
WRITTEN, RENAMED = 64, 65
NOT_MOVED, MOVED, LINKED = 68, 69, 147

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')


def passing_nothing(moment: int) -> None:
    """Nobody wants to know."""


class TransportError(Exception):
    """The outside world failed. `retry`: the same again may work; `stop`: leave this endpoint alone until a person has looked; `after`: the
    other side asked to be left alone for so many seconds."""

    def __init__(self, message: str, *, retry: bool, stop: bool = False, after: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry
        self.stop = stop
        self.after = after


class Unreachable(TransportError):
    """The other side cannot be reached, or the line broke: what we asked for may or may not have been done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry=True)


class Busy(TransportError):
    """Nothing was tried: all connections that are agreed are in use."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry=True)


class FileTrouble(TransportError):
    """One file cannot be read, taken away or is not the one that was found: its neighbours can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that lies ready. `identity` names this very file: a new file of the same name has another one."""

    name: str
    identity: str
    size: int
    #: the name in the bytes of the server, where that may be another one
    raw_name: bytes = b""
    #: the file beside it that says that it is complete
    marker: str = ""


class Box(Protocol):
    """A place where files come from and go to; every verb may raise TransportError."""

    @property
    def is_far(self) -> bool:
        """Whether there is a line that may break: then it is worth while to keep what came of a large file."""
        ...

    def list_ready(self) -> list[Found]:
        """The files that are complete, oldest first."""
        ...

    def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]:
        """The file's bytes from `offset` on, in pieces; raises at the end when the file was another or changed while it was read."""
        ...

    def fetch_many(self, wanted: Sequence[Found]) -> list[bytes | FileTrouble]:
        """The bytes of small files, or what is wrong with each, in the order given."""
        ...

    def checksum(self, found: Found) -> str | None:
        """The digest that the sender put beside the file, where that is agreed."""
        ...

    def remove(self, found: Found) -> None:
        """Take the file away, to where it is agreed; harmless when it is gone, refused when another file has its name now."""
        ...

    def remove_many(self, wanted: Sequence[Found]) -> list[FileTrouble | None]:
        """Remove files, and say what is wrong with each."""
        ...

    def send(self, name: str, data: bytes) -> None:
        """Make the file appear whole under (the safe form of) this name; the same again is harmless."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next verb opens it again."""
        ...


class OneByOne(abc.ABC):
    """A box for which many files are no more than one after the other, and whose senders put no digest beside their files."""

    @property
    def is_far(self) -> bool:
        """It is here."""
        return False

    @abc.abstractmethod
    def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]: ...

    @abc.abstractmethod
    def remove(self, found: Found) -> None: ...

    def fetch_many(self, wanted: Sequence[Found]) -> list[bytes | FileTrouble]:
        """The bytes of each file, or what is wrong with it."""
        answers: list[bytes | FileTrouble] = []
        for found in wanted:
            try:
                answers.append(b"".join(self.fetch(found)))
            except FileTrouble as error:
                answers.append(error)
        return answers

    def checksum(self, found: Found) -> str | None:
        """None is agreed."""
        return None

    def remove_many(self, wanted: Sequence[Found]) -> list[FileTrouble | None]:
        """Remove each file, or say what is wrong with it."""
        answers: list[FileTrouble | None] = []
        for found in wanted:
            try:
                self.remove(found)
            except FileTrouble as error:
                answers.append(error)
            else:
                answers.append(None)
        return answers


def is_ignored(name: str) -> bool:
    """Whether a name says of itself that the file is hidden or unfinished."""
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def changed(found: Found) -> FileTrouble:
    """The trouble with a file that is another one now."""
    return FileTrouble(f'the file "{found.name}" is no longer the one that was found: it is taken up again at the next poll', retry=True)


def archive_names(name: str, identity: str) -> Iterator[str]:
    """Names for a file that is put beside earlier ones of its name: its own, then one that follows from its identity, then numbered ones."""
    yield name
    mark = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    yield f"{stem}-{mark}{dot}{ending}"
    for number in range(2, 10):
        yield f"{stem}-{mark}-{number}{dot}{ending}"


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
