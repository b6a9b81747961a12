"""Kills at random moments: the whole process group of `gateway run` by SIGKILL while a partner keeps putting files into its folder. Seen from the
partner, each order is acknowledged once and answered once; what the warehouse ships and clerks bill leaves once too, and the books hold. A short
storm runs always; the long one by `make storm`, where KILLS and FILES make it longer (`make storm KILLS=60 FILES=600`)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.station import open_station
from gateway.store.trading import ledger
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
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
    for name in ("boxes/acme/out", "boxes/acme/in", "partners", "inbox"):
        (folder / name).mkdir(parents=True)
    database = f'database: "{database_url}"\n' if database_url else ""
    config = CONFIG.replace("port: 18999", f"port: {free_port()}")
    (folder / "config.yaml").write_text(f"{config}inbox: {{shipments: inbox}}\n{database}")
    (folder / "partners/acme.yaml").write_text(ACME)


def storm(folder: Path, *, kills: int, files: int, seed: int, longest: float, patience: float) -> list[str]:
    """Files come in, the service is killed at random moments; what is wrong at the partner's and in the books when all is done."""
    service = Service(folder)
    try:
        shipped = _rain(folder, service, kills=kills, files=files, seed=seed, longest=longest, patience=patience)
    finally:
        service.stop()
    return _faults(folder, files, shipped)


def _rain(folder: Path, service: Service, *, kills: int, files: int, seed: int, longest: float, patience: float) -> set[int]:
    """The orders that were shipped and billed."""
    chance = random.Random(seed)
    shipped: set[int] = set()
    moments = set(chance.sample(range(3, files), kills))
    service.start()
    for number in range(1, files + 1):
        put(folder / "boxes/acme/out", f"po{number}.edi", x12_order(f"PO{number}", control=number).decode())
        time.sleep(chance.uniform(0, 0.05))
        if number % (files // 10) == 0:
            ready = {int(segment[3].removeprefix("PO")) for text in _answered(folder) for segment in tags(text, "BAK")} - shipped
            shipped.update(_ship(folder, one) for one in sorted(ready)[:2])
        if number in moments:
            time.sleep(chance.uniform(0, longest))
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
            service.start()
    end = time.monotonic() + patience
    while time.monotonic() < end and len(_answered(folder)) < files:
        time.sleep(0.1)
    if not shipped:
        shipped.add(_ship(folder, 1))
    while time.monotonic() < end and len(_numbers(folder, "BSN", 2)) < len(shipped):
        time.sleep(0.1)
    station = open_station(load_installation(folder / "config.yaml"))
    for place, one in enumerate(sorted(shipped)):
        release_invoices(station, [f"PO{one}"], "clerk")
        if place == len(shipped) // 2:
            time.sleep(chance.uniform(0, 0.2))
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
            service.start()
    station.close()
    while time.monotonic() < end and len(_numbers(folder, "BIG", 4)) < len(shipped):
        time.sleep(0.1)
    # nothing more may come: what would be doubled comes within the next look at the database
    time.sleep(1)
    assert service.end(signal.SIGTERM) in {0, -signal.SIGTERM}
    return shipped


def _ship(folder: Path, number: int) -> int:
    """What the warehouse says of an order."""
    put(folder / "inbox", f"ship{number}.csv", f"shipment,order,line,quantity\nS{number},PO{number},1,10\n")
    return number


def _numbers(folder: Path, tag: str, place: int) -> list[str]:
    """What stands at a place of a segment, in all that the partner has."""
    return [segment[place] for text in inbox(folder) for segment in tags(text, tag)]


def _answered(folder: Path) -> list[str]:
    return [text for text in inbox(folder) if "*855*" in text] if (folder / "boxes/acme/in").exists() else []


def _faults(folder: Path, files: int, shipped: Collection[int] = ()) -> list[str]:
    texts = inbox(folder)
    found = []
    for tag, place, letters in (("BSN", 2, "S"), ("BIG", 4, "PO")):
        if Counter(_numbers(folder, tag, place)) != Counter(f"{letters}{number}" for number in shipped):
            found.append(f"{tag}: {_numbers(folder, tag, place)}, shipped and billed were {sorted(shipped)}")
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
        with station.database.read() as connection:
            if len(ledger.open_items(connection)) != len(shipped):
                found.append(f"{len(ledger.open_items(connection))} open items of {len(shipped)} invoices")
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
    kills, files = int(os.environ.get("KILLS", "40")), int(os.environ.get("FILES", "400"))
    assert storm(tmp_path, kills=kills, files=files, seed=seed, longest=2.5, patience=max(300, files)) == []
    assert _restored(tmp_path) == []
