"""An installation for crash tests, and what must hold in it and at its partner when all work is done, however often it was killed."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import IO

from sqlalchemy import func
from sqlalchemy import select

from gateway.config import load_installation
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.store import tables
from gateway.store.database import open_database
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.store.trading import stock
from gateway.store.verifying.verification import verify
from gateway.store.working import sweep
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

#: the partner never acknowledges a despatch advice: its answer is overdue as soon as somebody looks
PARTNER = ACME.replace("{send: x12/004010/856, to: box}", "{send: x12/004010/856, to: box, expect_acknowledgment: {within: 0m}}")
#: what the partner sends: clean, one file with two orders, and one that is held for its price
ORDERS = ("PO1", "PO2", "PO3", "PO4")


class ForkServer:
    """tests/crash/server.py behind two words."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "GATEWAY_CRASH_AT": ""},
        )

    def run(self, work: str, folder: Path, crash: str = "", record: Path | None = None, place: str = "") -> int:
        """The child's exit code, or minus the signal that ended it. `record`: a file that is told of each commit on the way, and `place` the
        one to die at (tests/crash/record.py)."""
        ask, answer = self._process.stdin, self._process.stdout
        assert ask is not None and answer is not None
        wanted = {"work": work, "folder": str(folder), "crash": crash, "record": str(record or ""), "place": place}
        ask.write(json.dumps(wanted) + "\n")
        ask.flush()
        return int(json.loads(_line(answer))["status"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)


def _line(answer: IO[str]) -> str:
    line = answer.readline()
    if not line:
        raise AssertionError("the fork server died")
    return line


def build(folder: Path, database_url: str, partner: str = PARTNER) -> None:
    """The installation; nothing has arrived yet."""
    (folder / "partners").mkdir(parents=True)
    (folder / "config.yaml").write_text(f'{CONFIG}database: "{database_url}"\n')
    (folder / "partners" / "acme.yaml").write_text(partner)
    for box in ("out", "in"):
        (folder / "boxes/acme" / box).mkdir(parents=True)


def empty(url: str) -> None:
    """A PostgreSQL database without any row again."""
    database = open_database(url)
    with database.begin() as connection:
        names = ", ".join(table.name for table in tables.METADATA.sorted_tables)
        # what is append-only is guarded by triggers
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    database.close()


def order_files(folder: Path) -> None:
    """The partner's orders, in three files."""
    box = folder / "boxes/acme/out"
    put(box, "po1.edi", x12_order("PO1", control=1).decode())
    put(box, "po2.edi", two_orders())
    put(box, "po3.edi", x12_order("PO4", control=3, lines=(("1", "5", "12.00", "SKU1"),)).decode())


def two_orders() -> str:
    """PO2 and PO3 in one interchange."""
    second = x12_order("PO3", set_control="0002").decode()
    body = second[second.index("ST*850") : second.index("GE*")]
    return x12_order("PO2", control=2).decode().replace("GE*1*2~", f"{body}GE*2*2~")


def faults(folder: Path) -> list[str]:
    """What is not as it must be after the whole walk; nothing when all is well."""
    found = partner_faults(folder)
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        found += journal_faults(station) + _house_faults(station)
    finally:
        station.close()
    return found


def inbox(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted((folder / "boxes/acme/in").iterdir()) if not path.name.startswith(".")]


def partner_faults(folder: Path) -> list[str]:
    """Seen from the partner: each order acknowledged and answered once, one despatch advice, one invoice, no number used twice."""
    texts = inbox(folder)
    found = [f"{path.name} was left at the partner's" for path in sorted((folder / "boxes/acme/in").iterdir()) if path.name.startswith(".")]
    found += [f"{path.name} was not taken" for path in sorted((folder / "boxes/acme/out").iterdir())]
    accepted = Counter(segment[1] for text in texts for segment in _acknowledged(text))
    if accepted != Counter({"1": 1, "2": 2, "3": 1, "9002": 1}):
        found.append(f"acknowledged transactions by group: {dict(accepted)}")
    answered = Counter(segment[3] for text in texts for segment in tags(text, "BAK"))
    if answered != Counter(ORDERS):
        found.append(f"answered: {dict(answered)}")
    for tag, wanted in (("BSN", ["S1"]), ("BIG", ["INV-000001"])):
        numbers = [segment[2] for text in texts for segment in tags(text, tag)]
        if numbers != wanted:
            found.append(f"{tag}: {numbers}")
    controls = Counter(segment[13] for text in texts for segment in tags(text, "ISA"))
    found += [f"control number {number} used {times} times" for number, times in controls.items() if times > 1]
    if sorted(int(number) for number in controls) != list(range(1, len(texts) + 1)):
        found.append(f"control numbers {sorted(controls)}")
    return found


def _acknowledged(text: str) -> list[list[str]]:
    """AK5 of each transaction as [outcome, group]."""
    group, answers = "", []
    for segment in text.split("~"):
        parts = segment.split("*")
        if parts[0] == "AK1":
            group = parts[2]
        if parts[0] == "AK5":
            answers.append([parts[1], group])
    return answers


def journal_faults(station: Station) -> list[str]:
    """What holds in every installation in which all work is done."""
    found = list(verify(station.database, station.archive, station.journal_key()).faults)
    with station.database.read() as connection:
        found += ledger.check_sums(connection)
        found += stock.check_reserved(connection)
        found += [f"work is open in {stream}" for stream in sweep.streams_with_work(connection, station.clock())]
        found += [
            f"{entry.id} is {entry.state}: {entry.last_error}"
            for entry in outbox.search(connection, limit=10_000)
            if entry.state not in {"sent", "acknowledged"}
        ]
        for row in documents.search(connection, documents.Filters(), limit=10_000):
            steps = documents.history(connection, row.id)
            if [step.transition_no for step in steps] != list(range(1, len(steps) + 1)) or (steps and steps[-1].state != row.state):
                found.append(f"{row.id} has the history {[(step.transition_no, step.state) for step in steps]} and is {row.state}")
    return found


def _house_faults(station: Station) -> list[str]:
    """Seen in the database: everything once."""
    found = []
    with station.database.read() as connection:
        rows = documents.search(connection, documents.Filters(), limit=1000)
        chains = Counter((row.kind, row.number, row.state) for row in rows if row.kind in {"order", "shipment", "invoice", "remittance_advice"})
        wanted = {("order", number, "accepted"): 1 for number in ORDERS}
        wanted |= {("shipment", "S1", "done"): 1, ("invoice", "INV-000001", "sent"): 1}
        for key, times in wanted.items():
            if chains.pop(key, 0) != times:
                found.append(f"{key} is there {times} times: {[(row.kind, row.number, row.state) for row in rows]}")
        left = {key for key in chains if key[0] != "remittance_advice"}
        if left or sum(times for key, times in chains.items() if key[0] == "remittance_advice") != 1:
            found.append(f"also there: {dict(chains)}")
        if holds.list_open(connection):
            found.append("something is held")
        for table, count in ((tables.sales_order, 4), (tables.open_item, 1), (tables.payment, 1), (tables.allocation, 1), (tables.transmission, 5)):
            present = connection.execute(select(func.count()).select_from(table)).scalar_one()
            if present != count:
                found.append(f"{table.name} has {present} rows, {count} are expected")
        available = stock.levels(connection, ["SKU1"])["SKU1"].available
        if available != 1000 - 10 - 25:
            found.append(f"{available} pieces are available: 10 of 1000 left, 25 are promised")
        if ledger.open_items(connection):
            found.append("the paid invoice is open")
    return found
