"""What a test may not assume of its machine: that it is quick, that nobody else works on it, that a port which was free a moment ago still is."""

import fcntl
import functools
import os
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

#: seconds that a test waits for something that must come: five times what a slow machine needs, since nobody waits so long when it comes
PATIENCE = 120.0
#: below where the system takes the ports of outgoing connections and of who asks for any port (32768 on Linux)
_PORTS = range(20_000, 32_000)
_kept: list[IO[str]] = []


def free_port() -> int:
    """A port for a server that is started later. No other test process of this machine is given it while this one lives (a lock on a file says
    so), and nobody gets it by chance, as happens with ports that the system gives out."""
    folder = Path(tempfile.gettempdir()) / f"gateway-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    begin = os.getpid() * 37 % len(_PORTS)
    for port in [*_PORTS[begin:], *_PORTS[:begin]]:
        lock = (folder / str(port)).open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _kept.append(lock)
        return port
    raise AssertionError("no port is free")


def is_quick(seconds: float, bound: float) -> bool:
    """Whether so many CPU seconds are below a bound that holds on the machine that this was written on; one that is slower has more."""
    return seconds < bound or seconds < bound * _slowness()


def cpu_seconds(work: Callable[[], object], tries: int = 1) -> float:
    """What the work costs this process at best: time in which others had the machine does not count."""
    best = float("inf")
    for _ in range(tries):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


@functools.cache
def _slowness() -> float:
    """How many times slower than the machine that the bounds were found on; never less than 1."""
    reference = 0.03  # seconds of the loop below there
    return max(1.0, cpu_seconds(lambda: sum(number * number for number in range(500_000)), 3) / reference)
