"""Changes that come before, with and after their order, killed at the points that they pass: the order is decided first, every change is in
it once, each is answered once, and the stock is reserved for what stands."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store import tables
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.trading import orders
from gateway.store.trading import stock
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.pipeline.test_changes import CHANGING
from tests.pipeline.world import poc
from tests.pipeline.world import tags
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order

#: where a change is registered, waits, is decided and answered; later passages are those of the changes
POINTS = ["22", "23:9", "25:6", "25:11", "26:9", "32", "33", "36", "40", "40:2", "40:3", "41", "42:2", "43", "43:2", "43:3", "44", "44:3", "52", "57:2"]  # fmt: skip


def change_files(folder: Path) -> None:
    """The first change comes alone and before the order; the order and a second change in one file; a third one after them."""
    box = folder / "boxes/acme/out"
    put(box, "a-change.edi", x12_change(control=1, sequence="1", lines=(poc("1", "QI", "15", "9.25", "SKU1"),)).decode())
    order = x12_order("PO1", control=2).decode()
    change = x12_change(control=3, sequence="2", lines=(poc("2", "AI", "4", "9.25", "SKU1"),)).decode()
    group = change[change.index("GS*") : change.index("IEA")]
    put(box, "b-order.edi", order.replace("IEA*1*", f"{group}IEA*2*"))
    put(box, "c-change.edi", x12_change(control=4, sequence="3", lines=(poc("1", "QD", "12", "9.25", "SKU1"),)).decode())


def faults(folder: Path, tries: int = 1) -> list[str]:
    """`tries`: how often the order was tried until it was decided."""
    found = []
    texts = inbox(folder)
    answers = [(segment[3], segment[5]) for text in texts for segment in tags(text, "BCA")]
    if answers != [("PO1", "1"), ("PO1", "2"), ("PO1", "3")]:
        found.append(f"changes are answered {answers}")
    if [segment[3] for text in texts for segment in tags(text, "BAK")] != ["PO1"]:
        found.append("the order is not answered once")
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        found += journal_faults(station)
        with station.database.read() as connection:
            [order] = orders.find(connection, "acme", ["PO1"])
            lines = {line.number: line.accepted for line in orders.lines_of(connection, [order.document])}
            if {number: int(quantity) for number, quantity in lines.items()} != {"1": 12, "2": 4}:
                found.append(f"the order has {lines}")
            states = Counter((row.kind, row.state) for row in documents.search(connection, documents.Filters(direction="in"), limit=100))
            if states != {("order", "accepted"): 1, ("order_change", "accepted"): 3}:
                found.append(f"there is {dict(states)}")
            versions = [change.version for change, _ in changes.of_orders(connection, [order.document])[order.document]]
            if sorted(version or 0 for version in versions) != [2, 3, 4]:
                found.append(f"versions {versions}")
            available = stock.levels(connection, ["SKU1"])["SKU1"].available
            if available != 1000 - 16:
                found.append(f"{available} pieces are available, 16 of 1000 are promised")
            if connection.execute(select(func.count()).select_from(tables.sales_order)).scalar_one() != 1:
                found.append("there is more than one order")
            history = documents.history(connection, order.document)
            if [step.state for step in history] != [*["registered"] * tries, *["accepted"] * 4]:
                found.append(f"the order's history is {[step.reason for step in history]}")
            # only the one that came before the order had to wait: the others were not touched until the order was decided
            for change, _ in changes.of_orders(connection, [order.document])[order.document]:
                steps = documents.history(connection, change.document)
                if change.sequence != "1" and [step.state for step in steps] != ["registered", "accepted"]:
                    found.append(f"change {change.sequence} was touched before its order was decided: {[step.reason for step in steps]}")
    finally:
        station.close()
    return found


def built(tmp_path: Path, url: str) -> Path:
    folder = tmp_path / "installation"
    build(folder, url, CHANGING)
    change_files(folder)
    return folder


def test_a_walk_that_nobody_kills_has_no_faults(tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = built(tmp_path, database_url)
    assert forks.run("changes", folder) == 0
    assert faults(folder) == []


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_no_change_is_lost_or_doubled_or_out_of_order(point: str, tmp_path: Path, sqlite_url: str, forks: ForkServer) -> None:
    folder = built(tmp_path, sqlite_url)
    status = forks.run("changes", folder, point)
    assert status == -signal.SIGKILL, f"point {point} was not passed: the walk ended with {status}"
    assert forks.run("changes", folder) == 0
    assert faults(folder) == []
