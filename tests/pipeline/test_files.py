"""Files without an envelope walk like any other: who sends them, by which description they are read, where they wait."""

import re
from pathlib import Path

import pytest

from gateway.exchange.partner import load_partner
from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.explaining import provenance_of
from gateway.pipeline.reading.forms import forms_for
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.linting import agreement_faults
from gateway.store.outgoing import outbox
from gateway.user_files import FolderResolver
from gateway.yaml_source import Faults
from tests.docs.pages import ROOT
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import tags
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order

CORNER = """\
id: corner
name: Corner Shop
identifiers: {file: C100}
endpoints:
  box: {folder: boxes/corner/out, send_to: boxes/corner/in}
agreements:
  - {receive: csv/orders, from: box}
currency: EUR
credit: none
schema:
  csv/orders: {delimiter: ;, decimal: ","}
"""
VAN = """\
id: %s
name: %s
identifiers: {file: %s}
endpoints:
  van: {folder: boxes/van/out, send_to: boxes/van/in}
agreements:
  - {receive: csv/orders, from: van}
credit: none
currency: EUR
"""
CORNERS = b"order_no;quantity;item\n1;1,5;A\n1;2;B\n2;3;C\n"
PLAIN = b"order_no,customer_no,quantity,item\n1,%s,5,A\n"


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    partners = {"corner": CORNER, "one": VAN % ("one", "One", "V1"), "two": VAN % ("two", "Two", "V2")}
    made = World(tmp_path, partners=partners, database=database_url)
    yield made
    made.close()


def test_the_endpoint_says_who_sends_and_how_it_is_read(world: World) -> None:
    result = world.receive(CORNERS, "o.csv", "folder:boxes/corner/out")
    assert [(row.kind, row.number, row.state, row.partner) for row in result.documents] == [
        ("order", "1", "accepted", "corner"),
        ("order", "2", "accepted", "corner"),
    ]
    assert "1.5" in (result.documents[0].body or "")
    assert {"schema", "mapping", "partner"} <= set(result.documents[0].plan_digests)
    assert world.sent("corner") == []


def test_a_column_says_who_sends_where_several_share_an_endpoint(world: World) -> None:
    for name, partner in ((b"V1", "one"), (b"V2", "two"), (b"two", "two")):
        result = world.receive(PLAIN % name, "o.csv", "folder:boxes/van/out")
        assert [row.partner for row in result.documents] == [partner]


@pytest.mark.parametrize("name", [b"V9", b"", b"C100"])
def test_what_is_nobodys_waits_for_a_person(world: World, name: bytes) -> None:
    result = world.receive(PLAIN % name, "o.csv", "folder:boxes/van/out")
    assert result.transmission.state == "held"
    assert [problem.code for problem in result.waits_for] in (["PARTNER-UNKNOWN-SENDER"], ["PARTNER-NOT-ENTITLED"])


def test_a_file_that_fits_no_description_waits_for_a_person(world: World) -> None:
    result = world.receive(b"hello;world\n", "o.csv", "folder:boxes/corner/out")
    assert result.transmission.state == "unreadable"


def test_one_bad_row_costs_its_own_document_only(world: World) -> None:
    result = world.receive(b"order_no;quantity;item\n1;x;A\n2;3;B\n", "o.csv", "folder:boxes/corner/out")
    assert [row.state for row in result.documents] == ["rejected", "accepted"]


def test_provenance_reads_by_the_partners_own_description(world: World) -> None:
    station = world.station
    directory = station.installation.directory
    forms = forms_for(station.plans, directory)
    read = next(item for item in read_payload([CORNERS], station.plans, stateless(station.plans, directory), forms)[1] if isinstance(item, Read))
    found = provenance_of(read, station.plans, directory.partners["corner"])
    origin = found["lines[0].quantity"][0]
    assert CORNERS[origin.offset : origin.offset + origin.length] == b"1,5"


def test_commands_take_such_files(world: World) -> None:
    (world.folder / "o.csv").write_bytes(CORNERS)
    told = world.command("receive", "o.csv", "--as", "csv/orders", "--partner", "corner")
    assert told.returncode == 0, told.stderr
    assert "order 1: accepted" in told.stdout
    assert "There is no schemas/csv/nothing.yaml" in world.command("check", "o.csv", "--as", "csv/nothing").stderr
    assert world.command("read", "o.csv").stdout.count('"kind":"order"') == 2


WAREHOUSE = """\
id: wms
name: Warehouse
identifiers: {}
endpoints:
  box: {folder: boxes/wms/out, send_to: boxes/wms/in}
agreements:
  - {send: csv/warehouse-order, to: box}
  - {receive: csv/warehouse-shipment, from: box}
credit: none
"""
SHIPPED = b"shipment,shipped_on,order_no,line_no,quantity,sscc,carton_type\nS1,2026-01-10,%s,1,10,340123450000000017,carton\n"


@pytest.fixture
def warehouse(tmp_path: Path, database_url: str):
    made = World(tmp_path, partners={"acme": ACME, "wms": WAREHOUSE}, database=database_url)
    yield made
    made.close()


def test_a_warehouse_gets_what_was_accepted_and_its_report_becomes_a_despatch_advice(warehouse: World) -> None:
    warehouse.receive(x12_order())
    [asked] = warehouse.sent("wms")
    assert asked.splitlines()[1].startswith("PO1,2026-01-05,,2026-01-20,0012,")
    assert ",1,SKU1,,WIDGET,10,EA," in asked
    [name] = [path.name for path in (warehouse.folder / "boxes/wms/in").iterdir()]
    assert re.fullmatch(r"warehouse-order-PO1-[0-9a-f]{8}\.csv", name)
    result = warehouse.receive(SHIPPED % b"PO1", "s.csv", "folder:boxes/wms/out")
    assert [(row.kind, row.number, row.state, row.partner) for row in result.documents] == [("shipment", "S1", "done", "acme")]
    assert [tags(text, "MAN") for text in warehouse.sent() if "*856*" in text] == [[["MAN", "GM", "00340123450000000017"]]]
    again = warehouse.receive(SHIPPED % b"PO1", "s.csv", "folder:boxes/wms/out")
    assert [problem.code for row in again.documents for problem in row.problems] == ["SHIPMENT-DUPLICATE"]
    assert len([text for text in warehouse.sent() if "*856*" in text]) == 1


@pytest.mark.parametrize("quantity", ["10", "7"])
def test_orders_of_one_number_of_two_buyers_both_reach_the_warehouse(tmp_path: Path, quantity: str) -> None:
    beta = ACME.replace("acme", "beta").replace("ACMEBUYER", "BETASTORES").replace(', gln: "1234567890128"', "")
    world = World(tmp_path, partners={"acme": ACME, "beta": beta, "wms": WAREHOUSE})
    world.receive(x12_order("4500001"))
    world.receive(x12_order("4500001", sender="BETASTORES", lines=(("1", quantity, "9.25", "SKU1"),)), address="folder:boxes/beta/out")
    assert len(world.sent("wms")) == 2
    with world.station.database.read() as connection:
        assert {row.state for row in outbox.search(connection, partner="wms")} == {"sent"}
    world.close()


def test_an_order_and_its_change_both_reach_the_warehouse(tmp_path: Path) -> None:
    changing = ACME.replace(
        "  - {send: x12/004010/855, to: box}\n", "  - {receive: x12/004010/860, from: box}\n  - {send: x12/004010/865, to: box}\n"
    )
    world = World(tmp_path, partners={"acme": changing, "wms": WAREHOUSE})
    world.receive(x12_order("PO1"))
    world.receive(x12_change("PO1", lines=(poc("1", "QI", "12", "9.25", "SKU1"),)))
    assert sorted(",12,EA," in text for text in world.sent("wms")) == [False, True]
    world.close()


def test_a_report_about_an_order_of_nobody_is_rejected(warehouse: World) -> None:
    result = warehouse.receive(SHIPPED % b"PO9", "s.csv", "folder:boxes/wms/out")
    assert [(row.state, [problem.code for problem in row.problems]) for row in result.documents] == [("rejected", ["SHIPMENT-ORDER-UNKNOWN"])]
    wrong = warehouse.receive((SHIPPED % b"PO9").replace(b"0017", b"0016").replace(b",10,", b",-1,"), "s.csv", "folder:boxes/wms/out")
    codes = {problem.code for row in wrong.documents for problem in row.problems}
    assert {"SHIPMENT-SSCC", "SHIPMENT-UNREADABLE"} <= codes


def test_a_test_order_moves_no_goods(warehouse: World) -> None:
    warehouse.receive(x12_order(usage="T"))
    assert warehouse.sent("wms") == []


def test_gateway_ship_takes_the_warehouses_file(warehouse: World) -> None:
    warehouse.receive(x12_order())
    (warehouse.folder / "s.csv").write_bytes(SHIPPED % b"PO1")
    told = warehouse.command("ship", "s.csv", "--as", "csv/warehouse-shipment")
    assert told.returncode == 0, told.stderr
    assert [text for text in warehouse.sent() if "*856*" in text]
    (warehouse.folder / "s.csv").write_bytes(b"shipment,order_no,quantity\nS2,PO1,x\n")
    told = warehouse.command("ship", "s.csv", "--as", "csv/warehouse-shipment")
    assert told.returncode == 1
    assert "LINES-VALUE-INVALID" in told.stderr + told.stdout


def test_a_partner_gives_values_of_its_own_to_its_mappings(tmp_path: Path) -> None:
    own = CORNER.replace("schema:", "values: {store: S1}\nmapping:\n  csv/orders: {release: partner.store}\nschema:")
    made = World(tmp_path, partners={"corner": own})
    try:
        result = made.receive(CORNERS, "o.csv", "folder:boxes/corner/out")
        assert '"release":"S1"' in (result.documents[0].body or "")
    finally:
        made.close()


def test_a_partner_does_not_have_what_nobody_gave_it(tmp_path: Path) -> None:
    own = CORNER.replace("schema:", "values: {store: S1}\nmapping:\n  csv/orders: {release: partner.shop}\nschema:")
    World(tmp_path, partners={"corner": own.replace("store: S1", "Store: S1"), "other": own.replace("id: corner", "id: other")})
    resolver = FolderResolver(({"partners": tmp_path / "partners"}, {"mappings": ROOT / "mappings", "schemas": ROOT / "schemas"}))
    with pytest.raises(Faults, match="'Store' is no name for a value: lower-case letters, digits and _ only"):
        load_partner("partners/corner.yaml", resolver)
    faults = agreement_faults(Plans(resolver), [load_partner("partners/other.yaml", resolver)])
    assert [fault.message for fault in faults] == ["partners have no 'shop'"]
