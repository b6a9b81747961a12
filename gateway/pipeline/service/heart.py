"""The pulse of the service: every few seconds it says that the engine turns, to whoever watches (readiness by the age of the owner's lock,
systemd's watchdog), and tells a trouble where it does not. It beats in a timer's thread: what it looks at is the thread that works."""

import contextlib
import os
import time
from pathlib import Path

from gateway.pipeline.engine.port import Engine
from gateway.pipeline.service.service_manager import tell_manager
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing

EVERY = 2.0
#: seconds without a beat after which the engine is not thought to work
SILENT = 30.0
CURE = "Look into the log, then start the service again; under systemd the watchdog does it by itself."


class Heart:
    """Beats for one engine."""

    def __init__(self, station: Station, engine: Engine, node: str = "") -> None:
        self._engine = engine
        self._lock = station.installation.data / "engine.lock"
        self._trouble = Standing(station, "engine", f"on {node}" if node else "of this machine")

    def beat(self) -> None:
        """What a timer calls."""
        if not self._engine.health().serving:
            self._trouble.stands("it has not turned for a while: a step hangs", CURE, stopped=True)
            return
        self._trouble.is_over()
        with contextlib.suppress(OSError):
            os.utime(self._lock)
        tell_manager("WATCHDOG=1")


def silence_of(data: Path) -> float | None:
    """Seconds since the owner of an installation last beat; None where there never was one."""
    with contextlib.suppress(OSError):
        return max(0.0, time.time() - (data / "engine.lock").stat().st_mtime)
    return None
