"""Processes of a cluster for the crash tests: each with a folder of its own, as a machine of its own would have it; one PostgreSQL, one
archive, one partner's mailbox."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.machine import PATIENCE
from tests.pipeline.world import ACME

PACE = "{heartbeat: 0.3, silence: 3}"
#: order and change of it: the change must never overtake
CHANGING = ACME.replace(
    "  - {send: x12/004010/855, to: box}",
    '  - {receive: x12/004010/860, from: box, acknowledge: "997"}\n  - {send: x12/004010/855, to: box}\n  - {send: x12/004010/865, to: box}',
)


def install(folder: Path, database_url: str, *names: str, pace: str = PACE, partner: str = CHANGING) -> None:
    """A folder a machine (`names`), which share the mailbox of one partner."""
    for box in ("out", "in"):
        (folder / "boxes/acme" / box).mkdir(parents=True)
    for name in names:
        (folder / name / "partners").mkdir(parents=True)
        (folder / name / "config.yaml").write_text(
            'us: {name: "Seller Co", identifiers: {x12: "ZZ:SELLERCO"}}\ndata: data\nengine: cluster\n'
            f'cluster: {pace}\ndatabase: "{database_url}"\narchive: database\n'
        )
        (folder / name / "partners/acme.yaml").write_text(partner.replace("boxes/acme", f"{folder}/boxes/acme"))
        if name != names[0]:
            share_key(folder / names[0], folder / name)


def share_key(one: Path, other: Path) -> None:
    """The journal's key is made once and copied to the other machines."""
    from gateway.store.verifying.keys import load_or_make

    load_or_make(one / "data/keys/journal.key")
    (other / "data/keys").mkdir(parents=True, exist_ok=True)
    shutil.copy(one / "data/keys/journal.key", other / "data/keys/journal.key")


class Worker:
    """`gateway worker` in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, crash: str = "") -> None:
        self._before = self.log().count('"serving"') if (self.folder / "worker.log").exists() else 0
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "gateway", "worker", "--config", str(self.folder / "config.yaml")]
            environment = {**os.environ, "GATEWAY_CRASH_AT": crash}
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, env=environment)

    def serves(self) -> bool:
        """Whether it has begun to work since it was started."""
        return self.log().count('"serving"') > self._before

    def tell(self, how: signal.Signals) -> None:
        os.killpg(self.pid, how)

    def end(self, how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> int:
        """Its exit code, or minus the signal that ended it."""
        self.tell(how)
        return self.wait(patience)

    def wait(self, patience: float = PATIENCE) -> int:
        assert self._process is not None
        return self._process.wait(patience)

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Leave nothing running, whatever went wrong."""
        if self.runs():
            self.tell(signal.SIGCONT)
            self.end(signal.SIGKILL)

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()
