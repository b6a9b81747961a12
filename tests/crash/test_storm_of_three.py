"""Kills at random moments while three partners send at once: one by folder, one by SFTP (a real OpenSSH server whose connections go away at
times), one by AS2 whose station breaks the line off after it has received. Seen from each partner: every order acknowledged once and
answered once, answers in the order of the orders, no number and no Message-ID with two contents; and the books hold."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.exchange import as2
from gateway.pipeline.station import open_station
from gateway.transport.as2_http import post
from gateway.transport.box import TransportError
from tests.crash.house import journal_faults
from tests.crash.test_storm import Service
from tests.integration.house import put
from tests.integration.house import texts
from tests.integration.sftp_house import Mailbox
from tests.integration.sftp_house import mailbox
from tests.integration.sftp_house import sftp_partner
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.as2_partner import PARTNER as AS2_PARTNER
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import Post
from tests.pipeline.as2_partner import Reply
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.as2_partner import write_keys
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

FOLDER, SFTP, AS2 = "ACMEBUYER", "SFTPBUYER", "AS2BUYER"
SUPPLIER = ACME.replace("id: acme\n", "id: plain\n").replace("boxes/acme/", "boxes/plain/").replace('"1234567890128"', '"1234567890111"')


def order(sender: str, number: int) -> bytes:
    """An order of one of the partners; its number sorts as it counts."""
    made = x12_order(f"PO{number:04d}", control=number)
    return made.replace(b"ACMEBUYER      ", sender.encode().ljust(15)).replace(b"*ACMEBUYER*", f"*{sender}*".encode())


@dataclass
class AckingStation:
    """The AS2 partner: keeps what it accepted by Message-ID, answers a second time as the first, and breaks the line off at times."""

    station: PartnerStation
    chance: random.Random
    #: how often at most: each costs the wait before the next try
    most: int
    accepted: dict[str, list[bytes]] = field(default_factory=dict)
    answers: dict[str, as2.MdnResponse] = field(default_factory=dict)
    broken: int = 0
    #: how often for each message: what fails again and again waits for minutes, and all behind it with it
    of_one: Counter[str] = field(default_factory=Counter)

    def answer(self, post: Post) -> Reply:
        opened = self.station.opened(post)
        assert opened.accepted and opened.payload is not None, opened.problems
        with self.station.arrived:
            kept = self.accepted.setdefault(opened.message_id, [])
            if opened.payload not in kept:
                kept.append(opened.payload)
            made = self.answers.setdefault(opened.message_id, self.station.receipt(post))
            if self.broken < self.most and self.of_one[opened.message_id] < 2 and self.chance.random() < 0.3:
                self.broken += 1
                self.of_one[opened.message_id] += 1
                return None
        return 200, made.headers, made.body

    def texts(self) -> list[str]:
        with self.station.arrived:
            return [payload.decode("latin-1") for payloads in self.accepted.values() for payload in payloads]


class Sender(threading.Thread):
    """The AS2 partner's own outbox: the next message leaves when the one before has its receipt, under the same Message-ID on every try."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{port}/as2"
        self._count = count
        self.stop = threading.Event()
        self.faults: list[str] = []

    def run(self) -> None:
        relation = their_relation()
        for number in range(1, self._count + 1):
            request = as2.wrap(order(AS2, number), relation, f"<order-{number}@buyer>", datetime.now(UTC), f"po{number}.edi")
            assert isinstance(request, as2.As2Request)
            while not self.stop.is_set():
                with contextlib.suppress(TransportError):
                    given = post(self._url, request.headers, request.body, timeout_seconds=10)
                    receipt = as2.read_mdn(given.headers, given.body, request.expected, relation, datetime.now(UTC))
                    if not receipt.delivered:
                        self.faults.append(f"order {number}: {receipt.disposition} {receipt.text}")
                    break
                self.stop.wait(0.2)


def install(folder: Path, as2_url: str, box: Mailbox, database_url: str | None) -> int:
    """Three partners; returns the port of /as2."""
    port = free_port()
    for name in ("boxes/plain/out", "boxes/plain/in", "partners", "keys"):
        (folder / name).mkdir(parents=True)
    database = f'database: "{database_url}"\n' if database_url else ""
    (folder / "config.yaml").write_text(
        f'us: {{name: "Seller Co", identifiers: {{x12: "ZZ:SELLERCO"}}}}\ndata: data\npoll_remote: 0.2\n'
        f"web: {{host: 127.0.0.1, port: {port}}}\n{database}"
    )
    write_keys(folder)
    (folder / "keys/client").write_bytes((box.server.home / "client").read_bytes())
    (folder / "partners/plain.yaml").write_text(SUPPLIER)
    (folder / "partners/mailbox.yaml").write_text(sftp_partner("mailbox", SFTP, box.server))
    text = AS2_PARTNER.format(url=as2_url, receive_from="as2", more="").replace("id: acme\n", "id: station\n").replace("ZZ:ACMEBUYER", f"ZZ:{AS2}")
    (folder / "partners/station.yaml").write_text(
        text.replace("boxes/acme", "boxes/station").replace('"1234567890128"', '"1234567890135"').replace("  box: {", "  spare: {")
    )
    return port


def storm(
    folder: Path, *, kills: int, count: int, seed: int, longest: float, patience: float, breaks: int, database_url: str | None, saved: bool = False
) -> list[str]:
    """`count` orders of each partner while the service is killed `kills` times; what is wrong when all is done. `saved`: there is a backup in the
    middle of it, which is restored at the end."""
    saving: subprocess.Popen[bytes] | None = None
    chance = random.Random(seed)
    with mailbox() as box, partner_station() as station:
        taker = AckingStation(station, random.Random(seed + 1), breaks)
        station.answer = taker.answer
        port = install(folder, f"{station.url}/as2", box, database_url)
        service, sender = Service(folder), Sender(port, count)
        try:
            service.start()
            sender.start()
            moments = set(chance.sample(range(2, count), kills))
            for number in range(1, count + 1):
                put(folder / "boxes/plain/out", f"po{number:04d}.edi", order(FOLDER, number))
                put(box.out, f"po{number:04d}.edi", order(SFTP, number))
                time.sleep(chance.uniform(0, 0.1))
                if number in moments:
                    time.sleep(chance.uniform(0, longest))
                    if chance.random() < 0.3:
                        box.go_away()
                        box.come_back()
                    assert service.end(signal.SIGKILL) == -signal.SIGKILL
                    service.start()
                if saved and number == count // 2:
                    saving = gateway(folder, "backup", str(folder / "middle.zip"), "--passphrase", "env:PHRASE")

            def places() -> dict[str, list[str]]:
                return {FOLDER: texts(folder / "boxes/plain/in"), SFTP: texts(box.sent), AS2: taker.texts()}

            end = time.monotonic() + patience
            while time.monotonic() < end and any(sum("ST*855" in text for text in one) < count for one in places().values()):
                time.sleep(0.2)
            # nothing more may come: what would be doubled comes within the next look at the database
            time.sleep(1)
            assert service.end(signal.SIGTERM) in {0, -signal.SIGTERM}
        finally:
            sender.stop.set()
            sender.join(PATIENCE)
            service.stop()
        found = list(sender.faults)
        if saved:
            found += restored(folder, saving)
        for partner, received in places().items():
            found += [f"{partner}: {fault}" for fault in _partner_faults(received, count)]
        found += [f"message {id} came with {len(payloads)} contents" for id, payloads in taker.accepted.items() if len(payloads) > 1]
        found += [f"{path.name} was not taken" for folder_ in (folder / "boxes/plain/out", box.out) for path in folder_.iterdir()]
        assert taker.broken, "the station never broke off: nothing was tried twice"
    opened = open_station(load_installation(folder / "config.yaml"))
    try:
        return found + journal_faults(opened)
    finally:
        opened.close()


def gateway(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """A command beside the service."""
    with (folder / "commands.log").open("ab") as log:
        command = [sys.executable, "-m", "gateway", *arguments]
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PHRASE": "x"})


def restored(folder: Path, saving: "subprocess.Popen[bytes] | None") -> list[str]:
    """What is wrong with the backup of the middle of the storm: rows of one moment, each payload that they name, books that hold."""
    assert saving is not None
    again = folder / "again"
    arguments = ("--into", str(again), "--passphrase", "env:PHRASE", "--database", f"sqlite:///{again}/data/gateway.db")
    if saving.wait(PATIENCE) or gateway(folder, "restore", str(folder / "middle.zip"), *arguments).wait(PATIENCE):
        return [(folder / "commands.log").read_text()]
    text = (again / "config.yaml").read_text()
    (again / "config.yaml").write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("database")))
    station = open_station(load_installation(again / "config.yaml"))
    try:
        # most of its work is open: it was saved under way
        is_open = ("work is open", ": None", " is waiting", " is prepared")
        return [f"restored: {fault}" for fault in journal_faults(station) if not any(words in fault for words in is_open)]
    finally:
        station.close()


def _partner_faults(received: list[str], count: int) -> list[str]:
    """Each order acknowledged and answered once, answers in the order of the orders, each control number once."""
    found = []
    groups = Counter(segment[2] for text in received for segment in tags(text, "AK1"))
    answers = [(int(tags(text, "ISA")[0][13]), segment[3]) for text in received for segment in tags(text, "BAK")]
    for number in range(1, count + 1):
        if groups[str(number)] != 1:
            found.append(f"997 {groups[str(number)]} times for {number}")
    numbers = [number for _, number in sorted(answers)]
    if numbers != [f"PO{number:04d}" for number in range(1, count + 1)]:
        found.append(f"855 in this order: {numbers}")
    if {segment[1] for text in received for segment in tags(text, "AK5")} - {"A"}:
        found.append("an order was not accepted")
    controls = Counter(segment[13] for text in received for segment in tags(text, "ISA"))
    found += [f"control number {number} used {times} times" for number, times in controls.items() if times > 1]
    return found


def test_a_short_storm_over_three_transports_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert storm(tmp_path / "house", kills=5, count=25, seed=5, longest=1.5, patience=400, breaks=3, database_url=None) == []


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_long_storm_over_three_transports_loses_and_doubles_nothing(seed: int, tmp_path: Path, database_url: str) -> None:
    # FILES are those of all three, as whoever asks for KILLS=60 FILES=600 means it
    kills, count = int(os.environ.get("KILLS", "30")), int(os.environ.get("FILES", "750")) // 3
    faults = storm(
        tmp_path / "house", kills=kills, count=count, seed=seed, longest=2.5, patience=400, breaks=15, database_url=database_url, saved=True
    )
    assert faults == []
