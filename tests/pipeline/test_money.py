"""What is owed and paid, by the whole walk: nothing is credited or booked twice, and nothing is swallowed."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gateway.pipeline.arriving.handing_in import Became
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_credit
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.inbound.walk import Inbound
from gateway.pipeline.keeping.sentences import told
from gateway.pipeline.keeping.telling import trail_json
from gateway.pipeline.keeping.trails import trail_of
from gateway.pipeline.trading import cycle
from gateway.pipeline.trading import holding
from gateway.store.incoming import holds
from gateway.store.records import documents
from gateway.store.trading import ledger
from gateway.trade import cash
from gateway.trade.crediting import CreditLine
from tests.cli.test_working import camt
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def both(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


def test_what_is_credited_twice_in_one_step_is_credited_once(world: World) -> None:
    """A double click, two clerks; and a shipment that is handed in together with its invoice stands in it."""
    world.receive(x12_order("PO1", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "5.00", "SKU2"))))
    hand_in_shipments(world.station, b"order,line,quantity\nPO1,1,10\nPO1,2,4\n", "ship.csv", "warehouse")
    release_invoices(world.station, ["PO1"], "clerk")
    world.settle()
    [invoice] = [text for text in world.sent() if "ST*810" in text]
    assert ["REF", "SI", "DN-000001"] in tags(invoice, "REF")
    for lines in ((CreditLine(line="1"),), (CreditLine(line="1"),), (), ()):
        release_credit(world.station, "INV-000001", lines, "returned", "clerk")
    world.settle()
    with world.station.database.read() as connection:
        owed = {one.number: one.amount_minor for one in ledger.open_items(connection)}
    assert owed == {"INV-000001": 11250, "CN-000001": -9250, "CN-000002": -2000}


ADVICE = (
    "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*{control:09d}*0*P*>~GS*RA*ACMEBUYER*SELLERCO*20260201*1200*{control}*X*004010~"
    "ST*820*0001~BPR*C*{amount}*C*ACH************20260201~TRN*1*{trace}~CUR*PR*USD~N1*PR*ACME CORP~ENT*1~RMR*IV*{invoice}**{amount}~"
    "SE*8*0001~GE*1*{control}~IEA*1*{control:09d}~"
)


def advised(world: World, amount: str, invoice: str, trace: str = "PAYRUN", control: int = 50) -> Became:
    """An 820 of acme that comes with its payment."""
    return world.receive(ADVICE.format(amount=amount, invoice=invoice, trace=trace, control=control).encode(), "remit.edi")


def test_a_banks_entry_and_its_advice_at_one_moment_are_the_same_money(
    tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its own stream, as two workers have them: while one is in the midst of it, the other tries."""
    world = World(tmp_path, database=migrated_postgres_url)
    advice = ADVICE.format(amount="50.00", invoice="INV-9", trace="T1", control=50).encode()
    register(world.station, [Arrival(address="folder:boxes/acme/out", name="r.edi", identity="1", data=advice)])
    register(world.station, [Arrival(address="command", name="b.xml", identity="2", data=camt("50.00", "hello", "T1").encode())])
    for stream in ("in:folder:boxes/acme/out", "in:command"):
        while Inbound().step(world.station, stream):
            pass
    with world.station.database.read() as connection:
        [bank] = documents.search(connection, documents.Filters(kind="bank_statement"))
    match, found = cash.match, list[bool]()

    def meanwhile(*looked_at: Any, **more: Any) -> list[cash.Matched]:
        found.append(cycle.step(world.station, "trade:acme"))
        return match(*looked_at, **more)

    monkeypatch.setattr(cash, "match", meanwhile)
    monkeypatch.setattr(cycle, "PATIENCE", 0)
    while cycle.step(world.station, bank.stream):
        pass
    monkeypatch.undo()
    world.settle()
    with world.station.database.read() as connection:
        assert [(one.trace, one.amount_minor) for one in ledger.unapplied_payments(connection)] == [("T1", 5000)]
    assert found == [False], "the advice waits until the bank's entry is booked"
    world.close()


ENTRY = """<Ntry><NtryRef>{reference}</NtryRef><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{way}<Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{trace}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def entry(
    amount: str,
    text: str = "",
    trace: str = "PAYRUN",
    *,
    reference: str = "R1",
    back: bool = False,
    day: str = "2026-02-01",
    payer: str = "ACME Corporation",
) -> str:
    """One entry of a bank statement; `back`: the bank takes money back."""
    way = "DBIT</CdtDbtInd><RvslInd>true</RvslInd>" if back else "CRDT</CdtDbtInd>"
    return ENTRY.format(amount=amount, text=text, trace=trace, reference=reference, way=way, day=day, payer=payer)


def told_by_bank(world: World, number: str, *entries: str) -> Became:
    """A bank statement with these entries."""
    whole = camt("1.00", "x", "E")
    start, end = whole.index("<Ntry>"), whole.index("</Stmt>")
    return world.receive((whole[:start] + "".join(entries) + whole[end:]).replace("S-E", number).encode(), f"{number}.xml", address="command")


def owe(world: World, amounts: dict[str, int], partner: str = "acme") -> None:
    """Invoices that are open."""
    day = date(2026, 1, 31)
    with world.station.database.begin() as connection:
        ledger.add_items(
            connection,
            [
                ledger.OpenItem(
                    id=f"{partner}-{number}",
                    partner=partner,
                    kind="invoice",
                    number=number,
                    currency="USD",
                    amount_minor=minor,
                    open_minor=minor,
                    issued_on=day,
                    due_on=day,
                    created_at=world.clock(),
                )
                for number, minor in amounts.items()
            ],
        )


def books(world: World) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """What is open, and what money is unapplied, by its state."""
    with world.station.database.read() as connection:
        assert ledger.check_sums(connection) == []
        money = sorted((one.state, one.unapplied_minor) for one in ledger.unapplied_payments(connection))
        return {one.number: one.open_minor for one in ledger.open_items(connection)}, money


def words(world: World, became: Became) -> str:
    """What became of the only document of a file, in words."""
    [row] = became.documents
    with world.station.database.read() as connection:
        return f"{row.state}: {documents.history(connection, row.id)[-1].reason}"


def test_money_that_an_advice_brought_can_be_taken_back_by_the_bank(world: World) -> None:
    owe(world, {"INV-000001": 9250})
    advised(world, "92.50", "INV-000001")
    told_by_bank(world, "S1", entry("92.50", "x"))
    assert books(world) == ({}, [])
    told_by_bank(world, "S2", entry("92.50", "returned: insufficient funds", back=True))
    assert books(world) == ({"INV-000001": 9250}, [])
    with world.station.database.read() as connection:
        assert ledger.exposure(connection, "acme", "USD") == 9250


def test_an_advice_covers_one_entry_of_the_bank(world: World) -> None:
    """Payers who have one constant for all of their payments, or numbers that begin anew."""
    owe(world, {"INV-000001": 9250, "INV-000002": 18500})
    advised(world, "92.50", "INV-000001")
    for _ in range(2):
        told_by_bank(world, "S1", entry("85.00", "INV-000002"), entry("92.50", reference="R2"))
        assert books(world) == ({"INV-000002": 10000}, [])
    told_by_bank(world, "S2", entry("100.00", "INV-000002"), entry("92.50", "thanks", reference="R2"))
    assert books(world) == ({}, [("on_account", 9250)])


def test_a_banks_entry_of_another_amount_than_its_advice_waits_for_a_person(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 18500})
    advised(world, "92.50", "INV-000001")
    told_by_bank(world, "S1", entry("185.00", "INV-000002"), entry("40.00", "INV-000002", day="2026-04-01", reference="R2"))
    assert books(world) == ({"INV-000002": 14500}, [("unapplied", 18500)]), "what comes two months later is other money"
    with world.station.database.read() as connection:
        [money] = ledger.unapplied_payments(connection)
    assert money.details["why"] == (
        "The bank booked 185.00 USD with reference PAYRUN, the payer's remittance advice of this reference says 92.50 USD"
    )


def test_a_second_advice_of_one_reference_is_held_unless_it_is_the_same(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 18500})
    advised(world, "92.50", "INV-000001")
    assert words(world, advised(world, "92.50", "INV-000001", control=51)) == "done: payment PAYRUN is booked: the same advice came before"
    held = advised(world, "185.00", "INV-000002", control=52)
    assert [problem.code for problem in held.problems] == ["CASH-TRACE-USED"]
    assert books(world) == ({"INV-000002": 18500}, [])
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "another payment")
    world.settle()
    assert books(world) == ({}, [])
    told_by_bank(world, "S1", entry("92.50"), entry("185.00", reference="R2"))
    assert books(world) == ({}, []), "each of the two covers its own entry"


def test_a_held_advice_whose_entry_came_while_it_waited_is_the_same_money(world: World) -> None:
    owe(world, {"INV-000001": 9250, "INV-000002": 18500})
    told_by_bank(world, "S1", entry("92.50", "INV-000001"))
    advised(world, "92.50", "INV-000001")
    advised(world, "185.00", "INV-000002", control=51)
    told_by_bank(world, "S2", entry("185.00", "INV-000002", reference="R2"))
    assert books(world) == ({}, [])
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "another payment")
    world.settle()
    assert books(world) == ({}, []), "the bank's entry is this advice's"


def test_an_advice_behind_the_banks_entry_is_the_same_money_once(world: World) -> None:
    owe(world, {"INV-000001": 9250})
    told_by_bank(world, "S1", entry("92.50", "INV-000001"))
    assert words(world, advised(world, "92.50", "INV-000001")) == "done: the bank's entry for PAYRUN was booked before"
    assert words(world, advised(world, "92.50", "INV-000001", control=51)) == "done: payment PAYRUN is booked: the same advice came before"
    owe(world, {"INV-000002": 9250})
    assert [problem.code for problem in advised(world, "92.50", "INV-000002", control=52).problems] == ["CASH-TRACE-USED"]
    assert books(world) == ({"INV-000002": 9250}, []), "the entry is another advice's: this one may be its correction"
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.release(world.station, hold.id, "clerk", "another payment")
    world.settle()
    assert books(world) == ({}, [])
    told_by_bank(world, "S2", entry("70.00", trace="T2"))
    assert [problem.code for problem in advised(world, "75.00", "INV-000003", "T2", control=53).problems] == ["CASH-TRACE-USED"]
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    holding.reject(world.station, hold.id, "clerk", "the bank took its fee")
    world.settle()
    assert books(world) == ({}, [("on_account", 7000)])


def test_money_that_is_taken_back_twice_keeps_nothing_out(both: World) -> None:
    owe(both, {"INV-000001": 9250, "INV-000002": 18500})
    told_by_bank(both, "S1", entry("92.50", "INV-000001", "E1"))
    told_by_bank(both, "S2", entry("92.50", "return", "E1", back=True))
    assert books(both) == ({"INV-000001": 9250, "INV-000002": 18500}, [])
    again = told_by_bank(both, "S3", entry("92.50", "return", "E1", back=True, day="2026-02-02"), entry("185.00", "INV-000002", "E2", reference="R2"))
    assert words(both, again) == "done: 2 payments, 0 of them known, 1 applied"
    assert books(both) == ({"INV-000001": 9250}, [("unapplied", -9250)])
    with both.station.database.read() as connection:
        [back] = ledger.unapplied_payments(connection)
    assert "fits 0 payments" in back.details["why"]


def test_money_on_account_and_its_return_are_settled_by_each_other(world: World) -> None:
    owe(world, {"INV-000001": 9250})
    told_by_bank(world, "S1", entry("100.00", "INV-000001", "E1"), entry("33.00", "no idea", "E2", reference="R2"))
    assert books(world) == ({}, [("applied", 750), ("on_account", 3300)])
    told_by_bank(world, "S2", entry("100.00", "", "E1", back=True), entry("33.00", "", "E2", back=True, reference="R2"))
    assert books(world) == ({"INV-000001": 9250}, [])


def test_one_entry_that_cannot_be_booked_keeps_no_other_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason is: it waits by itself."""
    owe(world, {"INV-000001": 9250, "INV-000002": 18500})
    match = cash.match

    def wrong(*looked_at: Any, **more: Any) -> list[cash.Matched]:
        first, *others = match(*looked_at, **more)
        return [structs.replace(first, allocations=tuple(structs.replace(one, amount=Decimal("92.51")) for one in first.allocations)), *others]

    monkeypatch.setattr(cash, "match", wrong)
    told_by_bank(world, "S1", entry("92.50", "INV-000001", "E1"), entry("185.00", "INV-000002", "E2", reference="R2"))
    assert books(world) == ({"INV-000001": 9250}, [("unapplied", 9250)])


def test_an_advice_says_why_it_settled_nothing_and_is_found_by_the_name_of_its_payment(world: World) -> None:
    owe(world, {"INV-000007": 9250}, "beta")
    advised(world, "92.50", "INV-000007")
    told_by_bank(world, "S1", entry("5.00", "x", "E1", reference="ST1-3"))
    with world.station.database.read() as connection:
        why = {one.bank_reference: one.details.get("why") for one in ledger.unapplied_payments(connection)}
    assert why == {"acme|PAYRUN": "the payer is known, and not what for: INV-000007: not this payer's", "ST1-3/1": None}
    for name, kind in (("acme|PAYRUN", "remittance_advice"), ("ST1-3/1", "bank_statement"), ("ST1-3", "bank_statement")):
        trail = trail_of(world.station, name)
        assert trail is not None and [row.kind for row in trail.documents] == [kind]


def test_the_trail_of_a_partner_hears_of_the_payments_on_its_own_items(tmp_path: Path) -> None:
    """One statement, three customers; the statement's own trail has them all."""
    beta = ACME.replace("id: acme", "id: beta").replace("ACME Corporation", "Beta Stores").replace("ACMEBUYER", "BETASTORES")
    beta = beta.replace("boxes/acme", "boxes/beta").replace(', gln: "1234567890128"', "")
    world = World(tmp_path, partners={"acme": ACME, "beta": beta})
    for partner, sender in (("acme", "ACMEBUYER"), ("beta", "BETASTORES")):
        world.receive(x12_order("PO1", sender=sender), f"{partner}.edi", f"folder:boxes/{partner}/out")
        hand_in_shipments(world.station, b"shipment,order,quantity\n%s,PO1,10\n" % partner.encode(), f"{partner}.csv", "warehouse", partner)
        world.settle()
        release_invoices(world.station, ["PO1"], "clerk", partner)
        world.settle()
    told_by_bank(
        world,
        "ST1",
        entry("92.50", "INV-000001", "E1", reference="a"),
        entry("92.50", "INV-000002", "E2", reference="b", payer="Beta Stores"),
        entry("1.00", "?", "E3", reference="c", payer="Nobody"),
    )
    whole, own = (trail_of(world.station, reference, partner) for reference, partner in (("ST1.xml", None), ("PO1", "beta")))
    assert whole is not None and own is not None
    paid = [[told(event) for event in trail.events if event.action.startswith("payment")] for trail in (whole, own)]
    assert len(paid[0]) == 3
    assert paid[1] == [
        "bank statement ST1: payment of 92.50 USD from beta applied by the gateway to INV-000002: "
        "the amount is what is open (its number stands in the text)"
    ]
    assert "INV-000001" not in json.dumps(trail_json(own), default=str) and "acme" not in json.dumps(trail_json(own), default=str)
    world.close()
