"""The web process works with the configuration that the owner put in force: it follows the file that the owner writes, and reads nothing else
that a user edits, so that both always mean the same."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config import load_installation
from gateway.config.held import Held
from gateway.config.installation import state_of
from gateway.pipeline.plans import Plans
from gateway.pipeline.service import in_force
from gateway.pipeline.service.reading_anew import load_held
from gateway.pipeline.station import Loaded
from gateway.pipeline.station import Station
from gateway.pipeline.troubles import Standing
from gateway.yaml_source import Faults

EVERY = 0.5
#: seconds after which what may pass by itself is tried again
LATER = 5.0
CURE = "Start the service again; if it stays, the program's log has the error: report it."
_log = structlog.get_logger("configuration")


class Following:
    """What the owner of an installation put in force."""

    def __init__(self, config: Path, held: Path) -> None:
        self._config = config
        self._held = held
        self._seen = ""

    def installation(self) -> Installation:
        """What is in force now; raises Faults or ConfigTrouble."""
        self._seen = state_of(self._held)
        now = in_force.read(self._held)
        if now is None:
            raise ConfigTrouble(f"{self._held} cannot be read: it is written by gateway run")
        began = load_installation(self._config, Held(now.began, {})).settings
        return load_held(self._config, now.held, began)

    def follow(self, station: Station, swapped: Callable[[], None]) -> None:
        """Take over what is put in force, for ever. What cannot be loaded here is said; what was in force before goes on."""
        trouble = Standing(station, "configuration", f"of the web process on {platform.node()}")
        while True:
            time.sleep(EVERY)
            if state_of(self._held) == self._seen:
                continue
            try:
                installation = self.installation()
                installation.directory  # noqa: B018  loading is checking
                station.current.loaded = Loaded(installation, Plans(installation.resolver))
                swapped()
            except Exception as error:  # noqa: BLE001  whatever it is, the pages must not follow nobody any more without a word
                words = str(error).partition("\n")[0] if isinstance(error, (Faults, ConfigTrouble)) else type(error).__name__
                _log.error("configuration not taken over by the web process", error=words)
                trouble.stands(f"pages, AS2 and uploads go on with what was before: {words}", CURE, stopped=True)
                if not isinstance(error, (Faults, ConfigTrouble)):
                    # it may pass by itself (a disk, a full table of files)
                    self._seen = ""
                    time.sleep(LATER)
            else:
                _log.info("configuration taken over by the web process")
                trouble.is_over()
