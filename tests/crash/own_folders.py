"""The work of the test with folders of our own: an order goes to the ERP, its shipment comes out of the warehouse's folder. Run by
tests/crash/server.py; it may be begun again.
"""

import time
from pathlib import Path

from gateway.pipeline.arriving.files_in_the_way import FilesInTheWay
from gateway.pipeline.arriving.handing_in import poll_folder
from gateway.pipeline.service.assembly import work_off
from gateway.transport.folder import FolderBox
from tests.crash.walk import PACE
from tests.crash.walk import load_goods
from tests.crash.walk import open_here
from tests.crash.walk import take_in
from tests.machine import PATIENCE


def walk(folder: Path) -> None:
    """Take the order in, then what the warehouse says, until its folder is empty."""
    station = open_here(folder)
    load_goods(station)
    take_in(station)
    box, in_the_way = FolderBox(folder / "inbox"), FilesInTheWay(station, "shipments:inbox")
    end = time.monotonic() + PATIENCE
    while any((folder / "inbox").iterdir()):
        poll_folder(station, "shipments", box, in_the_way)
        assert time.monotonic() < end, "the folder is not emptied"
        time.sleep(PACE)
    work_off(station)
    station.close()
