"""The SFTP box against a server that fails in the worst moment."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.transport import sftp_line
from gateway.transport.box import TransportError
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from gateway.transport.sftp_settings import LONGEST_STEP
from gateway.transport.sftp_settings import SftpSettings
from tests.transport.faulty_sftp import FaultyServer


@pytest.fixture
def wishes() -> list[str]:
    return []


@pytest.fixture
def server(tmp_path: Path, wishes: list[str]) -> Iterator[FaultyServer]:
    running = FaultyServer(tmp_path, lambda: wishes.pop(0) if wishes else "do")
    yield running
    running.close()


@pytest.fixture
def box(server: FaultyServer) -> Iterator[SftpBox]:
    one = SftpBox(
        SftpSettings(
            host="127.0.0.1",
            port=server.port,
            user="seller",
            password="hunter2",
            host_keys=(server.host_key.fingerprint,),
            folder="/",
            send_to="/",
            rules=Rules(settle_seconds=0.0),
            timeout_seconds=5.0,
        )
    )
    yield one
    one.close()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rename_whose_answer_was_lost_is_not_done_twice(box: SftpBox, wishes: list[str], tmp_path: Path) -> None:
    wishes.append("do and hang up")
    box.send("a.edi", b"ISA")
    assert files(tmp_path) == {"a.edi": b"ISA"}


def test_rename_whose_answer_was_lost_after_the_partner_took_the_file_is_not_sent_again(box: SftpBox, server: FaultyServer, tmp_path: Path) -> None:
    def take() -> str:
        (tmp_path / ".a.edi.tmp").unlink()  # renamed and taken at once
        return "hang up"

    server.on_rename = take
    box.send("a.edi", b"ISA")
    assert files(tmp_path) == {}


def test_rename_that_was_lost_on_its_way_is_done_on_a_new_connection(box: SftpBox, wishes: list[str], tmp_path: Path) -> None:
    wishes.append("hang up")
    box.send("a.edi", b"ISA")
    assert files(tmp_path) == {"a.edi": b"ISA"}


def test_rename_that_is_lost_again_and_again_is_given_back_to_be_retried(box: SftpBox, wishes: list[str], tmp_path: Path) -> None:
    wishes += ["hang up", "hang up"]
    with pytest.raises(TransportError) as caught:
        box.send("a.edi", b"ISA")
    assert caught.value.retry
    box.send("a.edi", b"ISA")
    assert files(tmp_path) == {"a.edi": b"ISA"}


def test_server_without_posix_rename_and_fsync_gets_a_plain_rename(box: SftpBox, wishes: list[str], tmp_path: Path) -> None:
    wishes.append("refuse")
    box.send("a.edi", b"ISA")
    assert files(tmp_path) == {"a.edi": b"ISA"}


def test_server_that_answers_with_less_than_asked_is_read_to_the_end(box: SftpBox, server: FaultyServer, tmp_path: Path) -> None:
    data = bytes(range(256)) * 400
    (tmp_path / "a.edi").write_bytes(data)
    server.most_read = 1_000
    [found] = box.list_ready()
    assert b"".join(box.fetch(found)) == data


@pytest.mark.parametrize("verb", ["fetch", "fetch_many"])
def test_server_that_drips_is_hung_up_on(box: SftpBox, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """Each byte comes in time, and the file never would: a clock of our own goes on by a second with each of them."""
    now = [1000.0]
    monkeypatch.setattr(sftp_line, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def drip() -> None:
        now[0] += 1.0

    (tmp_path / "a.edi").write_bytes(b"x" * 3_000)
    [found] = box.list_ready()
    assert box.fetch_many([found]) == [b"x" * 3_000] and b"".join(box.fetch(found)) == b"x" * 3_000
    server.most_read, server.on_read = 1, drip
    with pytest.raises(TransportError, match=f"too slow: not done within {LONGEST_STEP:g} seconds") as caught:
        _ = b"".join(box.fetch(found)) if verb == "fetch" else box.fetch_many([found])
    assert caught.value.retry and LONGEST_STEP <= now[0] - 1000.0 < LONGEST_STEP + 10
    server.most_read, server.on_read = 1 << 20, lambda: None
    assert box.fetch_many([found]) == [b"x" * 3_000]


def test_disk_of_the_partner_that_is_full_is_named_and_nothing_is_left_of_the_try(box: SftpBox, server: FaultyServer, tmp_path: Path) -> None:
    server.room = 100_000
    with pytest.raises(TransportError, match="cannot be written to /") as caught:
        box.send("a.edi", b"x" * 300_000)
    assert caught.value.retry and not caught.value.stop and files(tmp_path) == {}
    server.room = None
    box.send("a.edi", b"x" * 300_000)
    assert files(tmp_path) == {"a.edi": b"x" * 300_000}


def test_server_that_asks_for_the_password_in_words_gets_it(box: SftpBox, server: FaultyServer) -> None:
    server.asks = True
    assert box.list_ready() == []
