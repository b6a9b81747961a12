"""A batch that is killed on its way leaves once, whole, in its order, under the numbers that it got first."""

import signal
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store import crash
from gateway.store.outgoing import numbers
from gateway.store.outgoing import outbox
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

HOURLY = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, batch: hourly}")
#: passages that are those of the batch: the first ones are the acknowledgments
PASSED = {
    50: "50:2",
    51: "51:2",
    81: "81:2",
    52: "52:2",
    53: "53:2",
    54: "54:2",
    55: "55:2",
    56: "56:4",
    57: "57:2",
    58: "58:2",
    64: "64:4",
    65: "65:4",
}


@pytest.mark.parametrize("point", PASSED.values())
def test_a_batch_that_is_killed_leaves_once_and_whole(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url, HOURLY)
    for control in (1, 2, 3):
        put(folder / "boxes/acme/out", f"po{control}.edi", x12_order(f"PO{control}", control=control).decode())
    status = forks.run("batch", folder, point)
    assert status == -signal.SIGKILL, f"point {point} ({crash.POINTS[int(point.split(':')[0])]}) was not passed: the walk ended with {status}"
    assert forks.run("batch", folder) == 0
    assert faults(folder) == []


def faults(folder: Path) -> list[str]:
    texts = inbox(folder)
    found = []
    answered = [[segment[3] for segment in tags(text, "BAK")] for text in texts if "ST*855" in text]
    if answered != [["PO1", "PO2", "PO3"]]:
        found.append(f"answered in interchanges: {answered}")
    controls = sorted(int(tags(text, "ISA")[0][13]) for text in texts)
    if controls != list(range(1, len(texts) + 1)):
        found.append(f"control numbers {controls}")
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        found += journal_faults(station)
        with station.database.read() as connection:
            rows = [row for row in outbox.search(connection, limit=100) if row.kind == "order_response"]
            if len({(row.identity, row.interchange_control, row.group_control) for row in rows}) != 1:
                found.append(f"rows of the batch: {[(row.identity, row.interchange_control) for row in rows]}")
            if sorted(row.transaction_control or "" for row in rows) != ["0001", "0002", "0003"]:
                found.append(f"transactions: {[row.transaction_control for row in rows]}")
            for counting in numbers.countings(connection, "acme"):
                if numbers.gaps(numbers.runs(connection, counting.key, counting.round)) or counting.repeated:
                    found.append(f"the ledger of {counting.direction} {counting.level} has gaps or repeats")
    finally:
        station.close()
    return found
