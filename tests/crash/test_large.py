"""An interchange that is larger than a chunk, killed while it is split: the cursor says where to go on, and ONE acknowledgment lists all."""

import signal
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.records import documents
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

ORDERS = 350
#: the answers to the orders are not what is looked at here
NO_RESPONSES = ACME.replace("  - {send: x12/004010/855, to: box}\n", "")


def large() -> str:
    """Many orders in one group; every hundredth has a fault."""
    whole = x12_order("PO1").decode()
    head, body, foot = whole[: whole.index("ST*850")], whole[whole.index("ST*850") : whole.index("GE*")], whole[whole.index("GE*") :]
    sets = []
    for number in range(1, ORDERS + 1):
        one = body.replace("*0001", f"*{number:04d}").replace("PO1**", f"PO{number}**")
        sets.append(one.replace("PID*F****WIDGET", "PID*F****" + "W" * 90) if number % 100 == 0 else one)
    return head + "".join(sets) + foot.replace("GE*1*", f"GE*{ORDERS}*")


@pytest.mark.parametrize("point", ["31", "32:1", "32:2", "33:1", "33:2", "33:3", "34", "35", "36", "37"])
def test_a_large_interchange_goes_on_where_it_was_killed(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url, NO_RESPONSES)
    put(folder / "boxes/acme/out", "large.edi", large())
    assert forks.run("large", folder, point) == -signal.SIGKILL
    assert forks.run("large", folder) == 0
    demand_whole(folder)


@pytest.mark.parametrize("point", ["172", "173:3"])
def test_so_it_does_where_another_process_reads_it(point: str, tmp_path: Path, sqlite_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, sqlite_url, NO_RESPONSES)
    with (folder / "config.yaml").open("a") as config:
        config.write("reading: {processes: 1, above: 0kB}\n")
    put(folder / "boxes/acme/out", "large.edi", large())
    assert forks.run("large elsewhere", folder, point) == -signal.SIGKILL
    assert forks.run("large elsewhere", folder) == 0
    demand_whole(folder)


def demand_whole(folder: Path) -> None:
    [acknowledgment] = inbox(folder)
    rejected = {f"{number:04d}" for number in range(100, ORDERS, 100)}
    numbers = [segment[2] for segment in tags(acknowledgment, "AK2")]
    outcomes = dict(zip(numbers, [segment[1] for segment in tags(acknowledgment, "AK5")], strict=True))
    assert list(outcomes) == [f"{number:04d}" for number in range(1, ORDERS + 1)]
    assert {number for number, outcome in outcomes.items() if outcome == "R"} == rejected
    assert tags(acknowledgment, "AK9") == [["AK9", "P", str(ORDERS), str(ORDERS), str(ORDERS - len(rejected))]]
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        with station.database.read() as connection:
            rows = documents.search(connection, documents.Filters(kind="order"), limit=1000)
        assert sorted(int(row.number[2:]) for row in rows) == [number for number in range(1, ORDERS + 1) if number % 100]
        assert {row.state for row in rows} == {"accepted"}
        assert journal_faults(station) == []
    finally:
        station.close()
