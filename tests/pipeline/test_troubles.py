"""Steps that fail are shown while they fail."""

from pathlib import Path
from typing import Any

import pytest

from gateway.config.alerting import Alerting
from gateway.pipeline.alerts.signals import signals
from gateway.pipeline.answers import reconciling
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound import setting_aside
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.condition import not_working
from gateway.pipeline.station import Station
from gateway.pipeline.trading import holding
from gateway.store import streams
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.rows import StaleState
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from tests.pipeline.test_answers import Talk
from tests.pipeline.test_answers import last_sent
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


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


def test_a_file_over_which_a_step_fails_is_set_aside_and_those_behind_it_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really, broken = reconciling.apply_received, True

    def apply(*arguments: Any) -> None:
        if broken:
            raise StaleState("a document is rejected, expected sent")
        really(*arguments)

    monkeypatch.setattr(reconciling, "apply_received", apply)
    monkeypatch.setattr(setting_aside, "SECONDS", 0.0)
    world.receive(x12_order())
    talk = Talk(world)
    arrivals = [Arrival(address="folder:boxes/acme/out", name="po2.edi", identity="po2", data=x12_order("PO2", control=900))]
    talk.of_response("A")
    register(world.station, arrivals)
    engine = LocalEngine(world.station, steps())
    try:
        for _ in range(setting_aside.TRIES):
            engine.sweep()
            engine.drain(30)
        with world.station.database.read() as connection:
            [trouble] = not_working(world.station, connection)
            [signal] = [one for one in signals(connection, Alerting(to=("ops@seller.example",)), world.clock()) if one.kind == "step"]
            [hold] = holds.list_open(connection)
            assert [row.state for row in documents.search(connection, documents.Filters(number="PO2"))] == ["accepted"]
        assert (trouble.name, trouble.state) == ("set aside in:folder:boxes/acme/out", "stopped")
        assert hold.id in trouble.error and "gateway hold release" in trouble.cure and signal.severity == "error"
        assert (hold.kind, hold.reasons[0].code) == ("failure", "FILE-STEP-FAILED")
        assert capsys.readouterr().err.count('"event": "file set aside"') == 1
        broken = False
        holding.release(world.station, hold.id, "operator", "a newer version")
        engine.drain(30)
    finally:
        engine.close()
    assert last_sent(world, "OR-PO1").ack_state == "accepted"
    with world.station.database.read() as connection:
        assert not_working(world.station, connection) == [] and holds.list_open(connection) == []
