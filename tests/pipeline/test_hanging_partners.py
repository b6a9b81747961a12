"""Partners whose servers take connections and never answer: the others' time from an order to its acknowledgment stays what it was."""

import socket
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.pipeline.engine.cluster import ClusterEngine
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import cluster_engine
from gateway.pipeline.service.assembly import local_engine
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.pollers import Pollers
from gateway.pipeline.station import now_utc
from gateway.store.identity import new_id
from gateway.store.outgoing import outbox
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

HANGING = 12
ORDERS = 15

HANGS = """\
id: bad{number}
name: Bad {number}
identifiers: {{x12: "ZZ:BAD{number}"}}
endpoints:
  box: {{sftp: "sftp://127.0.0.1:{port}/out{number}", user: seller{number}, password: "env:HANGING_PASSWORD", host_keys: ["SHA256:{key}"], send_to: /in}}
  other: {{as2: "http://127.0.0.1:{port}/as2", name: BAD{number}, our_name: US, sign: none, encrypt: none, receipt: none, timeout: 600}}
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

    @property
    def connections(self) -> int:
        return len(self._taken)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._taken:
            one.close()


class Running:
    """An engine in a thread that looks into the good partner's folder, and later into all mailboxes."""

    def __init__(self, world: World, engine: LocalEngine | ClusterEngine) -> None:
        self._world = world
        self.engine = engine
        self._pollers = Pollers(engine)
        self.look_into("acme")
        self._thread = threading.Thread(target=engine.run)
        self._thread.start()

    def look_into(self, names: str) -> None:
        """Look into the mailboxes with this in their names."""
        self._pollers.become({name: looker for name, looker in lookers(self._world.station).items() if names in name})

    def stop(self) -> None:
        self.engine.stop()
        self._thread.join(PATIENCE)


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


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["local", pytest.param("cluster", marks=pytest.mark.storm)])
def test_hanging_partners_do_not_slow_the_others(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("HANGING_PASSWORD", "secret")
    server = SilentServer()
    partners = {"acme": ACME, **{f"bad{number}": HANGS.format(number=number, port=server.port, key="A" * 43) for number in range(HANGING)}}
    if kind == "local":
        world = World(tmp_path, partners=partners)
        running = Running(world, local_engine(world.station))
    else:
        url = request.getfixturevalue("migrated_postgres_url")
        world = World(tmp_path, config=CONFIG + "engine: cluster\n", partners=partners, database=url, clock=now_utc)  # type: ignore[arg-type]
        running = Running(world, cluster_engine(world.station, "worker"))
    try:
        usual = waits(world, 1)
        running.look_into("")
        # nothing was sent to them yet: these are the looks into their mailboxes
        until(lambda: server.connections >= HANGING)
        for number in range(HANGING):
            order = x12_order("PO1", sender=f"BAD{number}", control=1)
            address = f"sftp:sftp://seller{number}@127.0.0.1:{server.port}/out{number}"
            register(world.station, [Arrival(address=address, name="po.edi", identity=new_id(), data=order)])
        running.engine.sweep()
        # their stations have what we post; what is for their mailboxes waits for the one connection there, or is left alone with them
        until(lambda: server.connections >= 2 * HANGING and len(running.engine._senders.under_way()) >= HANGING)
        beside = waits(world, ORDERS + 1)
        assert len(running.engine._senders.under_way()) >= HANGING, "their stations hang still"
        # how little it is make bench and docs say; here others may work on the machine in one half and not in the other. Who waits for one
        # that hangs waits for twenty seconds and more
        assert statistics.median(beside) < 5 * statistics.median(usual) + 2
        assert sorted(beside)[-2] < 5 * statistics.median(usual) + 10, "nor one in fifteen"
        with world.station.database.read() as connection:
            assert {entry.state for entry in outbox.search(connection, partner="bad0")} <= set(outbox.OPEN)
    finally:
        server.close()
        running.stop()
        world.close()
    print(
        f"median {statistics.median(usual):.3f} s alone, {statistics.median(beside):.3f} s beside {HANGING} partners that hang; worst {max(beside):.3f} s"
    )
