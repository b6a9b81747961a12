"""What comes in from a mailbox comes in once, whole, in order, whatever the mailbox does."""

import errno
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest

from gateway.pipeline.arriving import fetching
from gateway.pipeline.arriving import handing_in
from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.arriving.large_files import spool_of
from gateway.pipeline.outbox.boxes import make_box
from gateway.pipeline.station import Station
from gateway.store.incoming import holds
from gateway.store.incoming import left_behind
from gateway.store.incoming import transmissions
from gateway.store.incoming.transmissions import Transmission
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.watching import troubles
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import OneByOne
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.sftp import SftpBox
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.openssh import running_openssh
from tests.transport.relay import Relay

ADDRESS = "folder:boxes/acme/out"


@dataclass
class Shelf(OneByOne):
    """A mailbox in memory: files by name, what cannot be removed, and after how many bytes the line breaks."""

    files: dict[str, bytes] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    breaks_after: int | None = None
    fetched: list[tuple[str, int]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    far: bool = True
    listings: int = 0

    @property
    def is_far(self) -> bool:
        return self.far

    def list_ready(self) -> list[Found]:
        self.listings += 1
        return [Found(name=name, identity=f"/out/{name}|{len(data)}|1", size=len(data)) for name, data in self.files.items()]

    def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]:
        self.fetched.append((found.name, offset))
        data = self.files[found.name]
        for start in range(offset, len(data), 1 << 18):
            if self.breaks_after is not None and start - offset >= self.breaks_after:
                raise Unreachable("the line broke")
            yield data[start : start + (1 << 18)]

    def checksum(self, found: Found) -> str | None:
        return self.digests.get(found.name)

    def remove(self, found: Found) -> None:
        if found.name in self.stuck:
            raise FileTrouble(f'the file "{found.name}" cannot be removed: Permission denied', retry=True)
        self.files.pop(found.name, None)

    def send(self, name: str, data: bytes) -> None:
        raise AssertionError("nothing is sent here")

    def close(self) -> None:
        """Nothing is open."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def came(world: World) -> list[Transmission]:
    with world.station.database.read() as connection:
        return sorted(transmissions.search(connection, limit=1000), key=lambda one: one.seq)


def standing(world: World) -> list[str]:
    with world.station.database.read() as connection:
        return [f"{trouble.name}: {trouble.error}" for trouble in troubles.standing(connection)]


def test_files_come_in_as_they_were_listed_small_and_large_ones(world: World) -> None:
    large = os.urandom(fetching.STREAMED)
    shelf = Shelf({"b": b"one", "large": large, "a": b"two", "empty": b""})
    assert fetching.poll(world.station, ADDRESS, shelf)
    assert [(one.name, one.size) for one in came(world)] == [("b", 3), ("large", len(large)), ("a", 3), ("empty", 0)]
    assert world.station.archive.read(came(world)[1].sha256) == large
    assert shelf.files == {} and list(spool_of(world.station).iterdir()) == []


def test_one_look_lists_once_whatever_lies_there(world: World) -> None:
    files = {f"{number:03d}.edi": b"order %d" % number for number in range(120)}
    shelf = Shelf({**files, "large": bytes(fetching.STREAMED), "stuck": b"x"}, stuck={"stuck"})
    in_the_way = FilesInTheWay(world.station, ADDRESS, clock=Clock())
    assert fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    assert len(came(world)) == 122 and list(shelf.files) == ["stuck"] and shelf.listings == 1
    assert not fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way) and shelf.listings == 2


def test_a_large_file_of_a_folder_goes_straight_into_the_archive(world: World) -> None:
    large = os.urandom(fetching.STREAMED)
    assert fetching.poll(world.station, ADDRESS, Shelf({"large": large}, far=False))
    assert world.station.archive.read(came(world)[0].sha256) == large and not spool_of(world.station).exists()


def test_a_file_that_cannot_be_removed_is_taken_once_and_read_again_only_before_it_is_removed(world: World) -> None:
    shelf = Shelf({"po.edi": b"order", "other": b"x"}, stuck={"po.edi"})
    clock = Clock()
    in_the_way = FilesInTheWay(world.station, ADDRESS, clock=clock)
    assert fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    for _ in range(3):
        clock.now += 40
        for _ in range(20):
            assert not fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    assert standing(world) == [f'files {ADDRESS}: the file "po.edi" cannot be removed: Permission denied']
    # another process knows nothing but the database
    assert not fetching.poll(world.station, ADDRESS, shelf)
    assert [name for name, _ in shelf.fetched] == ["po.edi", "other", *["po.edi"] * 4]
    assert [one.name for one in came(world)] == ["po.edi", "other"]
    shelf.stuck.clear()
    clock.now += 4000
    fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    assert shelf.files == {} and standing(world) == []
    with world.station.database.read() as connection:
        assert left_behind.of(connection, ADDRESS) == set()


def test_another_file_of_the_same_name_size_and_second_in_the_place_of_one_that_was_left_is_not_removed_unread(world: World) -> None:
    shelf = Shelf({"po.edi": b"order", "large": bytes(fetching.STREAMED)}, stuck={"po.edi", "large"})
    clock = Clock()
    in_the_way = FilesInTheWay(world.station, ADDRESS, clock=clock)
    fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    shelf.files = {"po.edi": b"other", "large": b"x" * fetching.STREAMED}
    shelf.stuck.clear()
    clock.now += 61
    fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
    assert list(shelf.files) == [] and len(came(world)) == 4
    assert {world.station.archive.read(one.sha256) for one in came(world) if one.name == "po.edi"} == {b"order", b"other"}
    with world.station.database.read() as connection:
        assert left_behind.of(connection, ADDRESS) == set()


def test_the_same_name_after_the_file_went_by_itself_is_a_new_file(world: World) -> None:
    shelf = Shelf({"po.edi": b"order"}, stuck={"po.edi"})
    fetching.poll(world.station, ADDRESS, shelf)
    del shelf.files["po.edi"]
    fetching.poll(world.station, ADDRESS, shelf)
    shelf.files["po.edi"] = b"other"
    fetching.poll(world.station, ADDRESS, shelf)
    assert [world.station.archive.read(one.sha256) for one in came(world)] == [b"order", b"other"]


def test_a_large_file_goes_on_where_the_line_broke(world: World) -> None:
    large = os.urandom(40 << 20)
    shelf = Shelf({"large": large}, breaks_after=18 << 20)
    with pytest.raises(Unreachable):
        fetching.poll(world.station, ADDRESS, shelf)
    with pytest.raises(Unreachable):
        fetching.poll(world.station, ADDRESS, shelf)
    assert fetching.poll(world.station, ADDRESS, shelf)
    offsets = [offset for _, offset in shelf.fetched]
    assert offsets[0] == 0 and offsets[1] > 17 << 20 and offsets[2] > 34 << 20
    [transmission] = came(world)
    assert world.station.archive.read(transmission.sha256) == large
    assert list(spool_of(world.station).iterdir()) == []


def test_a_large_file_whose_bytes_are_others_is_begun_anew(world: World) -> None:
    shelf = Shelf({"large": os.urandom(20 << 20)}, breaks_after=10 << 20)
    with pytest.raises(Unreachable):
        fetching.poll(world.station, ADDRESS, shelf)
    shelf.breaks_after = None
    shelf.files["large"] = other = os.urandom(20 << 20)  # same size and, by the second, same time
    assert fetching.poll(world.station, ADDRESS, shelf)
    assert world.station.archive.read(came(world)[0].sha256) == other


@pytest.mark.parametrize("size", [5, fetching.STREAMED])
def test_a_file_that_does_not_fit_its_checksum_stays_and_stops_no_other(world: World, size: int) -> None:
    shelf = Shelf({"bad": b"x" * size, "good": b"good"}, digests={"bad": "0" * 64})
    clock = Clock()
    in_the_way = FilesInTheWay(world.station, ADDRESS, clock=clock)
    for _ in range(2):
        fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way)
        clock.now += 10
    assert [one.name for one in came(world)] == ["good"] and list(shelf.files) == ["bad"]
    assert "does not fit its checksum" in standing(world)[0]


def test_an_empty_file_waits_for_a_person(world: World) -> None:
    fetching.poll(world.station, ADDRESS, Shelf({"po.edi": b""}))
    world.settle()
    [transmission] = came(world)
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert (transmission.state, [problem.code for problem in hold.reasons]) == ("unreadable", ["FILE-EMPTY"])


def test_an_empty_file_that_is_agreed_to_mean_nothing_is_written_down_and_done(world: World) -> None:
    fetching.poll(world.station, ADDRESS, Shelf({"po.edi": b"", "po2.edi": x12_order("PO2")}), empty="take")
    world.settle()
    assert [one.state for one in came(world)] == ["done", "done"]
    with world.station.database.read() as connection:
        assert holds.list_open(connection) == []


def test_a_disk_of_ours_that_is_full_leaves_everything_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: FolderArchive, chunks: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    for verb in ("keep_many", "keep_stream"):
        monkeypatch.setattr(FolderArchive, verb, full)
    for data in (b"x", b"x" * fetching.STREAMED):
        shelf = Shelf({"po.edi": data})
        with pytest.raises(TransportError, match="No space left on device") as caught:
            fetching.poll(world.station, ADDRESS, shelf)
        assert caught.value.retry and shelf.files and came(world) == []


def test_a_visit_ends_after_so_many_files_and_the_next_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LONGEST_POLL", 3)
    shelf = Shelf({f"{number}": b"x%d" % number for number in range(7)}, stuck={"0", "1"})
    in_the_way = FilesInTheWay(world.station, ADDRESS)
    assert [fetching.poll(world.station, ADDRESS, shelf, in_the_way=in_the_way) for _ in range(4)] == [True, True, True, False]
    assert [one.name for one in came(world)] == [str(number) for number in range(7)]


def test_the_keys_of_an_endpoint_reach_its_box(tmp_path: Path) -> None:
    text = ACME.replace(
        "send_to: boxes/acme/in}",
        "send_to: boxes/acme/in, settle: 0, only: '*.edi', ignore: [x*], ready: done_file, after: archive, archive_to: old}",
    )
    world = World(tmp_path, partners={"acme": text})
    out = tmp_path / "boxes/acme/out"
    for name in ("po.edi", "po.edi.done", "po2.edi", "x.edi", "x.edi.done", "po.csv", "po.csv.done"):
        (out / name).write_bytes(b"x")
    endpoint = world.station.installation.directory.partners["acme"].partner.endpoints["box"]
    box = make_box(world.station.installation, endpoint)
    assert fetching.poll(world.station, endpoint.address, box, empty=endpoint.empty)
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["po.edi"]
    assert sorted(os.listdir(out)) == ["po.csv", "po.csv.done", "po2.edi", "x.edi", "x.edi.done"]
    world.close()


def test_a_large_file_is_never_whole_in_memory(world: World) -> None:
    size = 120 << 20

    class Endless(Shelf):
        def list_ready(self) -> list[Found]:
            return [Found(name="large", identity="large", size=size)] if self.files else []

        def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]:
            for start in range(0, size, 1 << 18):
                yield start.to_bytes(8) * (1 << 15)

    fetching.poll(world.station, ADDRESS, Shelf({"po.edi": b"x"}))
    tracemalloc.start()
    try:
        assert fetching.poll(world.station, ADDRESS, Endless({"large": b""}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20
    assert came(world)[1].size == size


def test_what_was_taken_in_a_mailbox_that_is_no_longer_ours_stays_for_whoever_looks_there_now(world: World) -> None:
    files = {f"{number:03d}.edi": b"order %d" % number for number in range(120)}
    shelf = Shelf(dict(files))
    assert not fetching.poll(world.station, ADDRESS, shelf, is_ours=lambda: False)
    assert shelf.files == files and len(came(world)) == fetching.BATCH_FILES, "and the visit ends"
    assert fetching.poll(world.station, ADDRESS, shelf)
    assert shelf.files == {} and len(came(world)) == 120
    own = Shelf({"camt.xml": b"<a/>"})
    handing_in.poll_folder(world.station, "bank", own, FilesInTheWay(world.station, "bank:inbox/bank"), lambda: False)
    assert list(own.files) == ["camt.xml"]


def test_a_file_of_our_own_systems_that_we_fail_at_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    really = handing_in._hand_in

    def failing(station: Station, kind: str, found: Found, data: bytes) -> None:
        if data == b"bad":
            raise KeyError("a fault of ours")
        really(station, kind, found, data)

    monkeypatch.setattr(handing_in, "_hand_in", failing)
    shelf = Shelf({"1": b"bad", "2": b"good"})
    in_the_way = FilesInTheWay(world.station, "bank:inbox/bank")
    assert handing_in.poll_folder(world.station, "bank", shelf, in_the_way)
    assert [one.name for one in came(world)] == ["2"] and list(shelf.files) == ["1"], "it lies there until we are mended"


def test_a_file_of_our_own_systems_that_cannot_be_removed_is_handed_in_once_and_stops_no_other(world: World) -> None:
    shelf = Shelf({"camt.xml": b"<a/>", "camt2.xml": b"<b/>"}, stuck={"camt.xml"})
    clock = Clock()
    in_the_way = FilesInTheWay(world.station, "bank:inbox/bank", clock=clock)
    for _ in range(3):
        handing_in.poll_folder(world.station, "bank", shelf, in_the_way)
        clock.now += 400
    assert [one.name for one in came(world)] == ["camt.xml", "camt2.xml"] and list(shelf.files) == ["camt.xml"]
    assert [name for name, _ in shelf.fetched] == ["camt.xml", "camt2.xml", "camt.xml", "camt.xml"]
    assert "cannot be removed" in standing(world)[0]
    shelf.stuck.clear()
    handing_in.poll_folder(world.station, "bank", shelf, in_the_way)
    assert shelf.files == {} and standing(world) == []


def test_a_large_file_at_a_real_server_goes_on_where_the_line_broke(world: World) -> None:
    large = os.urandom(40 << 20)
    with running_openssh() as server:
        (server.data / "out" / "large").write_bytes(large)
        relay = Relay(server.port)
        box = SftpBox(server.settings(port=relay.port))
        relay.breaks_after = 25 << 20
        with pytest.raises(Unreachable):
            fetching.poll(world.station, ADDRESS, box)
        relay.breaks_after, relay.passed = None, 0
        assert fetching.poll(world.station, ADDRESS, box)
        assert 15 << 20 < relay.passed < 30 << 20, "only what was missing"
        assert os.listdir(server.data / "out") == []
        box.close()
        relay.close()
    assert world.station.archive.read(came(world)[0].sha256) == large
