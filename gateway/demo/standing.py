"""What every process of the outside world does: say that it is ready, deliver what its system puts into `to_send`, collect what comes,
end when its parent does. Uses the standard library alone, so that such a process starts at once.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

#: seconds between two looks into the own folders
LOOK = 0.03


def stand(ready: dict[str, object], step: Callable[[], None]) -> None:
    """Say `ready`, then do `step` again and again until the parent's end of our standard input closes."""
    # Ctrl-C reaches the whole group: the parent decides when we end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = threading.Event()
    threading.Thread(target=_wait_for_parent, args=(ended,), daemon=True).start()
    print(json.dumps(ready), flush=True)
    while not ended.wait(LOOK):
        step()


def _wait_for_parent(ended: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        """Nothing is said to us: only the end counts."""
    ended.set()
    # whatever the main thread waits for: we do not outlive our parent
    time.sleep(3)
    os._exit(0)


def waiting_files(folder: Path) -> list[Path]:
    """Complete files of a folder (others have a leading dot), in the order of their names."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def put(folder: Path, name: str, data: bytes) -> None:
    """The file appears whole: a leading dot while it is written, then its name."""
    hidden = folder / f".{name}"
    hidden.write_bytes(data)
    hidden.rename(folder / name)


def move_all(source: Path, target: Path) -> None:
    """Every complete file of `source`, by rename."""
    for path in waiting_files(source):
        path.rename(target / path.name)
