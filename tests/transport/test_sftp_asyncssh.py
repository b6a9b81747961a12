"""The SFTP box against a third implementation of the protocol."""

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transport.box import FileTrouble
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from gateway.transport.sftp_settings import SftpSettings

asyncssh = pytest.importorskip("asyncssh", reason="no asyncssh: pip install asyncssh")


class _Door(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("seller", "hunter2")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[SftpBox]:
    for name in ("in", "out", "old"):
        (tmp_path / name).mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> object:
        def files(channel: object) -> object:
            return asyncssh.SFTPServer(channel, chroot=os.fsencode(tmp_path))

        return await asyncssh.create_server(_Door, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=files)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    one = SftpBox(
        SftpSettings(
            host="127.0.0.1",
            port=server.get_port(),  # type: ignore[attr-defined]
            user="seller",
            password="hunter2",
            host_keys=(key.get_fingerprint(),),
            folder="/out",
            send_to="/in",
            rules=Rules(settle_seconds=0),
            connections=2,
            timeout_seconds=10.0,
        )
    )
    yield one
    one.close()
    loop.call_soon_threadsafe(server.close)  # type: ignore[attr-defined]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_every_verb_works_there_too(box: SftpBox, tmp_path: Path) -> None:
    wanted = {f"po-{number:03}.edi": os.urandom(number * 2_000) for number in range(60)}
    for at, (name, data) in enumerate(wanted.items()):
        (tmp_path / "out" / name).write_bytes(data)
        os.utime(tmp_path / "out" / name, (at, at))
    found = box.list_ready()
    assert [one.name for one in found] == list(wanted)
    (tmp_path / "out" / "po-007.edi").unlink()
    got = box.fetch_many(found)
    assert isinstance(got[7], FileTrouble)
    assert [one for one in got if isinstance(one, bytes)] == [data for name, data in wanted.items() if name != "po-007.edi"]
    assert b"".join(box.fetch(found[59], 100_001)) == wanted["po-059.edi"][100_001:]
    assert box.remove_many(found) == [None] * 60 and os.listdir(tmp_path / "out") == []
    answer = os.urandom(3_000_000)
    box.send("855.edi", answer)
    box.send("855.edi", answer)
    assert os.listdir(tmp_path / "in") == ["855.edi"] and (tmp_path / "in" / "855.edi").read_bytes() == answer


def test_files_are_moved_there_too(box: SftpBox, tmp_path: Path) -> None:
    keeping = SftpBox(replace(box._settings, archive_to="/old"))
    for number in range(2):
        (tmp_path / "out" / "po.edi").write_bytes(b"order %d" % number)
        os.utime(tmp_path / "out" / "po.edi", (number, number))
        assert keeping.remove_many(keeping.list_ready()) == [None]
    assert sorted(path.read_bytes() for path in (tmp_path / "old").iterdir()) == [b"order 0", b"order 1"]
    keeping.close()
