"""Killed while an order goes to the ERP and its shipment comes from the warehouse: each file is there once, and taken once."""

import json
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
from tests.crash.walk import SHIPMENT
from tests.crash.walk import put
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


def built(folder: Path, database_url: str) -> Path:
    build(folder, database_url, ACME)
    with (folder / "config.yaml").open("a") as file:
        file.write("erp: {folder: erp}\ninbox: {shipments: inbox}\n")
    (folder / "inbox").mkdir()
    put(folder / "inbox", "ship.csv", SHIPMENT.decode())
    put(folder / "boxes/acme/out", "po1.edi", x12_order("PO1").decode())
    return folder


def demand_once(folder: Path) -> None:
    [handed] = (folder / "erp").iterdir()
    assert json.loads(handed.read_bytes())["order"]["number"] == "PO1"
    assert list((folder / "inbox").iterdir()) == []
    assert [segment[2] for text in inbox(folder) for segment in tags(text, "BSN")] == ["S1"]
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        with station.database.read() as connection:
            shipments = documents.search(connection, documents.Filters(kind="shipment"))
        assert [(row.number, row.state) for row in shipments] == [("S1", "done")]
        assert journal_faults(station) == []
    finally:
        station.close()


@pytest.mark.parametrize("point", ["128", "129", "130", "131"])
def test_killed_at_a_folder_of_our_own_each_file_is_there_once(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = built(tmp_path / "installation", database_url)
    assert forks.run("own folders", folder, point) == -signal.SIGKILL
    assert forks.run("own folders", folder) == 0
    demand_once(folder)
