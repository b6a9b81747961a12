"""50 MB over AS2 through real processes, in and out, with bounded memory; announced by Content-Length or in chunks."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.store.incoming import transmissions
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.web.test_as2 import start

SIZE = 50_000_000
#: megabytes that one process may have had at its most
MOST = 500
_SENDER = """
import sys
from pathlib import Path
from gateway.config import load_installation
from gateway.pipeline.outbound.walk import step
from gateway.pipeline.station import open_station
from gateway.store.outgoing import outbox
station = open_station(load_installation(Path(sys.argv[1]) / "config.yaml"))
now = station.clock()
sha256, size = station.archive.keep_stream([open(sys.argv[2], "rb").read()])
with station.database.begin() as connection:
    outbox.enqueue(connection, [outbox.Entry(id="large", partner="acme", endpoint="as2", stream="out:acme:as2", kind="document", spec="x12/004010/855",
        state="prepared", created_at=now, due_at=now, identity="large.bin", sha256=sha256)])
step(station, "out:acme:as2")
with station.database.read() as connection:
    row = outbox.get(connection, "large")
print(row.state, row.last_error)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.fixture(scope="module")
def payload() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def message(payload: bytes) -> as2.As2Request:
    made = as2.wrap(payload, their_relation(), "large@buyer", datetime.now(UTC), "large.bin")
    assert isinstance(made, as2.As2Request)
    return made


@pytest.mark.parametrize("way", ["Content-Length", "chunked"])
def test_a_large_message_is_taken_with_bounded_memory(tmp_path: Path, message: as2.As2Request, payload: bytes, way: str) -> None:
    world = as2_world(tmp_path / "installation", "http://127.0.0.1:9/as2")
    world.station.close()
    port = free_port()
    child = start(world.folder, port)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        body: bytes | Iterator[bytes] = message.body
        if way == "chunked":
            body = (message.body[at : at + 65_536] for at in range(0, len(message.body), 65_536))
        connection.request("POST", "/as2", body, dict(message.headers), encode_chunked=way == "chunked")
        reply = connection.getresponse()
        receipt = as2.read_mdn(reply.getheaders(), reply.read(), message.expected, their_relation(), datetime.now(UTC))
        assert reply.status == 200 and receipt.delivered, receipt.problems
        most = _most_memory(child.pid)
    finally:
        child.terminate()
        child.wait(PATIENCE)
        for stream in (child.stdin, child.stderr):
            if stream is not None:
                stream.close()
    world._station = None
    with world.station.database.read() as reading:
        [one] = transmissions.search(reading, direction="in")
    assert one.size == SIZE and world.station.archive.read(one.sha256) == payload
    world.close()
    assert most < MOST, f"the web process had {most} MB"


def test_a_large_message_leaves_with_bounded_memory(tmp_path: Path, payload: bytes) -> None:
    with partner_station() as partner:
        world = as2_world(tmp_path / "installation", f"{partner.url}/as2")
        world.close()
        (tmp_path / "large.bin").write_bytes(payload)
        line = [sys.executable, "-c", _SENDER, str(world.folder), str(tmp_path / "large.bin")]
        done = subprocess.run(line, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        told, most = done.stdout.splitlines()
        assert told == "sent None"
        assert partner.opened(partner.posts[0]).payload == payload
    assert int(most) // 1024 < MOST, f"the sender had {int(most) // 1024} MB"


def _most_memory(process: int) -> int:
    """The most memory that a process has had so far, in MB."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
