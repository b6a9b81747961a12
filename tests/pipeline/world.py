"""An installation in a temporary folder, its partners, and orders as they send them: small words for tests of the whole walk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from gateway.config import load_installation
from gateway.pipeline.arriving.handing_in import Became
from gateway.pipeline.arriving.handing_in import became
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.logs import set_up_logs
from gateway.pipeline.station import Station
from gateway.pipeline.station import open_station
from gateway.store.identity import new_id
from tests.ready_made import lay_database
from tests.ready_made import use_compiled_plans

ACME = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER", gln: "1234567890128"}
endpoints:
  box: {folder: boxes/acme/out, send_to: boxes/acme/in}
agreements:
  - {receive: x12/004010/850, from: box, acknowledge: "997"}
  - {receive: x12/004010/820, from: box}
  - {send: x12/004010/855, to: box}
  - {send: x12/004010/856, to: box}
  - {send: x12/004010/810, to: box}
currency: USD
tax: none
credit: none
"""
EUROCO = """\
id: euroco
name: Euro Handel GmbH
identifiers: {edifact: "14:5412345000013", gln: "5412345000013"}
endpoints:
  box: {folder: boxes/euroco/out, send_to: boxes/euroco/in}
agreements:
  - {receive: edifact/d96a/orders, from: box, acknowledge: CONTRL}
  - {send: edifact/d96a/ordrsp, to: box}
  - {send: edifact/d96a/desadv, to: box}
  - {send: edifact/d96a/invoic, to: box}
currency: EUR
country: DE
credit: none
"""
CONFIG = """\
us:
  name: Seller Co
  identifiers: {x12: "ZZ:SELLERCO", edifact: "14:4012345500004", gln: "4012345500004", vat: DE123456789}
  address: {lines: [Werkstr. 1], city: Bonn, postal_code: "53111", country: DE}
  iban: DE89370400440532013000
  bic: COBADEFFXXX
  tax_rate: "19"
data: data
web: {host: 127.0.0.1, port: 18999}
"""


@dataclass(slots=True)
class Clock:
    """A clock that goes on by a second each time it is asked."""

    now: datetime = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass(slots=True)
class World:
    """An installation that is worked on without threads: `receive` hands in, `settle` does all work."""

    folder: Path
    config: str = CONFIG
    partners: dict[str, str] = field(default_factory=lambda: {"acme": ACME})
    database: str | None = None
    #: the folder has an installation with a database already
    keep: bool = False
    clock: Clock = field(default_factory=Clock)
    _station: Station | None = None

    def __post_init__(self) -> None:
        set_up_logs()
        (self.folder / "partners").mkdir(parents=True, exist_ok=True)
        text = self.config + (f"database: {self.database}\n" if self.database else "")
        (self.folder / "config.yaml").write_text(text)
        for name, partner in self.partners.items():
            (self.folder / "partners" / f"{name}.yaml").write_text(partner)
            for box in ("out", "in"):
                (self.folder / "boxes" / name / box).mkdir(parents=True, exist_ok=True)
        if not self.database and not self.keep:
            lay_database(self.folder)

    @property
    def station(self) -> Station:
        if self._station is None:
            self._station = open_station(load_installation(self.folder / "config.yaml"), self.clock)
            use_compiled_plans(self._station, self.folder)
        return self._station

    def close(self) -> None:
        if self._station is not None:
            self._station.close()
            self._station = None

    def receive(self, data: bytes, name: str = "po.edi", address: str = "folder:boxes/acme/out") -> Became:
        """Hand in bytes as if they had come over `address`, do all the work, and say what became of them."""
        [(transmission, _)] = register(self.station, [Arrival(address=address, name=name, identity=new_id(), data=data)])
        self.settle()
        return became(self.station, name, transmission.id)

    def settle(self) -> None:
        """Do all work that is due."""
        engine = LocalEngine(self.station, steps())
        try:
            engine.drain(60)
        finally:
            engine.close()

    def sent(self, partner: str = "acme") -> list[str]:
        """What lies in the partner's inbox, by name."""
        return [path.read_text("latin-1") for path in sorted((self.folder / "boxes" / partner / "in").iterdir()) if not path.name.startswith(".")]

    def command(self, *arguments: str, env: dict[str, str] | None = None, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """The real command in a process of its own, in this installation's folder."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(env or {})},
        )


def x12_order(
    number: str = "PO1",
    *,
    control: int = 1,
    lines: tuple[tuple[str, str, str, str], ...] = (("1", "10", "9.25", "SKU1"),),
    usage: str = "P",
    purpose: str = "00",
    sender: str = "ACMEBUYER",
    receiver: str = "SELLERCO",
    requested: str = "20260120",
    set_control: str = "0001",
    currency: str = "USD",
    version: str = "004010",
) -> bytes:
    """An 850 with these lines: (line number, quantity, price, our item number)."""
    body = [
        f"ST*850*{set_control}",
        f"BEG*{purpose}*SA*{number}**20260105",
        f"CUR*BY*{currency}",
        f"DTM*002*{requested}",
        "N1*BY*ACME CORP*UL*1234567890128",
        "N1*ST*ACME STORE 12*92*0012",
        "N3*12 MAIN ST",
        "N4*SPRINGFIELD*IL*62701*US",
    ]
    for line, quantity, price, item in lines:
        body += [f"PO1*{line}*{quantity}*EA*{price}**BP*B{item}*VP*{item}", "PID*F****WIDGET"]
    body.append(f"CTT*{len(lines)}")
    body.append(f"SE*{len(body) + 1}*{set_control}")
    head = [
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*{receiver:<15}*260105*1200*U*00401*{control:09d}*0*{usage}*>",
        f"GS*PO*{sender}*{receiver}*20260105*1200*{control}*X*{version}",
    ]
    return ("~".join([*head, *body, f"GE*1*{control}", f"IEA*1*{control:09d}"]) + "~").encode()


def segments(text: str) -> Iterator[list[str]]:
    """The segments of an X12 interchange."""
    for segment in text.split("~"):
        if segment.strip():
            yield segment.strip().split("*")


def tags(text: str, tag: str) -> list[list[str]]:
    """All segments with a tag."""
    return [segment for segment in segments(text) if segment[0] == tag]


def x12_change(
    number: str = "PO1",
    *,
    control: int = 2,
    lines: tuple[str, ...] = (),
    head: tuple[str, ...] = (),
    purpose: str = "04",
    sequence: str = "",
    usage: str = "P",
) -> bytes:
    """An 860; `lines` are POC segments, `head` what else stands in the head."""
    body = [
        "ST*860*0001",
        f"BCH*{purpose}*SA*{number}**{sequence}*20260105*****20260107",
        *head,
        *lines,
        f"CTT*{sum(line.startswith('POC') for line in lines)}",
    ]
    body.append(f"SE*{len(body) + 1}*0001")
    top = [
        f"ISA*00*          *00*          *ZZ*{'ACMEBUYER':<15}*ZZ*{'SELLERCO':<15}*260107*1200*U*00401*{control:09d}*0*{usage}*>",
        f"GS*PC*ACMEBUYER*SELLERCO*20260107*1200*{control}*X*004010",
    ]
    return ("~".join([*top, *body, f"GE*1*{control}", f"IEA*1*{control:09d}"]) + "~").encode()


def poc(line: str, action: str, quantity: str = "", price: str = "", item: str = "", unit: str = "EA") -> str:
    """One POC segment."""
    counted = f"{quantity}*{quantity}*{unit}" if quantity else "**"
    names = f"BP*B{item}*VP*{item}" if item else ""
    return f"POC*{line}*{action}*{counted}*{price}**{names}".rstrip("*")
