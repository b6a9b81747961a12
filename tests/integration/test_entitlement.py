"""Who may send as whom: partners that share an endpoint (a VAN), and one partner's file over another's; and one partner's trouble that is
nobody else's."""

import os
from collections.abc import Iterator

import pytest

from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.records import documents
from tests.integration.house import House
from tests.integration.house import Service
from tests.integration.house import acknowledged
from tests.integration.house import answered
from tests.integration.house import names
from tests.integration.house import put
from tests.integration.house import until
from tests.pipeline.world import ACME
from tests.pipeline.world import x12_order

VAN = """\
id: {id}
name: {id}
identifiers: {{x12: "ZZ:{identity}"}}
endpoints:
  van: {{folder: boxes/van/out, send_to: boxes/van/in}}
agreements:
  - {{receive: x12/004010/850, from: van, acknowledge: "997"}}
  - {{send: x12/004010/855, to: van}}
currency: USD
tax: none
credit: none
"""
#: a partner whose answers go nowhere: a file stands where its folder should be
BROKEN = (
    ACME.replace("id: acme", "id: broken")
    .replace("ACMEBUYER", "BROKEN")
    .replace('gln: "1234567890128"', 'duns: "123456789"')
    .replace("boxes/acme/out", "boxes/broken/out")
    .replace("boxes/acme/in", "boxes/broken/blocked/in")
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = House(tmp_path_factory.mktemp("van"))
    made.partner("acme", ACME)
    for id, identity in (("north", "NORTH"), ("south", "SOUTH")):
        made.partner(id, VAN.format(id=id, identity=identity))
    made.partner("broken", BROKEN)
    for which in ("out", "in"):
        made.box("van", which).mkdir(parents=True, exist_ok=True)
    (made.folder / "boxes/broken/blocked").write_text("a file where a folder should be")
    return made


@pytest.fixture(scope="module")
def service(house: House) -> Iterator[Service]:
    with house.service() as running:
        yield running


def held(house: House, name: str) -> str | None:
    """The open hold of a file of this name."""
    with house.station() as station, station.database.read() as connection:
        for hold in holds.list_open(connection):
            transmission = transmissions.get(connection, hold.transmission or "")
            if transmission is not None and transmission.name == name:
                assert [problem.code for problem in hold.reasons] == ["PARTNER-NOT-ENTITLED"]
                return hold.id
    return None


def orders(house: House, number: str) -> list[tuple[str, str]]:
    with house.station() as station, station.database.read() as connection:
        return [(row.partner, row.state) for row in documents.search(connection, documents.Filters(kind="order", number=number))]


def test_two_partners_share_an_endpoint_and_each_is_itself(house: House, service: Service) -> None:
    put(house.box("van", "out"), "north.edi", x12_order("NO1", sender="NORTH", control=1))
    put(house.box("van", "out"), "south.edi", x12_order("SO1", sender="SOUTH", control=1))
    until(lambda: answered(house.box("van"), "NO1") and answered(house.box("van"), "SO1"), "both answers")
    assert orders(house, "NO1") == [("north", "accepted")] and orders(house, "SO1") == [("south", "accepted")]
    until(lambda: len(names(house.box("van"))) == 4, "two acknowledgments and two answers")
    assert len({path.read_text() for path in house.box("van").iterdir()}) == 4


def test_a_file_of_one_partner_over_anothers_endpoint_is_kept_and_held_and_walks_on_when_released(house: House, service: Service) -> None:
    put(house.box("van", "out"), "smuggled.edi", x12_order("PO1", control=10))
    hold = until(lambda: held(house, "smuggled.edi"), "the hold")
    assert orders(house, "PO1") == [] and not answered(house.box("van"), "PO1")
    done = house.command("hold", "release", hold, "--reason", "ACME told us that it sends over the VAN today")
    assert done.returncode == 0, done.stderr
    assert orders(house, "PO1") == [("acme", "accepted")]
    until(lambda: answered(house.box("acme"), "PO1") and acknowledged(house.box("acme"), 10) == ["A"], "its answers at its own endpoint")
    assert not answered(house.box("van"), "PO1")


def test_rejected_it_ends_and_nobody_is_told(house: House, service: Service) -> None:
    put(house.box("acme", "out"), "foreign.edi", x12_order("NO2", sender="NORTH", control=20))
    hold = until(lambda: held(house, "foreign.edi"), "the hold")
    before = names(house.box("acme")), names(house.box("van"))
    done = house.command("hold", "reject", hold, "--reason", "nobody knows why it came this way")
    assert done.returncode == 0, done.stderr
    assert orders(house, "NO2") == [] and (names(house.box("acme")), names(house.box("van"))) == before
    trail = house.command("trail", "foreign.edi")
    assert "nobody knows why it came this way" in trail.stdout, trail.stdout + trail.stderr


def test_a_partner_whose_folder_cannot_be_written_to_stops_no_other(house: House, service: Service) -> None:
    put(house.box("broken", "out"), "po.edi", x12_order("BO1", sender="BROKEN", control=30))
    until(lambda: orders(house, "BO1") == [("broken", "accepted")], "the order of the partner that cannot be answered")
    failed = until(lambda: service.said("sending failed", partner="broken"), "the log to say that its answer did not leave")
    assert "blocked" in failed["error"]
    put(house.box("acme", "out"), "po31.edi", x12_order("PO31", control=31))
    until(lambda: answered(house.box("acme"), "PO31"), "another partner's answer")
    blocked = house.folder / "boxes/broken/blocked"
    os.unlink(blocked)
    until(lambda: answered(blocked / "in", "BO1") and acknowledged(blocked / "in", 30) == ["A"], "its answers when the folder can be made")


def test_a_partners_large_backlog_does_not_hold_up_anothers_order(house: House, service: Service) -> None:
    lines = tuple((str(line), "1", "1.00", f"SKU{line}") for line in range(1, 400))
    for control in range(101, 401):
        put(house.box("van", "out"), f"{control}.edi", x12_order(f"NO{control}", sender="NORTH", control=control, lines=lines))
    until(lambda: answered(house.box("van"), "NO101"), "the backlog to be worked on")
    put(house.box("acme", "out"), "po40.edi", x12_order("PO40", control=40))
    until(lambda: answered(house.box("acme"), "PO40"), "the other partner's answer")
    assert not answered(house.box("van"), "NO400"), "the backlog is not done"
