"""The pulse of the service: every few seconds it says that the engine turns, to whoever watches (readiness by the age of the owner's lock,
systemd's watchdog), and tells a trouble where it does not. It beats in a timer's thread: what it looks at is the thread that works."""

import contextlib
import os
import time
from pathlib import Path

import msgspec

from gateway.pipeline.engine.port import Engine
from gateway.pipeline.service.service_manager import tell_manager
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.store.watching.troubles import Trouble

EVERY = 2.0
#: seconds without a beat after which the engine is not thought to work
SILENT = 30.0
#: seconds for which writing may fail before it is told: each try has waited for half a minute by then where SQLite is locked
PATIENCE = 10.0
_DATABASE = "database.trouble"
WAITS = "See that the database runs, has room and nobody keeps it locked (a backup tool, somebody's shell). The work goes on by itself then."
CURE = "Look into the log, then start the service again; under systemd the watchdog does it by itself."


class Heart:
    """Beats for one engine."""

    def __init__(self, station: Station, engine: Engine, node: str = "") -> None:
        self._engine = engine
        self._database = station.database
        self._lock = station.installation.data / "engine.lock"
        self._file = station.installation.data / _DATABASE
        self._told = False
        self._trouble = Standing(station, "engine", f"on {node}" if node else "of this machine")

    def beat(self) -> None:
        """What a timer calls."""
        self._look_at_database()
        if not self._engine.health().serving:
            self._trouble.stands("it has not turned for a while: a step hangs", CURE, stopped=True)
            return
        self._trouble.is_over()
        with contextlib.suppress(OSError):
            os.utime(self._lock)
        tell_manager("WATCHDOG=1")

    def _look_at_database(self) -> None:
        """A trouble that cannot be kept where all the others are: a file beside the lock has it."""
        failing = self._database.failing
        stands = None
        if failing is not None and time.monotonic() - failing.counted > PATIENCE:
            stands = Trouble(name="database", kind="database", state="stopped", error=failing.error, cure=WAITS, since=failing.since)
        with contextlib.suppress(OSError):
            if stands is not None:
                self._file.write_bytes(msgspec.json.encode(stands))
            elif self._told:
                self._file.unlink(missing_ok=True)
        if self._told != (stands is not None):
            self._told = stands is not None
            tell_manager("STATUS=nothing can be written to the database" if self._told else "STATUS=serving")


def database_trouble(data: Path) -> Trouble | None:
    """What the service says of its database, which cannot be told in it; None where it says nothing, or says nothing any more."""
    file = data / _DATABASE
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        if time.time() - file.stat().st_mtime < SILENT:
            return msgspec.json.decode(file.read_bytes(), type=Trouble)
    return None


def silence_of(data: Path) -> float | None:
    """Seconds since the owner of an installation last beat; None where there never was one."""
    with contextlib.suppress(OSError):
        return max(0.0, time.time() - (data / "engine.lock").stat().st_mtime)
    return None
