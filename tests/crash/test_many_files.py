"""Fifty thousand files at once, by `make storm`: in a folder, with the service stopped in the middle, and at an SFTP server where few of them are
ready. GATEWAY_STORM_FILES says how many; what it took is printed (pytest -s)."""

import os
import resource
import time
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select

from gateway.pipeline.arriving import fetching
from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.station import Station
from gateway.store import tables
from gateway.transport.readiness import Rules
from gateway.transport.sftp import SftpBox
from tests.integration.house import House
from tests.integration.house import until
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.transport.openssh import running_openssh

pytestmark = pytest.mark.storm
FILES = int(os.environ.get("GATEWAY_STORM_FILES", "50000"))
#: seconds for one file, on a machine that does something else as well
PATIENCE = 0.1


def test_many_files_in_a_folder_are_taken_steadily_and_each_once_though_the_service_stops_in_the_middle(tmp_path: Path) -> None:
    house = House(tmp_path, {"acme": ACME})
    out = house.box("acme", "out")
    for number in range(FILES):
        temporary = out / f".{number}"
        temporary.write_bytes(b"no order %d" % number)
        temporary.rename(out / f"po{number:06}.txt")
    began = time.monotonic()
    with house.service() as service:
        until(lambda: len(os.listdir(out)) < FILES * 0.7, "the first files to be taken", FILES * PATIENCE, 0.2)
        stopping = time.monotonic()
        service.stop(10.0)
        stopped = time.monotonic() - stopping
        between = len(os.listdir(out))
    assert between, "it was stopped in the middle"
    with house.service() as service:
        until(lambda: not os.listdir(out), "all files to be taken", FILES * PATIENCE, 0.2)
        peak = max(int(line.split()[1]) for line in Path(f"/proc/{service.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        service.stop(10.0)
    took = time.monotonic() - began
    print(f"\n{FILES} files in {took:.0f} s, {FILES / took:.0f}/s; stopped within {stopped:.1f} s with {between} left; {peak / 1024:.0f} MB at most")
    with house.station() as station:
        assert came(station) == (FILES, FILES)
    assert peak < 600 << 10


def test_many_files_at_a_server_of_which_few_are_ready(tmp_path: Path) -> None:
    world = World(tmp_path / "house")
    with running_openssh() as server:
        folder = os.open(server.data / "out", os.O_RDONLY)
        for number in range(FILES):
            os.mknod(f"old-{number:06}.log", 0o644, dir_fd=folder)
        os.close(folder)
        for number in range(20):
            (server.data / "out" / f"po-{number:02}.edi").write_bytes(b"no order %d" % number)
        box = SftpBox(server.settings(rules=Rules(settle_seconds=0.0, only=("*.edi",))))
        in_the_way = FilesInTheWay(world.station, "sftp:server")
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, computed = time.monotonic(), time.process_time()
        assert fetching.poll(world.station, "sftp:server", box, in_the_way=in_the_way)
        first = time.monotonic() - began
        assert not fetching.poll(world.station, "sftp:server", box, in_the_way=in_the_way)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used
        print(f"\n{FILES} entries, 20 ready: {first:.1f} s, two polls {time.process_time() - computed:.1f} s of CPU, {grown / 1024:.0f} MB more")
        assert came(world.station) == (20, 20) and len(os.listdir(server.data / "out")) == FILES
        assert grown < 64 << 10
        box.close()
    world.close()


def came(station: Station) -> tuple[int, int]:
    """How many files came in, and how many names."""
    with station.database.read() as connection:
        row = connection.execute(select(func.count(), func.count(tables.transmission.c.name.distinct()))).one()
    return int(row[0]), int(row[1])
