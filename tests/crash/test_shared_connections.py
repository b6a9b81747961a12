"""Connections that are agreed with a partner, and processes that share them: two workers at a real server never have more together than one
may, and who dies between asking and opening, or between hanging up and saying so, holds none for longer than its lease."""

import contextlib
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.permits import Permits
from gateway.store.database import open_database
from gateway.store.working import nodes
from tests.crash.among_others import ACCOUNT
from tests.crash.cluster import Worker
from tests.crash.cluster import install
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.test_cluster import until
from tests.integration.house import acknowledged
from tests.integration.house import answered
from tests.integration.house import put
from tests.machine import PATIENCE
from tests.pipeline.world import x12_order
from tests.transport.openssh import OpenSsh
from tests.transport.openssh import running_openssh

#: two mailboxes of one account: each process looks into one
PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {{x12: "ZZ:ACMEBUYER"}}
endpoints:
  box: {{sftp: "sftp://127.0.0.1:{port}{data}/out", user: {user}, key: "file:{key}", host_keys: ["{host_key}"], send_to: "{data}/in", poll: 0.2, settle: 0.2}}
  second: {{sftp: "sftp://127.0.0.1:{port}{data}/second", user: {user}, key: "file:{key}", host_keys: ["{host_key}"], poll: 0.2, settle: 0.2}}
agreements:
  - {{receive: x12/004010/850, from: box, acknowledge: "997"}}
  - {{send: x12/004010/855, to: box}}
currency: USD
tax: none
credit: none
"""


@pytest.mark.parametrize("point", ["158", "159"])
def test_a_permit_of_who_died_is_free_when_it_is_buried(point: str, tmp_path: Path, migrated_postgres_url: str, forks: ForkServer) -> None:
    build(tmp_path / "house", migrated_postgres_url)
    assert forks.run("permit", tmp_path / "house", point) == -signal.SIGKILL
    database, permits = open_database(migrated_postgres_url), Permits()
    try:
        permits.share(database, "B", timedelta(minutes=1))
        places = permits.of(ACCOUNT, 1)
        assert places is not None and places.take(waits=False) is None
        with database.begin() as connection:
            assert [node.id for node in nodes.bury(connection, timedelta(0))] == ["A"]
        assert places.take(waits=False) is not None
    finally:
        database.close()


class Counting:
    """Connections to a port that are established, by the process that has them, looked at again and again."""

    def __init__(self, port: int, *workers: Worker) -> None:
        self._port = port
        self._workers = workers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0
        #: how often each process was seen to have one
        self.seen = {worker.folder.name: 0 for worker in workers}

    def __enter__(self) -> "Counting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.is_set():
            now = _connections_to(self._port)
            self.most = max(self.most, len(now))
            for worker in self._workers:
                self.seen[worker.folder.name] += bool(now & _sockets_of(worker.pid))
            time.sleep(0.002)


def _connections_to(port: int) -> set[str]:
    """The sockets that are connected to a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {line[9] for line in lines if line[3] == "01" and line[2].endswith(f":{port:04X}")}


def _sockets_of(process: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _partner_at(server: OpenSsh) -> str:
    (server.data / "second").mkdir()
    key, host_key = server.home / "client", server.fingerprint("ed25519")
    return PARTNER.format(port=server.port, data=server.data, user=server.user, key=key, host_key=host_key)


@pytest.mark.storm
def test_two_processes_share_the_one_connection_of_an_account(tmp_path: Path, postgres_url: str) -> None:
    with running_openssh() as server:
        install(tmp_path, postgres_url, "one", "two", partner=_partner_at(server))
        one, two = Worker(tmp_path / "one"), Worker(tmp_path / "two")
        try:
            one.start()
            until(one.serves)
            two.start()
            until(two.serves)
            with Counting(server.port, one, two) as counting:
                for number in range(1, 9):
                    put(server.data / "out", f"po{number}.edi", x12_order(f"PO{number}", control=number))
                until(lambda: all(answered(server.data / "in", f"PO{number}") for number in range(1, 9)), 4 * PATIENCE)
                until(lambda: min(counting.seen.values()) > 0, 4 * PATIENCE)
                two.end(signal.SIGKILL)
                put(server.data / "out", "po9.edi", x12_order("PO9", control=9))
                until(lambda: answered(server.data / "in", "PO9"), 4 * PATIENCE)
            assert counting.most == 1
            assert [acknowledged(server.data / "in", number) for number in range(1, 10)] == [["A"]] * 9
            assert one.end() == 0
        finally:
            one.stop()
            two.stop()
        assert '"level": "error"' not in one.log()
