"""EDIFACT remittance advices to the canonical form: what is paid on which document, and what is deducted."""

from typing import Any

import pytest

from tests.mapping.edifact_world import interchange
from tests.mapping.edifact_world import read
from tests.mapping.edifact_world import read_one
from tests.mapping.edifact_world import transactions

VERSIONS = ("d93a", "d96a", "d97a", "d99b", "d01b", "d04a", "d07a")


def advice(*lines: str, head: tuple[str, ...] = (), foot: tuple[str, ...] = ("MOA+12:100.00",), version: str = "d96a") -> bytes:
    return interchange("REMADV", version, "BGM+481+RA1+9", "DTM+137:20260301:102", *head, *lines, "UNS+S", *foot)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_remittance_advice(version: str) -> None:
    data = advice(
        "DOC+380+INV1",
        "MOA+9:1190.00",
        "MOA+12:1166.20",
        "MOA+52:23.80",
        "DTM+137:20260121:102",
        "RFF+ON:PO1:1",
        "DOC+380+INV2",
        "MOA+9:200.00",
        "MOA+12:150.00",
        "AJT+4",
        "MOA+165:50.00",
        "" if version == "d93a" else "FTX+ACD+++5 pieces missing",
        "DOC+381+CN1",
        "MOA+9:16.20",
        "MOA+12:16.20",
        head=(
            "DTM+138:20260302:102",
            "RFF+PQ:E2E-77",
            "PAI+::31",
            "NAD+PR+1234567890128::9++ACME",
            "CTA+AP+:Ledger",
            "COM+ap@acme.example:EM",
            "NAD+PE+4012345500004::9",
            "CUX+2:EUR:11",
        ),
        foot=("MOA+12:1300.00",),
        version=version,
    )
    found = read(data)
    del found["source"]
    assert found == {
        "kind": "remittance_advice",
        "number": "RA1",
        "issued_on": "2026-03-01",
        "paid_on": "2026-03-02",
        "currency": "EUR",
        "amount": "1300.00",
        "trace": "E2E-77",
        "method": "credit_transfer",
        "payer": {
            "name": "ACME",
            "identifiers": {"gln": "1234567890128"},
            "contacts": [{"role": "payable", "name": "Ledger", "email": "ap@acme.example"}],
        },
        "payee": {"identifiers": {"gln": "4012345500004"}},
        "lines": [
            {
                "type": "invoice",
                "number": "INV1",
                "issued_on": "2026-01-21",
                "paid": "1166.20",
                "gross": "1190.00",
                "discount": "23.80",
                "references": [{"type": "order", "value": "PO1", "line": "1", "source_code": "ON"}],
            },
            {
                "type": "invoice",
                "number": "INV2",
                "paid": "150.00",
                "gross": "200.00",
                "deduction": "50.00",
                "deduction_code": "4",
                **({} if version == "d93a" else {"reason": "5 pieces missing"}),  # its AJT has no text
            },
            {"type": "credit_note", "number": "CN1", "paid": "16.20", "gross": "16.20"},
        ],
    }


@pytest.mark.parametrize(
    ("code", "type_"),
    [
        ("380", "invoice"),
        ("384", "invoice"),
        ("389", "invoice"),
        ("383", "invoice"),
        ("381", "credit_note"),
        ("396", "credit_note"),
        ("262", "credit_note"),
        ("325", "other"),
    ],
)
def test_documents_are_invoices_credit_notes_or_others(code: str, type_: str) -> None:
    (line,) = read(advice(f"DOC+{code}+X1", "MOA+12:1"))["lines"]
    assert line["type"] == type_


def test_several_deductions_from_one_invoice_are_added_up() -> None:
    (line,) = read(advice("DOC+380+INV1", "MOA+12:70", "AJT+4", "MOA+165:20", "AJT+37", "MOA+165:10.50"))["lines"]
    assert (line["deduction"], line["deduction_code"]) == ("30.50", "4")


@pytest.mark.parametrize(
    ("head", "payer"), [(("NAD+PR+1::92", "NAD+BY+2::92"), "1"), (("NAD+BY+2::92",), "2"), (("NAD+PL+3::92",), "3"), (("NAD+IV+4::92",), "4")]
)
def test_the_payer_is_named_as_such_or_is_the_buyer(head: tuple[str, ...], payer: str) -> None:
    assert read(advice("DOC+380+INV1", "MOA+12:1", head=head))["payer"] == {"identifiers": {"buyer_assigned": payer}}


@pytest.mark.parametrize(("foot", "amount"), [(("MOA+9:5", "MOA+12:4"), "4"), (("MOA+139:6",), "6"), (("MOA+9:5",), "5"), (("MOA+86:7",), "7")])
def test_the_amount_is_what_was_remitted(foot: tuple[str, ...], amount: str) -> None:
    assert read(advice("DOC+380+INV1", "MOA+12:1", foot=foot))["amount"] == amount


def test_an_advice_without_an_amount_is_told_and_gives_no_document() -> None:
    ((start, transaction),) = transactions(advice("DOC+380+INV1", "MOA+12:1", foot=("MOA+52:1",)))
    document, problems = read_one(start, transaction)
    assert document is None
    assert [(problem.severity.value, problem.place.field) for problem in problems] == [("error", "amount")]


def test_vat_numbers_of_the_parties_are_known_in_d01b() -> None:
    found: dict[str, Any] = read(advice("DOC+380+INV1", "MOA+12:1", head=("NAD+PR+1::92", "RFF+VA:DE1"), version="d01b"))
    assert found["payer"]["identifiers"] == {"vat": "DE1", "buyer_assigned": "1"}
