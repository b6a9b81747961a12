"""The archive in a folder of this machine: 256 folders of files, each whole and on the disk before it has its name.

Temporary file, fsync, rename, fsync of the folder. The quickest place for one machine; two machines need another one.
Files of an archive that was begun two folders deep stay where they are: 65,536 folders meant that nearly every early file made one, and flushed it.
"""

import errno
import hashlib
import io
import os
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from gateway.store import crash
from gateway.store.payloads.archive import FRESH
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import Stored
from gateway.store.payloads.archive import checked_digest

#: threads that flush for everybody who keeps something
_THREADS = 8
_In = TypeVar("_In")


class FolderArchive(Archive):
    """A folder of payloads."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.place = str(self.folder)
        self._incoming = self.folder / "incoming"
        for path in (self.folder, self._incoming):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _flush_folder(self.folder)

    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        """Keep several payloads; they are flushed side by side."""
        data_of: dict[str, bytes] = {}
        digests = []
        for data in payloads:
            digest = hashlib.sha256(data).hexdigest()
            digests.append(digest)
            data_of[digest] = data
        _side_by_side(lambda one: self._keep(*one), list(data_of.items()))
        crash.point(14)
        return digests

    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        crash.point(10)
        digest = hashlib.sha256()
        size = 0
        folders: list[str] = []
        temporary = self._temporary()
        try:
            with open(temporary, "xb", opener=_for_owner) as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                _flush(file)
            path = self._path(digest.hexdigest(), size)
            if _is_whole(path, size, digest.hexdigest()):
                temporary.unlink()
            else:
                folders += self._name(str(temporary), path)
            folders.append(os.path.dirname(path))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for folder in folders:
            _flush_folder(folder)
        crash.point(14)
        return digest.hexdigest(), size

    def open(self, sha256: str) -> io.BufferedReader:
        try:
            return open(self._path(sha256), "rb")
        except FileNotFoundError:
            raise self._missing(sha256) from None

    def has(self, sha256: str) -> bool:
        return os.path.isfile(self._path(sha256))

    def size(self, sha256: str) -> int:
        try:
            return os.stat(self._path(sha256)).st_size
        except FileNotFoundError:
            raise self._missing(sha256) from None

    def stored(self) -> Iterator[Stored]:
        for outer in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted((*outer.glob("?" * 64), *outer.glob("[0-9a-f][0-9a-f]/*")), key=_by_name):
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue
                yield Stored(path.name, status.st_size, status.st_mtime)

    def remove(self, sha256: str, *, older_than: float | None = None) -> bool:
        path = Path(self._path(sha256))
        try:
            if older_than is not None and path.stat().st_mtime >= older_than:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        # erased means erased, also after a power cut
        _flush_folder(path.parent)
        return True

    def clear_incoming(self, older_than: float) -> int:
        removed = 0
        for path in self._incoming.iterdir():
            try:
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

    def _path(self, sha256: str, size: int | None = None) -> str:
        """Where the payload lies; where it does not, where it will. With a size: where it lies whole."""
        checked_digest(sha256)
        path = f"{self.folder}/{sha256[:2]}/{sha256}"
        if os.path.exists(path):
            return path
        earlier = f"{self.folder}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
        if not os.path.exists(earlier) or (size is not None and os.stat(earlier).st_size != size):
            return path
        return earlier

    def _temporary(self) -> Path:
        return self._incoming / secrets.token_hex(16)

    def _keep(self, digest: str, data: bytes) -> None:
        """Keep a payload. Its folder is flushed also where it was there: whoever wrote it may not have come so far."""
        path = f"{self.folder}/{digest[:2]}/{digest}"
        earlier = f"{self.folder}/{digest[:2]}/{digest[2:4]}/{digest}"
        folders: list[str] = []
        if _is_whole(earlier, len(data), digest):
            path = earlier
        elif not _is_whole(path, len(data), digest):
            crash.point(10)
            temporary = f"{self._incoming}/{secrets.token_hex(16)}"
            try:
                _write_flushed(temporary, data)
                folders = self._name(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        for folder in (*folders, os.path.dirname(path)):
            _flush_folder(folder)

    def _name(self, temporary: str, path: str) -> list[str]:
        """Give a flushed file its name; returns the folders above those that had to be made for it."""
        crash.point(12)
        made: list[str] = []
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            with suppress(FileExistsError):
                os.mkdir(os.path.dirname(path), 0o700)
                made.append(str(self.folder))
            os.replace(temporary, path)
        crash.point(13)
        return made


def _side_by_side(work: Callable[[_In], None], values: Sequence[_In]) -> None:
    """Do the same with all values. The disk's journal takes many flushes at once for little more than one: several threads wait together,
    each with its share of the values, this one with the first."""
    shares = min(len(values), _THREADS)
    others = [_threads(os.getpid()).submit(_each, work, values[number::shares]) for number in range(1, shares)]
    try:
        _each(work, values[::shares] if shares else ())
    finally:
        wait(others)
    for other in others:
        other.result()


def _each(work: Callable[[_In], None], values: Sequence[_In]) -> None:
    for value in values:
        work(value)


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """The threads that flush, for as long as the process lives; a forked child has its own."""
    return ThreadPoolExecutor(2 * _THREADS, thread_name_prefix="archive")


def _by_name(path: Path) -> str:
    return path.name


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_whole(path: Path | str, size: int, digest: str) -> bool:
    """Whether the bytes are there as they were; then they count as written now, where that was long ago. What a bad block has altered, or does
    not give back, is written anew when the same comes again."""
    try:
        status = os.stat(path)
        if status.st_size != size or not _is_unaltered(path, digest):
            return False
        if status.st_mtime < time.time() - FRESH:
            os.utime(path)
        return True
    except FileNotFoundError:
        return False


def _is_unaltered(path: Path | str, digest: str) -> bool:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError as error:
        if error.errno == errno.EIO:
            return False
        raise


def _write_flushed(path: str, data: bytes) -> None:
    """A new file with these bytes, on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left) :]
        crash.point(11)
        os.fsync(handle)
    except OSError as error:
        # the kernel does not say which disk is full
        error.filename = error.filename or path
        raise
    finally:
        os.close(handle)


def _flush(file: io.BufferedWriter) -> None:
    file.flush()
    crash.point(11)
    os.fsync(file.fileno())


def _flush_folder(folder: Path | str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
