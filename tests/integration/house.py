"""An installation with its real service in a process of its own, and what lies in its partners' boxes: words for tests of operation.

Every wait is for a condition and has an end. What a test starts it ends: `service()` is a context.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import TypeVar

from gateway.config import load_installation
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import CONFIG
from tests.pipeline.world import tags
from tests.ready_made import lay_database

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, seconds: float = PATIENCE, every: float = 0.02) -> Found:
    """The condition's first true answer; fails, saying what was waited for, when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(every)
    return found


def put(folder: Path, name: str, data: bytes) -> None:
    """As a partner puts a file: under a name of its own, then renamed."""
    temporary = folder / f".{name}.tmp"
    temporary.write_bytes(data)
    # the kernel's clock ticks every few milliseconds: what is renamed within the tick of its writing does not show it, and has to stand still first
    written = time.time_ns() - 20_000_000
    os.utime(temporary, ns=(written, written))
    temporary.rename(folder / name)


def names(folder: Path) -> list[str]:
    """What lies in a folder under its final name."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


def texts(folder: Path) -> list[str]:
    """The files of a folder."""
    return [(folder / name).read_text("latin-1") for name in names(folder)]


def answered(folder: Path, number: str) -> bool:
    """Whether there is a response to this order, in X12 or EDIFACT."""
    return any(f"*{number}*" in text and "ST*855*" in text or f"'RFF+ON:{number}'" in text for text in texts(folder))


def acknowledged(folder: Path, group: int) -> list[str]:
    """The outcomes (AK9) that 997s in the folder give to a group, one each."""
    return [tags(text, "AK9")[0][1] for text in texts(folder) for segment in tags(text, "AK1") if segment[2] == str(group)]


@dataclass(slots=True)
class House:
    """A folder with config.yaml and partners."""

    folder: Path
    partners: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    config: str = CONFIG
    port: int = field(default_factory=free_port)
    runs: int = 0

    def __post_init__(self) -> None:
        (self.folder / "partners").mkdir(parents=True, exist_ok=True)
        self.configure()
        for id, text in self.partners.items():
            self.partner(id, text)
        if not self.database:
            lay_database(self.folder)

    def configure(self, more: str = "") -> None:
        """Write config.yaml."""
        text = self.config.replace("port: 18999", f"port: {self.port}") + "poll: 0.05\npoll_remote: 0.1\n" + more
        (self.folder / "config.yaml").write_text(text + (f"database: {self.database}\n" if self.database else ""))

    def partner(self, id: str, text: str) -> None:
        """Write a partner's file, with its boxes where it has folders."""
        (self.folder / "partners" / f"{id}.yaml").write_text(text)
        if "folder:" in text:
            for box in ("in", "out"):
                self.box(id, box).mkdir(parents=True, exist_ok=True)

    def box(self, partner: str = "acme", which: str = "in") -> Path:
        return self.folder / "boxes" / partner / which

    @contextlib.contextmanager
    def station(self) -> Iterator[Station]:
        """The installation as a command sees it, beside a running service or without one."""
        station = open_station(load_installation(self.folder / "config.yaml"))
        try:
            yield station
        finally:
            station.close()

    def start(self, *, env: dict[str, str] | None = None, before: Callable[[], None] | None = None, ready: bool = True) -> "Service":
        """`gateway run` in a process of its own; waits until it serves."""
        self.runs += 1
        log = self.folder / f"run-{self.runs}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **(env or {})},
                preexec_fn=before,
                start_new_session=True,
            )
        service = Service(process, log)
        if ready:
            try:
                until(lambda: service.said("serving") or process.poll() is not None, "the service to serve")
                assert process.poll() is None, service.text()
            except BaseException:
                service.kill()
                raise
        return service

    @contextlib.contextmanager
    def service(self, *, env: dict[str, str] | None = None, before: Callable[[], None] | None = None) -> Iterator["Service"]:
        """A running service that is told to stop at the end, and must then end by itself, in time, without a fault."""
        service = self.start(env=env, before=before)
        try:
            yield service
            if service.process.poll() is None:
                service.stop()
            service.demand_quiet()
        finally:
            service.kill()

    def command(self, *arguments: str, timeout: float = 300.0) -> "subprocess.CompletedProcess[str]":
        """`gateway ...` in a process of its own, in this installation."""
        return subprocess.run([sys.executable, "-m", "gateway", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=timeout)

    def commands(self, *lines: tuple[str, ...]) -> list["subprocess.CompletedProcess[str]"]:
        """Several commands at once."""
        pipe = subprocess.PIPE
        started = [subprocess.Popen([sys.executable, "-m", "gateway", *line], cwd=self.folder, stdout=pipe, stderr=pipe, text=True) for line in lines]
        done = []
        for process in started:
            out, err = process.communicate(timeout=300)
            done.append(subprocess.CompletedProcess(process.args, process.returncode, out, err))
        return done


@dataclass(slots=True)
class Service:
    """A running `gateway run` with its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """What it logged; every line is JSON."""
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

    def said(self, event: str, **facts: object) -> dict[str, Any] | None:
        """The first line with this event and these facts."""
        return next((line for line in self.lines() if line["event"] == event and all(line.get(name) == value for name, value in facts.items())), None)

    def count(self, event: str) -> int:
        """How often it said so."""
        return sum(line["event"] == event for line in self.lines())

    def stop(self, seconds: float = PATIENCE) -> None:
        """SIGTERM: it ends with 0, by itself (test_stop.py asks how soon)."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there {seconds:g} s after SIGTERM:\n{self.text()[-3000:]}") from None
        assert code == 0, f"ended with {code} after {time.monotonic() - started:.1f} s:\n{self.text()[-3000:]}"

    def kill(self) -> None:
        """kill -9, its web process with it; nothing where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def demand_quiet(self) -> None:
        """No traceback, whatever happened."""
        assert "Traceback" not in self.text() and '"exception"' not in self.text(), self.text()[-4000:]
