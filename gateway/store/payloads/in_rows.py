"""Small payloads in rows, written in the very transaction that names them: they cost no wait of their own for the disk. Receipts that we give and
signatures of messages lie here, wherever the archive is; what partners send and get lies in the archive itself.

They are text, so that they are copied, saved and proven with all other rows.
"""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import Connection
from sqlalchemy import Insert
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.database import Database
from gateway.store.many import many_upserts
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.archive import Stored
from gateway.store.payloads.archive import checked_digest
from gateway.store.rows import insert

#: bytes up to which something is small
SMALL = 1 << 14
_TABLE = tables.small_payload


def _upsert(connection: Connection) -> Insert:
    # written anew where it is there: a damaged one is whole again then, and an old one counts as new
    statement = insert(connection, _TABLE)
    changes = {name: statement.excluded[name] for name in ("size", "kept_at", "base64")}
    return statement.on_conflict_do_update(index_elements=[_TABLE.c.sha256], set_=changes)


_KEEP = many_upserts(_upsert, ("sha256", "size", "kept_at", "base64"))
_READ = select(_TABLE.c.size, _TABLE.c.base64).where(_TABLE.c.sha256 == bindparam("digest"))


def keep_small(connection: Connection, payloads: Iterable[bytes]) -> None:
    """Keep payloads with this transaction: they are there when it is committed, and were never there where it is not."""
    now = datetime.now(UTC)
    data_of = {hashlib.sha256(data).hexdigest(): data for data in payloads}
    # sorted: two processes that keep the same bytes wait for each other in the same order
    rows = [(digest, len(data), now, base64.b64encode(data).decode()) for digest, data in sorted(data_of.items())]
    _KEEP.run(connection, rows)


class ArchiveWithRows(Archive):
    """An archive, wherever it lies, and the small payloads that lie in rows. What is kept by its verbs goes to the archive itself."""

    def __init__(self, archive: Archive, database: Database) -> None:
        self.large = archive
        self.place = archive.place
        self._database = database

    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        return self.large.keep_many(payloads)

    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        return self.large.keep_stream(chunks)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self.large.open(sha256)
        except ArchiveMissing:
            data = self._data(sha256)
            if data is None:
                raise
            return io.BytesIO(data)

    def has(self, sha256: str) -> bool:
        return self.large.has(sha256) or self._row(sha256) is not None

    def size(self, sha256: str) -> int:
        try:
            return self.large.size(sha256)
        except ArchiveMissing:
            row = self._row(sha256)
            if row is None:
                raise
            return row[0]

    def stored(self) -> Iterator[Stored]:
        """What the archive itself holds: rows are copied and saved as rows, and are never without somebody who names them."""
        return self.large.stored()

    def remove(self, sha256: str, *, older_than: float | None = None) -> bool:
        removed = self.large.remove(sha256, older_than=older_than)
        if self._row(sha256) is None:
            return removed
        erase = delete(_TABLE).where(_TABLE.c.sha256 == sha256)
        if older_than is not None:
            erase = erase.where(_TABLE.c.kept_at < datetime.fromtimestamp(older_than, UTC))
        with self._database.begin() as connection:
            return connection.execute(erase).rowcount == 1 or removed

    def clear_incoming(self, older_than: float) -> int:
        return self.large.clear_incoming(older_than)

    def _data(self, sha256: str) -> bytes | None:
        row = self._row(sha256)
        if row is None:
            return None
        try:
            return base64.b64decode(row[1], validate=True)
        except binascii.Error:
            # whoever reads it compares digests, and is told that it was altered
            return row[1].encode()

    def _row(self, sha256: str) -> tuple[int, str] | None:
        checked_digest(sha256)
        with self._database.read() as connection:
            found = connection.execute(_READ, {"digest": sha256}).one_or_none()
        return (found.size, found.base64) if found is not None else None
