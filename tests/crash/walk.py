"""The walk that the crash tests kill: a partner with a folder, orders on their way to the cash, and the person who releases, ships and
bills. Everything here may be begun again after a kill: it looks at what is there and does what is missing, as people would.

Run by tests/crash/server.py in a child process; it knows an installation's folder and nothing of the tests.
"""

import os
import time
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.arriving import fetching
from gateway.pipeline.arriving.handing_in import NotTaken
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.outbox.boxes import make_box
from gateway.pipeline.plans import Plans
from gateway.pipeline.service.assembly import mailboxes
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.trading import masterdata
from gateway.store.trading import stock
from tests.machine import PATIENCE

SHIPMENT = b"shipment,order,line,quantity\nS1,PO1,1,10\n"
PACE = 0.005
#: compiled plans of an earlier walk in this process: the files that they come from are the same in each installation
_plans: list[Plans] = []


def open_here(folder: Path) -> Station:
    """The installation, with the plans of an earlier one."""
    station = open_station(load_installation(folder / "config.yaml"))
    if not _plans:
        _plans.append(station.plans)
    station.current.loaded = replace(station.current.loaded, plans=_plans[0])
    return station


def walk(folder: Path) -> None:
    """Everything from the order to the payment, as far as it is not done yet."""
    station = open_here(folder)
    load_goods(station)
    take_in(station)
    _release(station)
    _ship(station)
    if not _answered(folder, "ST*810*"):
        release_invoices(station, ["PO1"], "clerk")
    work_off(station)
    partner_answers(folder)
    take_in(station)
    # the despatch advice is not answered: somebody asks, and settles it
    _release(station)
    seal(station)
    station.close()


def changes(folder: Path) -> None:
    """What lies in the partner's folder, to its end; nobody has to decide anything."""
    station = open_here(folder)
    load_goods(station)
    take_in(station)
    seal(station)
    station.close()


def take_in(station: Station) -> None:
    """Poll the partner's folder until it is empty, then do all work."""
    end = time.monotonic() + PATIENCE
    waiting = True
    while waiting:
        waiting = False
        for address, (endpoint, _) in mailboxes(station).items():
            fetching.poll(station, address, make_box(station.installation, endpoint), empty=endpoint.empty)
            waiting |= any(True for name in station.installation.path(str(endpoint.folder)).iterdir() if not name.name.startswith("."))
        if waiting:
            if time.monotonic() > end:
                raise TimeoutError("the partner's folder is not taken up")
            time.sleep(PACE)
    work_off(station)


def load_goods(station: Station) -> None:
    """Items, prices and stock: a command that people repeat when it was cut."""
    with station.database.read() as connection:
        if stock.levels(connection, ["SKU1"]):
            return
    now = datetime.now(UTC)
    rows = {
        "items": {"number": "SKU1", "name": "Widget"},
        "prices": {"item": "SKU1", "currency": "USD", "amount": "9.25"},
        "stock": {"item": "SKU1", "on_hand": "1000"},
    }
    with station.database.begin() as connection:
        for kind, row in rows.items():
            _, wrong = masterdata.import_rows(connection, kind, [row], now)
            assert not wrong, wrong


def _release(station: Station) -> None:
    with station.database.read() as connection:
        waiting = holds.list_open(connection)
    for hold in waiting:
        holding.release(station, hold.id, "clerk", "agreed by phone")
    work_off(station)


def _ship(station: Station) -> None:
    """Known by its number, so that handing it in again is harmless."""
    try:
        hand_in_shipments(station, SHIPMENT, "ship.csv", "warehouse")
    except NotTaken as error:
        raise AssertionError(str(error)) from error
    work_off(station)


def partner_answers(folder: Path) -> None:
    """The partner acknowledges the invoice and pays it, once."""
    told = folder / "partner-answered"
    if told.exists():
        return
    text = next(text for text in _inbox(folder) if "ST*810*" in text)
    group = next(segment for segment in text.split("~") if segment.startswith("GS*")).split("*")[6]
    number = next(segment for segment in text.split("~") if segment.startswith("BIG*")).split("*")[2]
    head = (
        "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*{0:09d}*0*P*>~"
        "GS*{1}*ACMEBUYER*SELLERCO*20260201*1200*{0}*X*004010~"
    )
    foot = "GE*1*{0}~IEA*1*{0:09d}~"
    acknowledgment = f"ST*997*0001~AK1*IN*{group}~AK2*810*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~"
    payment = f"ST*820*0001~BPR*C*92.50*C*ACH************20260201~TRN*1*TRACE77~CUR*PR*USD~N1*PR*ACME CORP~ENT*1~RMR*IV*{number}**92.50~SE*8*0001~"
    put(folder / "boxes/acme/out", "ack.edi", head.format(9001, "FA") + acknowledgment + foot.format(9001))
    put(folder / "boxes/acme/out", "pay.edi", head.format(9002, "RA") + payment + foot.format(9002))
    told.touch()


def put(box: Path, name: str, text: str) -> None:
    """A file appears by rename, its inode changed visibly later than its bytes."""
    temporary = box / f".{name}.tmp"
    temporary.write_text(text)
    status = temporary.stat()
    os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns - 10_000_000))
    temporary.rename(box / name)


def _answered(folder: Path, word: str) -> bool:
    return any(word in text for text in _inbox(folder))


def _inbox(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / "boxes/acme/in").iterdir()) if not path.name.startswith(".")]
