"""Payloads that nothing refers to: what was kept before a row could name it, by a process that died then. Removed after some days."""

import sqlite3
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import crash
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.journal import decode_canonical
from gateway.store.payloads.archive import FRESH
from gateway.store.payloads.archive import Archive

#: days that a payload may lie without anybody who names it
DAYS = 7
#: digests that are written together, and kilobytes of them in memory
_MANY = 20_000
_CACHE = 8_192


@dataclass(frozen=True, slots=True)
class Tidied:
    """What lay there without a name, and half files of dead processes."""

    orphans: int
    bytes: int
    incoming: int


def tidy(
    database: Database, archive: Archive, *, days: int = DAYS, pretend: bool = False, told: Callable[[int], None] = lambda looked: None
) -> Tidied:
    """Remove payloads older than `days` that neither a row nor the journal names. What is kept again meanwhile counts as new and stays."""
    before = time.time() - max(days, 1) * FRESH
    orphans = size = 0
    with closing(_Candidates()) as candidates:
        for looked, stored in enumerate(archive.stored(), 1):
            told(looked)
            if stored.at < before:
                candidates.add(bytes.fromhex(stored.sha256), stored.size)
        if candidates.any():
            # after the list: whatever was named since then is found here
            with database.read() as connection:
                for digest in _named(connection):
                    candidates.drop(digest)
        for digest, length in candidates.left():
            if pretend or archive.remove(digest.hex(), older_than=before):
                orphans += 1
                size += length
                crash.point(135)
    incoming = 0 if pretend else archive.clear_incoming(time.time() - FRESH)
    return Tidied(orphans, size, incoming)


class _Candidates:
    """Digests with their sizes, in a file that has no name and is gone with us: an archive of many millions needs no more memory than a small one."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        for words in ("PRAGMA journal_mode = OFF", f"PRAGMA cache_size = -{_CACHE}", "BEGIN"):
            self._file.execute(words)
        self._file.execute("CREATE TABLE one (digest BLOB PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID")
        self._added: list[tuple[bytes, int]] = []
        self._dropped: list[tuple[bytes]] = []

    def add(self, digest: bytes, size: int) -> None:
        self._added.append((digest, size))
        if len(self._added) >= _MANY:
            self._write()

    def drop(self, digest: bytes) -> None:
        self._dropped.append((digest,))
        if len(self._dropped) >= _MANY:
            self._write()

    def any(self) -> bool:
        self._write()
        return self._file.execute("SELECT 1 FROM one LIMIT 1").fetchone() is not None

    def left(self) -> Iterator[tuple[bytes, int]]:
        self._write()
        yield from self._file.execute("SELECT digest, size FROM one ORDER BY digest")

    def close(self) -> None:
        self._file.close()

    def _write(self) -> None:
        try:
            # in their order neighbours share a page
            self._file.executemany("INSERT OR REPLACE INTO one VALUES (?, ?)", sorted(self._added))
            self._file.executemany("DELETE FROM one WHERE digest = ?", sorted(set(self._dropped)))
        except sqlite3.OperationalError as error:  # no room where temporary files lie
            raise OSError(f"the list of payloads cannot be written to the folder for temporary files: {error}") from error
        self._added.clear()
        self._dropped.clear()


def _named(connection: Connection) -> Iterator[bytes]:
    """Every digest that a row or an entry of the journal names."""
    for table in tables.METADATA.sorted_tables:
        if table.name in {"payload", "payload_piece"}:
            continue
        for column in table.columns:
            if column.name == "sha256" or column.name.endswith("_sha256"):
                query = select(column).where(column.is_not(None))
                for (value,) in connection.execute(query, execution_options={"yield_per": 5000}):
                    yield from _digest(value)
    entries = select(tables.journal_entry.c.entry)
    for (entry,) in connection.execute(entries, execution_options={"yield_per": 5000}):
        for value in decode_canonical(entry.encode()).references:
            yield from _digest(value)


def _digest(value: str) -> Iterator[bytes]:
    # a few columns hold several digests, or none
    for word in value.replace(",", " ").split():
        try:
            if len(word) == 64:
                yield bytes.fromhex(word)
        except ValueError:
            continue
