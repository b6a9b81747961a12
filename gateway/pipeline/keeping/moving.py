"""`gateway store migrate`: a live installation's rows and payloads to another database and archive, proven on both sides.

Payloads go first (they are named by rows, never the other way round), then all rows of one moment, then the payloads that came meanwhile; the
target's transaction commits when everything that it names is there. It may be repeated: the second time only what is new is written.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.keeping.copying import CopiedTable
from gateway.store.keeping.copying import CopyRefused
from gateway.store.keeping.copying import check_target
from gateway.store.keeping.copying import copy_rows
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchivePlace
from gateway.store.payloads.copying import copy_payloads
from gateway.store.payloads.opening import open_archive
from gateway.store.verifying import checkpoints
from gateway.store.verifying.verification import Verification
from gateway.store.verifying.verification import verify

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move brought, and what the journal says on the new side."""

    tables: tuple[CopiedTable, ...]
    copied: int
    present: int
    damaged: tuple[str, ...]
    verification: Verification


def migrate_store(station: Station, url: str, place: ArchivePlace, progress: Progress) -> Moved:
    """Copy everything into the database at `url` and the archive at `place`; CopyRefused where that is not a place for it."""
    target = open_database(url)
    try:
        if target.url == station.database.url:
            raise CopyRefused("the target is the database that the installation works with")
        check_target(station.database, target)
        return _move(station, target, open_archive(place, target), progress)
    finally:
        target.close()


def _move(station: Station, target: Database, archive: Archive, progress: Progress) -> Moved:
    copied = 0
    present: int | None = None
    damaged: tuple[str, ...] = ()

    def bring_payloads() -> None:
        nonlocal copied, present, damaged
        found = copy_payloads(station.archive, archive, lambda done: progress("payloads", done, 0))
        # what the first pass brought is no news to the second
        present = found.present if present is None else present
        copied, damaged = copied + found.copied, found.damaged

    apart = not _is_same(station.archive, archive)
    if apart:
        bring_payloads()
    crash.point(16)
    with station.database.read() as source:
        # the first reading fixes the moment; whatever these rows name is in the archive by now
        checkpoints.last(source)
        if apart:
            bring_payloads()
        tables = copy_rows(source, target, lambda done, total: progress("rows", done, total))
    return Moved(tuple(tables), copied, present or 0, damaged, verify(target, archive, station.journal_key()))


def _is_same(one: Archive, other: Archive) -> bool:
    return one.place == other.place and one.place != "the database"
