"""What is special about each place of an archive: modes and half files of a folder, pieces in the database, troubles of an object store."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select

from gateway.store import tables
from gateway.store.database import Database
from gateway.store.payloads.archive import FRESH
from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import ArchiveTrouble
from gateway.store.payloads.in_database import DatabaseArchive
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.payloads.in_object_store import RemoteArchive
from tests.store.stores import s3_options
from tests.store.stores import s3_server
from tests.store.stores import s3_store


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


def test_payloads_in_a_folder_can_be_read_by_their_owner_alone(folder: FolderArchive) -> None:
    folder.keep(b"secret")
    for path in (folder.folder, *folder.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_temporary_files_of_dead_processes_are_cleared(folder: FolderArchive) -> None:
    folder.keep(b"kept")
    stale = folder.folder / "incoming" / "stale"
    stale.write_bytes(b"half")
    os.utime(stale, (1, 1))
    (folder.folder / "incoming" / "fresh").write_bytes(b"half")
    assert folder.clear_incoming(older_than=time.time() - 3600) == 1
    assert [path.name for path in (folder.folder / "incoming").iterdir()] == ["fresh"]


def test_old_bytes_in_a_folder_that_are_kept_again_count_as_new(folder: FolderArchive) -> None:
    digest = folder.keep(b"again")
    (path,) = folder.folder.rglob(digest)
    long_ago = time.time() - 10 * FRESH
    os.utime(path, (long_ago, long_ago))
    folder.keep(b"again")
    assert not folder.remove(digest, older_than=time.time() - FRESH)


def test_what_a_bad_block_altered_is_written_anew_when_the_same_comes_again(folder: FolderArchive) -> None:
    digest = folder.keep(b"9.25 EUR")
    (path,) = folder.folder.rglob(digest)
    for again in (folder.keep_many, folder.keep_stream):
        path.write_bytes(b"8.25 EUR")
        again([b"9.25 EUR"])
        assert folder.read(digest) == b"9.25 EUR"


def test_payloads_of_an_archive_that_was_begun_two_folders_deep_stay_where_they_are(folder: FolderArchive) -> None:
    digest, cut_short = hashlib.sha256(b"early").hexdigest(), hashlib.sha256(b"cut short").hexdigest()
    for name, data in ((digest, b"early"), (cut_short, b"cut")):
        path = folder.folder / name[:2] / name[2:4] / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    assert folder.keep(b"early") == folder.keep_stream([b"ear", b"ly"])[0] == digest
    assert [path.relative_to(folder.folder).parts[1] for path in folder.folder.rglob(digest)] == [digest[2:4]], "kept once"
    assert folder.read(digest) == b"early" and folder.has(digest) and folder.size(digest) == 5
    folder.keep(b"cut short")
    assert folder.read(cut_short) == b"cut short"
    assert {one.sha256 for one in folder.stored()} == {digest, cut_short}
    assert folder.remove(digest) and not folder.has(digest)


def _age(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(tables.payload.update().values(kept_at=datetime.now(UTC) - timedelta(days=10)))
        connection.execute(tables.payload_piece.update().values(at=datetime.now(UTC) - timedelta(days=10)))


@pytest.mark.parametrize("data", [b"again", b"x" * (2 * PIECE)], ids=["small", "large"])
def test_old_bytes_in_the_database_that_are_kept_again_count_as_new(database: Database, data: bytes) -> None:
    archive = DatabaseArchive(database)
    digest = archive.keep(data)
    _age(database)
    archive.keep(data)
    assert not archive.remove(digest, older_than=time.time() - FRESH)


def test_pieces_that_nothing_names_are_cleared_after_their_time(database: Database) -> None:
    archive = DatabaseArchive(database)
    digest = archive.keep(b"x" * (2 * PIECE + 1))
    with database.begin() as connection:
        for ordinal in range(2):
            connection.execute(tables.payload_piece.insert().values(name="cut", ordinal=ordinal, at=datetime.now(UTC), data=b"half"))
    assert archive.clear_incoming(older_than=time.time() - 3600) == 0
    _age(database)
    assert archive.clear_incoming(older_than=time.time() - 3600) == 1
    assert archive.verify(digest)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.payload_piece)).scalar_one() == 3


def test_an_object_lies_under_its_digest_and_nowhere_else(s3: str) -> None:
    archive = RemoteArchive("s3://payloads/deep/er", s3_options(s3))
    digest = archive.keep(b"ISA*00*")
    large, _ = archive.keep_stream([b"y" * PIECE] * 12)
    found = sorted(s3_store(s3).find("payloads/deep"))
    assert found == sorted(f"payloads/deep/er/{name[:2]}/{name[2:4]}/{name}" for name in (digest, large))


def test_a_store_that_does_not_answer_is_a_trouble_that_passes(s3: str) -> None:
    options = {**s3_options("http://127.0.0.1:9"), "config_kwargs": {"connect_timeout": 1, "retries": {"max_attempts": 1}}}
    archive = RemoteArchive("s3://payloads/x", options)
    for act in (lambda: archive.keep(b"x"), lambda: archive.has("ab" * 32), lambda: archive.read("ab" * 32), lambda: list(archive.stored())):
        with pytest.raises(ArchiveTrouble, match="s3://payloads/x cannot be used"):
            act()
    with pytest.raises(ArchiveTrouble):
        RemoteArchive("s3://no-such-bucket/x", s3_options(s3)).keep(b"x")


def test_a_store_that_shows_half_files_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with one of"):
        RemoteArchive("ftp://host/folder", {})
