"""`gateway backup`: one consistent state of an installation in one file, also while it works.

Rows are those of one moment (a snapshot of the database), payloads are read after them: whatever a row names was archived before it. Nothing is
locked. Secrets come along only under a passphrase.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from sqlalchemy import func
from sqlalchemy import select

import gateway
from gateway.pipeline.keeping.saved_files import saved_files
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import raw
from gateway.store import settings
from gateway.store.columns import moment_text
from gateway.store.keeping import sealed
from gateway.store.keeping.backup_file import FORMAT
from gateway.store.keeping.backup_file import BackupWriter
from gateway.store.keeping.backup_file import Manifest
from gateway.store.keeping.copying import stay_awake
from gateway.store.keeping.sealed import Sealer
from gateway.store.migrations.run import newest_revision
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.in_database import DatabaseArchive

Progress = Callable[[str, int, int], None]
NO_KEYS = "the keys: no passphrase was given; keep data/keys and what `file:` names somewhere else, or the journal cannot be verified after a restore"

#: only after the rows: whatever they name is in the archive by then
NO_PAYLOADS = "the payloads: copy {place} now, and put the copy in its place before a restore"


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """What a backup holds."""

    path: Path
    made_at: str
    rows: int
    payloads: int
    files: int
    size: int
    #: payloads that are not what they were: the installation lost them before the backup
    damaged: tuple[str, ...]
    left_out: tuple[str, ...]


class PayloadsWanted(Exception):
    """Without its payloads this installation cannot be saved: they lie where the rows do."""


def make_backup(station: Station, path: Path, passphrase: str | None, progress: Progress, *, payloads: bool = True) -> MadeBackup:
    """Save everything to `path`, which appears when it is whole; without payloads whoever calls this saves the archive's folder after it."""
    if not payloads and station.archive.place == DatabaseArchive.place:
        raise PayloadsWanted("payloads lie in the database: save them too, or the database with PostgreSQL's own tools")
    key = station.journal_key().public_key()
    with station.database.begin() as connection:
        installation = settings.installation_id(connection)
    salt = os.urandom(sealed.SALT_BYTES)
    left_out: list[str] = []
    with BackupWriter(path) as writer:
        _save_files(station, writer, Sealer(passphrase, salt) if passphrase is not None else None, left_out)
        with station.database.read() as connection:
            stay_awake(connection)
            total = sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in raw.CARRIED)
            # of this moment: the counting above has begun the transaction
            made_at = moment_text(station.clock())
            done = 0
            for table in raw.CARRIED:
                writer.table(table.name, raw.rows(connection, table))
                done += writer.tables[-1].rows
                progress("rows", done, total)
        crash.point(136)
        damaged = _save_payloads(station, writer, progress) if payloads else ()
        if not payloads:
            left_out.append(NO_PAYLOADS.format(place=station.archive.place))
        writer.finish(
            Manifest(
                format=FORMAT,
                made_at=made_at,
                version=gateway.__version__,
                revision=newest_revision(),
                installation=installation,
                public_key=key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex(),
                tables=tuple(writer.tables),
                files=writer.files,
                payloads=writer.payloads,
                payload_bytes=writer.payload_bytes,
                salt=salt.hex() if passphrase is not None else "",
                left_out=tuple(left_out),
            )
        )
    rows = sum(table.rows for table in writer.tables)
    return MadeBackup(path, made_at, rows, writer.payloads, len(writer.files), path.stat().st_size, damaged, tuple(left_out))


def _save_files(station: Station, writer: BackupWriter, sealer: Sealer | None, left_out: list[str]) -> None:
    found, outside = saved_files(station.installation)
    for file in found:
        if not file.secret:
            writer.add_file(file.name, file.path.read_bytes())
        elif sealer is not None:
            writer.add_file(file.name, sealer.seal(file.name, file.path.read_bytes()))
    if sealer is None and any(file.secret for file in found):
        left_out.append(NO_KEYS)
    left_out += [f"{name}: it lies outside of the installation's folder" for name in outside]


def _save_payloads(station: Station, writer: BackupWriter, progress: Progress) -> tuple[str, ...]:
    damaged = []
    for stored in station.archive.stored():
        try:
            with station.archive.open(stored.sha256) as file:
                if not writer.add_payload(stored.sha256, file):
                    damaged.append(stored.sha256)
        except ArchiveMissing:
            # erased or tidied away since it was listed
            continue
        progress("payloads", writer.payloads, 0)
    return tuple(damaged)
