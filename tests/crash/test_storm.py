"""Kills at random moments: the whole process group of `gateway run` by SIGKILL while a partner keeps putting files into its folder. Seen from the
partner, each order is acknowledged once and answered once. A short storm runs always; the long one by `make storm`."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


class Service:
    """`gateway run` in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "run.log").open("ab") as log:
            command = [sys.executable, "-m", "gateway", "run", "--config", str(self._folder / "config.yaml")]
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True)

    def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        os.killpg(self._process.pid, how)
        return self._process.wait(PATIENCE)

    def stop(self) -> None:
        """Leave nothing running, whatever went wrong."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)


def install(folder: Path, database_url: str | None) -> None:
    for name in ("boxes/acme/out", "boxes/acme/in", "partners"):
        (folder / name).mkdir(parents=True)
    port = free_port()
    database = f'database: "{database_url}"\n' if database_url else ""
    (folder / "config.yaml").write_text(
        f'us: {{name: "Seller Co", identifiers: {{x12: "ZZ:SELLERCO"}}}}\ndata: data\nweb: {{host: 127.0.0.1, port: {port}}}\n{database}'
    )
    (folder / "partners/acme.yaml").write_text(ACME)


def storm(folder: Path, *, kills: int, files: int, seed: int, longest: float, patience: float) -> list[str]:
    """Files come in, the service is killed at random moments; what is wrong at the partner's and in the books when all is done."""
    service = Service(folder)
    try:
        _rain(folder, service, kills=kills, files=files, seed=seed, longest=longest, patience=patience)
    finally:
        service.stop()
    return _faults(folder, files)


def _rain(folder: Path, service: Service, *, kills: int, files: int, seed: int, longest: float, patience: float) -> None:
    chance = random.Random(seed)
    moments = set(chance.sample(range(3, files), kills))
    service.start()
    for number in range(1, files + 1):
        put(folder / "boxes/acme/out", f"po{number}.edi", x12_order(f"PO{number}", control=number).decode())
        time.sleep(chance.uniform(0, 0.05))
        if number in moments:
            time.sleep(chance.uniform(0, longest))
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
            service.start()
    end = time.monotonic() + patience
    while time.monotonic() < end and len(_answered(folder)) < files:
        time.sleep(0.1)
    # nothing more may come: what would be doubled comes within the next look at the database
    time.sleep(1)
    assert service.end(signal.SIGTERM) in {0, -signal.SIGTERM}


def _answered(folder: Path) -> list[str]:
    return [text for text in inbox(folder) if "*855*" in text] if (folder / "boxes/acme/in").exists() else []


def _faults(folder: Path, files: int) -> list[str]:
    texts = inbox(folder)
    found = []
    for word, wanted, seen in (
        ("997", {str(number) for number in range(1, files + 1)}, Counter(segment[2] for text in texts for segment in tags(text, "AK1"))),
        ("855", {f"PO{number}" for number in range(1, files + 1)}, Counter(segment[3] for text in texts for segment in tags(text, "BAK"))),
    ):
        found += [f"{word} missing for {number}" for number in sorted(wanted - set(seen))]
        found += [f"{word} {times} times for {number}" for number, times in seen.items() if times != 1]
    controls = Counter(segment[13] for text in texts for segment in tags(text, "ISA"))
    found += [f"control number {number} used {times} times" for number, times in controls.items() if times > 1]
    if {segment[1] for text in texts for segment in tags(text, "AK5")} - {"A"}:
        found.append("an order was not accepted")
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        return found + journal_faults(station)
    finally:
        station.close()


def test_a_short_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    install(tmp_path, None)
    assert storm(tmp_path, kills=5, files=40, seed=11, longest=1.5, patience=400) == []


def _restored(folder: Path) -> list[str]:
    """What is wrong with an installation that was saved after the storm and restored: its journal, or something that leaves once more."""
    again = folder / "again"
    arguments = ["--into", str(again), "--gap", "0", "--database", f"sqlite:///{again}/data/gateway.db", "--passphrase", "env:PHRASE"]
    for command in (
        ["backup", str(folder / "after.zip"), "--passphrase", "env:PHRASE"],
        ["restore", str(folder / "after.zip"), *arguments],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *command], cwd=folder, env={**os.environ, "PHRASE": "x"}, capture_output=True, text=True, timeout=600
        )
        if done.returncode:
            return [done.stderr + done.stdout]
    text = (again / "config.yaml").read_text()
    (again / "config.yaml").write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("database")))
    world = World(again, config=(again / "config.yaml").read_text())
    try:
        world.settle()
        return journal_faults(world.station) + [f"left once more: {text[:200]}" for text in world.sent()]
    finally:
        world.close()


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_long_storm_loses_and_doubles_nothing(seed: int, tmp_path: Path, database_url: str) -> None:
    install(tmp_path, database_url)
    assert storm(tmp_path, kills=40, files=400, seed=seed, longest=2.5, patience=300) == []
    assert _restored(tmp_path) == []
