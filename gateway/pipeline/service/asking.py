"""What a command asks of the service that owns the installation: to read its files anew, and what it works by while they are wrong. The data folder
is that of the config.yaml that is in force, so that it is found also while the file is wrong."""

import time
from pathlib import Path

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config import load_installation
from gateway.config.held import Held
from gateway.config.installation import config_text
from gateway.pipeline.service import in_force
from gateway.pipeline.service.condition import owner_of
from gateway.pipeline.service.in_force import InForce
from gateway.pipeline.service.reading_anew import load_held
from gateway.yaml_source import Faults


def reload(file: Path, actor: str, timeout: float) -> InForce:
    """Have the files read anew, and what came of it; raises ConfigTrouble where no service runs, TimeoutError where it does not answer."""
    installation = _installation_of(file)
    data = installation.data
    owner = owner_of(data)
    if owner is None and installation.settings.engine == "local":
        raise ConfigTrouble(f"No service owns {data}: nothing to reload. gateway lint checks the files, gateway run starts it")
    request = in_force.ask(data, actor)
    path = in_force.path_in(data)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        now = in_force.read(path)
        if now is not None and now.request == request.id:
            return now
        time.sleep(0.1)
    raise TimeoutError(
        f"The service{f' (process {owner})' if owner else ''} has not read its files anew within {timeout:.0f} seconds: its log says why"
        + ("" if owner else "; a process of the cluster must run on this machine, in this folder (gateway status shows them)")
    )


def _installation_of(file: Path) -> Installation:
    """The installation as far as config.yaml alone says it."""
    try:
        return load_installation(file, Held(config_text(file), {}))
    except Faults:
        # the service may tell the fault; where it keeps its data is what the file usually says
        default = file.resolve().parent / "data"
        if (now := in_force.read(in_force.path_in(default))) is not None:
            return load_installation(file, Held(now.began, {}))
        raise


def installation_now(file: Path) -> tuple[Installation, Faults | None]:
    """The installation as its files say; where they have faults and a service runs, as that works on, with the faults. Raises Faults where none
    runs: whoever starts it next has to mend them first."""
    try:
        installation = load_installation(file)
        installation.directory  # noqa: B018  loading is checking
    except Faults as faults:
        if (held := _worked_by(file)) is None:
            raise
        return held, faults
    return installation, None


def _worked_by(file: Path) -> Installation | None:
    """What the service that runs here works by; None where none does."""
    try:
        installation = _installation_of(file)
    except (Faults, ConfigTrouble):
        return None
    if owner_of(installation.data) is None and installation.settings.engine == "local":
        return None
    now = in_force.read(in_force.path_in(installation.data))
    return load_held(file, now.held, load_installation(file, Held(now.began, {})).settings) if now is not None else None
