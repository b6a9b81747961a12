"""The archive in an object store that fsspec knows (S3 and what speaks its language, Google's, Azure's): the digest is the key.

Only stores that make an object appear whole, or not at all, are taken: there is nothing to rename then, and putting the same bytes again is
harmless. A stream is spooled to a temporary file of this machine first, since its key is only known at its end.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from typing import BinaryIO
from typing import cast

import fsspec

from gateway.store import crash
from gateway.store.payloads.archive import FRESH
from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.archive import ArchiveTrouble
from gateway.store.payloads.archive import Stored
from gateway.store.payloads.archive import checked_digest

#: object stores: a put is whole or absent, and seen by everybody at once
WHOLE_OBJECTS = ("s3", "gs", "az", "abfs", "memory")
#: up to here a payload is put without asking whether it is there: asking costs as much
_SMALL = 1 << 20
_TOGETHER = 32


class RemoteArchive(Archive):
    """Payloads as objects under a prefix."""

    def __init__(self, url: str, options: Mapping[str, object]) -> None:
        protocol, _, path = url.partition("://")
        if protocol not in WHOLE_OBJECTS or not path:
            raise ValueError(f"an archive's URL begins with one of {', '.join(f'{name}://' for name in WHOLE_OBJECTS)}, found '{protocol}://'")
        self.place = url
        self._prefix = path.rstrip("/")
        try:
            # lists that fsspec remembers would show what was, not what is
            self._store = fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True, **options)
        except ImportError as error:
            raise ArchiveTrouble(f"the archive in {protocol}:// needs a package that is not installed: {error}") from None

    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        """Keep several payloads; they are put side by side."""
        digests: list[str] = []
        data_of: dict[str, bytes] = {}
        for data in payloads:
            digest = hashlib.sha256(data).hexdigest()
            digests.append(digest)
            data_of[digest] = data
        wanted = [(self._key(digest), data) for digest, data in data_of.items() if len(data) <= _SMALL or not self._is_fresh(digest, len(data))]
        if wanted:
            crash.point(10)
        with self._plainly():
            for batch in _batches(wanted):
                self._store.pipe(dict(batch))
        crash.point(14)
        return digests

    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        crash.point(10)
        digest = hashlib.sha256()
        size = 0
        with tempfile.NamedTemporaryFile(prefix="gateway-archive-") as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            sha256 = digest.hexdigest()
            if not self._is_fresh(sha256, size):
                with self._plainly():
                    if size <= _SMALL:
                        file.seek(0)
                        self._store.pipe_file(self._key(sha256), file.read())
                    else:
                        self._store.put_file(file.name, self._key(sha256))
        crash.point(14)
        return sha256, size

    def open(self, sha256: str) -> BinaryIO:
        key = self._key(sha256)
        with self._plainly(sha256):
            return cast(BinaryIO, self._store.open(key, "rb", block_size=4 * PIECE))

    def has(self, sha256: str) -> bool:
        return self._found(sha256) is not None

    def size(self, sha256: str) -> int:
        found = self._found(sha256)
        if found is None:
            raise self._missing(sha256)
        return found.size

    def stored(self) -> Iterator[Stored]:
        with self._plainly():
            try:
                outer = self._store.ls(self._prefix, detail=False)
            except FileNotFoundError:
                return
        for folder in sorted(outer):
            # one of 256 at a time: a list of all objects need not fit into memory
            with self._plainly():
                found = self._store.find(folder, detail=True)
            for key, about in found.items():
                yield _stored(str(key).rpartition("/")[2], about)

    def remove(self, sha256: str, *, older_than: float | None = None) -> bool:
        found = self._found(sha256)
        if found is None or (older_than is not None and found.at >= older_than):
            return False
        with self._plainly(sha256):
            self._store.rm_file(self._key(sha256))
        return True

    def clear_incoming(self, older_than: float) -> int:
        """Nothing is ever half written there; uploads that were cut are the store's to clear (a lifecycle rule for incomplete uploads)."""
        return 0

    def _whole(self, sha256: str) -> bytes:
        key = self._key(sha256)
        with self._plainly(sha256):
            return bytes(self._store.cat_file(key))

    def _key(self, sha256: str) -> str:
        checked_digest(sha256)
        return f"{self._prefix}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _found(self, sha256: str) -> Stored | None:
        key = self._key(sha256)
        with self._plainly():
            try:
                return _stored(sha256, self._store.info(key))
            except FileNotFoundError:
                return None

    def _is_fresh(self, sha256: str, size: int) -> bool:
        """Whether the bytes are there in their full length and were written lately: then they need not be put again."""
        found = self._found(sha256)
        return found is not None and found.size == size and found.at > datetime.now(UTC).timestamp() - FRESH

    @contextmanager
    def _plainly(self, sha256: str | None = None) -> Iterator[None]:
        """What a store's library raises, as ours. Each library has its own exceptions, and none of them is a bug of ours to be shown."""
        try:
            yield
        except (ArchiveMissing, ArchiveTrouble):
            raise
        except Exception as error:
            if sha256 is not None and isinstance(error, FileNotFoundError):
                raise self._missing(sha256) from None
            raise ArchiveTrouble(f"the archive in {self.place} cannot be used: {type(error).__name__}: {error}") from error


def _stored(sha256: str, about: Mapping[str, object]) -> Stored:
    """What a store says about an object; each names the time its own way."""
    at = next((about[name] for name in ("LastModified", "last_modified", "updated", "mtime", "created") if about.get(name) is not None), None)
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if isinstance(at, datetime):
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    # an object without a time is never called old
    return Stored(sha256, int(str(about["size"])), float(at) if isinstance(at, int | float) else datetime.now(UTC).timestamp())


def _batches(payloads: Sequence[tuple[str, bytes]]) -> Iterator[Sequence[tuple[str, bytes]]]:
    for start in range(0, len(payloads), _TOGETHER):
        yield payloads[start : start + _TOGETHER]
