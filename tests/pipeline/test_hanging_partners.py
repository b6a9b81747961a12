"""Partners whose servers take connections and never answer: the others' time from an order to its acknowledgment stays what it was."""

import socket
import statistics
import threading
import time
from pathlib import Path

import pytest

from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import local_engine
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.pollers import Pollers
from gateway.store import outbox
from gateway.store.identity import new_id
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

HANGING = 12
ORDERS = 15

HANGS = """\
id: bad{number}
name: Bad {number}
identifiers: {{x12: "ZZ:BAD{number}"}}
endpoints:
  box: {{sftp: "sftp://127.0.0.1:{port}/out{number}", user: seller, password: "env:HANGING_PASSWORD", host_keys: ["SHA256:{key}"], send_to: /in}}
  other: {{as2: "http://127.0.0.1:{port}/as2", name: BAD{number}, our_name: US, sign: none, encrypt: none, receipt: none}}
agreements:
  - {{receive: x12/004010/850, from: box, acknowledge: "997"}}
  - {{send: x12/004010/855, to: other}}
currency: USD
credit: none
"""


class SilentServer:
    """Takes every connection, says nothing, hangs up on nobody before it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self._taken: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self._taken.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._taken:
            one.close()


class Running:
    """An engine in a thread that looks into the good partner's folder alone."""

    def __init__(self, world: World) -> None:
        self.engine = local_engine(world.station)
        wanted = {name: looker for name, looker in lookers(world.station).items() if "acme" in name}
        Pollers(self.engine).become(wanted)
        self.thread = threading.Thread(target=self.engine.run)
        self.thread.start()

    def stop(self) -> None:
        self.engine.stop()
        self.thread.join(PATIENCE)


def waits(world: World, first: int) -> list[float]:
    """Seconds from an order's file to its acknowledgment's, one order after the other."""
    found = []
    for number in range(first, first + ORDERS):
        before = len(world.sent())
        began = time.monotonic()
        put(world.folder / "boxes/acme/out", f"po{number}.edi", x12_order(f"PO{number}", control=number).decode())
        while len(world.sent()) < before + 2:
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.005)
        found.append(time.monotonic() - began)
    return found


def test_hanging_partners_do_not_slow_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANGING_PASSWORD", "secret")
    server = SilentServer()
    bad = {f"bad{number}": HANGS.format(number=number, port=server.port, key="A" * 43) for number in range(HANGING)}
    world = World(tmp_path, partners={"acme": ACME, **bad})
    running = Running(world)
    try:
        usual = waits(world, 1)
        for number in range(HANGING):
            order = x12_order("PO1", sender=f"BAD{number}", control=1)
            register(
                world.station,
                [Arrival(address=f"sftp:sftp://seller@127.0.0.1:{server.port}/out{number}", name="po.edi", identity=new_id(), data=order)],
            )
        running.engine.sweep()
        end = time.monotonic() + PATIENCE
        # each of them has both of its streams at the silent server
        while len(running.engine._senders.under_way()) < 2 * HANGING:
            assert time.monotonic() < end, running.engine._senders.under_way()
            time.sleep(0.02)
        beside = waits(world, ORDERS + 1)
        assert len(running.engine._senders.under_way()) >= 2 * HANGING, "they still hang"
        # how little it is make bench and docs say; here others may work on the machine in one half and not in the other
        assert statistics.median(beside) < 5 * statistics.median(usual) + 2
        with world.station.database.read() as connection:
            assert {entry.state for entry in outbox.search(connection, partner="bad0")} <= {"claimed", "prepared"}
    finally:
        server.close()
        running.stop()
        world.close()
    print(f"median {statistics.median(usual):.3f} s alone, {statistics.median(beside):.3f} s beside {HANGING} partners that hang")
