"""A purchase order walks through the house: in, acknowledged, mapped, checked, answered, shipped, invoiced, paid."""

from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_credit
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import ledger
from gateway.store.trading import orders
from gateway.store.verifying.verification import verify
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def test_a_clean_order_is_acknowledged_and_answered(world: World) -> None:
    result = world.receive(x12_order())
    assert [(row.kind, row.number, row.state) for row in result.documents] == [("order", "PO1", "accepted")]
    acknowledgment, response = sorted(world.sent(), key=lambda text: "*855*" in text)
    assert tags(acknowledgment, "AK1") == [["AK1", "PO", "1"]]
    assert tags(acknowledgment, "AK5") == [["AK5", "A"]]
    assert tags(acknowledgment, "AK9") == [["AK9", "A", "1", "1", "1"]]
    assert tags(response, "BAK")[0][3] == "PO1"
    assert tags(response, "ACK")[0][1] == "IA"


def test_the_same_bytes_fetched_twice_are_one_transmission(world: World) -> None:
    from gateway.pipeline.inbound.receive import Arrival
    from gateway.pipeline.inbound.receive import register

    arrival = Arrival(address="folder:boxes/acme/out", name="po.edi", identity="same", data=x12_order())
    assert register(world.station, [arrival])[0][1] is True
    assert register(world.station, [arrival])[0][1] is False
    world.settle()
    with world.station.database.read() as connection:
        assert len(documents.search(connection, documents.Filters(kind="order"))) == 1


def test_an_interchange_sent_twice_is_not_booked_twice(world: World) -> None:
    world.receive(x12_order())
    again = world.receive(x12_order())
    assert again.documents == []
    assert len([text for text in world.sent() if "*855*" in text]) == 1


def test_a_wrong_element_rejects_that_order_alone(world: World) -> None:
    good = x12_order("PO1").decode()
    bad = x12_order("PO2", set_control="0002").decode().replace("PID*F****WIDGET", "PID*F****" + "W" * 90)
    bad_set = bad[bad.index("ST*850*0002") : bad.index("GE*")]
    both = good.replace("GE*1*1~", f"{bad_set}GE*2*1~").encode()
    result = world.receive(both)
    assert [(row.number, row.state) for row in result.documents] == [("PO1", "accepted"), ("", "rejected")]
    acknowledgment = next(text for text in world.sent() if "ST*997" in text)
    assert tags(acknowledgment, "AK9") == [["AK9", "P", "2", "2", "1"]]
    assert [segment[1] for segment in tags(acknowledgment, "AK5")] == ["A", "R"]
    assert tags(acknowledgment, "AK3")[0][1:3] == ["PID", "10"]
    assert tags(acknowledgment, "AK4")[0][1:4] == ["5", "352", "5"]


def test_an_unknown_sender_waits_for_a_person(world: World) -> None:
    result = world.receive(x12_order(sender="STRANGER"))
    assert result.transmission.state == "held"
    assert world.sent() == []
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert hold.reasons[0].code == "PARTNER-UNKNOWN-SENDER"


def test_a_partner_added_later_gets_its_held_file_worked_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.receive(x12_order(sender="STRANGER"))
    world.close()
    (tmp_path / "partners" / "stranger.yaml").write_text(
        ACME.replace("id: acme", "id: stranger")
        .replace("ACMEBUYER", "STRANGER")
        .replace("boxes/acme", "boxes/stranger")
        .replace(', gln: "1234567890128"', "")
    )
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "we know them now")
    world.settle()
    with world.station.database.read() as connection:
        assert [row.state for row in documents.of_transmission(connection, result.transmission.id)] == ["accepted"]
    world.close()


def test_a_file_over_somebody_elses_endpoint_is_held(world: World) -> None:
    result = world.receive(x12_order(), address="folder:boxes/other/out")
    assert result.transmission.state == "held"
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert hold.reasons[0].code == "PARTNER-NOT-ENTITLED"


def test_an_unknown_transaction_still_gets_its_negative_answer(world: World) -> None:
    text = x12_order().decode().replace("GS*PO", "GS*QM").replace("ST*850", "ST*214")
    result = world.receive(text.encode())
    assert [row.state for row in result.documents] == ["rejected"]
    [acknowledgment] = world.sent()
    assert tags(acknowledgment, "AK5")[0][1] == "R"
    assert tags(acknowledgment, "AK9")[0][1] == "R"


def test_an_acknowledgment_is_never_acknowledged(world: World) -> None:
    world.receive(x12_order())
    response = next(text for text in world.sent() if "*855*" in text)
    group = tags(response, "GS")[0][6]
    received = (
        f"ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260106*1200*U*00401*000000777*0*P*>~GS*FA*ACMEBUYER*SELLERCO*20260106*1200*77*X*004010~"
        f"ST*997*0001~AK1*PR*{group}~AK2*855*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*77~IEA*1*000000777~"
    ).encode()
    before = len(world.sent())
    result = world.receive(received)
    assert [(row.kind, row.state) for row in result.documents] == [("acknowledgment", "done")]
    assert len(world.sent()) == before
    with world.station.database.read() as connection:
        [answer] = [entry for entry in outbox.search(connection) if entry.kind == "order_response"]
    assert (answer.state, answer.ack_state) == ("acknowledged", "accepted")


def test_test_traffic_is_answered_as_test_and_touches_nothing(world: World) -> None:
    result = world.receive(x12_order("PO-T", usage="T"))
    assert [(row.state, row.test) for row in result.documents] == [("accepted", True)]
    assert {tags(text, "ISA")[0][15] for text in world.sent()} == {"T"}
    with world.station.database.read() as connection:
        assert orders.committed_minor(connection, "acme") == {}


def test_an_order_goes_all_the_way_to_the_cash(world: World) -> None:
    world.receive(x12_order("PO7", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "2.50", "SKU2"))))
    hand_in_shipments(world.station, b"order,line,quantity,sscc\nPO7,1,10,340123455000000012\nPO7,2,3,340123455000000012\n", "ship.csv", "warehouse")
    world.settle()
    advice = next(text for text in world.sent() if "ST*856" in text)
    assert [segment[3] for segment in tags(advice, "HL")][:2] == ["S", "O"]
    assert [segment[2] for segment in tags(advice, "SN1")] == ["10", "3"]
    release_invoices(world.station, ["PO7"], "clerk")
    world.settle()
    invoice = next(text for text in world.sent() if "ST*810" in text)
    assert tags(invoice, "TDS")[0][1] == "10000"
    with world.station.database.read() as connection:
        [item] = ledger.open_items(connection)
        assert (item.number, item.open_minor, item.currency) == ("INV-000001", 10000, "USD")
        assert ledger.exposure(connection, "acme", "USD") == 10000 + 250
    remittance = (
        "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*000000050*0*P*>~GS*RA*ACMEBUYER*SELLERCO*20260201*1200*50*X*004010~"
        "ST*820*0001~BPR*C*100.00*C*ACH************20260201~TRN*1*TRACE77~CUR*PR*USD~N1*PR*ACME CORP~ENT*1~RMR*IV*INV-000001**100.00~SE*8*0001~GE*1*50~IEA*1*000000050~"
    )
    result = world.receive(remittance.encode(), "remit.edi")
    assert [(row.kind, row.state) for row in result.documents] == [("remittance_advice", "done")]
    with world.station.database.read() as connection:
        assert ledger.open_items(connection) == []
        assert ledger.exposure(connection, "acme", "USD") == 250
    trail = trail_of(world.station, "PO7")
    assert trail is not None
    kinds = [row.kind for row in trail.documents]
    assert {"order", "order_response", "shipment", "despatch_advice", "invoice", "remittance_advice"} <= set(kinds)
    assert "INV-000001" in trail_words(trail)
    checked = verify(world.station.database, world.station.archive, world.station.journal_key())
    assert checked.ok, checked.faults


def test_a_credit_note_lowers_what_is_owed(world: World) -> None:
    world.receive(x12_order("PO8"))
    hand_in_shipments(world.station, b"order,quantity\nPO8,10\n", "ship.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["PO8"], "clerk")
    world.settle()
    release_credit(world.station, "INV-000001", (), "goods came back", "clerk")
    world.settle()
    with world.station.database.read() as connection:
        assert sorted(item.open_minor for item in ledger.open_items(connection)) == [-9250, 9250]


def test_a_price_difference_is_held_and_a_release_lets_it_pass(world: World) -> None:
    from gateway.store.trading import masterdata

    with world.station.database.begin() as connection:
        masterdata.import_rows(connection, "items", [{"number": "SKU1", "name": "Widget"}], world.clock())
        masterdata.import_rows(connection, "prices", [{"item": "SKU1", "currency": "USD", "amount": "9.00"}], world.clock())
    result = world.receive(x12_order("PO9"))
    assert [row.state for row in result.documents] == ["held"]
    assert not [text for text in world.sent() if "*855*" in text]
    assert holding.release(world.station, "PO9", "clerk", "agreed by phone").kind == "rules"
    world.settle()
    assert [text for text in world.sent() if "*855*" in text]
    with world.station.database.read() as connection:
        [row] = documents.search(connection, documents.Filters(kind="order", direction="in"))
        assert row.state == "accepted"
        assert [step.state for step in documents.history(connection, row.id)] == ["registered", "held", "registered", "accepted"]


def test_a_held_order_can_be_rejected_with_a_reason_that_the_buyer_reads(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace("credit: none", 'credit: {limit: "50 USD"}')})
    result = world.receive(x12_order("PO10"))
    assert [row.state for row in result.documents] == ["held"]
    holding.reject(world.station, "PO10", "clerk", "limit used up")
    world.settle()
    response = next(text for text in world.sent() if "*855*" in text)
    assert tags(response, "BAK")[0][2] == "RJ" or tags(response, "ACK")[0][1] == "IR"
    world.close()


def test_a_cancel_reaches_a_held_order(tmp_path: Path) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace("credit: none", 'credit: {limit: "50 USD", first_order: accept}')})
    world.receive(x12_order("PO11"))
    world.receive(x12_order("PO11", purpose="01", control=2))
    with world.station.database.read() as connection:
        states = {row.number: row.state for row in documents.search(connection, documents.Filters(kind="order", direction="in"))}
        assert states == {"PO11": "cancelled"}
        assert holds.list_open(connection) == []
    world.close()


def test_a_duplicate_interchange_is_refused_as_a_whole_and_not_answered_by_another_997(world: World) -> None:
    world.receive(x12_order())
    again = world.receive(x12_order())
    assert [problem.code for problem in again.problems] == ["FILE-DUPLICATE-INTERCHANGE"]
    assert len([text for text in world.sent() if "ST*997" in text]) == 1
    assert [tags(text, "TA1")[0][4:6] for text in world.sent() if tags(text, "TA1")] == [["R", "025"]]


def test_accepted_orders_are_handed_over_and_a_cancel_follows(tmp_path: Path) -> None:
    import json

    from tests.pipeline.world import CONFIG

    world = World(tmp_path, config=CONFIG + "erp: {folder: erp}\n")
    world.receive(x12_order("PO12"))
    world.receive(x12_order("PO12", purpose="01", control=2))
    files = sorted(path.name for path in (tmp_path / "erp").iterdir())
    assert [name.split("-")[0] for name in files] == ["cancelled", "order"]
    order = json.loads((tmp_path / "erp" / files[1]).read_text())
    assert (order["order"]["number"], order["decision"]["lines"][0]["quantity"]) == ("PO12", "10")
    assert json.loads((tmp_path / "erp" / files[0]).read_text())["number"] == "PO12"
    world.close()


def test_an_order_is_handed_over_as_csv(tmp_path: Path) -> None:
    from tests.pipeline.world import CONFIG

    world = World(tmp_path, config=CONFIG + "erp: {folder: erp, format: csv}\n")
    world.receive(x12_order("=PO13"))
    [file] = (tmp_path / "erp").iterdir()
    lines = file.read_text().splitlines()
    assert lines[0].startswith("document,partner,order,line")
    assert "'=PO13" in lines[1]
    world.close()


def test_a_remittance_advice_for_money_that_the_bank_brought_before_is_not_booked_again(world: World) -> None:
    from tests.cli.test_working import camt

    world.receive(x12_order("PO20"))
    hand_in_shipments(world.station, b"order,quantity\nPO20,10\n", "ship.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["PO20"], "clerk")
    world.settle()
    world.receive(camt("92.50", "INV-000001").encode(), "bank.xml", address="command")
    remittance = (
        "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*000000050*0*P*>~GS*RA*ACMEBUYER*SELLERCO*20260201*1200*50*X*004010~"
        "ST*820*0001~BPR*C*92.50*C*ACH************20260201~TRN*1*TRACE77~CUR*PR*USD~N1*PR*ACME CORP~ENT*1~RMR*IV*INV-000001**92.50~SE*8*0001~GE*1*50~IEA*1*000000050~"
    )
    world.receive(remittance.encode(), "remit.edi")
    with world.station.database.read() as connection:
        assert ledger.unapplied_payments(connection) == []
        assert ledger.exposure(connection, "acme", "USD") == 0


BETA_PAYS = (
    "ISA*00*          *00*          *ZZ*BETASTORES     *ZZ*SELLERCO       *260201*1200*U*00401*000000050*0*P*>~GS*RA*BETASTORES*SELLERCO*20260201*1200*50*X*004010~"
    "ST*820*0001~BPR*C*10.00*C*ACH************20260201~TRN*1*TRACE77~CUR*PR*USD~N1*PR*BETA STORES~ENT*1~RMR*IV*INV-000009**10.00~SE*8*0001~GE*1*50~IEA*1*000000050~"
)


@pytest.mark.parametrize("first", ["advice", "bank"])
def test_the_same_trace_of_another_payer_is_other_money(tmp_path: Path, first: str) -> None:
    """Payers number their payments themselves: acme's TRACE77 is not beta's."""
    from tests.cli.test_working import camt

    beta = ACME.replace("id: acme", "id: beta").replace("ACME Corporation", "Beta Stores").replace("ACMEBUYER", "BETASTORES")
    world = World(tmp_path, partners={"acme": ACME, "beta": beta.replace("boxes/acme", "boxes/beta").replace(', gln: "1234567890128"', "")})
    world.receive(x12_order("PO20"))
    hand_in_shipments(world.station, b"order,quantity\nPO20,10\n", "ship.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["PO20"], "clerk")
    world.settle()
    both = [
        lambda: world.receive(BETA_PAYS.encode(), "remit.edi", "folder:boxes/beta/out"),
        lambda: world.receive(camt("92.50", "INV-000001", "TRACE77").encode(), "bank.xml", address="command"),
    ]
    for arrive in both if first == "advice" else both[::-1]:
        arrive()
    with world.station.database.read() as connection:
        assert ledger.open_items(connection) == [], "acme has paid"
        assert [(one.partner, one.unapplied_minor) for one in ledger.unapplied_payments(connection)] == [("beta", 1000)]
    world.close()


def test_a_released_file_of_a_new_partner_is_acknowledged_as_well(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receive(x12_order(sender="STRANGER"))
    world.close()
    (tmp_path / "partners" / "stranger.yaml").write_text(
        ACME.replace("id: acme", "id: stranger")
        .replace("ACMEBUYER", "STRANGER")
        .replace("boxes/acme", "boxes/stranger")
        .replace(', gln: "1234567890128"', "")
    )
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "we know them now")
    world.settle()
    assert sorted(tags(text, "ST")[0][1] for text in world.sent("stranger")) == ["855", "997"]
    world.close()


def test_transactions_are_found_by_their_own_number_or_by_their_place_in_the_file(world: World) -> None:
    own = x12_order("PO1").decode()
    counts = x12_order("PO2", set_control="0002").decode()
    large = x12_order("PO3", set_control="771234567").decode()
    sets = [text[text.index("ST*850*") : text.index("GE*")] for text in (counts, large)]
    world.receive(own.replace("GE*1*1~", f"{''.join(sets)}GE*3*1~").encode())
    found = {}
    for asked in ("000000001/0002", "771234567"):
        trail = trail_of(world.station, asked)
        found[asked] = sorted({row.number for row in trail.documents if row.kind == "order"}) if trail is not None else None
    assert found == {"000000001/0002": ["PO2"], "771234567": ["PO3"]}
    with world.station.database.read() as connection:
        assert references.find(connection, "0002", whole=True) == []
