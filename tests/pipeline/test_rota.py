"""Whose turn it is: who had little comes between the turns of who has much, and whatever the others do, everybody has a turn."""

import threading
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.engine.rota import LONGEST
from gateway.pipeline.engine.rota import STANDS_BACK
from gateway.pipeline.engine.rota import Rota
from gateway.pipeline.station import Station
from gateway.store import streams
from tests.machine import PATIENCE
from tests.pipeline.world import World

#: seconds that turns take, one stream's after the other's
LENGTHS = st.lists(st.floats(0.0, 2.0), min_size=1, max_size=5)


@given(st.integers(1, 8), st.floats(0.001, 1.0))
def test_streams_that_take_alike_are_served_one_after_the_other(count: int, seconds: float) -> None:
    rota, now = Rota(), 1.0
    busy = {f"in:{number}" for number in range(count)}
    for _ in range(4):
        served = []
        for _ in range(count):
            served.append(rota.first(busy))
            rota.begins(served[-1], now)
            now += seconds
            rota.ends(served[-1], now)
        assert set(served) == busy


@given(st.lists(LENGTHS, min_size=2, max_size=8))
def test_who_has_stood_back_waits_for_one_turn_of_each_other_at_most(lengths: list[list[float]]) -> None:
    rota, now = Rota(), 1.0
    busy = {f"in:{number}": each for number, each in enumerate(lengths)}
    due = dict.fromkeys(busy, now)
    behind = dict.fromkeys(busy, 0)
    for count in range(100):
        chosen = rota.first(set(busy))
        for stream in busy:
            # counted from the moment on which the stream has stood back for its last turn
            behind[stream] += due[stream] <= now and stream != chosen
        rota.begins(chosen, now)
        took = busy[chosen][count % len(busy[chosen])]
        now += took
        rota.ends(chosen, now)
        due[chosen], behind[chosen] = now + STANDS_BACK * min(took, LONGEST), 0
        assert max(behind.values()) < len(busy), behind


def test_who_has_the_turn_gives_way_to_whom_it_would_have_let_go_first() -> None:
    rota = Rota()
    for stream, began, ended in (("in:bulk", 1.0, 1.3), ("trade:bulk", 1.3, 1.6), ("in:acme", 1.6, 1.62), ("trade:acme", 1.62, 1.65)):
        rota.begins(stream, began)
        rota.ends(stream, ended)
    rota.begins("in:bulk", 1.8)
    assert not rota.gives_way("in:bulk", {"trade:bulk", "in:bulk"}), "two large ones would cut each other's turns short"
    assert rota.gives_way("in:bulk", {"trade:bulk", "in:acme"})
    assert rota.gives_way("in:bulk", {"in:new"})
    assert rota.first({"in:bulk", "trade:bulk", "in:acme", "trade:acme"}) == "in:acme"


def test_a_turn_that_was_held_up_is_nobodys_share() -> None:
    """A database that was locked for half a minute: whose turn that was does not wait for two minutes behind a busy one."""
    rota, now = Rota(), 30.0
    rota.begins("in:acme", 0.0)
    rota.ends("in:acme", now)
    turns = 0
    while rota.first({"in:acme", "in:bulk"}) != "in:acme":
        rota.begins("in:bulk", now)
        now, turns = now + 0.3, turns + 1
        rota.ends("in:bulk", now)
    assert now - 30.0 < 3.0, turns


class Busy:
    """Streams that are never through, and a small order of acme's that comes in the midst of them."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.came = threading.Event()
        self.decided = threading.Event()
        self._rests = threading.Event()

    def __call__(self, station: Station, stream: str) -> bool:
        if stream == "trade:acme":
            self.decided.set()
        if self.decided.is_set() and {f"{kind}:bulk" for kind in ("in", "trade")} <= set(self.served[self.served.index("order") :]):
            self.came.set()
        self.served.append(stream)
        if stream.endswith(":acme"):
            if stream == "in:acme":
                self._poke(station, "trade:acme")
            return False
        # never shorter, on however slow a machine
        self._rests.wait(0.03)
        if len(self.served) == 5:
            self._poke(station, "in:acme")
            self.served.append("order")
        return True

    def _poke(self, station: Station, stream: str) -> None:
        with station.database.begin() as connection:
            streams.poke(connection, stream)


def test_a_small_order_waits_for_a_part_of_a_large_ones_turn_and_only_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    busy = Busy()
    for stream in ("in:bulk", "trade:bulk"):
        busy._poke(world.station, stream)
    engine = LocalEngine(world.station, {"in": busy, "trade": busy})
    running = threading.Thread(target=engine.run, daemon=True)
    running.start()
    try:
        assert busy.came.wait(PATIENCE), busy.served
    finally:
        engine.stop()
        running.join(PATIENCE)
        world.station.close()
    after = busy.served[busy.served.index("order") + 1 :]
    # looked at every tenth of a second, by steps of 30 ms
    assert after.index("in:acme") <= 4, after
    assert after[after.index("in:acme") + 1] == "trade:acme", after
