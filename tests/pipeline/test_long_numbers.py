"""A number without end in somebody's file, which a database does not take into its indexes, stops nothing but that file."""

import random
import string
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound import setting_aside
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import steps
from gateway.store.incoming import transmissions
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

#: PostgreSQL presses values: what repeats would fit
ENDLESS = "".join(random.Random(1).choices(string.ascii_uppercase + string.digits, k=9000))


@pytest.fixture
def world(tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(setting_aside, "SECONDS", 0.0)
    made = World(tmp_path, partners={"acme": ACME, "euroco": EUROCO}, database=migrated_postgres_url)
    yield made
    made.close()


def orders(number: str, reference: str) -> bytes:
    return (
        f"UNB+UNOC:3+5412345000013:14+4012345500004:14+260105:1200+{reference}'UNH+1+ORDERS:D:96A:UN'BGM+220+{number}+9'DTM+137:20260105:102'"
        "NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'CUX+2:EUR:9'LIN+1++4000862141404:EN'QTY+21:10'PRI+AAA:5'UNS+S'UNT+11+1'"
        f"UNZ+1+{reference}'"
    ).encode()


def states(world: World, address: str, *files: bytes) -> list[str]:
    """What becomes of files that come one behind the other."""
    arrivals = [Arrival(address=address, name=f"{place}.edi", identity=f"{place}", data=data) for place, data in enumerate(files)]
    made = [transmission.id for transmission, _ in register(world.station, arrivals)]
    engine = LocalEngine(world.station, steps())
    try:
        for _ in range(setting_aside.TRIES + 1):
            engine.drain(60)
            world.clock.now += timedelta(minutes=1)
    finally:
        engine.close()
    with world.station.database.read() as connection:
        known = transmissions.get_many(connection, made)
    return [known[id].state for id in made]


@pytest.mark.parametrize("where", ["transaction", "group"])
def test_a_number_that_only_finds_documents_is_cut(world: World, where: str) -> None:
    long = (
        x12_order("PO1", set_control=ENDLESS[:5000])
        if where == "transaction"
        else x12_order("PO1").replace(b"*1200*1*X", f"*1200*{ENDLESS}*X".encode())
    )
    assert states(world, "folder:boxes/acme/out", long, x12_order("PO2", control=2)) == ["done", "done"]


def test_an_interchange_that_cannot_be_kept_is_set_aside_and_those_behind_it_are_taken(world: World) -> None:
    assert states(world, "folder:boxes/euroco/out", orders("A1", ENDLESS), orders("A2", "2")) == ["held", "done"]
