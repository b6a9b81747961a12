"""Processes of the demo as their parent sees them: started, waited for until they say that they are ready, ended.

Each child reads its standard input, which only we hold open, and ends when it closes: so none is left behind, also when we are killed.
Children stay in our process group.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO
from typing import Any


class ChildDied(Exception):
    """A process of the demo ended by itself; one sentence with the end of what it wrote."""


class Child:
    """One process: `python -m MODULE ARGUMENTS`. Its first line on standard output says that it is ready, as JSON."""

    def __init__(self, name: str, module: str, *arguments: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._ready: queue.Queue[str] = queue.Queue(1)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), name=f"listen to {name}", daemon=True).start()

    def _listen(self, output: IO[bytes]) -> None:
        self._ready.put(output.readline().decode())
        for _ in output:
            """What it says later is of no use to us, but must not fill the pipe."""

    def ready(self, seconds: float = 30.0) -> dict[str, Any]:
        """What it said when it was ready; ChildDied where it never was."""
        try:
            line = self._ready.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            raise ChildDied(f"{self.name} did not start: {self._last_words()}")
        said = json.loads(line)
        assert isinstance(said, dict)
        return said

    def go(self) -> None:
        """Tell a child that waits for it to begin."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b".")
            self._process.stdin.flush()
        except OSError:
            raise ChildDied(f"{self.name} did not start: {self._last_words()}") from None

    def check(self) -> None:
        """Raises ChildDied where it has ended."""
        if self._process.poll() is not None:
            raise ChildDied(f"{self.name} ended with {self._process.returncode}: {self._last_words()}")

    def let_go(self) -> None:
        """Ask it to end: its standard input closes."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def gone(self, seconds: float) -> None:
        """Wait until it has ended; one that does not listen is killed."""
        try:
            self._process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.is_file() else []
        return lines[-1][:500] if lines else "it said nothing"


class Children:
    """All of them; leaving the block ends them."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    def start(self, name: str, module: str, *arguments: str, log: Path) -> Child:
        child = Child(name, module, *arguments, log=log)
        self._all.append(child)
        return child

    def check(self) -> None:
        for child in self._all:
            child.check()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._all):
            child.let_go()
        end = time.monotonic() + 15
        for child in reversed(self._all):
            child.gone(end - time.monotonic())
