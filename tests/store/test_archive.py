"""Bytes kept unchanged, whole, and found again."""

import hashlib
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from gateway.store.archive import Archive
from gateway.store.archive import ArchiveMissing


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def files(archive: Archive) -> list[Path]:
    return sorted(path for path in archive.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("data", [b"", b"ISA*00*", os.urandom(3 << 20)])
def test_what_is_kept_comes_back(archive: Archive, data: bytes) -> None:
    digest = archive.keep(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert archive.read(digest) == data
    assert archive.has(digest)
    assert archive.verify(digest)
    assert archive.size(digest) == len(data)
    with archive.open(digest) as file:
        assert file.read() == data


def test_keeping_the_same_again_makes_one_file(archive: Archive) -> None:
    first = archive.keep(b"one")
    assert archive.keep_many([b"one", b"two", b"one"]) == [first, archive.keep(b"two"), first]
    assert archive.keep_stream([b"o", b"ne"]) == (first, 3)
    assert len(files(archive)) == 2


def test_a_stream_is_kept_without_holding_it(archive: Archive) -> None:
    digest, size = archive.keep_stream(b"x" * 1000 for _ in range(1000))
    assert size == 1_000_000
    assert archive.read(digest) == b"x" * 1_000_000


def test_a_source_that_breaks_leaves_nothing(archive: Archive) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield b"begin"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        archive.keep_stream(broken())
    assert files(archive) == []


def test_a_file_cut_short_is_written_anew(archive: Archive) -> None:
    digest = archive.keep(b"whole")
    path = next(path for path in files(archive) if path.name == digest)
    path.write_bytes(b"wh")
    assert not archive.verify(digest)
    with pytest.raises(ArchiveMissing, match="altered"):
        archive.read(digest)
    archive.keep(b"whole")
    assert archive.verify(digest)


def test_what_is_missing_is_told_plainly(archive: Archive) -> None:
    digest = hashlib.sha256(b"never").hexdigest()
    assert not archive.has(digest)
    assert not archive.verify(digest)
    for read in (archive.read, archive.open, archive.size):
        with pytest.raises(ArchiveMissing, match=digest):
            read(digest)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" * 64])
def test_no_name_leads_out_of_the_archive(archive: Archive, name: str) -> None:
    for ask in (archive.read, archive.open, archive.has, archive.verify, archive.size):
        with pytest.raises(ValueError, match="64 hexadecimal digits"):
            ask(name)


def test_payloads_can_be_read_by_their_owner_alone(archive: Archive) -> None:
    archive.keep(b"secret")
    for path in (archive.folder, *archive.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_threads_may_keep_the_same_bytes_at_once(archive: Archive) -> None:
    payloads = [b"%d" % number for number in range(20)]
    threads = [threading.Thread(target=archive.keep_many, args=(payloads,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(archive)) == 20
    assert all(archive.verify(hashlib.sha256(data).hexdigest()) for data in payloads)


def test_temporary_files_of_dead_processes_are_cleared(archive: Archive) -> None:
    archive.keep(b"kept")
    stale = archive.folder / "incoming" / "stale"
    stale.write_bytes(b"half")
    os.utime(stale, (1, 1))
    (archive.folder / "incoming" / "fresh").write_bytes(b"half")
    assert archive.clear_incoming(older_than=time.time() - 3600) == 1
    assert [path.name for path in files(archive) if path.parent.name == "incoming"] == ["fresh"]
