"""The port of the pages: free before anything is taken in, or told at once with who holds it. What a killed service's own web process still
holds for a moment is waited for."""

import os
import socket
import time
from pathlib import Path

from gateway.config import ConfigTrouble
from gateway.config import Installation

#: seconds that the web process of a killed service has to end
WAIT_FOR_OUR_OWN = 10.0
_PROCESSES = Path("/proc")
#: states of /proc/net/tcp
_LISTENING = "0A"


def want_port(installation: Installation) -> None:
    """Return when the port of the pages is free; ConfigTrouble where another program has it."""
    web = installation.settings.web
    end = time.monotonic() + WAIT_FOR_OUR_OWN
    while web.port and not port_is_free(web.host, web.port):
        holder = _holder(web.port)
        if time.monotonic() > end or not (holder is not None and _is_ours(holder, installation)):
            if port_is_free(web.host, web.port):
                return  # who held it has gone while we looked
            raise ConfigTrouble(taken_words(installation))
        time.sleep(0.05)


def port_is_free(host: str, port: int) -> bool:
    """Whether the web server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def taken_words(installation: Installation) -> str:
    """Who has the port, and what to do."""
    web = installation.settings.web
    holder = _holder(web.port)
    who = f"another program (ss -ltnp 'sport = :{web.port}' names it)"
    if holder is not None:
        who = f"process {holder} ({' '.join(_arguments(holder))[:120]})"
    return (
        f"{installation.file}: port {web.port} of {web.host}, on which the pages would be served, is held by {who}. Stop that, or name another port "
        f"there, like web: {{port: {web.port + 1}}}; then start again"
    )


def _holder(port: int) -> int | None:
    """The process that listens on a port of this machine, where we may know it."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return None
    for process in _PROCESSES.iterdir():
        if process.name.isdigit():
            try:
                if any(os.readlink(one) in sockets for one in (process / "fd").iterdir()):
                    return int(process.name)
            except OSError:
                continue  # of somebody else, or gone meanwhile
    return None


def _listening(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROCESSES / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(columns[9])
    return found


def _arguments(process: int) -> list[str]:
    try:
        return (_PROCESSES / str(process) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _is_ours(process: int, installation: Installation) -> bool:
    """Whether that is the web process of this very installation, wherever it was started."""
    arguments = _arguments(process)
    try:
        started_in = Path(os.readlink(_PROCESSES / str(process) / "cwd"))
    except OSError:
        return False  # of somebody else, or gone meanwhile
    return "gateway.web" in arguments and any((started_in / one).resolve() == installation.file.resolve() for one in arguments)
