"""One contract for all archives: bytes kept unchanged, whole, and found again, wherever they lie."""

import hashlib
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from collections.abc import Iterator

import pytest

from gateway.store.payloads.archive import PIECE
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from tests.store.stores import KINDS
from tests.store.stores import made
from tests.store.stores import s3_server

Spoil = Callable[[str, bytes], None]
LARGE = os.urandom(3 * PIECE + 17)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[Archive, Spoil]]:
    with made(request.param, request) as pair:
        yield pair


@pytest.fixture
def archive(opened: tuple[Archive, Spoil]) -> Archive:
    return opened[0]


@pytest.fixture
def spoil(opened: tuple[Archive, Spoil]) -> Spoil:
    return opened[1]


def held(archive: Archive) -> set[str]:
    return {stored.sha256 for stored in archive.stored()}


@pytest.mark.parametrize("data", [b"", b"ISA*00*", LARGE], ids=["empty", "small", "large"])
def test_what_is_kept_comes_back(archive: Archive, data: bytes) -> None:
    digest = archive.keep(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert archive.read(digest) == data
    assert archive.has(digest)
    assert archive.verify(digest)
    assert archive.size(digest) == len(data)
    with archive.open(digest) as file:
        assert file.read() == data


def test_an_open_payload_can_be_searched_in(archive: Archive) -> None:
    with archive.open(archive.keep(LARGE)) as file:
        for start, length in ((PIECE - 3, 6), (0, 1), (3 * PIECE, 100), (len(LARGE) - 1, 5), (2 * PIECE, PIECE)):
            assert file.seek(start) == start
            assert file.read(length) == LARGE[start : start + length]
        assert file.seek(0, os.SEEK_END) == len(LARGE)


def test_keeping_the_same_again_keeps_it_once(archive: Archive) -> None:
    first = archive.keep(b"one")
    assert archive.keep_many([b"one", b"two", b"one"]) == [first, archive.keep(b"two"), first]
    assert archive.keep_stream([b"o", b"ne"]) == (first, 3)
    assert archive.keep_stream([LARGE]) == archive.keep_stream([LARGE[:5], LARGE[5:]])
    assert sorted(stored.sha256 for stored in archive.stored()) == sorted({first, archive.keep(b"two"), archive.keep(LARGE)})


def test_many_are_kept_at_once(archive: Archive) -> None:
    payloads = [b"payload %d" % number for number in range(150)] + [LARGE, b""]
    digests = archive.keep_many(payloads)
    assert [archive.read(digest) for digest in digests] == payloads
    assert {stored.sha256: stored.size for stored in archive.stored()} == {digest: len(data) for digest, data in zip(digests, payloads, strict=True)}


def test_a_stream_is_kept_and_opened_without_holding_it(archive: Archive, request: pytest.FixtureRequest) -> None:
    def chunks() -> Iterator[bytes]:
        for number in range(240):
            yield number.to_bytes(2, "big") * (64 << 9)

    if "memory" in request.node.name:
        pytest.skip("a store in memory holds what it stores")
    if "s3" in request.node.name:
        pytest.skip("the S3 server of the tests holds it, in this very process")
    tracemalloc.start()
    digest, size = archive.keep_stream(chunks())
    with archive.open(digest) as file:
        while file.read(1 << 18):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 240 << 16
    assert most < 8 << 20
    assert archive.verify(digest)


@pytest.mark.parametrize("begin", [b"begin", LARGE], ids=["small", "large"])
def test_a_source_that_breaks_leaves_nothing(archive: Archive, begin: bytes) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield begin
        raise ConnectionError

    with pytest.raises(ConnectionError):
        archive.keep_stream(broken())
    assert held(archive) == set()
    assert archive.clear_incoming(older_than=time.time() + 60) == 0


@pytest.mark.parametrize("data", [b"whole", LARGE], ids=["small", "large"])
def test_what_was_cut_short_is_told_and_written_anew(archive: Archive, spoil: Spoil, data: bytes) -> None:
    digest = archive.keep(data)
    spoil(digest, b"wh")
    assert not archive.verify(digest)
    with pytest.raises(ArchiveMissing, match="altered"):
        archive.read(digest)
    archive.keep(data)
    assert archive.verify(digest)
    assert archive.read(digest) == data


def test_what_was_altered_is_told(archive: Archive, spoil: Spoil) -> None:
    digest = archive.keep(b"9.25 EUR")
    spoil(digest, b"9.99 EUR")
    assert archive.has(digest)
    assert not archive.verify(digest)
    with pytest.raises(ArchiveMissing, match="altered"):
        archive.read(digest)


def test_what_is_missing_is_told_plainly(archive: Archive) -> None:
    digest = hashlib.sha256(b"never").hexdigest()
    assert not archive.has(digest)
    assert not archive.verify(digest)
    for read in (archive.read, archive.open, archive.size):
        with pytest.raises(ArchiveMissing, match=digest):
            read(digest)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" * 64])
def test_no_name_leads_out_of_the_archive(archive: Archive, name: str) -> None:
    for ask in (archive.read, archive.open, archive.has, archive.verify, archive.size, archive.remove):
        with pytest.raises(ValueError, match="64 hexadecimal digits"):
            ask(name)


@pytest.mark.parametrize("data", [b"forgotten", LARGE], ids=["small", "large"])
def test_what_is_removed_is_gone_and_can_come_again(archive: Archive, data: bytes) -> None:
    digest = archive.keep(data)
    other = archive.keep(b"stays")
    assert not archive.remove(digest, older_than=time.time() - 3600)
    assert archive.remove(digest, older_than=time.time() + 3600)
    assert not archive.remove(digest)
    assert not archive.has(digest)
    assert held(archive) == {other}
    assert archive.read(archive.keep(data)) == data


def test_threads_may_keep_the_same_bytes_at_once(archive: Archive) -> None:
    payloads = [b"%d" % number for number in range(20)] + [LARGE]
    threads = [threading.Thread(target=archive.keep_many, args=(payloads,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(archive.stored())) == 21
    assert all(archive.verify(hashlib.sha256(data).hexdigest()) for data in payloads)
