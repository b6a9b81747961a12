"""The web process as `gateway run` starts it: it ends with its parent, and says plainly why it cannot serve."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import World
from tests.web.test_as2 import start
from tests.web.world import Site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    world = World(tmp_path)
    world.station.close()
    return tmp_path


def ended(child: "subprocess.Popen[bytes]") -> int:
    code = child.wait(PATIENCE)
    if child.stderr:
        child.stderr.close()
    return code


def test_it_ends_when_its_parent_is_gone(folder: Path) -> None:
    child = start(folder, free_port())
    assert child.stdin is not None
    child.stdin.close()
    assert ended(child) == 0


def test_it_ends_when_told_to_and_its_port_is_free_at_once(folder: Path) -> None:
    port = free_port()
    child = start(folder, port)
    assert Site(port).get("/").status == 200
    child.send_signal(signal.SIGTERM)
    assert ended(child) in {0, -signal.SIGTERM}
    again = start(folder, port)
    assert again.stdin is not None
    again.stdin.close()
    assert ended(again) == 0
    if child.stdin:
        child.stdin.close()


def serve(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway.web", "--config", str(folder / "config.yaml")]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)


def test_a_port_that_is_taken_is_said_plainly(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        text = (folder / "config.yaml").read_text().replace("18999", str(other.getsockname()[1]))
        (folder / "config.yaml").write_text(text)
        done = serve(folder)
    assert done.returncode == 4 and "set web.port in config.yaml" in done.stderr and "Traceback" not in done.stderr


def test_faults_of_the_installation_are_said_plainly(folder: Path) -> None:
    (folder / "partners" / "acme.yaml").write_text("id: acme\nnome: ACME\n")
    done = serve(folder)
    assert done.returncode == 4 and "partners/acme.yaml:2:1" in done.stderr and "Traceback" not in done.stderr
