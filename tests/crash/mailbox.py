"""The work of the tests with mailboxes whose files are large or kept: taken in, nothing else. Run by tests/crash/server.py."""

import time
from pathlib import Path

from gateway.pipeline.arriving import fetching
from gateway.pipeline.outbox.boxes import make_box
from gateway.pipeline.service.assembly import mailboxes
from gateway.pipeline.service.assembly import work_off
from gateway.store.payloads import spool
from tests.crash.walk import PACE
from tests.crash.walk import PATIENCE
from tests.crash.walk import open_here


def fetch(folder: Path) -> None:
    """Look into every mailbox until nothing is listed any more, then do all work."""
    # what comes is written down often enough for a file that is only just a large one
    spool.MARK_EVERY = 4 << 20
    station = open_here(folder)
    for address, (endpoint, _) in mailboxes(station).items():
        box = make_box(station.installation, endpoint)
        end = time.monotonic() + PATIENCE
        while fetching.poll(station, address, box, empty=endpoint.empty) or box.list_ready():
            assert time.monotonic() < end, "the mailbox is not emptied"
            time.sleep(PACE)
        box.close()
    work_off(station)
    station.close()
