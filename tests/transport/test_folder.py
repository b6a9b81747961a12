"""The folder as a box, on a real disk."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.box import is_ignored
from gateway.transport.box import safe_name
from gateway.transport.folder import FolderBox
from gateway.transport.readiness import Rules
from tests.machine import PATIENCE


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(tmp_path: Path, clock: Clock) -> FolderBox:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return FolderBox(tmp_path / "in", tmp_path / "out", clock=clock)


def put_by_rename(folder: Path, name: str, data: bytes) -> None:
    temporary = folder / ".arriving"
    temporary.write_bytes(data)
    past = temporary.stat().st_mtime_ns - 10_000_000
    os.utime(temporary, ns=(past, past))  # as if written ten milliseconds ago: the kernel's clock ticks slower than a test
    temporary.rename(folder / name)


def names(found: list[Found]) -> list[str]:
    return [one.name for one in found]


def read(box: FolderBox, found: Found) -> bytes:
    return b"".join(box.fetch(found))


def test_renamed_file_is_ready_at_once(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"ISA")
    [found] = box.list_ready()
    assert (found.name, found.size) == ("po.edi", 3)
    assert read(box, found) == b"ISA"


def test_file_written_in_place_waits_until_it_stood_still_on_our_clock(box: FolderBox, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "in" / "po.edi"
    path.write_bytes(b"IS")
    assert box.list_ready() == []
    clock.now += 0.5
    assert box.list_ready() == []
    with path.open("ab") as file:
        file.write(b"A")  # still growing
    clock.now += 0.6
    assert box.list_ready() == []
    clock.now += 1.0
    assert names(box.list_ready()) == ["po.edi"]


def test_file_of_an_old_sender_time_still_waits_for_our_clock(box: FolderBox, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "in" / "po.edi"
    path.write_bytes(b"ISA")
    future = path.stat().st_mtime_ns + 10**15
    os.utime(path, ns=(future, future))
    assert box.list_ready() == []
    clock.now += 1.0
    assert names(box.list_ready()) == ["po.edi"]


def test_empty_file_with_changed_mode_is_not_ready_at_once(box: FolderBox, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "in" / "po.edi"
    path.touch()
    os.utime(path, ns=(1, 1))
    path.chmod(0o600)
    assert box.list_ready() == []
    clock.now += 14.0
    assert box.list_ready() == [], "it may just have been opened"
    clock.now += 1.0
    assert names(box.list_ready()) == ["po.edi"]


def test_hidden_and_unfinished_names_links_and_folders_are_ignored(box: FolderBox, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in (".po.edi", "a.tmp", "b.part", "c.filepart", "d.TMP"):
        put_by_rename(folder, name, b"x")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link.edi").symlink_to(tmp_path / "secret")
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe.edi")
    put_by_rename(folder, "po.edi", b"x")
    assert names(box.list_ready()) == ["po.edi"]


def test_oldest_file_comes_first(box: FolderBox, tmp_path: Path) -> None:
    for name, second in (("b", 30), ("a", 40), ("c", 20)):
        put_by_rename(tmp_path / "in", name, b"x")
        os.utime(tmp_path / "in" / name, ns=(second * 10**9, second * 10**9))
    assert names(box.list_ready()) == ["c", "b", "a"]


def test_identity_is_stable_and_new_for_a_new_file_of_the_same_name(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"one")
    [first] = box.list_ready()
    assert box.list_ready() == [first]
    put_by_rename(tmp_path / "in", "po.edi", b"two")
    [second] = box.list_ready()
    assert second.identity != first.identity


def test_file_that_grows_while_it_is_read_is_refused_at_the_end(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"x" * 300_000)
    [found] = box.list_ready()
    pieces = box.fetch(found)
    next(pieces)
    with (tmp_path / "in" / "po.edi").open("ab") as file:
        file.write(b"more")
    with pytest.raises(TransportError) as caught:
        list(pieces)
    assert caught.value.retry


def test_file_replaced_since_the_listing_is_neither_fetched_nor_removed(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"one")
    [found] = box.list_ready()
    put_by_rename(tmp_path / "in", "po.edi", b"two")
    with pytest.raises(TransportError):
        read(box, found)
    with pytest.raises(TransportError):
        box.remove(found)
    assert (tmp_path / "in" / "po.edi").read_bytes() == b"two"


def test_link_put_in_place_of_the_found_file_is_not_followed(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"one")
    [found] = box.list_ready()
    (tmp_path / "in" / "po.edi").unlink()
    (tmp_path / "in" / "po.edi").symlink_to("/etc/passwd")
    with pytest.raises(TransportError):
        read(box, found)


def test_removed_file_is_gone_and_removing_again_is_harmless(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"one")
    [found] = box.list_ready()
    box.remove(found)
    box.remove(found)
    assert box.list_ready() == []


def test_name_leading_out_of_the_folder_is_refused(box: FolderBox, tmp_path: Path) -> None:
    (tmp_path / "other.edi").write_bytes(b"x")
    outside = Found(name="../other.edi", identity="", size=1)
    for verb in (box.remove, lambda found: read(box, found)):
        with pytest.raises(TransportError):
            verb(outside)
    assert (tmp_path / "other.edi").exists()


def test_name_that_is_not_utf8_is_listed_fetched_and_removed(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", os.fsdecode(b"bestellung-\xfc.edi"), b"x")
    [found] = box.list_ready()
    assert found.name == "bestellung-ü.edi"
    assert read(box, found) == b"x"
    box.remove(found)
    assert box.list_ready() == []


def test_sent_file_appears_whole_and_the_same_again_is_harmless(box: FolderBox, tmp_path: Path) -> None:
    box.send("855-1.edi", b"ISA\n")
    box.send("855-1.edi", b"ISA\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["855-1.edi"]
    assert (tmp_path / "out" / "855-1.edi").read_bytes() == b"ISA\n"


def test_other_file_of_the_same_name_is_never_written_over(box: FolderBox, tmp_path: Path) -> None:
    box.send("855-1.edi", b"one")
    with pytest.raises(TransportError) as caught:
        box.send("855-1.edi", b"two")
    assert not caught.value.retry
    assert (tmp_path / "out" / "855-1.edi").read_bytes() == b"one"


def test_left_over_of_a_killed_try_is_replaced_and_links_are_not_written_through(box: FolderBox, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "out" / ".a.edi.tmp").symlink_to(precious)
    os.link(precious, tmp_path / "out" / ".b.edi.tmp")
    for name in ("a.edi", "b.edi"):
        box.send(name, b"new")
        assert (tmp_path / "out" / name).read_bytes() == b"new"
    assert precious.read_bytes() == b"precious"


def test_sent_name_cannot_leave_the_folder(box: FolderBox, tmp_path: Path) -> None:
    box.send("../../etc/cron.d/x", b"x")
    [written] = (tmp_path / "out").iterdir()
    assert written.parent == tmp_path / "out"
    assert not written.name.startswith(".")


def test_missing_folder_may_be_tried_again_and_send_to_is_made_only_when_told(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="is not there: make it, or mount it") as caught:
        FolderBox(tmp_path / "none").list_ready()
    assert caught.value.retry and not caught.value.stop
    with pytest.raises(TransportError):
        FolderBox(None, tmp_path / "new").send("a", b"x")
    FolderBox(None, tmp_path / "new" / "deep", create_send_to=True).send("a", b"x")
    assert (tmp_path / "new" / "deep" / "a").read_bytes() == b"x"


def test_one_way_box_says_so(tmp_path: Path) -> None:
    with pytest.raises(TransportError) as caught:
        FolderBox(tmp_path).send("a", b"x")
    assert not caught.value.retry
    with pytest.raises(TransportError) as caught:
        FolderBox(None, tmp_path).list_ready()
    assert not caught.value.retry


@given(st.text(max_size=300))
def test_safe_name_is_one_plain_component_and_stays_the_same(name: str) -> None:
    safe = safe_name(name)
    assert safe and "/" not in safe and "\\" not in safe and "\0" not in safe
    assert not is_ignored(safe)
    assert len(safe.encode()) <= 200
    assert safe_name(safe) == safe


def test_different_unsafe_names_stay_different() -> None:
    assert len({safe_name(name) for name in ("a/b.edi", "a_b.edi", "a\\b.edi", "a:b.edi", ".a_b.edi", "x/../a_b.edi")}) == 6
    assert safe_name("a/b.edi").endswith(".edi")
    assert safe_name("855-0001.edi") == "855-0001.edi"


def test_taken_files_are_moved_beside_earlier_ones_of_their_name(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "in").mkdir()
    box = FolderBox(tmp_path / "in", archive_to=tmp_path / "old", clock=clock)
    for number in range(3):
        put_by_rename(tmp_path / "in", "po.edi", f"order {number}".encode())
        [found] = box.list_ready()
        box.remove(found)
        box.remove(found)
        assert box.list_ready() == []
    kept = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    assert sorted(kept.values()) == [b"order 0", b"order 1", b"order 2"] and kept["po.edi"] == b"order 0"
    assert all(name.startswith("po") and name.endswith(".edi") for name in kept)


def test_a_move_that_was_cut_off_between_is_finished(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "old").mkdir()
    box = FolderBox(tmp_path / "in", archive_to=tmp_path / "old", clock=clock)
    put_by_rename(tmp_path / "in", "po.edi", b"order")
    os.link(tmp_path / "in" / "po.edi", tmp_path / "old" / "po.edi")
    [found] = box.list_ready()
    box.remove(found)
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["po.edi"] and box.list_ready() == []


def test_a_file_system_without_links_moves_by_rename_and_over_nothing(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object, **how: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    test_taken_files_are_moved_beside_earlier_ones_of_their_name(tmp_path, clock)


def test_done_file_goes_with_its_file_and_an_orphan_goes_alone(tmp_path: Path, clock: Clock) -> None:
    box = FolderBox(tmp_path, rules=Rules(settle_seconds=60, marker=".done"), clock=clock)
    (tmp_path / "po.edi").write_bytes(b"order")
    assert box.list_ready() == []
    (tmp_path / "po.edi.done").touch()
    (tmp_path / "gone.edi.done").touch()
    [found] = box.list_ready()
    assert read(box, found) == b"order"
    box.remove(found)
    assert os.listdir(tmp_path) == ["gone.edi.done"]
    clock.now += 61
    assert box.list_ready() == [] and os.listdir(tmp_path) == []


def test_checksum_file_is_read_and_one_without_a_digest_is_named(tmp_path: Path, clock: Clock) -> None:
    box = FolderBox(tmp_path, rules=Rules(marker=".md5", checksum=True), clock=clock)
    (tmp_path / "a.edi").write_bytes(b"abc")
    (tmp_path / "a.edi.md5").write_bytes(b"900150983cd24fb0d6963f7d28e17f72 *a.edi\n")
    [found] = box.list_ready()
    assert box.checksum(found) == "900150983cd24fb0d6963f7d28e17f72"
    (tmp_path / "a.edi.md5").write_bytes(b"soon")
    with pytest.raises(TransportError, match="a.edi.md5"):
        box.checksum(found)
    assert FolderBox(tmp_path, clock=clock).checksum(found) is None


def test_disk_that_is_full_leaves_no_half_file(box: FolderBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransportError, match="No space left on device") as caught:
        box.send("855-1.edi", b"one")
    assert caught.value.retry and os.listdir(tmp_path / "out") == []


def test_fetching_goes_on_at_an_offset(box: FolderBox, tmp_path: Path) -> None:
    put_by_rename(tmp_path / "in", "po.edi", b"0123456789")
    [found] = box.list_ready()
    assert b"".join(box.fetch(found, 7)) == b"789"


def test_fifty_thousand_entries_are_listed_in_bounded_time(box: FolderBox, tmp_path: Path, clock: Clock) -> None:
    folder = os.open(tmp_path / "in", os.O_RDONLY)
    for number in range(50_000):
        os.mknod(f"po-{number:05}.edi", 0o644, dir_fd=folder)
    os.close(folder)
    assert box.list_ready() == []
    clock.now += 15
    began = time.monotonic()
    assert len(box.list_ready()) == 50_000
    assert time.monotonic() - began < PATIENCE
