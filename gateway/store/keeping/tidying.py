"""Payloads that nothing refers to: what was kept before a row could name it, by a process that died then. Removed after some days."""

import time
from collections.abc import Callable
from collections.abc import Iterator
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
    # 32 bytes and a size each: an archive of millions fits
    old: dict[bytes, int] = {}
    for looked, stored in enumerate(archive.stored(), 1):
        told(looked)
        if stored.at < before:
            old[bytes.fromhex(stored.sha256)] = stored.size
    if old:
        # after the list: whatever was named since then is found here
        with database.read() as connection:
            for digest in _named(connection):
                old.pop(digest, None)
    orphans = size = 0
    for digest, length in old.items():
        if pretend or archive.remove(digest.hex(), older_than=before):
            orphans += 1
            size += length
            crash.point(135)
    incoming = 0 if pretend else archive.clear_incoming(time.time() - FRESH)
    return Tidied(orphans, size, incoming)


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
