"""camt.053 in any version to the canonical bank statement: what arrived, split as far as the bank says it."""

import time
from typing import Any

import pytest

from tests.mapping.ubl_world import CORPUS
from tests.mapping.ubl_world import as_json
from tests.mapping.ubl_world import read
from tests.mapping.ubl_world import read_one
from tests.mapping.ubl_world import transactions

BALANCES = (
    '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Bal>'
    '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">250.50</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
)


def statement(entries: str, version: str = "08", balances: str = BALANCES) -> str:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt>'
        f"<Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-01-06T06:00:00+01:00</CreDtTm>"
        f"<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{entries}</Stmt></BkToCstmrStmt></Document>"
    )


def entry(inside: str = "", *, amount: str = "12.00", direction: str = "CRDT", status: str = "<Sts><Cd>BOOK</Cd></Sts>", more: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{more}{status}<BookgDt><Dt>2026-01-05</Dt></BookgDt>'
        f"<ValDt><Dt>2026-01-06</Dt></ValDt><AcctSvcrRef>B1</AcctSvcrRef>{inside}</Ntry>"
    )


def entries_of(text: str) -> list[dict[str, Any]]:
    return list(read(text, "camt/053")["entries"])


PAYMENT = (
    "<NtryDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs>{amount}<RltdPties><Dbtr>{name}</Dbtr><DbtrAcct><Id><IBAN>NL91ABNA0417164300"
    "</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>Invoice 4711</Ustrd><Ustrd>and 4712</Ustrd><Strd><RfrdDocInf><Nb>4711</Nb></RfrdDocInf>"
    "<RfrdDocInf><Nb>4712</Nb></RfrdDocInf><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>"
)


@pytest.mark.parametrize("version", ["02", "03", "04", "06", "08", "10", "13"])
@pytest.mark.parametrize("name", ["<Nm>ACME</Nm>", "<Pty><Nm>ACME</Nm></Pty>"])
def test_a_payment_in_any_version(version: str, name: str) -> None:
    charges = '<Chrgs><Rcrd><Amt Ccy="EUR">0.50</Amt></Rcrd></Chrgs>'
    text = statement(
        entry(
            PAYMENT.format(amount='<Amt Ccy="EUR">12.00</Amt>', name=name).replace("</TxDtls>", f"{charges}</TxDtls>"),
            more="<RvslInd>false</RvslInd>",
        ),
        version,
    )
    assert read(text, "camt/053") == {
        "kind": "bank_statement",
        "number": "S1",
        "account": "DE89370400440532013000",
        "account_currency": "EUR",
        "sequence": "7",
        "created_at": "2026-01-06T05:00:00Z",
        "opening_balance": "-100.00",
        "closing_balance": "250.50",
        "entries": [
            {
                "reference": "B1/1",
                "bank_reference": "B1",
                "direction": "credit",
                "amount": "12.00",
                "currency": "EUR",
                "booked_on": "2026-01-05",
                "value_on": "2026-01-06",
                "payer_name": "ACME",
                "payer_iban": "NL91ABNA0417164300",
                "end_to_end": "E1",
                "structured_references": ["RF18539007547034"],
                "document_numbers": ["4711", "4712"],
                "text": "Invoice 4711 and 4712",
                "charges": "0.50",
            }
        ],
        "source": {"syntax": "camt", "type": "camt.053", "version": f"001.{version}", "test": False},
    }


def batch(*amounts: str, wrap: str = "{}") -> str:
    return (
        "<NtryDtls>"
        + "".join(f"<TxDtls>{wrap.format(amount)}<RmtInf><Ustrd>{number}</Ustrd></RmtInf></TxDtls>" for number, amount in enumerate(amounts, 1))
        + "</NtryDtls>"
    )


@pytest.mark.parametrize(
    "wrap",
    [
        '<Amt Ccy="EUR">{}</Amt>',
        '<AmtDtls><TxAmt><Amt Ccy="EUR">{}</Amt></TxAmt></AmtDtls>',
        '<AmtDtls><InstdAmt><Amt Ccy="USD">99</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">{}</Amt></TxAmt></AmtDtls>',
    ],
)
def test_a_batch_is_split_into_its_payments_with_their_own_amounts(wrap: str) -> None:
    found = entries_of(statement(entry(batch("5.00", "7.00", wrap=wrap))))
    assert [(line["amount"], line["currency"], line["text"]) for line in found] == [("5.00", "EUR", "1"), ("7.00", "EUR", "2")]
    assert len({line["reference"] for line in found}) == 2


def test_a_batch_in_several_details_is_split_too() -> None:
    one = '<NtryDtls><TxDtls><Amt Ccy="EUR">{}</Amt></TxDtls></NtryDtls>'
    assert [line["amount"] for line in entries_of(statement(entry(one.format("5.00") + one.format("7.00"))))] == ["5.00", "7.00"]


def test_a_batch_that_does_not_say_its_amounts_stays_one_entry_with_all_its_words() -> None:
    (line,) = entries_of(statement(entry(batch("", "", wrap="<!-- no amount {} -->"))))
    assert (line["amount"], line["text"]) == ("12.00", "1 2")


def test_of_a_foreign_payment_counts_what_was_booked() -> None:
    (line,) = entries_of(statement(entry('<NtryDtls><TxDtls><Amt Ccy="USD">15.00</Amt></TxDtls></NtryDtls>')))
    assert (line["amount"], line["currency"]) == ("12.00", "EUR")


def test_entries_keep_the_order_of_the_file() -> None:
    text = statement(entry(amount="1.00") + entry(batch("2.00", "3.00", wrap='<Amt Ccy="EUR">{}</Amt>'), amount="5.00") + entry(amount="4.00"))
    assert [line["amount"] for line in entries_of(text)] == ["1.00", "2.00", "3.00", "4.00"]


@pytest.mark.parametrize("status", ["<Sts>PDNG</Sts>", "<Sts><Cd>PDNG</Cd></Sts>", "<Sts>INFO</Sts>"])
def test_what_is_not_booked_is_no_money(status: str) -> None:
    assert "entries" not in read(statement(entry(status=status)), "camt/053")


def test_a_debit_and_a_reversal_are_told() -> None:
    out, back = entries_of(statement(entry(direction="DBIT") + entry(direction="DBIT", more="<RvslInd>true</RvslInd>")))
    assert (out["direction"], out.get("reversal", False)) == ("debit", False)
    assert (back["direction"], back["reversal"]) == ("debit", True)


def test_the_bank_s_own_words_stand_in_where_the_payer_gave_none() -> None:
    (line,) = entries_of(statement(entry("<AddtlNtryInf>SEPA CREDIT</AddtlNtryInf>")))
    assert line["text"] == "SEPA CREDIT"
    payer = "<NtryDtls><TxDtls><RmtInf><Ustrd>4711</Ustrd></RmtInf></TxDtls></NtryDtls>"
    (line,) = entries_of(statement(entry(payer + "<AddtlNtryInf>SEPA</AddtlNtryInf>")))
    assert line["text"] == "4711"


def test_no_reference_is_not_taken_for_one() -> None:
    (line,) = entries_of(statement(entry("<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs></TxDtls></NtryDtls>")))
    assert "end_to_end" not in line


def test_the_bank_s_code_is_taken_from_the_payment_or_its_entry() -> None:
    code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    assert entries_of(statement(entry(code)))[0]["bank_code"] == "PMNT.RCDT.ESCT"
    assert entries_of(statement(entry("<BkTxCd><Prtry><Cd>N654</Cd></Prtry></BkTxCd>")))[0]["bank_code"] == "N654"


def test_an_amount_that_is_none_is_an_error_at_its_place() -> None:
    text = statement(entry(amount="12..34"))
    (transaction,) = transactions(text.encode())
    document, problems = read_one(transaction, "camt/053")
    assert document is None
    assert problems[0].place.path == "/Document/BkToCstmrStmt/Stmt/Ntry/Amt"
    assert problems[0].place.offset == text.index("12..34")


def test_every_statement_of_a_file_is_a_document() -> None:
    one = statement(entry())
    stmt = one[one.index("<Stmt>") : one.index("</BkToCstmrStmt>")]
    both = one.replace(stmt, stmt + stmt.replace("<Id>S1</Id>", "<Id>S2</Id>").replace("DE89", "DE90"))
    found = [as_json(read_one(transaction, "camt/053")[0]) for transaction in transactions(both.encode())]
    assert [(document["number"], document["account"][:4]) for document in found] == [("S1", "DE89"), ("S2", "DE90")]


def test_the_corpus_reads_but_for_the_files_that_are_wrong() -> None:
    files = [file for file in sorted((CORPUS / "bank" / "camt").rglob("*")) if file.is_file() and b"camt.053" in file.read_bytes()[:2000]]
    if not files:
        pytest.skip("no corpus of bank files beside the checkout")
    wrong = set()
    for file in files:
        for transaction in transactions(file.read_bytes()):
            if transaction.type == "camt.053" and read_one(transaction, "camt/053")[0] is None:
                wrong.add(file.name)
    # it holds no statement at all
    assert wrong == {"camt053.v2.wrong.xml"}


def test_a_batch_of_very_many_payments_costs_what_it_holds() -> None:
    def seconds(count: int) -> float:
        text = statement(entry(batch(*["1.00"] * count, wrap='<Amt Ccy="EUR">{}</Amt>'), amount=f"{count}.00"))
        (transaction,) = transactions(text.encode())
        read_one(transactions(statement(entry()).encode())[0], "camt/053")
        began = time.process_time()
        document, _ = read_one(transaction, "camt/053")
        assert len(as_json(document)["entries"]) == count
        return time.process_time() - began

    few, many = seconds(2_000), seconds(16_000)
    # eight times as many; a count of all for each would be sixty-four times
    assert many < 24 * max(few, 0.02)
