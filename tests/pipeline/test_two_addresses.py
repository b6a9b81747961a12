"""The same interchange over two addresses of a partner at one moment, with a worker at each: it is taken in once, and refused once."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy import select
from sqlalchemy import text

from gateway.pipeline.inbound import rows
from gateway.pipeline.inbound import walk
from gateway.pipeline.inbound.chunk import Part
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store import tables
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

OUT, SPARE = "folder:boxes/acme/out", "folder:boxes/acme/spare"
TWO = ACME.replace("agreements:", "  spare: {folder: boxes/acme/spare}\nagreements:").replace("850, from: box", "850")
#: seconds; it ends at the fact
LONGEST = 60.0


def work_off(station: Station, address: str) -> None:
    inbound = walk.Inbound()
    while inbound.step(station, f"in:{address}"):
        pass


def waits_for_a_lock(world: World) -> bool:
    with world.station.database.read() as connection:
        here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        return bool(connection.execute(text(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {here}")).scalar_one())


# files alone, and so many that they are written in one commit
@pytest.mark.parametrize("files", [1, 2])
def test_what_comes_over_two_addresses_at_one_moment_is_taken_once(
    tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    world = World(tmp_path, partners={"acme": TWO}, database=migrated_postgres_url)
    for address in (OUT, SPARE):
        for number in range(1, files + 1):
            arrival = Arrival(address=address, name=f"{number}.edi", identity=f"{number}", data=x12_order(f"PO{number}", control=number))
            register(world.station, [arrival])
    really, beside = rows.insert_documents, list[Future[None]]()
    with ThreadPoolExecutor(1) as other:

        def insert(station: Station, connection: Connection, parts: Sequence[Part], entries: list[journal.Entry]) -> None:
            if not beside:
                # what we have begun is not committed: the other worker comes to the same
                beside.append(other.submit(work_off, world.station, SPARE))
                end = time.monotonic() + LONGEST
                while not beside[0].done() and not waits_for_a_lock(world) and time.monotonic() < end:
                    wait(beside, timeout=0.01)
            really(station, connection, parts, entries)

        monkeypatch.setattr(rows, "insert_documents", insert)
        work_off(world.station, OUT)
        beside[0].result(LONGEST)
    world.settle()
    with world.station.database.read() as connection:
        outcomes = sorted((row.control_number, row.outcome) for row in connection.execute(select(tables.interchange)))
        orders = sorted(connection.execute(select(tables.document.c.number).where(tables.document.c.kind == "order")).scalars())
    numbers = [f"{number:09d}" for number in range(1, files + 1)]
    assert outcomes == sorted((number, outcome) for number in numbers for outcome in ("accepted", "duplicate"))
    assert orders == [f"PO{number}" for number in range(1, files + 1)]
    assert sum(len(tags(sent, "AK1")) for sent in world.sent()) == files, "each is acknowledged once"
    world.close()
