"""A port that another program holds is told before anything is taken in, with who holds it and which key to change."""

import os
import socket
from pathlib import Path

import pytest

from gateway.config import ConfigTrouble
from gateway.config import load_installation
from gateway.pipeline.service import web_port
from gateway.pipeline.service.running import run_service
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def house(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield World(tmp_path, config=CONFIG.replace("18999", str(other.getsockname()[1])))


def test_a_taken_port_stops_the_start_before_anything_is_taken_in(house: World, capfd: pytest.CaptureFixture[str]) -> None:
    waiting = house.folder / "boxes/acme/out/po.edi"
    waiting.write_bytes(x12_order("PO1"))
    installation = load_installation(house.folder / "config.yaml")
    with pytest.raises(ConfigTrouble) as caught:
        run_service(installation)
    words, port = str(caught.value), installation.settings.web.port
    assert f"port {port} of 127.0.0.1" in words and f"process {os.getpid()} (" in words
    assert f"web: {{port: {port + 1}}}" in words and "\n" not in words
    # one sentence, and no line of the log before it
    assert capfd.readouterr().err == ""
    assert waiting.exists()


def test_the_pages_of_a_killed_service_are_waited_for(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = load_installation(house.folder / "config.yaml")
    asked = iter([False, False, True])
    monkeypatch.chdir(house.folder)
    monkeypatch.setattr(web_port, "port_is_free", lambda host, port: next(asked))
    monkeypatch.setattr(web_port, "_arguments", lambda process: ["python", "-m", "gateway.web", "--config", "config.yaml"])
    web_port.want_port(installation)
    assert next(asked, None) is None
