"""Steps that fail are shown while they fail."""

from pathlib import Path

import pytest

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.station import Station
from gateway.store import streams
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from tests.pipeline.world import World


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def standing(world: World) -> list[Trouble]:
    with world.station.database.read() as connection:
        return troubles.standing(connection)


def test_a_step_that_fails_stands_among_the_troubles_until_it_works(world: World) -> None:
    failing = True

    def step(station: Station, stream: str) -> bool:
        if failing:
            raise ValueError("a fault of ours")
        return False

    engine = LocalEngine(world.station, {"in": step})
    try:
        for expected in (["step in:box"], ["step in:box"], []):
            failing = bool(expected)
            with world.station.database.begin() as connection:
                streams.poke(connection, "in:box")
            engine.drain(10)
            assert [trouble.name for trouble in standing(world)] == expected
            if expected:
                assert standing(world)[0].error == "ValueError: a fault of ours"
    finally:
        engine.close()
