"""A seeded installation with a running server, made once for all tests that only read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.store.records import documents
from gateway.store.trading import masterdata
from tests.pipeline.world import ACME
from tests.pipeline.world import EUROCO
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import Site
from tests.web.world import serving

#: what a page must never let through as it is
XSS = "<script>alert(1)</script>"
ITEMS = [{"number": "SKU1", "name": "Widget blue", "base_unit": "EA"}, {"number": "SKU2", "name": "Widget red", "base_unit": "EA"}]
PRICES = [{"item": "SKU1", "currency": "USD", "amount": "9.25"}, {"item": "SKU2", "currency": "USD", "amount": "14.00"}]


@dataclass(frozen=True, slots=True)
class Seeded:
    """A world that was worked on, and the server over it."""

    world: World
    site: Site

    def document(self, number: str = "", state: str | None = None, kind: str | None = None, direction: str = "in") -> documents.Document:
        """The one document that fits."""
        filters = documents.Filters(number=number or None, states=(state,) if state else None, kind=kind, direction=direction)
        with self.world.station.database.read() as connection:
            return documents.search(connection, filters)[0]


def load_masterdata(world: World) -> None:
    with world.station.database.begin() as connection:
        for kind, rows in (("items", ITEMS), ("prices", PRICES)):
            assert masterdata.import_rows(connection, kind, rows, world.clock())[1] == []


def wrong_element(order: bytes) -> bytes:
    return order.replace(b"PID*F****WIDGET", b"PID*F****" + b"W" * 90)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A clean order to its invoice, a price difference, a syntax error, a test order, a stranger, rubbish, and names that attack pages."""
    world = World(tmp_path_factory.mktemp("web"), partners={"acme": ACME.replace("ACME Corporation", f"ACME {XSS}"), "euroco": EUROCO})
    load_masterdata(world)
    world.receive(x12_order("PO-CLEAN", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "14.00", "SKU2"))))
    world.receive(x12_order("PO-HELD", control=2, lines=(("1", "10", "8.10", "SKU1"),)))
    world.receive(wrong_element(x12_order("PO-WRONG", control=3)), name=f"{XSS}.edi")
    world.receive(x12_order("PO-TEST", control=4, usage="T"))
    world.receive(x12_order("PO-STRANGE", control=5, sender="STRANGER"), name="../../etc/passwd")
    world.receive(f"{XSS} is no order".encode(), name=f'"><img src=x onerror=alert(1)>{XSS}.txt')
    world.receive(x12_order("PO-XSS", control=6).replace(b"ACME CORP", b"<b>ACME</b> \"&'"), name="xss.edi")
    world.receive(x12_order("PO-ODD", control=7).replace(b"ACME CORP", b"ACME\x01CORP"), name="odd.edi")
    hand_in_shipments(world.station, b"order,line,quantity\nPO-CLEAN,1,10\nPO-CLEAN,2,4\n", "shipment.csv", "tester")
    world.settle()
    release_invoices(world.station, ["PO-CLEAN"], "tester")
    world.settle()
    with serving(world.station) as site:
        yield Seeded(world, site)
    world.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Seeded]:
    """An installation of its own, with nothing in it but master data, for tests that change something."""
    world = World(tmp_path)
    load_masterdata(world)
    with serving(world.station) as site:
        yield Seeded(world, site)
    world.close()
