"""Money that the bank takes back (a returned debit, a cheque that bounced) is open again, whatever told us of it first: a statement or an 820."""

from pathlib import Path

import pytest

from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.store.trading import ledger
from gateway.store.watching import tallies
from tests.cli.test_working import camt
from tests.pipeline.test_money import entry
from tests.pipeline.test_money import told_by_bank
from tests.pipeline.test_walk import BETA_PAYS
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

BETA = ACME.replace("id: acme", "id: beta").replace("ACME Corporation", "Beta Stores").replace("ACMEBUYER", "BETASTORES")
PAYS = BETA_PAYS.replace("BETASTORES     ", "ACMEBUYER      ").replace("BETASTORES", "ACMEBUYER").replace("BETA STORES", "ACME CORP")
PAYS = PAYS.replace("10.00", "92.50").replace("INV-000009", "INV-000001")


@pytest.fixture
def world(tmp_path: Path):
    """acme owes 92.50 for INV-000001."""
    beta = BETA.replace("boxes/acme", "boxes/beta").replace(', gln: "1234567890128"', "")
    made = World(tmp_path, partners={"acme": ACME, "beta": beta})
    made.receive(x12_order("PO20"))
    hand_in_shipments(made.station, b"order,quantity\nPO20,10\n", "ship.csv", "warehouse")
    made.settle()
    release_invoices(made.station, ["PO20"], "clerk")
    made.settle()
    yield made
    made.close()


def bank(world: World, trace: str, *, back: str = "", payer: str = "ACME Corporation", name: str = "", day: str = "01") -> None:
    """An entry of the bank's with this trace; `back`: the entry that takes it back; `name`: of another entry than the one of this trace."""
    text = camt("92.50", "INV-000001", trace).replace("ACME Corporation", payer).replace("<Dt>2026-02-01", f"<Dt>2026-02-{day}")
    text = text.replace(f"<NtryRef>{trace}", f"<NtryRef>{name or trace}")
    if back:
        text = text.replace(f"<Id>S-{trace}", f"<Id>S-{back}").replace(f"<NtryRef>{trace}", f"<NtryRef>{back}")
        text = text.replace("<CdtDbtInd>CRDT</CdtDbtInd>", "<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd>")
    world.receive(text.encode(), f"{back or trace}.xml", address="command")


def owed(world: World) -> tuple[list[int], int, list[tuple[str | None, str, int]], int]:
    """What is open, what acme owes in all, the money that is left over, and how much of that is counted."""
    with world.station.database.read() as connection:
        return (
            [item.open_minor for item in ledger.open_items(connection)],
            ledger.exposure(connection, "acme", "USD"),
            [(one.partner, one.state, one.unapplied_minor) for one in ledger.unapplied_payments(connection)],
            tallies.unapplied_payments(connection),
        )


@pytest.mark.parametrize("told_by", ["an 820", "an 820 and the bank", "the bank"])
def test_money_that_is_taken_back_is_owed_again(world: World, told_by: str) -> None:
    if "820" in told_by:
        world.receive(PAYS.encode(), "remit.edi")
    if "bank" in told_by:
        bank(world, "TRACE77")
    assert owed(world) == ([], 0, [], 0)
    bank(world, "TRACE77", back="R1")
    assert owed(world) == ([9250], 9250, [], 0), "nobody has to look after money that came and went"
    assert "payment of 92.50 USD from acme taken back by the gateway from INV-000001" in trail_words(
        trail_of(world.station, "R1.xml") or pytest.fail("not found")
    )
    # both entries in another statement; then the payer pays once more, under the same trace
    bank(world, "TRACE77", back="R1")
    bank(world, "TRACE77")
    assert owed(world) == ([9250], 9250, [], 0)
    bank(world, "TRACE77", name="N2", day="09")
    assert owed(world) == ([], 0, [], 0)


def test_what_was_taken_back_is_not_taken_back_again(world: World) -> None:
    bank(world, "TRACE77")
    bank(world, "TRACE77", back="R1")
    bank(world, "TRACE77", back="R2")
    assert owed(world) == ([9250], 9250, [(None, "unapplied", -9250)], 1), "a person looks at it"


def test_another_payers_reversal_of_the_same_trace_takes_back_nothing(world: World) -> None:
    world.receive(PAYS.encode(), "remit.edi")
    bank(world, "TRACE77", back="R1", payer="Beta Stores")
    assert owed(world)[:2] == ([], 0) and [one[1:] for one in owed(world)[2]] == [("unapplied", -9250)]


ACCOUNT = "<DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties>"


@pytest.mark.parametrize("trace", ["TRACE77", ""], ids=["by trace", "by account"])
@pytest.mark.parametrize("order", ["return first", "payment first"])
def test_a_return_in_the_statement_of_its_payment(world: World, order: str, trace: str) -> None:
    entries = [entry("92.50", text, trace, reference=name, back=back) for name, text, back in (("N1", "INV-000001", False), ("N2", "return", True))]
    entries = [one.replace("</RltdPties>", ACCOUNT).replace("<EndToEndId></EndToEndId>", "") for one in entries]
    became = told_by_bank(world, "S1", *(reversed(entries) if order == "return first" else entries))
    assert owed(world) == ([9250], 9250, [], 0)
    with world.station.database.read() as connection:
        states = sorted((one.state, one.partner) for one in ledger.payments_of(connection, became.documents[0].id))
    assert states == [("reversal", "acme"), ("taken_back", "acme")]


def test_anothers_payment_in_the_same_statement_is_not_taken_back(world: World) -> None:
    back = entry("92.50", "return", "TRACE77", reference="N2", back=True, payer="Beta Stores")
    told_by_bank(world, "S1", back, entry("92.50", "INV-000001", "TRACE77"))
    assert owed(world)[:2] == ([], 0) and [one[1:] for one in owed(world)[2]] == [("unapplied", -9250)]
