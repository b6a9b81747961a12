"""The disk is full under a running service: nothing is told that is not kept, nothing is lost or doubled, and work goes on when there is room."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.house import inbox
from tests.crash.test_storm import Service
from tests.crash.test_storm import _answered
from tests.crash.test_storm import _faults
from tests.crash.test_storm import install
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import x12_order


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(place)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk needs the right to mount one (run as root): {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(place: Path) -> Path:
    """Until nothing goes on the disk any more."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def until(what: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def large_order(number: str, control: int) -> str:
    """More than fits into what the database has written before."""
    lines = tuple((str(line), "1", "9.25", f"SKU{line}") for line in range(1, 4001))
    return x12_order(number, control=control, lines=lines).decode()


@pytest.mark.parametrize("what", ["archive and database", "database", pytest.param("archive", marks=pytest.mark.storm)])
def test_a_full_disk_stops_nothing_for_good(what: str, tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "installation"
    databases = {"database": f"sqlite:///{small_disk}/gateway.db", "archive": f"sqlite:///{tmp_path}/gateway.db"}
    install(folder, databases.get(what))
    if what == "archive":
        (folder / "data").mkdir()
        (folder / "data/archive").symlink_to(small_disk)
    elif what != "database":
        (folder / "data").symlink_to(small_disk)
    service = Service(folder)
    box = folder / "boxes/acme/out"
    try:
        service.start()
        put(box, "po1.edi", x12_order("PO1", control=1).decode())
        assert until(lambda: len(_answered(folder)) == 1)
        ballast = fill(small_disk)
        put(box, "po2.edi", large_order("PO2", 2))
        put(box, "po3.edi", x12_order("PO3", control=3).decode())
        log = folder / "run.log"
        assert until(lambda: any(word in log.read_text() for word in ("No space left", "disk is full", "is full", "disk I/O"))), log.read_text()[
            -3000:
        ]
        assert len(_answered(folder)) < 3
        assert service._process is not None and service._process.poll() is None, "it goes on"
        assert {path.name for path in box.iterdir()} & {"po2.edi", "po3.edi"} or what == "database", "what is not kept is not taken away"
        ballast.unlink()
        assert until(lambda: len(_answered(folder)) == 3), log.read_text()[-3000:]
        assert until(lambda: list(box.iterdir()) == [])
        time.sleep(1)
        assert service.end(signal.SIGTERM) in {0, -signal.SIGTERM}
        assert [path.name for path in (folder / "boxes/acme/in").iterdir() if path.name.startswith(".")] == []
        assert len(inbox(folder)) == 6
        assert _faults(folder, 3) == []
        os.sync()
    finally:
        service.stop()
