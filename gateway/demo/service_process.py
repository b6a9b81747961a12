"""The gateway's service as a process of the demo: what `gateway run` does, and an end when the demo ends, however that happens.

`python -m gateway.demo.service_process CONFIG`.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.running import run_service

#: seconds that the service has for ending in order
GRACE = 12.0


def main(arguments: list[str]) -> None:
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
