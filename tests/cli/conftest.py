"""The command as a function: same arguments, same output, same exit code, without the cost of a process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli import main
from tests.pipeline.world import World


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Command:
    """`command("check", file)` runs `gateway check file` in tmp_path."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Said:
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        said = capfdbinary.readouterr()
        return Said(int(ended.value.code or 0), said.out.decode(), said.err.decode())

    return run


@pytest.fixture
def world(tmp_path: Path):
    """An installation in the folder that commands run in."""
    made = World(tmp_path)
    yield made
    made.close()
