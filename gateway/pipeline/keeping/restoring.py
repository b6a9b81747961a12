"""`gateway restore`: an installation out of a backup, into a place where nothing is, whole or not at all.

Files first, then payloads, then all rows in one transaction, which also moves numbers on and pauses sending: what left after the backup is not
known here, and nothing may leave twice under another identity before a person has compared. Killed in between, it may be begun again.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy import inspect
from sqlalchemy import select

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config import load_installation
from gateway.pipeline.keeping.saved_files import ROLES
from gateway.pipeline.stateless.partner_setup import folders_of
from gateway.store import crash
from gateway.store import journal
from gateway.store import raw
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.journal import Entry
from gateway.store.keeping import advance
from gateway.store.keeping.backup_file import BackupReader
from gateway.store.keeping.backup_file import BackupTrouble
from gateway.store.keeping.backup_file import TableEntry
from gateway.store.keeping.copying import has_rows
from gateway.store.keeping.copying import set_sequences
from gateway.store.keeping.copying import stay_awake
from gateway.store.keeping.sealed import Sealer
from gateway.store.keeping.sealed import WrongPassphrase
from gateway.store.migrations import run as migrations
from gateway.store.outgoing import pauses
from gateway.store.outgoing.pauses import Pause
from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.opening import open_archive
from gateway.store.verifying.checkpoints import fingerprint
from gateway.store.verifying.keys import load_or_make
from gateway.store.verifying.keys import wanted_beside
from gateway.store.verifying.verification import Verification
from gateway.store.verifying.verification import verify

Progress = Callable[[str, int, int], None]
#: how far numbers go on where nobody says otherwise: more than leaves between two backups
GAP = 1000
_BATCH = 4000
_PAYLOADS_BYTES = 8 << 20
_PAYLOADS = 100


class RestoreRefused(Exception):
    """Something is there already, or the backup cannot be restored here; nothing was written over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for."""

    path: Path
    into: Path
    passphrase: str | None
    #: instead of the database that the config.yaml in the backup names
    database: str | None
    gap: int
    actor: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what a person must know."""

    made_at: str
    file: Path
    rows: int
    payloads: int
    files: int
    #: rows of the outbox that had their identity, and those that had none yet
    numbered: int
    unnumbered: int
    paused: tuple[str, ...]
    numbers: dict[str, str]
    left_out: tuple[str, ...]
    #: where the key of the journal is to be put, where it was not in the backup
    key_wanted: Path | None
    #: folders of partners that were made, and those outside of the installation that are not there
    folders_made: tuple[Path, ...]
    folders_missing: tuple[Path, ...]
    verification: Verification


@dataclass(frozen=True, slots=True)
class _Place:
    """Where files of the backup go."""

    path: Path
    data: bytes
    mode: int


def restore(wanted: Wanted, progress: Progress) -> Restored:
    """Restore a backup; RestoreRefused or BackupTrouble where that cannot be."""
    reader = BackupReader(wanted.path)
    try:
        if not migrations.is_known(reader.manifest.revision):
            raise RestoreRefused(
                f"the backup was made by a newer version of the gateway ({reader.manifest.version}); install that version and restore with it"
            )
        installation = _installation(reader, wanted.into)
        places = _places(reader, installation, wanted)
        in_the_way = [str(place.path) for place in places if place.path.exists() and place.path.read_bytes() != place.data]
        if in_the_way:
            raise RestoreRefused(f"{', '.join(in_the_way[:3])} {'is' if len(in_the_way) == 1 else 'are'} there already and different")
        _check_room(reader, installation, wanted.database)
        return _restore(wanted, reader, installation, places, progress)
    finally:
        reader.close()


def _restore(wanted: Wanted, reader: BackupReader, installation: Installation, places: list[_Place], progress: Progress) -> Restored:
    manifest = reader.manifest
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.public_key))
    database: Database | None = None
    try:
        # what `file:` names may itself be in the backup
        by_path = {place.path: place.data for place in places}
        database = open_database(wanted.database or _database_url(installation, by_path))
        _check_empty(database, manifest.revision)
        for place in places:
            _put(place)
        key_wanted = _want_key(installation, public)
        with database.begin() as connection:
            migrations.migrate(connection, manifest.revision)
        archive = open_archive(installation.archive_place, database)
        _payloads(reader, archive, progress)
        with database.begin() as connection:
            stay_awake(connection)
            done, total = 0, sum(table.rows for table in manifest.tables)
            for entry in manifest.tables:
                _rows(connection, reader, entry)
                done += entry.rows
                progress("rows", done, total)
            migrations.migrate(connection)
            set_sequences(connection)
            numbered, unnumbered = _under_way(connection)
            numbers, paused = _go_on(connection, wanted, manifest.made_at)
            crash.point(18)
        folders_made, folders_missing = _folders(wanted.into)
        return Restored(
            made_at=manifest.made_at,
            file=installation.file,
            rows=sum(table.rows for table in manifest.tables),
            payloads=manifest.payloads,
            files=len(places),
            numbered=numbered,
            unnumbered=unnumbered,
            paused=paused,
            numbers=numbers,
            left_out=manifest.left_out,
            key_wanted=key_wanted,
            folders_made=folders_made,
            folders_missing=folders_missing,
            verification=verify(database, archive, public),
        )
    finally:
        if database is not None:
            database.close()


def _installation(reader: BackupReader, into: Path) -> Installation:
    """The installation as it will be: the backup's config.yaml, thought in its new place."""
    with tempfile.TemporaryDirectory(prefix="gateway-restore-") as folder:
        (Path(folder) / "config.yaml").write_bytes(reader.file("config/config.yaml"))
        loaded = load_installation(Path(folder) / "config.yaml")
    return replace(loaded, file=into.resolve() / "config.yaml")


def _places(reader: BackupReader, installation: Installation, wanted: Wanted) -> list[_Place]:
    manifest = reader.manifest
    sealer = Sealer(wanted.passphrase, bytes.fromhex(manifest.salt)) if wanted.passphrase is not None and manifest.salt else None
    if manifest.salt and sealer is None:
        raise RestoreRefused("the backup holds keys under a passphrase: name it with --passphrase env:NAME or file:PATH")
    places = []
    for name in sorted(manifest.files):
        kind, _, rest = name.partition("/")
        data = reader.file(name)
        if kind == "config":
            path = _config_path(installation, rest)
        elif kind == "files":
            path = installation.folder / rest
        elif sealer is None:
            continue
        else:
            try:
                data = sealer.open(name, data)
            except WrongPassphrase as error:
                raise RestoreRefused(str(error)) from None
            role, _, inner = rest.partition("/")
            path = (installation.data / "keys" if role == "keys" else installation.folder) / inner
        places.append(_Place(path, data, 0o600 if kind == "secrets" else 0o644))
    return places


def _config_path(installation: Installation, name: str) -> Path:
    role, _, inner = name.partition("/")
    if role not in ROLES or not inner:
        return installation.folder / name
    named = installation.path(getattr(installation.settings, role))
    # a folder that config.yaml names outside of the installation is not written to
    return (named if named.is_relative_to(installation.folder) else installation.folder / role) / inner


def _database_url(installation: Installation, files: dict[Path, bytes]) -> str:
    named = installation.settings.database
    if named is not None and named.startswith("file:"):
        known = files.get(installation.path(named.removeprefix("file:")))
        if known is not None:
            return known.decode().strip()
    try:
        return installation.database_url
    except ConfigTrouble as error:
        raise RestoreRefused(f"{error}; set it, or name the new database with --database URL") from None


def _check_empty(database: Database, revision: str) -> None:
    with database.read() as connection:
        present = set(inspect(connection).get_table_names())
        at = migrations.present_revision(connection) if "alembic_version" in present else None
        if at is None and present:
            raise RestoreRefused(f"the database holds tables of something else ({', '.join(sorted(present)[:3])}); name an empty one")
        if at is not None and has_rows(connection, present):
            raise RestoreRefused("the database holds an installation already; name an empty one with --database URL, or another folder with --into")
        if at is not None and at != revision:
            raise RestoreRefused("the database has the tables of another version of the gateway; name one without tables")


def _check_room(reader: BackupReader, installation: Installation, database: str | None) -> None:
    """What comes to a disk of this machine must have room there; servers and object stores look after themselves."""
    wanted: dict[int, tuple[Path, int]] = {}
    for folder, size in _on_disk(reader, installation, database):
        there = next(one for one in (folder, *folder.parents) if one.is_dir())
        before = wanted.get(there.stat().st_dev, (there, 0))[1]
        wanted[there.stat().st_dev] = (there, before + size)
    for there, size in wanted.values():
        free = shutil.disk_usage(there).free
        if size > free:
            raise RestoreRefused(f"the backup needs {size >> 20} MB, {there} has {free >> 20} MB")


def _on_disk(reader: BackupReader, installation: Installation, database: str | None) -> Iterator[tuple[Path, int]]:
    url = database or installation.settings.database or "sqlite"
    in_rows = installation.settings.archive.url == "database"
    if url.startswith("sqlite"):
        yield installation.data, reader.unpacked - (0 if in_rows else reader.payload_bytes)
    if installation.settings.archive.url == "folder" or installation.settings.archive.url.startswith("file://"):
        yield installation.archive_place.folder or installation.data, reader.payload_bytes


def _put(place: _Place) -> None:
    if place.path.exists():
        return
    place.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if place.mode == 0o600 else 0o755)
    temporary = place.path.with_name(f".{place.path.name}.restored")
    temporary.unlink(missing_ok=True)  # left by a try that was killed
    # rows that follow are durable when they are committed: so are the keys and files that they belong to
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, place.mode), "wb") as file:
        file.write(place.data)
        file.flush()
        os.fsync(file.fileno())
    crash.point(139)
    temporary.replace(place.path)
    crash.point(140)
    folder = os.open(place.path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _want_key(installation: Installation, public: Ed25519PublicKey) -> Path | None:
    """Where the journal's key is missing, or another one lies in its place, nothing is signed by any other unseen."""
    key = installation.data / "keys" / "journal.key"
    if key.exists() and fingerprint(load_or_make(key).public_key()) == fingerprint(public):
        return None
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted_beside(key).write_text(f"{fingerprint(public)}\n")
    return key


def _folders(into: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Make the folders within the installation that files come and leave by, partners' and our own systems'; those outside of it may be places
    of others, or disks that are not mounted yet: they are named where they are not there."""
    installation = load_installation(into / "config.yaml")
    named = {path: None for loaded in installation.directory.partners.values() for path in folders_of(installation, loaded)}
    settings = installation.settings
    own = (settings.inbox.shipments, settings.inbox.bank, settings.erp.folder if settings.erp is not None else None)
    named |= {installation.path(folder): None for folder in own if folder is not None}
    absent = [path for path in named if not path.is_dir()]
    ours = tuple(path for path in absent if path.resolve().is_relative_to(installation.folder.resolve()))
    for path in ours:
        path.mkdir(parents=True, exist_ok=True)
    return ours, tuple(path for path in absent if path not in ours)


def _payloads(reader: BackupReader, archive: Archive, progress: Progress) -> None:
    batch: list[bytes] = []
    size = 0
    wanted = reader.payloads()
    for count, sha256 in enumerate(wanted, 1):
        progress("payloads", count, len(wanted))
        length = reader.payload_size(sha256)
        if archive.has(sha256) and archive.size(sha256) == length:
            continue
        if length > PIECE:
            kept, _ = archive.keep_stream(reader.payload(sha256))
            if kept != sha256:
                # the installation had lost these bytes before its backup: the verification says so
                archive.remove(kept)
            continue
        data = b"".join(reader.payload(sha256))
        if hashlib.sha256(data).hexdigest() == sha256:
            batch.append(data)
            size += length
        if len(batch) >= _PAYLOADS or size >= _PAYLOADS_BYTES:
            archive.keep_many(batch)
            batch, size = [], 0
    archive.keep_many(batch)


def _rows(connection: Connection, reader: BackupReader, entry: TableEntry) -> None:
    table = raw.table_of(entry.name, entry.columns)
    batch: list[raw.Values] = []
    later: list[raw.Values] = []
    for row in reader.rows(entry, table):
        (later if raw.refers_to_own(table, row) else batch).append(row)
        if len(batch) >= _BATCH:
            raw.add(connection, table, batch)
            batch = []
    raw.add(connection, table, batch)
    try:
        raw.add_in_order(connection, table, later)
    except ValueError as error:
        raise BackupTrouble(f"the backup is damaged: {error}") from None


def _under_way(connection: Connection) -> tuple[int, int]:
    """Open rows of the outbox that have their identity, and those that have none yet."""
    outbox = tables.outbox
    found = connection.execute(select(outbox.c.identity).where(outbox.c.state.in_(("waiting", "claimed", "prepared")))).scalars().all()
    return sum(identity is not None for identity in found), sum(identity is None for identity in found)


def _go_on(connection: Connection, wanted: Wanted, made_at: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Numbers go on behind a gap, sending waits for a person, and the journal says so. Without a gap nothing came after the backup."""
    reason = f"restored from a backup of {made_at}"
    numbers = advance.advance(connection, wanted.gap) if wanted.gap else {}
    partners: list[str] = []
    if wanted.gap:
        outbox, control = tables.outbox, tables.control
        known = {
            *connection.execute(select(outbox.c.partner).distinct()).scalars(),
            *connection.execute(select(control.c.partner).distinct()).scalars(),
        }
        partners = sorted(partner for partner in known if partner)
        words = f"{reason}: compare what they got since, stop what they have already (gateway outbox), then gateway partner resume"
        for partner in partners:
            pauses.pause(connection, Pause(partner=partner, actor=wanted.actor, reason=words, since=wanted.now))
    facts = {"backup": made_at, "gap": str(wanted.gap), "paused": str(len(partners)), **dict(list(numbers.items())[:200])}
    entry = Entry(
        stream="installation",
        at=wanted.now,
        actor=wanted.actor,
        action="restored",
        subject_kind="installation",
        subject="installation",
        reason=reason,
        facts=facts,
    )
    journal.append(connection, [entry])
    return numbers, tuple(partners)
