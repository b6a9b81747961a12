"""A folder as a box: files that somebody puts there are taken, what we send appears there by rename.

Knows one folder to take from, one to keep what was taken, and one to send to. A file is ready at once when its last act was a rename
(its inode changed after its bytes did); one that is written in place waits by the rules of readiness.py. Symbolic links are never
followed: the folder belongs to others.
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from gateway.transport.box import CHUNK
from gateway.transport.box import LINKED
from gateway.transport.box import LONGEST_LISTING
from gateway.transport.box import MOVED
from gateway.transport.box import NOT_MOVED
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import OneByOne
from gateway.transport.box import TransportError
from gateway.transport.box import archive_names
from gateway.transport.box import changed
from gateway.transport.box import passing_nothing
from gateway.transport.box import safe_name
from gateway.transport.checksum import LONGEST
from gateway.transport.checksum import digest_of_file
from gateway.transport.readiness import Listed
from gateway.transport.readiness import Readiness
from gateway.transport.readiness import Rules

#: what a file system says that knows no second name for a file, or allows none
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class FolderBox(OneByOne):
    """A folder to take files from and one to put files into; either may be missing."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        send_to: str | os.PathLike[str] | None = None,
        *,
        rules: Rules = Rules(),
        archive_to: str | os.PathLike[str] | None = None,
        create_send_to: bool = False,
        clock: Callable[[], float] = time.monotonic,
        passing: Callable[[int], None] = passing_nothing,
    ) -> None:
        self._path = Path(path) if path is not None else None
        self._send_to = Path(send_to) if send_to is not None else None
        self._archive_to = Path(archive_to) if archive_to is not None else None
        self._rules = rules
        self._create_send_to = create_send_to
        self._passing = passing
        self._readiness = Readiness(rules, clock)

    def list_ready(self) -> list[Found]:
        """The complete files of the folder, oldest first."""
        folder = self._taken_from()
        with _failures(f"the folder {folder} cannot be listed"):
            try:
                entries = _regular_files(folder, self._rules)
            except FileNotFoundError as error:
                raise TransportError(f"the folder {folder} is not there: make it, or mount it", retry=True) from error
        ready = self._readiness.ready(_listed(*entry) for entry in entries)
        for orphan in self._readiness.orphans():
            _remove_quietly(folder, orphan.name)
        return ready

    def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]:
        """The file's bytes; raises when it is not the file that was found, or changed while it was read."""
        path = _on_disk(self._taken_from(), found.name)
        with _failures(f'the file "{found.name}" cannot be read', FileTrouble):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                _demand_same(found, os.fstat(descriptor))
                file.seek(offset)
                while chunk := file.read(CHUNK):
                    yield chunk
                _demand_same(found, os.fstat(descriptor))

    def checksum(self, found: Found) -> str | None:
        """The digest in the file's marker, where that is agreed."""
        if not self._rules.checksum:
            return None
        path = _on_disk(self._taken_from(), found.marker)
        with _failures(f'the file "{found.marker}" cannot be read', FileTrouble):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                return digest_of_file(found.marker, file.read(LONGEST))

    def remove(self, found: Found) -> None:
        """Delete the file, or move it where it is kept, if it is still the one that was found."""
        folder = self._taken_from()
        path = _on_disk(folder, found.name)
        word = "removed" if self._archive_to is None else f"moved to {self._archive_to}"
        with _failures(f'the file "{found.name}" cannot be {word}', FileTrouble), contextlib.suppress(FileNotFoundError):
            _demand_same(found, os.lstat(path))
            if self._archive_to is None:
                os.unlink(path)
            else:
                self._archive_to.mkdir(parents=True, exist_ok=True)
                self._passing(NOT_MOVED)
                _move_beside(path, self._archive_to, found.identity, lambda: self._passing(LINKED))
                self._passing(MOVED)
        if found.marker:
            _remove_quietly(folder, found.marker)
        self._readiness.forget(found.name)

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
                try:
                    _write_durably(temporary, data)
                except OSError:
                    _remove_quietly(self._send_to, temporary.name)  # a disk that is full is not helped by half a file
                    raise
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


def _regular_files(folder: Path, rules: Rules) -> list[tuple[str, os.stat_result]]:
    """The files that matter; what is left alone by its name costs no look at the disk."""
    files: list[tuple[str, os.stat_result]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = _as_text(entry.name)
            if not rules.looks_at(name):
                continue
            with contextlib.suppress(FileNotFoundError):  # taken away between the listing and the look
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    files.append((name, status))
            if len(files) == LONGEST_LISTING:
                break
    return files


def _was_renamed(status: os.stat_result) -> bool:
    """Writing sets both times alike, a rename only the inode's. Not for an empty file: made, then chmod-ed, looks the same."""
    return status.st_ctime_ns > status.st_mtime_ns and status.st_size > 0


def _identity(name: str, status: os.stat_result) -> str:
    return f"{name}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"


def _listed(name: str, status: os.stat_result) -> Listed:
    return Listed(name=name, identity=_identity(name, status), size=status.st_size, modified=status.st_mtime_ns / 1e9, complete=_was_renamed(status))


def _demand_same(found: Found, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or _identity(found.name, status) != found.identity:
        raise changed(found)


def _remove_quietly(folder: Path, name: str) -> None:
    """A marker that cannot be removed is tried again when it has outlived its file for a while."""
    with contextlib.suppress(OSError):
        os.unlink(_on_disk(folder, name))


def _move_beside(path: Path, folder: Path, identity: str, linked: Callable[[], None]) -> None:
    """Move a file into a folder under a name that is free there; never over another file, and done whole when it was cut off between."""
    for name in archive_names(path.name, identity):
        target = folder / name
        try:
            os.link(path, target, follow_symlinks=False)
        except FileExistsError:
            if not os.path.samestat(os.lstat(target), os.lstat(path)):
                continue  # another file; the same one was linked by a try that was killed before it went on
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(target):
                continue
            os.rename(path, target)
            return
        linked()
        os.unlink(path)
        return
    raise FileTrouble(f'"{path.name}" and all names like it are taken in {folder}', retry=True)


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
        _let_in(descriptor, path.parent)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _let_in(descriptor: int, folder: Path) -> None:
    """Whoever comes into the folder by its group gets its files, whatever our umask is: they are for them."""
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    wanted = mode | os.stat(folder).st_mode & 0o060
    if wanted != mode:
        with contextlib.suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, wanted)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
