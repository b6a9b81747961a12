"""The gateway's service as a process of the demo: what `gateway run` does, and an end when the demo ends, however that happens.

`python -m gateway.demo.service_process CONFIG`. It is started early, because loading takes a while, and serves when its parent says so.
"""

import importlib
import os
import signal
import sys
import threading
from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.service.running import run_service

#: what the service needs once it serves
_HEAVY = ("gateway.conformance.judge", "gateway.transport.sftp", "gateway.transport.as2_http", "gateway.pipeline.as2.relations")
#: seconds that the service has for ending in order
GRACE = 12.0


def main(arguments: list[str]) -> None:
    for name in _HEAVY:
        importlib.import_module(name)
    if not sys.stdin.buffer.read(1):
        return
    ready = threading.Event()
    threading.Thread(target=_say_ready, args=(ready,), daemon=True).start()
    threading.Thread(target=_wait_for_parent, args=(ready,), daemon=True).start()
    run_service(load_installation(Path(arguments[0])), ready=ready)


def _say_ready(ready: threading.Event) -> None:
    ready.wait()
    print("{}", flush=True)


def _wait_for_parent(ready: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        """Nothing is said to us: only the end counts."""
    # before the service is ready there is nobody who would hear the signal in order
    ready.wait(GRACE)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
