"""The SFTP box against a real OpenSSH server."""

import gc
import math
import os
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transport.box import Busy
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.checksum import fits
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from gateway.transport.sftp_permit import Permit
from gateway.transport.sftp_pool import SftpPool
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_settings import SftpSettings
from tests.machine import PATIENCE
from tests.transport.openssh import OpenSsh
from tests.transport.openssh import running_openssh
from tests.transport.relay import Relay


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSsh]:
    with running_openssh() as running:
        yield running


@pytest.fixture(scope="module")
def shared(server: OpenSsh) -> Iterator[SftpBox]:
    box = SftpBox(server.settings())
    yield box
    box.close()


@pytest.fixture
def box(server: OpenSsh, shared: SftpBox) -> SftpBox:
    """A box with empty folders; the connection is kept from test to test."""
    for folder in ("in", "out"):
        for path in os.listdir(os.fsencode(server.data / folder)):
            os.unlink(os.path.join(os.fsencode(server.data / folder), path))
    return shared


def idle(box: SftpBox) -> SftpSession:
    """The connection that is kept between two verbs."""
    [(session, _)] = box.pool._idle
    return session


def read(box: SftpBox, found: Found) -> bytes:
    return b"".join(box.fetch(found))


@pytest.mark.parametrize("size", [0, 1, 32_768, 32_769, 5_000_003])
def test_file_is_fetched_byte_for_byte(box: SftpBox, server: OpenSsh, size: int) -> None:
    data = os.urandom(size)
    (server.data / "out" / "po.edi").write_bytes(data)
    [found] = box.list_ready()
    assert found.size == size
    assert read(box, found) == data


def test_removed_file_is_gone_and_removing_again_is_harmless(box: SftpBox, server: OpenSsh) -> None:
    (server.data / "out" / "po.edi").write_bytes(b"ISA")
    [found] = box.list_ready()
    box.remove(found)
    box.remove(found)
    assert box.list_ready() == []


def test_growing_file_waits_until_it_stood_still_on_our_clock(box: SftpBox, server: OpenSsh) -> None:
    clock = Clock()
    patient = SftpBox(server.settings(rules=Rules(settle_seconds=2.0)), clock=clock)
    path = server.data / "out" / "po.edi"
    path.write_bytes(b"IS")
    os.utime(path, (1, 1))  # the sender kept an old time: no sign that it is complete
    assert patient.list_ready() == [] and patient.unsettled()
    clock.now += 1.5
    path.write_bytes(b"ISA")
    assert patient.list_ready() == []
    clock.now += 1.5
    assert patient.list_ready() == []
    clock.now += 0.6
    assert [found.name for found in patient.list_ready()] == ["po.edi"]
    assert not patient.unsettled()
    patient.close()


def test_file_that_grows_or_shrinks_while_it_is_read_is_refused_at_the_end(box: SftpBox, server: OpenSsh) -> None:
    path = server.data / "out" / "po.edi"
    for change in (lambda: path.open("ab").write(b"more"), lambda: os.truncate(path, 3_000_000)):
        path.write_bytes(b"x" * 5_000_000)
        [found] = box.list_ready()
        pieces = box.fetch(found)
        next(pieces)
        change()
        with pytest.raises(TransportError) as caught:
            list(pieces)
        assert caught.value.retry and not caught.value.stop


def test_file_replaced_since_the_listing_is_neither_fetched_nor_removed(box: SftpBox, server: OpenSsh) -> None:
    path = server.data / "out" / "po.edi"
    path.write_bytes(b"one")
    [found] = box.list_ready()
    path.write_bytes(b"another")
    with pytest.raises(TransportError):
        read(box, found)
    with pytest.raises(TransportError):
        box.remove(found)
    assert path.read_bytes() == b"another"


def test_file_gone_since_the_listing_keeps_the_connection(box: SftpBox, server: OpenSsh) -> None:
    path = server.data / "out" / "po.edi"
    path.write_bytes(b"one")
    [found] = box.list_ready()
    path.unlink()
    session = idle(box)
    with pytest.raises(TransportError):
        read(box, found)
    assert box.list_ready() == [] and idle(box) is session


def test_hidden_and_unfinished_names_links_and_folders_are_ignored(box: SftpBox, server: OpenSsh) -> None:
    folder = server.data / "out"
    for name in (".po.edi", "a.tmp", "b.part", "c.filepart"):
        (folder / name).write_bytes(b"x")
    (folder / "link.edi").symlink_to("/etc/passwd")
    (folder / "sub").mkdir()
    (folder / "po.edi").write_bytes(b"x")
    try:
        assert [found.name for found in box.list_ready()] == ["po.edi"]
    finally:
        (folder / "sub").rmdir()


def test_name_that_is_not_utf8_does_not_block_the_others(box: SftpBox, server: OpenSsh) -> None:
    raw = os.path.join(os.fsencode(server.data / "out"), b"bestellung-\xfc.edi")
    Path(os.fsdecode(raw)).write_bytes(b"x")
    (server.data / "out" / "bestellung-ü.txt").write_bytes(b"y")
    assert {found.name: read(box, found) for found in box.list_ready()} == {"bestellung-ü.edi": b"x", "bestellung-ü.txt": b"y"}
    for found in box.list_ready():
        box.remove(found)
    assert os.listdir(server.data / "out") == []


def test_fifty_thousand_entries_are_listed_in_bounded_time_and_memory(box: SftpBox, server: OpenSsh) -> None:
    folder = os.open(server.data / "out", os.O_RDONLY)
    for number in range(50_000):
        os.mknod(f"po-{number:05}.edi", 0o644, dir_fd=folder)
    os.close(folder)
    began = time.monotonic()
    ready = box.list_ready()
    assert len(ready) == 50_000 and ready[0].name == "po-00000.edi"
    assert time.monotonic() - began < 2 * PATIENCE
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):
        assert len(box.list_ready()) == 50_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 64 << 10, "a listing takes the place of the one before"


@pytest.mark.parametrize("connections", [1, 4])
def test_many_small_files_are_fetched_in_their_order_and_removed(box: SftpBox, server: OpenSsh, connections: int) -> None:
    far = SftpBox(server.settings(connections=connections))
    wanted = {f"po-{number:03}.edi": os.urandom(number * 997) for number in range(120)}
    for at, (name, data) in enumerate(wanted.items()):
        (server.data / "out" / name).write_bytes(data)
        os.utime(server.data / "out" / name, (at, at))
    found = far.list_ready()
    (server.data / "out" / "po-003.edi").unlink()
    (server.data / "out" / "po-005.edi").write_bytes(b"another")
    got = far.fetch_many(found)
    assert [found[at].name for at, one in enumerate(got) if isinstance(one, FileTrouble)] == ["po-003.edi", "po-005.edi"]
    assert all(one == data for one, data in zip(got, wanted.values(), strict=True) if isinstance(one, bytes))
    told = far.remove_many(found)
    assert [one for one in told if one is not None] == [told[5]] and os.listdir(server.data / "out") == ["po-005.edi"]
    far.close()


def test_files_that_are_too_short_or_that_we_may_not_read_stop_no_other(box: SftpBox, server: OpenSsh) -> None:
    for name in ("a", "b", "c"):
        (server.data / "out" / name).write_bytes(b"x" * 100_000)
    found = box.list_ready()
    os.truncate(server.data / "out" / "a", 10)
    (server.data / "out" / "b").chmod(0)
    session = idle(box)
    got = box.fetch_many(found)
    assert isinstance(got[0], FileTrouble) and got[2] == b"x" * 100_000 and idle(box) is session
    if (server.data / "out" / "b").stat().st_uid != (server.home / "data").stat().st_uid:
        assert isinstance(got[1], FileTrouble) and "ermission" in got[1].message


def test_fetching_goes_on_at_an_offset(box: SftpBox, server: OpenSsh) -> None:
    data = os.urandom(200_000)
    (server.data / "out" / "po.edi").write_bytes(data)
    [found] = box.list_ready()
    assert b"".join(box.fetch(found, 70_001)) == data[70_001:]


def test_taken_files_are_moved_beside_earlier_ones_of_their_name(box: SftpBox, server: OpenSsh) -> None:
    (server.data / "old").mkdir(exist_ok=True)
    os.chmod(server.data / "old", 0o777)
    keeping = SftpBox(server.settings(archive_to=f"{server.data}/old"))
    for number in range(3):
        (server.data / "out" / "po.edi").write_bytes(b"order %d" % number)
        os.utime(server.data / "out" / "po.edi", (number, number))
        assert keeping.remove_many(keeping.list_ready()) == [None]
    kept = {path.name: path.read_bytes() for path in (server.data / "old").iterdir()}
    assert sorted(kept.values()) == [b"order 0", b"order 1", b"order 2"] and kept["po.edi"] == b"order 0"
    (server.data / "out" / "po.edi").write_bytes(b"order")
    lost = SftpBox(server.settings(archive_to=f"{server.data}/none"))
    [trouble] = lost.remove_many(lost.list_ready())
    assert trouble is not None and "cannot be moved" in trouble.message and (server.data / "out" / "po.edi").exists()
    keeping.close()
    lost.close()


def test_folder_that_we_may_not_write_is_told_by_file_and_keeps_the_connection(box: SftpBox, server: OpenSsh) -> None:
    out = server.data / "out"
    (out / "po.edi").write_bytes(b"order")
    found = box.list_ready()
    owner = out.stat()
    os.chown(out, 0, 0) if os.geteuid() == 0 else None
    out.chmod(0o555)
    session = idle(box)
    try:
        [told] = box.remove_many(found)
        assert told is not None and told.retry and "ermission denied" in told.message and idle(box) is session
        with pytest.raises(TransportError, match="ermission denied"):
            SftpBox(server.settings(send_to=str(out))).send("a.edi", b"x")
    finally:
        os.chown(out, owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None
        out.chmod(0o755)


def test_done_file_goes_with_its_file(box: SftpBox, server: OpenSsh) -> None:
    out = server.data / "out"
    careful = SftpBox(server.settings(rules=Rules(settle_seconds=60, marker=".sha256", checksum=True)))
    for name in ("a.edi", "b.edi"):
        (out / name).write_bytes(b"abc")
    (out / "a.edi.sha256").write_text("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.edi\n")
    [found] = careful.list_ready()
    assert careful.fetch_many([found]) == [b"abc"] and fits(careful.checksum(found) or "", [b"abc"])
    assert careful.remove_many([found]) == [None]
    assert os.listdir(out) == ["b.edi"]
    raw = os.path.join(os.fsencode(out), b"bestellung-\xfc.edi")
    Path(os.fsdecode(raw)).write_bytes(b"abc")
    Path(os.fsdecode(raw + b".sha256")).write_bytes(b"900150983cd24fb0d6963f7d28e17f72")
    [found] = careful.list_ready()
    assert fits(careful.checksum(found) or "", [b"abc"])
    assert careful.remove_many([found]) == [None] and os.listdir(out) == ["b.edi"]
    careful.close()


def test_sent_file_appears_whole_and_the_same_again_is_harmless(box: SftpBox, server: OpenSsh) -> None:
    data = os.urandom(300_000)
    box.send("855-1.edi", data)
    box.send("855-1.edi", data)
    assert os.listdir(server.data / "in") == ["855-1.edi"]
    assert (server.data / "in" / "855-1.edi").read_bytes() == data


def test_other_file_of_the_same_name_is_never_written_over(box: SftpBox, server: OpenSsh) -> None:
    box.send("855-1.edi", b"one")
    with pytest.raises(TransportError) as caught:
        box.send("855-1.edi", b"two")
    assert not caught.value.retry
    assert (server.data / "in" / "855-1.edi").read_bytes() == b"one"


def test_sent_and_fetched_names_cannot_leave_their_folder(box: SftpBox, server: OpenSsh) -> None:
    box.send("../out/x.edi", b"x")
    assert os.listdir(server.data / "out") == []
    for name in ("../sshd_config", "..", ""):
        with pytest.raises(TransportError) as caught:
            read(box, Found(name=name, identity="", size=1))
        assert not caught.value.retry


def test_left_over_of_a_killed_try_is_replaced(box: SftpBox, server: OpenSsh) -> None:
    (server.data / "in" / ".a.edi.tmp").write_bytes(b"half of something much longer")
    os.chmod(server.data / "in" / ".a.edi.tmp", 0o666)
    box.send("a.edi", b"new")
    assert {path.name: path.read_bytes() for path in (server.data / "in").iterdir()} == {"a.edi": b"new"}


def test_folder_that_is_missing_may_be_tried_again(box: SftpBox, server: OpenSsh) -> None:
    other = SftpBox(server.settings(folder=f"{server.data}/none", send_to=f"{server.data}/none"))
    for verb in (other.list_ready, lambda: other.send("a", b"x")):
        with pytest.raises(TransportError) as caught:
            verb()
        assert caught.value.retry and not caught.value.stop
    other.close()


def test_disk_of_the_partner_that_is_full_is_named_with_what_is_free(server: OpenSsh) -> None:
    small = server.data / "small"
    small.mkdir()
    owner = server.data.stat()
    options = f"size=256k,uid={owner.st_uid},gid={owner.st_gid}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", small], capture_output=True).returncode:
        small.rmdir()
        pytest.skip("needs a machine that may mount a small file system")
    box = SftpBox(server.settings(send_to=str(small)))
    try:
        with pytest.raises(TransportError, match=r"no room in .*: 262,144 bytes are free, 300,000 are needed") as caught:
            box.send("a.edi", os.urandom(300_000))
        assert caught.value.retry and not caught.value.stop and os.listdir(small) == []
        box.send("b.edi", b"small")
        assert os.listdir(small) == ["b.edi"]
    finally:
        box.close()
        subprocess.run(["umount", small], check=True)
        small.rmdir()


def test_changed_host_key_stops_the_endpoint_before_anything_is_told(server: OpenSsh) -> None:
    pin = "SHA256:" + "A" * 43
    box = SftpBox(server.settings(host_keys=(pin,)))
    with pytest.raises(TransportError) as caught:
        box.list_ready()
    assert caught.value.stop and not caught.value.retry
    assert pin in caught.value.message and server.fingerprint("ed25519") in caught.value.message and server.fingerprint("rsa") in caught.value.message
    assert "Accepted publickey" not in (server.home / "sshd.log").read_text().splitlines()[-1]


def test_any_pin_of_several_and_of_any_kind_is_good(server: OpenSsh) -> None:
    for pins in (("SHA256:" + "A" * 43, server.fingerprint("ed25519")), (server.fingerprint("rsa"),), (server.fingerprint("rsa") + "=",)):
        box = SftpBox(server.settings(host_keys=pins))
        box.list_ready()
        box.close()


@pytest.mark.parametrize("pins", [(), ("MD5:00:11",), ("SHA256:short",), ("SHA256:\u00fc",)])
def test_missing_or_unreadable_pin_stops_the_endpoint(server: OpenSsh, pins: tuple[str, ...]) -> None:
    with pytest.raises(TransportError) as caught:
        SftpBox(server.settings(host_keys=pins)).list_ready()
    assert caught.value.stop


def test_refused_login_stops_the_endpoint(server: OpenSsh, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger"], check=True)
    for changes in ({"key": (tmp_path / "stranger").read_bytes()}, {"key": None, "password": "wrong"}, {"key": None}):
        with pytest.raises(TransportError) as caught:
            SftpBox(server.settings(**changes)).list_ready()
        assert caught.value.stop and not caught.value.retry
        assert "wrong" not in caught.value.message


def test_unreadable_private_key_stops_the_endpoint_and_is_not_shown(server: OpenSsh) -> None:
    settings = server.settings(key=b"-----BEGIN NONSENSE hunter2", password="hunter2")
    assert "hunter2" not in repr(settings)
    with pytest.raises(TransportError) as caught:
        SftpBox(settings).list_ready()
    assert caught.value.stop and "hunter2" not in caught.value.message


@pytest.mark.parametrize("kind", [["rsa", "-b", "2048"], ["ecdsa"]])
def test_rsa_and_ecdsa_client_keys_are_read_in_both_forms(server: OpenSsh, tmp_path: Path, kind: list[str]) -> None:
    for form in (["-m", "PEM"], []):
        path = tmp_path / f"key{len(form)}"
        subprocess.run(["ssh-keygen", "-q", "-t", *kind, *form, "-N", "", "-f", path], check=True)
        with pytest.raises(TransportError) as caught:
            SftpBox(server.settings(key=path.read_bytes())).list_ready()
        assert "refused the login" in caught.value.message  # read, tried, but not entitled


def test_key_with_a_passphrase_is_read_and_a_missing_one_is_asked_for(server: OpenSsh, tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.write_bytes((server.home / "client").read_bytes())
    path.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "hunter2", "-f", path], check=True)
    box = SftpBox(server.settings(key=path.read_bytes(), key_password="hunter2"))
    box.list_ready()
    box.close()
    for wrong, words in ((None, "is encrypted: name its passphrase"), ("hunter3", "env:KEY_OF_ACME is not the right one")):
        named = server.settings(key=path.read_bytes(), key_password=wrong, key_name="file:keys/acme", passphrase_name="env:KEY_OF_ACME")
        with pytest.raises(TransportError, match=words) as caught:
            SftpBox(named).list_ready()
        assert caught.value.stop and caught.value.message.startswith("file:keys/acme for") and "hunter" not in caught.value.message


def test_a_port_that_nobody_listens_at_is_not_reached(server: OpenSsh) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=f"^127.0.0.1, port {port} cannot be reached: Connection refused$"):
            SftpBox(server.settings(port=port)).list_ready()


def test_rsa_with_sha1_is_taken_only_where_it_is_agreed(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "old"], check=True)
    algorithms = "HostKeyAlgorithms ssh-rsa\nPubkeyAcceptedAlgorithms ssh-rsa"
    with running_openssh(algorithms, host_keys=("rsa",)) as old:
        (old.home / "client.pub").write_bytes((tmp_path / "old.pub").read_bytes())
        settings = old.settings(key=(tmp_path / "old").read_bytes(), host_keys=(old.fingerprint("rsa"),))
        with pytest.raises(TransportError, match="no SSH algorithm in common") as caught:
            SftpBox(settings).list_ready()
        assert caught.value.stop
        box = SftpBox(replace(settings, sha1=True))
        (old.data / "out" / "po.edi").write_bytes(b"ISA")
        assert [read(box, found) for found in box.list_ready()] == [b"ISA"]
        box.close()


def test_nobody_there_may_be_tried_again(server: OpenSsh) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError) as caught:
            SftpBox(server.settings(port=closed.getsockname()[1])).list_ready()
    assert caught.value.retry and not caught.value.stop


def test_silent_server_is_given_up_in_time(server: OpenSsh) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(TransportError) as caught:
            SftpBox(server.settings(port=silent.getsockname()[1], timeout_seconds=0.3)).list_ready()
    assert caught.value.retry


@pytest.fixture
def relay(server: OpenSsh) -> Iterator[Relay]:
    wire = Relay(server.port)
    yield wire
    wire.close()


def test_line_that_breaks_in_mid_read_is_retried_on_a_new_connection(box: SftpBox, server: OpenSsh, relay: Relay) -> None:
    (server.data / "out" / "po.edi").write_bytes(b"x" * 8_000_000)
    far = SftpBox(server.settings(port=relay.port))
    [found] = far.list_ready()
    pieces = far.fetch(found)
    next(pieces)
    relay.cut()
    with pytest.raises(TransportError) as caught:
        list(pieces)
    assert caught.value.retry and not caught.value.stop
    assert read(far, found) == b"x" * 8_000_000
    far.close()


def test_server_that_stops_answering_is_given_up_in_time(box: SftpBox, server: OpenSsh, relay: Relay) -> None:
    (server.data / "out" / "po.edi").write_bytes(b"x" * 8_000_000)
    far = SftpBox(server.settings(port=relay.port, timeout_seconds=0.5))
    [found] = far.list_ready()
    pieces = far.fetch(found)
    next(pieces)
    relay.deaf.set()
    with pytest.raises(TransportError) as caught:
        list(pieces)
    assert caught.value.retry
    relay.deaf.clear()
    assert read(far, found) == b"x" * 8_000_000
    far.close()


def test_connections_are_lent_kept_and_never_more_than_agreed(box: SftpBox, server: OpenSsh) -> None:
    pool = SftpPool(server.settings(connections=2))
    first, second = pool.take(), pool.take()
    with pytest.raises(Busy):
        pool.take(patience=0.01)
    assert pool.spare(3) == []
    pool.give_back(first)
    assert pool.take() is first
    second.close()
    pool.give_back(second)
    [third] = pool.spare(3)
    assert third is not second and third.is_alive()
    pool.give_back(first)
    pool.give_back(third)
    pool.tidy(60)
    assert first.is_alive()
    pool.close()
    assert not first.is_alive() and not third.is_alive()


def test_a_server_that_refuses_one_of_several_connections_keeps_the_others_lent_to_nobody(server: OpenSsh, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = SftpPool(server.settings(connections=4))
    own = pool.take()
    opened: list[SftpSession] = []

    def refused_at_last(settings: SftpSettings) -> SftpSession:
        if len(opened) == 2:
            raise ConnectionResetError("MaxStartups")
        opened.append(SftpSession(settings))
        return opened[-1]

    monkeypatch.setattr("gateway.transport.sftp_pool.SftpSession", refused_at_last)
    assert pool.spare(3) == opened and len(opened) == 2
    for session in (own, *opened):
        pool.give_back(session)
    monkeypatch.undo()
    lent = [pool.take(patience=0.0) for _ in range(4)]
    assert len(set(lent)) == 4
    for session in lent:
        pool.give_back(session)
    pool.close()


def test_who_waits_for_a_connection_gets_it_or_learns_that_the_login_was_refused(server: OpenSsh) -> None:
    pool = SftpPool(server.settings(key=None, password="wrong"))
    told: list[str] = []

    def knock() -> None:
        with pytest.raises(TransportError) as caught:
            SftpBox(server.settings(), pool=pool).list_ready()
        told.append(caught.value.message)

    def logins() -> int:
        return (server.home / "sshd.log").read_text().count("Connection closed by authenticating user")

    before = logins()
    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4 and all("refused the login" in one for one in told)
    assert logins() - before <= 4


def test_a_box_that_nobody_has_any_more_leaves_no_connection(server: OpenSsh) -> None:
    box = SftpBox(server.settings())
    box.list_ready()
    transport = idle(box)._transport
    del box
    gc.collect()
    assert not transport.is_active()


def test_sending_has_its_turn_while_many_files_are_fetched(box: SftpBox, server: OpenSsh) -> None:
    """One connection for both, as a partner may allow no more."""
    pool = SftpPool(server.settings())
    fetching, sending = SftpBox(server.settings(), pool=pool), SftpBox(server.settings(), pool=pool)
    (server.data / "out" / "po.edi").write_bytes(b"x" * 3_000_000)
    [found] = fetching.list_ready()
    pieces = fetching.fetch(found)
    next(pieces)
    sender = threading.Thread(target=sending.send, args=("a.edi", b"answer"))
    sender.start()
    assert sum(map(len, pieces)) < 3_000_000
    sender.join()
    assert (server.data / "in" / "a.edi").read_bytes() == b"answer"
    pool.close()


class AtMost:
    """What is agreed with the partner, of which another process may take ours."""

    def __init__(self) -> None:
        self.wanted = False
        self.listeners: list[Callable[[bool], None]] = []
        self.permit = Permit("one", 1, math.inf)
        self.given_back = threading.Event()

    def take(self, *, waits: bool) -> Permit | None:
        return self.permit

    def give_back(self, permit: Permit) -> None:
        self.given_back.set()


def test_not_a_word_passes_over_a_connection_that_is_anothers_meanwhile(server: OpenSsh) -> None:
    """A process wakes in the midst of a file: the server hears nothing more of it but that it hangs up."""
    places = AtMost()
    pool = SftpPool(server.settings(), places)
    (server.data / "out" / "large.edi").write_bytes(b"x" * 8_000_000)
    session = pool.take()
    pieces = session.read(f"{server.data}/out/large.edi", 8_000_000)
    next(pieces)
    places.permit.sure_until = time.monotonic() - 1
    with pytest.raises(OSError, match="another process may have the connection"):
        list(pieces)
    assert not session.is_alive()
    pool.give_back(session)
    assert places.given_back.is_set()
