"""Many small files from a local OpenSSH server: paramiko's own open and read one after the other, our box, and the whole way (fetched, kept,
committed, removed). Rounds in turns; medians of seconds on the clock.

.venv/bin/python benchmarks/sftp_bench.py [--files 2000] [--bytes 5000] [--rounds 3] [--connections 1]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paramiko

sys.path.insert(0, str(Path(__file__).parent.parent))

from gateway.config import load_installation  # noqa: E402  run as a script
from gateway.pipeline.arriving import fetching  # noqa: E402
from gateway.pipeline.outbox.boxes import make_box  # noqa: E402
from gateway.pipeline.station import open_station  # noqa: E402
from gateway.transport.sftp import SftpBox  # noqa: E402
from gateway.transport.ssh import connect_pinned  # noqa: E402
from tests.transport.openssh import OpenSsh  # noqa: E402
from tests.transport.openssh import running_openssh  # noqa: E402

_CONFIG = 'us: {name: Seller Co, identifiers: {x12: "ZZ:SELLERCO"}}\ndata: data\n'


@dataclass(frozen=True)
class Measured:
    """Seconds for all files, in each way."""

    paramiko: float
    box: float
    whole: float


def measure(files: int, size: int, rounds: int, connections: int = 1, folder: str | None = None) -> Measured:
    """Each way in turns, against one server."""
    spent: dict[str, list[float]] = {"paramiko": [], "box": [], "whole": []}
    with running_openssh() as server:
        put(server, files, size)
        for number in range(rounds):
            spent["paramiko"].append(clocked(lambda: by_paramiko(server, files, size)))
            spent["box"].append(clocked(lambda: by_box(server, files, size, connections)))
            with tempfile.TemporaryDirectory(prefix="gateway-bench-", dir=folder) as name:
                spent["whole"].append(the_whole_way(server, Path(name), files, connections))
            if number + 1 < rounds:
                put(server, files, size)
    return Measured(**{way: statistics.median(seconds) for way, seconds in spent.items()})


def put(server: OpenSsh, files: int, size: int) -> None:
    """The partner's files, each another."""
    for number in range(files):
        (server.data / "out" / f"po-{number:05}.edi").write_bytes(os.urandom(size // 2).hex().encode()[:size])


def by_paramiko(server: OpenSsh, files: int, size: int) -> None:
    """Its client: list, then open and read each."""
    transport = connect_pinned(server.settings())
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    folder = f"{server.data}/out"
    got = 0
    for name in client.listdir(folder):
        with client.open(f"{folder}/{name}", "rb") as file:
            got += len(file.read())
    transport.close()
    assert got == files * size


def by_box(server: OpenSsh, files: int, size: int, connections: int) -> None:
    """Our box: list, then all bytes with size and time looked at before and after, in batches as the poller asks for them."""
    box = SftpBox(server.settings(connections=connections))
    found = box.list_ready()
    got = 0
    for start in range(0, len(found), fetching.BATCH_FILES):
        for one in box.fetch_many(found[start : start + fetching.BATCH_FILES]):
            assert isinstance(one, bytes)
            got += len(one)
    box.close()
    assert got == files * size


def the_whole_way(server: OpenSsh, folder: Path, files: int, connections: int) -> float:
    """A visit of the poller with a database and an archive on the disk: seconds until the mailbox is empty."""
    (folder / "partners").mkdir()
    (folder / "config.yaml").write_text(_CONFIG)
    (folder / "client").write_bytes((server.home / "client").read_bytes())
    (folder / "partners/acme.yaml").write_text(
        f'id: acme\nname: Acme\nidentifiers: {{x12: "ZZ:ACME"}}\nendpoints:\n  box: {{sftp: "sftp://127.0.0.1:{server.port}{server.data}/out", '
        f'user: {server.user}, key: "file:client", host_keys: ["{server.fingerprint("ed25519")}"], settle: 0, connections: {connections}}}\n'
        "agreements:\n  - {receive: x12/004010/850, from: box}\n"
    )
    station = open_station(load_installation(folder / "config.yaml"))
    endpoint = station.installation.directory.partners["acme"].partner.endpoints["box"]
    box = make_box(station.installation, endpoint)
    seconds = clocked(lambda: assert_came(fetching.poll(station, endpoint.address, box)))
    assert not os.listdir(server.data / "out")
    box.close()
    station.close()
    return seconds


def assert_came(came: bool) -> None:
    assert came


def clocked(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--folder", help="where the installation is made: a real disk, not memory")
    arguments = parser.parse_args()
    found = measure(arguments.files, arguments.bytes, arguments.rounds, arguments.connections, arguments.folder)
    for way, seconds in (("paramiko: open, read", found.paramiko), ("our box", found.box), ("fetched, kept, committed, removed", found.whole)):
        print(f"{way:<36} {seconds:7.2f} s  {arguments.files / seconds:8,.0f} files/s  {seconds / found.paramiko:5.2f} times paramiko")


if __name__ == "__main__":
    main()
