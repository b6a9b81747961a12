"""receive, hold, ship, invoice, pay, trail, journal, load, lint: a whole order to cash by commands alone."""

import json
import sqlite3
from pathlib import Path

from tests.cli.conftest import Command
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


def put(folder: Path, name: str, data: bytes | str) -> str:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def camt(amount: str, text: str, reference: str = "E1") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-02-01T08:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S-{reference}</Id><CreDtTm>2026-02-01T08:00:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>USD</Ccy></Acct>
<Ntry><NtryRef>{reference}</NtryRef><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-02-01</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>ACME Corporation</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"""


def test_an_order_to_cash_by_commands(world: World, command: Command, tmp_path: Path) -> None:
    said = command("receive", put(tmp_path, "po.edi", x12_order("PO1")), "--json")
    assert said.code == 0, said.err
    result = json.loads(said.out)
    assert [(row["kind"], row["number"], row["state"]) for row in result["documents"]] == [("order", "PO1", "accepted")]
    assert sorted(sent["spec"] for sent in result["sent"]) == ["x12/004010/855", "x12/004010/997"]
    said = command("ship", put(tmp_path, "ship.csv", "shipment,order,line,quantity\nS1,PO1,1,10\n"))
    assert "despatch advice S1: sent" in said.out, said.err
    again = command("ship", "ship.csv")
    assert again.code == 0
    said = command("invoice", "PO1", "--json")
    assert said.code == 0, said.err
    [made] = json.loads(said.out)["made"]
    assert (made["kind"], made["number"], made["state"]) == ("invoice", "INV-000001", "sent")
    said = command("pay", put(tmp_path, "bank.xml", camt("92.50", "Invoice INV-000001")))
    assert "92.50 USD from ACME Corporation: applied" in said.out, said.err + said.out
    twice = command("pay", "bank.xml", "--json")
    assert twice.code == 0
    trail = json.loads(command("trail", "PO1", "--json").out)
    assert [row["kind"] for row in trail["documents"]].count("despatch_advice") == 1
    assert trail["open_items"] == [
        {
            "number": "INV-000001",
            "kind": "invoice",
            "currency": "USD",
            "amount_minor": 9250,
            "open_minor": 0,
            "due_on": trail["open_items"][0]["due_on"],
        }
    ]
    assert len(trail["allocations"]) == 1
    assert "invoice INV-000001" in command("trail", "INV-000001").out
    verified = command("journal", "verify", "--json")
    assert verified.code == 0
    assert json.loads(verified.out)["ok"] is True


def test_a_part_payment_stays_open_and_an_unknown_one_is_unapplied(world: World, command: Command, tmp_path: Path) -> None:
    command("receive", put(tmp_path, "po.edi", x12_order("PO1")))
    command("ship", put(tmp_path, "ship.csv", "order,quantity\nPO1,10\n"))
    command("invoice", "--all")
    assert "50.00 USD" in command("pay", put(tmp_path, "part.xml", camt("50.00", "INV-000001", "E7"))).out
    said = command("pay", put(tmp_path, "riddle.xml", camt("12.34", "thank you", "E9").replace("ACME Corporation", "Nobody")), "--json")
    [payment] = json.loads(said.out)["payments"]
    assert (payment["state"], payment["unapplied_minor"]) == ("unapplied", 1234)
    assert json.loads(command("trail", "INV-000001", "--json").out)["open_items"][0]["open_minor"] == 4250


def test_a_credit_note_by_command(world: World, command: Command, tmp_path: Path) -> None:
    command("receive", put(tmp_path, "po.edi", x12_order("PO1")))
    command("ship", put(tmp_path, "ship.csv", "order,quantity\nPO1,10\n"))
    command("invoice", "PO1")
    assert command("invoice", "--credit", "INV-000001").code == 2
    said = command("invoice", "--credit", "INV-000001", "--line", "1=2", "--reason", "two broken", "--json")
    [made] = [made for made in json.loads(said.out)["made"] if made["kind"] == "credit_note"]
    assert made["number"] == "CN-000001"


def test_held_orders_are_listed_released_and_rejected(tmp_path: Path, command: Command) -> None:
    world = World(tmp_path, partners={"acme": ACME.replace("credit: none", 'credit: {limit: "100 USD", first_order: accept}')})
    world.close()
    for control, number in enumerate(("PO1", "PO2", "PO3"), 1):
        said = command("receive", put(tmp_path, f"{number}.edi", x12_order(number, control=control)))
        assert said.code == 0, said.err
    listed = command("hold", "list")
    assert "PO2" in listed.out
    assert "would raise the exposure" in listed.out
    holds = [json.loads(line) for line in command("hold", "list", "--json").out.splitlines()]
    assert [hold["number"] for hold in holds] == ["PO2", "PO3"]
    assert "order PO2 is accepted" in command("hold", "release", "PO2", "--reason", "limit raised by phone").out
    assert "order PO3 is rejected" in command("hold", "reject", holds[1]["id"], "--reason", "too much").out
    assert "Nothing waits" in command("hold", "list").out
    late = command("hold", "release", holds[1]["id"], "--reason", "again")
    assert late.code == 2
    assert "decided already" in late.err
    assert command("hold", "release", "nothing", "--reason", "x").code == 2
    assert "limit raised by phone" in command("trail", "PO2").out


def test_a_changed_journal_is_found_out(world: World, command: Command, tmp_path: Path) -> None:
    command("receive", put(tmp_path, "po.edi", x12_order("PO1")))
    with sqlite3.connect(tmp_path / "data" / "gateway.db") as connection:
        connection.execute("DROP TRIGGER IF EXISTS journal_entry_no_update")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal_entry'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE journal_entry SET entry = replace(entry, 'received', 'recieved') WHERE action = 'received'")
    said = command("journal", "verify")
    assert said.code == 1
    assert said.err


def test_master_data_is_loaded_all_or_nothing(world: World, command: Command, tmp_path: Path) -> None:
    said = command("load", "items", put(tmp_path, "items.csv", "number,name,base_unit,units\nSKU1,Widget,EA,XCS=12\n"))
    assert said.code == 0, said.err
    assert "1 item loaded" in said.out
    assert command("load", "prices", put(tmp_path, "prices.json", '[{"item": "SKU1", "currency": "USD", "amount": 9.25}]')).code == 0
    wrong = command("load", "prices", put(tmp_path, "wrong.csv", "item,currency,amount\nSKU1,USD,nine\n"))
    assert wrong.code == 1
    assert "row 1" in wrong.err
    assert command("load", "thing", "items.csv").code == 2
    assert command("load", "items", "missing.csv").code == 3


def test_an_unreadable_file_is_kept_and_waits(world: World, command: Command, tmp_path: Path) -> None:
    said = command("receive", put(tmp_path, "junk.bin", b"\x00\x01junk"))
    assert said.code == 3
    assert "FILE-UNREADABLE" in said.out
    assert "junk.bin" in command("hold", "list").out


def test_commands_need_an_installation(command: Command) -> None:
    said = command("hold", "list")
    assert said.code == 4
    assert "There is no config.yaml" in said.err


def test_lint_tells_every_fault_with_its_place(world: World, command: Command, tmp_path: Path) -> None:
    said = command("lint")
    # of what came with the gateway nothing is said that nobody here can mend
    assert (said.code, said.out) == (0, f"{1 + len(list((tmp_path / 'partners').iterdir()))} files of yours, no faults\n")
    (tmp_path / "partners" / "acme.yaml").write_text(ACME + "mapping:\n  x12/004010/850:\n    nummer: BEG/03\n")
    said = command("lint")
    assert said.code == 1
    assert "partners/acme.yaml:" in said.out
    assert "nummer" in said.out
    only = command("lint", tmp_path / "partners" / "acme.yaml", "--json")
    assert json.loads(only.out.splitlines()[0])["file"] == "partners/acme.yaml"


def test_a_shipment_of_an_unknown_order_is_refused(world: World, command: Command, tmp_path: Path) -> None:
    said = command("ship", put(tmp_path, "ship.csv", "order,quantity\nPO404,1\n"))
    assert said.code == 1
    assert "PO404" in said.err
    assert command("ship", "missing.csv").code == 3
    assert command("invoice").code == 2
    assert command("invoice", "PO404").code == 1


def test_a_price_of_an_unknown_item_is_told_with_its_row(world: World, command: Command, tmp_path: Path) -> None:
    said = command("load", "prices", put(tmp_path, "prices.csv", "item,currency,amount\nNOPE,USD,1.00\n"))
    assert said.code == 1
    assert "row 1: there is no item 'NOPE': load the items first" in said.err
