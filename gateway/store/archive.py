"""The archive: bytes kept unchanged under their SHA-256, as files two folders deep. Knows no database and no meaning of bytes.

A file is whole and on the disk before anybody can name it: temporary file, fsync, rename, fsync of the folder. Keeping the same bytes again
is harmless. A file that nothing refers to (the process died before its row was committed) does no harm either.
"""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from gateway.store import crash

_DIGEST = re.compile(r"[0-9a-f]{64}")
#: fewer flushes than this are done one after the other
_SERIAL = 4
_THREADS = 16
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class ArchiveMissing(Exception):
    """The archive does not hold these bytes, or they are not what they were."""


class Archive:
    """A folder of payloads. Safe to share between threads and processes."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._incoming = self.folder / "incoming"
        for path in (self.folder, self._incoming):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _flush_folder(self.folder)

    def keep(self, data: bytes) -> str:
        """Keep bytes; returns their SHA-256 once they are safely on the disk."""
        return self.keep_many([data])[0]

    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        """Keep several payloads; they are flushed side by side, and each folder that they share once."""
        data_of: dict[str, bytes] = {}
        digests = []
        for data in payloads:
            digest = hashlib.sha256(data).hexdigest()
            digests.append(digest)
            data_of[digest] = data
        changed = _side_by_side(lambda one: self._write(*one), list(data_of.items()))
        _side_by_side(_flush_folder, list(dict.fromkeys(folder for folders in changed for folder in folders)))
        crash.point(14)
        return digests

    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep bytes that come in pieces; returns their SHA-256 and how many there were."""
        crash.point(10)
        digest = hashlib.sha256()
        size = 0
        folders: list[Path] = []
        temporary = self._temporary()
        try:
            with temporary.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                _flush(file)
            path = self._path(digest.hexdigest())
            if _is_whole(path, size):
                temporary.unlink()
            else:
                folders += self._name(temporary, path)
            folders.append(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for folder in folders:
            _flush_folder(folder)
        crash.point(14)
        return digest.hexdigest(), size

    def open(self, sha256: str) -> io.BufferedReader:
        """The bytes as an open file."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise ArchiveMissing(f"the archive in {self.folder} does not hold {sha256}; restore it from a backup") from None

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against their digest."""
        with self.open(sha256) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArchiveMissing(f"the file of {sha256} in {self.folder} was altered or is damaged; restore it from a backup")
        return data

    def has(self, sha256: str) -> bool:
        """Whether there is a file of this digest."""
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """How many bytes there are."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise ArchiveMissing(f"the archive in {self.folder} does not hold {sha256}; restore it from a backup") from None

    def verify(self, sha256: str) -> bool:
        """Whether the bytes are there and still what they were."""
        try:
            with self.open(sha256) as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except ArchiveMissing:
            return False

    def clear_incoming(self, older_than: float) -> int:
        """Remove temporary files of dead processes, last written before `older_than` (seconds since 1970); returns how many."""
        removed = 0
        for path in self._incoming.iterdir():
            try:
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

    def _path(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise ValueError("an archive's file is named by 64 hexadecimal digits")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def _temporary(self) -> Path:
        return self._incoming / secrets.token_hex(16)

    def _write(self, digest: str, data: bytes) -> list[Path]:
        """Write a payload unless it is there; returns the folders to flush, also where it was there: whoever wrote it may not have come so far."""
        path = self._path(digest)
        if _is_whole(path, len(data)):
            return [path.parent]
        crash.point(10)
        temporary = self._temporary()
        try:
            with temporary.open("xb") as file:
                file.write(data)
                _flush(file)
            return [*self._name(temporary, path), path.parent]
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _name(self, temporary: Path, path: Path) -> list[Path]:
        """Give a flushed file its name; returns the folders above those that had to be made for it."""
        crash.point(12)
        temporary.chmod(0o600)
        made = []
        for folder, above in ((path.parent.parent, self.folder), (path.parent, path.parent.parent)):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True, mode=0o700)
                made.append(above)
        temporary.replace(path)
        crash.point(13)
        return made


def _side_by_side(work: Callable[[_In], _Out], values: Sequence[_In]) -> list[_Out]:
    """Do the same with all values. The disk's journal takes many flushes at once for little more than one: several threads wait together."""
    if len(values) < _SERIAL:
        return [work(value) for value in values]
    return list(_threads(os.getpid()).map(work, values))


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads that flush, for as long as the process lives; a forked child has its own."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="archive")


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _flush(file: io.BufferedWriter) -> None:
    file.flush()
    crash.point(11)
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
