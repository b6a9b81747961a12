"""The service stops within ten seconds whatever hangs, and tells its service manager how it does."""

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.pipeline.engine.local import LocalEngine
from tests.integration.house import House
from tests.integration.house import put
from tests.integration.house import until
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

#: what is promised; beside other tests, which have the processors as well, thrice as long: what hangs here hangs for minutes
IN_TIME = 30.0 if "PYTEST_XDIST_WORKER" in os.environ else 10.0


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Takes every line and never says a word."""
    lines: list[socket.socket] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)

        def take() -> None:
            while True:
                try:
                    lines.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        try:
            yield int(listener.getsockname()[1]), lines
        finally:
            listener.close()
            for line in lines:
                line.close()


def hanging(port: int) -> str:
    return f"""\
id: slow
name: Slow Inc
identifiers: {{x12: "ZZ:SLOW"}}
endpoints:
  mailbox: {{sftp: "sftp://127.0.0.1:{port}/out", user: u, password: "env:SLOW_PASSWORD", host_keys: ["SHA256:x"]}}
  box: {{folder: boxes/slow/out, send_to: boxes/slow/in}}
agreements:
  - {{receive: x12/004010/850, from: box, acknowledge: "997"}}
  - {{send: x12/004010/855, to: box}}
currency: USD
tax: none
credit: none
"""


def large_order(lines: int) -> bytes:
    return x12_order("BIG", control=9, lines=tuple((str(number), "1", "9.25", f"SKU{number}") for number in range(1, lines)))


def test_it_stops_in_time_with_partners_that_hang_a_long_parse_and_a_request_under_way(tmp_path: Path) -> None:
    with silent_server() as (port, lines):
        house = House(tmp_path, {"acme": ACME, "slow": hanging(port)})
        with house.service(env={"SLOW_PASSWORD": "x"}) as service:
            until(lambda: lines, "the mailbox to be looked into")
            until(lambda: _answers(house), "the pages")
            put(house.box("acme", "out"), "big.edi", large_order(100_000))
            with socket.create_connection(("127.0.0.1", house.port), timeout=PATIENCE) as request:
                head = f"POST /as2 HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nContent-Length: 100000\r\n\r\n"
                request.sendall(head.encode() + b"half a body")
                service.stop(IN_TIME)


def test_a_timer_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    world = World(tmp_path)
    engine = LocalEngine(world.station, {})
    struck, ended = threading.Event(), threading.Event()

    def hang() -> None:
        struck.set()
        ended.wait(PATIENCE)

    engine.every("alerts", 0.1, hang)
    running = threading.Thread(target=engine.run)
    running.start()
    assert struck.wait(PATIENCE)
    engine.stop()
    running.join(PATIENCE / 2)
    # who stops it knows that a thread is still under way, and ends the process without it
    assert not running.is_alive() and not engine.idle()
    ended.set()
    until(engine.idle, "the timer to end")
    world.close()


def _answers(house: House) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/healthz", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told_that_it_is_ready_lives_and_stops(tmp_path: Path, abstract: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"\0gateway-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
        manager.bind(name)
        manager.settimeout(PATIENCE)
        house = House(tmp_path, {"acme": ACME})
        with house.service(env={"NOTIFY_SOCKET": name.replace("\0", "@")}) as service:
            assert manager.recv(1000).decode().splitlines()[0] == "READY=1"
            assert manager.recv(1000) == b"WATCHDOG=1"
            service.stop()
        manager.settimeout(0)
        told = []
        while True:
            try:
                told.append(manager.recv(1000))
            except BlockingIOError:
                break
        assert told[-1] == b"STOPPING=1"
