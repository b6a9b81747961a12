"""Large files on their way in, as far as they have come: a file a name in the spool folder, beside it how much of it is safely on the disk.
When the line breaks, the next try goes on behind what is there. Nothing here is ever the only copy: the sender's is removed later.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gateway.store import crash

#: bytes after which what came is flushed and written down
MARK_EVERY = 16 << 20
_READ = 1 << 20


class Partial:
    """One file on its way. Used by one thread; another process that has the same file has taken the mailbox over."""

    def __init__(self, folder: Path, key: str) -> None:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        self._path = folder / f"{name}.part"
        self._mark = folder / f"{name}.mark"

    @property
    def size(self) -> int:
        """How many bytes are good: written down after they were flushed, since a machine that stops may leave a longer file of noughts."""
        with contextlib.suppress(OSError, ValueError):
            return min(int(self._mark.read_text()), self._path.stat().st_size)
        return 0

    def tail(self, length: int) -> bytes:
        """The last good bytes, to compare with what the sender has there now."""
        if not length:
            return b""
        with self._path.open("rb") as file:
            file.seek(self.size - length)
            return file.read(length)

    def append(self, chunks: Iterable[bytes]) -> int:
        """Write what comes behind what is there, and keep it also when it ends in the middle; returns the size of the whole."""
        start = self.size
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as file:
            file.truncate(start)
            file.seek(start)
            since = 0
            try:
                for chunk in chunks:
                    file.write(chunk)
                    since += len(chunk)
                    if since >= MARK_EVERY:
                        self._write_down(file)
                        crash.point(66)
                        since = 0
            finally:
                self._write_down(file)
            crash.point(67)
            return file.tell()

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        with self._path.open("rb") as file:
            while chunk := file.read(_READ):
                yield chunk

    def drop(self) -> None:
        """It was kept elsewhere, or is good for nothing."""
        self._mark.unlink(missing_ok=True)
        crash.point(146)
        self._path.unlink(missing_ok=True)

    def _write_down(self, file: BinaryIO) -> None:
        file.flush()
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        new = self._mark.with_suffix(".new")
        new.write_text(str(size))
        crash.point(145)
        new.replace(self._mark)


def clear(folder: Path, older_than: float) -> int:
    """Remove what nobody came back for, last written before `older_than` (seconds since 1970); returns how many files."""
    removed = 0
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
    return removed
