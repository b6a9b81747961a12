"""A folder as a box: files that somebody puts there are taken, what we send appears there by rename.

Knows one folder to take from and one to send to. A file is ready at once when its last act was a rename (its inode changed
after its bytes did); one that is written in place waits until its size and time stood still on our own clock, because the
times on the file may be the sender's (facts: CAMEL-19378). Symbolic links are never followed: the folder belongs to others.
"""

import contextlib
import os
import stat
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.transport.box import CHUNK
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.box import is_ignored
from gateway.transport.box import passing_nothing
from gateway.transport.box import safe_name


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file that is not known to be complete: how it looked and since when on our clock."""

    identity: str
    since: float


class FolderBox:
    """A folder to take files from and one to put files into; either may be missing."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        send_to: str | os.PathLike[str] | None = None,
        *,
        settle_seconds: float = 1.0,
        create_send_to: bool = False,
        clock: Callable[[], float] = time.monotonic,
        passing: Callable[[int], None] = passing_nothing,
    ) -> None:
        self._path = Path(path) if path is not None else None
        self._send_to = Path(send_to) if send_to is not None else None
        self._settle_seconds = settle_seconds
        self._create_send_to = create_send_to
        self._clock = clock
        self._passing = passing
        self._unsettled: dict[str, _Seen] = {}

    def list_ready(self) -> list[Found]:
        """The complete files of the folder, oldest first."""
        folder = self._taken_from()
        with _failures(f"the folder {folder} cannot be listed"):
            entries = _regular_files(folder)
        now = self._clock()
        waiting: dict[str, _Seen] = {}
        ready = []
        for name, status in sorted(entries, key=lambda entry: (entry[1].st_mtime_ns, entry[0])):
            identity = _identity(name, status)
            if not _was_renamed(status):
                seen = self._unsettled.get(name)
                if seen is None or seen.identity != identity:
                    seen = _Seen(identity, now)
                waiting[name] = seen
                if now - seen.since < self._settle_seconds:
                    continue
            ready.append(Found(name=name, identity=identity, size=status.st_size))
        self._unsettled = waiting
        return ready

    def fetch(self, found: Found) -> Iterator[bytes]:
        """The file's bytes; raises when it is not the file that was found, or changed while it was read."""
        path = _on_disk(self._taken_from(), found.name)
        with _failures(f'the file "{found.name}" cannot be read', FileTrouble):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                _demand_same(found, os.fstat(descriptor))
                while chunk := file.read(CHUNK):
                    yield chunk
                _demand_same(found, os.fstat(descriptor))

    def remove(self, found: Found) -> None:
        """Delete the file if it is still the one that was found."""
        path = _on_disk(self._taken_from(), found.name)
        with _failures(f'the file "{found.name}" cannot be removed', FileTrouble), contextlib.suppress(FileNotFoundError):
            _demand_same(found, os.lstat(path))
            os.unlink(path)
        self._unsettled.pop(found.name, None)

    def send(self, name: str, data: bytes) -> None:
        """Write under a leading dot, make it durable, rename: the other side sees the whole file or none."""
        if self._send_to is None:
            raise TransportError("this folder endpoint has no send_to: nothing can be sent there", retry=False)
        safe = safe_name(name)
        with _failures(f'the file "{safe}" cannot be written to {self._send_to}'):
            if self._create_send_to:
                self._send_to.mkdir(parents=True, exist_ok=True)
            target = self._send_to / safe
            if not _stands_already(target, data):
                temporary = self._send_to / f".{safe}.tmp"
                _write_durably(temporary, data)
                self._passing(WRITTEN)
                os.rename(temporary, target)
                self._passing(RENAMED)
            _fsync_folder(self._send_to)

    def close(self) -> None:
        """Nothing is held open between two verbs."""

    def _taken_from(self) -> Path:
        if self._path is None:
            raise TransportError("this folder endpoint has no folder to take files from", retry=False)
        return self._path


@contextlib.contextmanager
def _failures(sentence: str, kind: type[TransportError] = TransportError) -> Iterator[None]:
    """A failing disk is the outside world: it may be mounted, emptied or permitted again, so a later try makes sense."""
    try:
        yield
    except OSError as error:
        raise kind(f"{sentence}: {error.strerror or error}", retry=True) from error


def _regular_files(folder: Path) -> list[tuple[str, os.stat_result]]:
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_ignored(entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):  # taken away between the listing and the look
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    files.append((_as_text(entry.name), status))
    return files


def _was_renamed(status: os.stat_result) -> bool:
    """Writing sets both times alike, a rename only the inode's. Not for an empty file: made, then chmod-ed, looks the same."""
    return status.st_ctime_ns > status.st_mtime_ns and status.st_size > 0


def _identity(name: str, status: os.stat_result) -> str:
    return f"{name}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"


def _demand_same(found: Found, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or _identity(found.name, status) != found.identity:
        raise FileTrouble(f'the file "{found.name}" is no longer the one that was found: it is taken up again at the next poll', retry=True)


def _as_text(name: str) -> str:
    """A name that is not UTF-8 is read as Latin-1, so that it can be stored and shown."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def _on_disk(folder: Path, name: str) -> Path:
    """The way back from `_as_text`; a name never leads out of the folder."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise FileTrouble(f'"{name}" is not a file name', retry=False)
    path = folder / name
    if not os.path.lexists(path) and not name.isascii():
        with contextlib.suppress(UnicodeEncodeError):
            latin = folder / os.fsdecode(name.encode("latin-1"))
            return latin if os.path.lexists(latin) else path
    return path


def _stands_already(target: Path, data: bytes) -> bool:
    """Whether an earlier try put this very file there; another file of the name is never written over."""
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size == len(data) and file.read(len(data) + 1) == data:
            return True
    raise TransportError(f'another file named "{target.name}" stands in {target.parent} already', retry=False)


def _write_durably(path: Path, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # left by a try that was killed; opened anew so that no link of others is written through
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
