"""A backup: one ZIP with the rows of every table as lines, the payloads under their digests, files and sealed secrets, and a manifest of them all.

The format is ours and the same for both databases, so that a backup of one can be restored into the other. What is read is never believed:
names are checked before anything is made of them, sizes while they are read, digests at the end.
"""

import fcntl
import hashlib
import os
import re
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec
from sqlalchemy import Table

from gateway.store import crash
from gateway.store import raw
from gateway.store.payloads.archive import PIECE
from gateway.store.raw import ColumnForm
from gateway.store.raw import Values

FORMAT = 1
_MANIFEST = "manifest.json"
_NAMES = re.compile(r"manifest\.json|tables/[a-z0-9_]+\.jsonl|payloads/[0-9a-f]{64}|(config|files|secrets)/[^\x00-\x1f\\:]+")
_MOST_MANIFEST = 256 << 20
#: text shrinks to a tenth, a table of like rows to a fiftieth; beyond this nobody's data lies in there
_MOST_RATIO = 200
_SMALL = 64 << 20


class BackupTrouble(Exception):
    """The file is no backup, or not what it was; nothing was restored from it."""


class TableEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the backup."""

    name: str
    columns: tuple[ColumnForm, ...]
    rows: int
    digest: str


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the backup; the digest is that of the bytes as they lie in it."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup and what is not."""

    format: int
    made_at: str
    version: str
    #: of the tables
    revision: str
    installation: str
    #: raw Ed25519 key that the journal's checkpoints are signed with, in hexadecimal
    public_key: str
    tables: tuple[TableEntry, ...]
    files: Mapping[str, FileEntry]
    payloads: int
    payload_bytes: int
    #: salt of the passphrase, where secrets are in it
    salt: str = ""
    #: what belongs to the installation and is not in here
    left_out: tuple[str, ...] = ()


class BackupWriter:
    """Writes a backup beside its name and gives it the name when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _clear_parts(path)
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "wb")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self.tables: list[TableEntry] = []
        self.files: dict[str, FileEntry] = {}
        self.payloads = self.payload_bytes = 0

    def table(self, name: str, rows: Iterable[Values]) -> None:
        """All rows of a table, in the order of their keys."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(f"tables/{name}.jsonl", "w", force_zip64=True) as member:
            for row in rows:
                line = raw.line_of(row)
                digest.update(line)
                member.write(line)
                count += 1
        self.tables.append(TableEntry(name=str(name), columns=raw.FORMS[name], rows=count, digest=digest.hexdigest()))

    def add_file(self, name: str, data: bytes) -> None:
        """A file of the installation: `config/...`, `files/...` or `secrets/...`."""
        self._zip.writestr(name, data)
        self.files[name] = FileEntry(size=len(data), sha256=hashlib.sha256(data).hexdigest())

    def add_payload(self, sha256: str, file: BinaryIO) -> bool:
        """A payload; False where it is not what its name says (it is in the backup all the same, and found when that is restored)."""
        digest = hashlib.sha256()
        with self._zip.open(f"payloads/{sha256}", "w", force_zip64=True) as member:
            while data := file.read(PIECE):
                digest.update(data)
                member.write(data)
                self.payload_bytes += len(data)
        self.payloads += 1
        return digest.hexdigest() == sha256

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and give the file its name."""
        self._zip.writestr(_MANIFEST, msgspec.json.encode(manifest))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        crash.point(137)
        # our lock ends with the file: whoever begins now clears away what has no lock, and this has its name before
        self._temporary.replace(self.path)
        self._file.close()
        crash.point(138)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __enter__(self) -> "BackupWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._file.closed:
            # what broke is told by its own error, not by that of a file without an end
            with suppress(OSError):
                self._zip.close()
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _clear_parts(path: Path) -> None:
    """Remove what backups of this name left that were killed; who still writes holds a lock."""
    with suppress(FileNotFoundError):  # the folder: opening says so
        for part in path.parent.iterdir():
            if part.name.startswith(f".{path.name}.") and part.name.removeprefix(f".{path.name}.").removesuffix(".part").isdigit():
                with suppress(OSError), part.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()


class BackupReader:
    """Reads a backup, and refuses what a backup never is."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise BackupTrouble(f"{path} is no backup of the gateway, or only a part of one") from None
        self.size = path.stat().st_size
        self._check_names()
        try:
            self.manifest = msgspec.json.decode(self._small(_MANIFEST, _MOST_MANIFEST), type=Manifest)
        except (msgspec.DecodeError, KeyError) as error:
            raise BackupTrouble(f"{path} is no backup of the gateway: {error}") from None
        if self.manifest.format != FORMAT:
            raise BackupTrouble(f"{path} was made by another version of the gateway (format {self.manifest.format}, this one reads {FORMAT})")

    def close(self) -> None:
        self._zip.close()

    @property
    def unpacked(self) -> int:
        """Bytes that everything in it takes."""
        return sum(info.file_size for info in self._zip.infolist())

    @property
    def payload_bytes(self) -> int:
        """How many of them are payloads."""
        return sum(info.file_size for info in self._zip.infolist() if info.filename.startswith("payloads/"))

    def rows(self, entry: TableEntry, table: Table) -> Iterator[Values]:
        """The rows of a table; BackupTrouble at the end where they are not those that were written."""
        digest, count = hashlib.sha256(), 0
        with self._opened(f"tables/{entry.name}.jsonl") as member:
            for line in member:
                digest.update(line)
                count += 1
                try:
                    yield raw.row_of(table, line)
                except ValueError as error:
                    raise BackupTrouble(f"the backup is damaged: {error}") from None
        if (count, digest.hexdigest()) != (entry.rows, entry.digest):
            raise BackupTrouble(f"the backup is damaged: its table {entry.name} is not the one that was saved")

    def file(self, name: str) -> bytes:
        """A file of the installation, checked."""
        entry = self.manifest.files[name]
        data = self._small(name, _SMALL)
        if (len(data), hashlib.sha256(data).hexdigest()) != (entry.size, entry.sha256):
            raise BackupTrouble(f"the backup is damaged: {name} is not the file that was saved")
        return data

    def payloads(self) -> list[str]:
        """The digests of all payloads."""
        return [info.filename.removeprefix("payloads/") for info in self._zip.infolist() if info.filename.startswith("payloads/")]

    def payload_size(self, sha256: str) -> int:
        """How long it is, as the file says."""
        return self._zip.getinfo(f"payloads/{sha256}").file_size

    def payload(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a payload, piece by piece; who keeps them learns their digest."""
        with self._opened(f"payloads/{sha256}") as member:
            while data := member.read(PIECE):
                yield data

    def _check_names(self) -> None:
        names = [info.filename for info in self._zip.infolist()]
        for name in names:
            if not _NAMES.fullmatch(name) or ".." in name.split("/") or "" in name.split("/"):
                raise BackupTrouble(f"this is no backup of the gateway: nothing of ours is named '{name[:80]}'")
        if len(set(names)) != len(names):
            raise BackupTrouble("this is no backup of the gateway: a name stands in it twice")
        # a payload may be of noughts alone: what all of them take is compared with the room on the disk
        if self.unpacked - self.payload_bytes > max(_SMALL, self.size * _MOST_RATIO):
            raise BackupTrouble(f"this is no backup of the gateway: {self.size} bytes would become {self.unpacked}")

    def _small(self, name: str, most: int) -> bytes:
        with self._opened(name) as member:
            data = member.read(most + 1)
        if len(data) > most:
            raise BackupTrouble(f"this is no backup of the gateway: {name} is longer than {most} bytes")
        return data

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO]:
        """A member; zipfile reads no more than the size that it told, and checks its CRC."""
        try:
            with self._zip.open(name) as member:
                yield member  # type: ignore[misc]  # it reads like any binary file
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise BackupTrouble(f"the backup is damaged: {name}: {error}") from None
        except KeyError:
            raise BackupTrouble(f"the backup is damaged: it has no {name}") from None
