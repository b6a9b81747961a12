"""What keeps coming in is taken in together: a stream that had its turn a moment ago gathers, one that rested has its turn at once."""

import threading
import time
from pathlib import Path

import pytest

from gateway.pipeline.engine import local
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.station import Station
from gateway.store import streams
from tests.machine import PATIENCE
from tests.pipeline.world import World

#: long enough that a machine under load pokes several times within it
GATHER = 0.3


def test_what_keeps_coming_waits_for_company_and_nothing_else_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "GATHER", GATHER)
    world = World(tmp_path)
    station = world.station
    turns: dict[str, list[float]] = {"in:as2": [], "trade:acme": []}
    pokes: list[float] = []
    came = threading.Condition()

    def step(_station: Station, stream: str) -> bool:
        with came:
            turns[stream].append(time.monotonic())
            came.notify_all()
        return False

    engine = LocalEngine(station, {"in": step, "trade": step})
    running = threading.Thread(target=engine.run, daemon=True)
    running.start()
    began = time.monotonic()
    try:
        for _ in range(20):
            with station.database.begin() as connection:
                streams.poke(connection, "in:as2")
            pokes.append(time.monotonic())
            engine.wake()
        with came:
            assert came.wait_for(lambda: turns["in:as2"] and turns["in:as2"][-1] >= pokes[-1], PATIENCE), "the last one was never served"
        # what is wanted of the others does not wait for what gathers
        with station.database.begin() as connection:
            streams.poke(connection, "in:as2")
            streams.poke(connection, "trade:acme")
        engine.wake()
        with came:
            assert came.wait_for(lambda: bool(turns["trade:acme"]) and len(turns["in:as2"]) > 1, PATIENCE)
    finally:
        engine.stop()
        running.join(PATIENCE)
        station.close()
    # between the beginnings of two turns lies GATHER at least; the first one began after `began`
    assert (len(turns["in:as2"]) - 1) * GATHER <= turns["in:as2"][-1] - began, turns
