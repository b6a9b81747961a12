"""Small payloads in rows: there with the commit that names them, read, checked and erased as those of the archive are."""

import time
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.store import tables
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.payloads.archive import ArchivePlace
from gateway.store.payloads.in_rows import keep_small
from gateway.store.payloads.opening import open_archive

RECEIPT = b"Disposition: automatic-action/MDN-sent-automatically; processed\r\n\x00\xff"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    opened = open_database(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"))
    yield opened
    opened.close()


@pytest.fixture(params=["folder", "database"])
def archive(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Archive:
    return open_archive(ArchivePlace(folder=tmp_path / "archive") if request.param == "folder" else ArchivePlace(), database)


@pytest.fixture
def kept(archive: Archive, database: Database) -> str:
    digest = archive.keep(RECEIPT)
    assert archive.remove(digest), "only its name was wanted"
    with database.begin() as connection:
        keep_small(connection, [RECEIPT, b"", RECEIPT])
    return digest


def test_what_was_kept_with_a_commit_comes_back(archive: Archive, kept: str) -> None:
    assert archive.read(kept) == RECEIPT
    assert (archive.has(kept), archive.size(kept), archive.verify(kept)) == (True, len(RECEIPT), True)
    assert kept not in {stored.sha256 for stored in archive.stored()}, "rows are saved and copied as rows"


def test_what_was_rolled_back_was_never_there(archive: Archive, database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as connection:
        keep_small(connection, [b"never"])
        raise RuntimeError
    digest = archive.keep(b"never")
    archive.remove(digest)
    assert not archive.has(digest)
    for act in (archive.read, archive.size, archive.open):
        with pytest.raises(ArchiveMissing, match=digest):
            act(digest)


@pytest.mark.parametrize("text", ["AAAA", "no base64!", ""])
def test_an_altered_one_is_found(archive: Archive, database: Database, kept: str, text: str) -> None:
    with database.begin() as connection:
        connection.execute(tables.small_payload.update().values(base64=text))
    assert not archive.verify(kept)
    with pytest.raises(ArchiveMissing, match="altered"):
        archive.read(kept)
    with database.begin() as connection:
        keep_small(connection, [RECEIPT])
    assert archive.read(kept) == RECEIPT, "whoever keeps it again mends it"


def test_one_is_erased_when_it_is_old_and_nobody_kept_it_again(archive: Archive, database: Database, kept: str) -> None:
    assert not archive.remove(kept, older_than=time.time() - 60) and archive.has(kept)
    with database.begin() as connection:
        connection.execute(tables.small_payload.update().values(kept_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert archive.remove(kept, older_than=time.time() - 60) and not archive.has(kept)
    assert not archive.remove(kept)


def test_one_that_lies_in_both_places_leaves_both(archive: Archive, kept: str) -> None:
    archive.keep(RECEIPT)
    assert archive.remove(kept) and not archive.has(kept)
