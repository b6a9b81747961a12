"""The archive in the database: one backup, one point of consistency, no folder that two machines would have to share.

A payload up to PIECE bytes lies in its row; a larger one in pieces of that size under a name of their own, and the row that names them is written
last, in a transaction of its own: nobody waits for a slow source, and what was cut is never whole. Meant for payloads up to about 1 MB
and some 100 GB in all; beyond that use an object store.
"""

import hashlib
import io
import secrets
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import BinaryIO
from typing import cast

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import crash
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.payloads.archive import FRESH
from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import Stored
from gateway.store.payloads.archive import checked_digest
from gateway.store.rows import insert

#: what one INSERT takes at most
_STATEMENT_BYTES = 8 << 20
_STATEMENT_ROWS = 500

_TABLE = tables.payload
_PIECES = tables.payload_piece


class DatabaseArchive(Archive):
    """Payloads in rows. On SQLite never called inside of a transaction of the same thread: that one holds the only writer's place."""

    place = "the database"

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_many(self, payloads: Iterable[bytes]) -> list[str]:
        """Keep several payloads in as few statements and one transaction."""
        digests = []
        data_of: dict[str, bytes] = {}
        for data in payloads:
            digest = hashlib.sha256(data).hexdigest()
            digests.append(digest)
            data_of[digest] = data
        for digest in [digest for digest, data in data_of.items() if len(data) > PIECE]:
            data = data_of.pop(digest)
            self.keep_stream(data[start : start + PIECE] for start in range(0, len(data), PIECE))
        # sorted: two processes that keep the same bytes wait for each other in the same order
        wanted = sorted(data_of)
        fresh = datetime.now(UTC) - timedelta(seconds=FRESH)
        with self._database.read() as connection:
            there = _sound(connection, wanted)
        missing = [digest for digest in wanted if digest not in there or there[digest] < fresh]
        if missing:
            crash.point(10)
            with self._database.begin() as connection:
                touched = _touch(connection, [digest for digest in missing if digest in there])
                for batch in _batches([(digest, data_of[digest]) for digest in missing if digest not in touched]):
                    _write(connection, batch)
        crash.point(14)
        return digests

    def keep_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        crash.point(10)
        pieces = _in_pieces(chunks)
        first = next(pieces, b"")
        second = next(pieces, None)
        if second is None:
            return self.keep_many([first])[0], len(first)
        name = secrets.token_hex(16)
        digest = hashlib.sha256()
        size = ordinal = 0
        try:
            for piece in _following(first, second, pieces):
                digest.update(piece)
                size += len(piece)
                with self._database.begin() as connection:
                    row = {"name": name, "ordinal": ordinal, "at": datetime.now(UTC), "data": piece}
                    connection.execute(_PIECES.insert().values(row))
                ordinal += 1
            crash.point(15)
            self._name(digest.hexdigest(), size, name)
        except BaseException:
            # where the database itself is away they stay, and are cleared later
            with self._database.begin() as connection:
                connection.execute(delete(_PIECES).where(_PIECES.c.name == name))
            raise
        crash.point(14)
        return digest.hexdigest(), size

    def open(self, sha256: str) -> BinaryIO:
        checked_digest(sha256)
        with self._database.read() as connection:
            row = connection.execute(select(_TABLE.c.size, _TABLE.c.data, _TABLE.c.pieces).where(_TABLE.c.sha256 == sha256)).one_or_none()
        if row is None:
            raise self._missing(sha256)
        if row.pieces is None:
            return io.BytesIO(row.data)
        return cast(BinaryIO, io.BufferedReader(_Pieces(self._database, row.pieces, row.size), PIECE))

    def has(self, sha256: str) -> bool:
        return self._size(sha256) is not None

    def size(self, sha256: str) -> int:
        size = self._size(sha256)
        if size is None:
            raise self._missing(sha256)
        return size

    def stored(self) -> Iterator[Stored]:
        after = ""
        while True:
            query = select(_TABLE.c.sha256, _TABLE.c.size, _TABLE.c.kept_at).where(_TABLE.c.sha256 > after).order_by(_TABLE.c.sha256).limit(1000)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield Stored(row.sha256, row.size, row.kept_at.timestamp())
                after = row.sha256
            if not rows:
                return

    def remove(self, sha256: str, *, older_than: float | None = None) -> bool:
        checked_digest(sha256)
        with self._database.begin() as connection:
            if older_than is not None:
                # who keeps it again waits for this row, and finds it gone
                query = select(_TABLE.c.kept_at).where(_TABLE.c.sha256 == sha256).with_for_update()
                kept_at = connection.execute(query).scalar_one_or_none()
                if kept_at is None or kept_at.timestamp() >= older_than:
                    return False
            return _remove(connection, [sha256]) == 1

    def clear_incoming(self, older_than: float) -> int:
        named = select(_TABLE.c.sha256).where(_TABLE.c.pieces == _PIECES.c.name).exists()
        unnamed = select(_PIECES.c.name).where(~named).group_by(_PIECES.c.name)
        forgotten = unnamed.having(func.max(_PIECES.c.at) < datetime.fromtimestamp(older_than, UTC))
        with self._database.begin() as connection:
            names = list(connection.execute(forgotten).scalars())
            if names:
                connection.execute(delete(_PIECES).where(_PIECES.c.name.in_(names)))
        return len(names)

    def _size(self, sha256: str) -> int | None:
        checked_digest(sha256)
        with self._database.read() as connection:
            return connection.execute(select(_TABLE.c.size).where(_TABLE.c.sha256 == sha256)).scalar_one_or_none()

    def _name(self, sha256: str, size: int, name: str) -> None:
        """Give flushed pieces their digest, unless the same bytes are there already."""
        with self._database.begin() as connection:
            if sha256 in _sound(connection, [sha256]) and _touch(connection, [sha256]):
                connection.execute(delete(_PIECES).where(_PIECES.c.name == name))
                return
            _remove(connection, [sha256])
            row = {"sha256": sha256, "size": size, "kept_at": datetime.now(UTC), "data": None, "pieces": name}
            kept = connection.execute(insert(connection, _TABLE).values(row).on_conflict_do_nothing().returning(_TABLE.c.sha256)).scalar_one_or_none()
            if kept is None:  # somebody else was quicker
                connection.execute(delete(_PIECES).where(_PIECES.c.name == name))


class _Pieces(io.RawIOBase):
    """A large payload, read piece by piece."""

    def __init__(self, database: Database, name: str, size: int) -> None:
        self._database = database
        self._pieces = name
        self._size = size
        self._at = 0
        self._ordinal = -1
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what io hands in is one of these
        if self._at >= self._size:
            return 0
        ordinal, within = divmod(self._at, PIECE)
        if ordinal != self._ordinal:
            with self._database.read() as connection:
                query = select(_PIECES.c.data).where(_PIECES.c.name == self._pieces, _PIECES.c.ordinal == ordinal)
                # a piece that is missing ends the payload: its digest then tells
                self._piece, self._ordinal = connection.execute(query).scalar_one_or_none() or b"", ordinal
        data = self._piece[within : within + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _in_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of PIECE; only the last one is shorter."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


def _following(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


def _batches(payloads: Sequence[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for payload in payloads:
        if batch and (size + len(payload[1]) > _STATEMENT_BYTES or len(batch) >= _STATEMENT_ROWS):
            yield batch
            batch, size = [], 0
        batch.append(payload)
        size += len(payload[1])
    if batch:
        yield batch


def _sound(connection: Connection, digests: Sequence[str]) -> dict[str, datetime]:
    """Those that are there in their full length, and since when."""
    found: dict[str, datetime] = {}
    for start in range(0, len(digests), _STATEMENT_ROWS):
        wanted = digests[start : start + _STATEMENT_ROWS]
        pieces = select(func.sum(func.length(_PIECES.c.data))).where(_PIECES.c.name == _TABLE.c.pieces).scalar_subquery()
        whole = func.coalesce(func.length(_TABLE.c.data), pieces) == _TABLE.c.size
        for sha256, at in connection.execute(select(_TABLE.c.sha256, _TABLE.c.kept_at).where(_TABLE.c.sha256.in_(wanted), whole)):
            found[sha256] = at
    return found


def _touch(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Payloads count as written now; those that are (still) there."""
    if not digests:
        return set()
    statement = update(_TABLE).where(_TABLE.c.sha256.in_(digests)).values(kept_at=datetime.now(UTC)).returning(_TABLE.c.sha256)
    return set(connection.execute(statement).scalars())


def _write(connection: Connection, payloads: Sequence[tuple[str, bytes]]) -> None:
    """Insert payloads that are not there in their full length."""
    _remove(connection, [digest for digest, _ in payloads])
    at = datetime.now(UTC)
    rows = [{"sha256": digest, "size": len(data), "kept_at": at, "data": data, "pieces": None} for digest, data in payloads]
    connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(), rows)


def _remove(connection: Connection, digests: Sequence[str]) -> int:
    pieces = select(_TABLE.c.pieces).where(_TABLE.c.sha256.in_(digests), _TABLE.c.pieces.is_not(None))
    connection.execute(delete(_PIECES).where(_PIECES.c.name.in_(pieces)))
    return connection.execute(delete(_TABLE).where(_TABLE.c.sha256.in_(digests))).rowcount
