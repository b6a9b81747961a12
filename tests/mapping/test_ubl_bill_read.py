"""UBL invoices and credit notes as others send them, to the canonical form."""

from typing import Any

import pytest

from tests.mapping.ubl_documents import CREDIT_NOTE
from tests.mapping.ubl_documents import INVOICE
from tests.mapping.ubl_documents import LEAST
from tests.mapping.ubl_world import CORPUS
from tests.mapping.ubl_world import as_json
from tests.mapping.ubl_world import read_one
from tests.mapping.ubl_world import transactions
from tests.mapping.ubl_world import write


def there_and_back(document: dict[str, Any], spec: str) -> dict[str, Any]:
    """What a document is after it was written and read again."""
    found, problems = read_one(write(document, spec), spec.replace("peppol/", "ubl/"))
    assert problems == []
    return as_json(found)


@pytest.mark.parametrize(("document", "spec"), [(INVOICE, "peppol/invoice"), (CREDIT_NOTE, "peppol/credit-note")])
def test_what_we_write_reads_back(document: dict[str, Any], spec: str) -> None:
    found = there_and_back(document, spec)
    same = (
        "kind",
        "number",
        "issued_on",
        "due_on",
        "currency",
        "order_number",
        "despatch_number",
        "contract_number",
        "buyer_reference",
        "payment_means",
        "allowances_charges",
        "taxes",
        "totals",
    )
    assert {name: found.get(name) for name in same} == {name: document.get(name) for name in same}
    assert found["lines"][0] == document["lines"][0]
    assert found["delivered_on"] == document["despatched_on"]
    assert found["seller"]["identifiers"] == document["seller"]["identifiers"]
    # EN 16931 takes one identifier of the buyer and one note
    assert found["buyer"]["identifiers"] == {"gln": "1234567890128", "vat": "DE123456789"}
    assert found["notes"] == [{"text": "Thank you Come again"}]


def test_a_credit_note_keeps_what_it_credits() -> None:
    found = there_and_back(CREDIT_NOTE, "ubl/credit-note")
    assert (found["invoice_number"], found["invoice_issued_on"]) == ("RE-2025-9", "2025-12-30")


def test_the_least_reads_back() -> None:
    found = there_and_back({"kind": "invoice", **LEAST}, "ubl/invoice")
    assert found["totals"] == LEAST["totals"]
    assert found["taxes"] == [{**LEAST["taxes"][0], "type": "VAT"}]


def test_the_tax_of_the_document_s_currency_counts() -> None:
    written = write(INVOICE, "ubl/invoice")
    second = '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">210.00</cbc:TaxAmount></cac:TaxTotal>'
    text = written.raw.encode("latin-1").decode().replace("<cac:TaxTotal>", f"{second}<cac:TaxTotal>", 1)
    (transaction,) = transactions(text.encode())
    document, problems = read_one(transaction, "ubl/invoice")
    assert problems == []
    assert as_json(document)["totals"]["tax"] == "19.23"


def test_official_examples_read_without_an_error() -> None:
    folders = [CORPUS / "peppol" / "billing" / "examples", CORPUS / "peppol" / "examples", CORPUS / "peppol" / "en16931" / "examples"]
    files = [file for folder in folders for file in sorted(folder.rglob("*.xml"))]
    if not files:
        pytest.skip("no corpus of official examples beside the checkout")
    count = 0
    for file in files:
        for transaction in transactions(file.read_bytes()):
            spec = {"Invoice": "ubl/invoice", "CreditNote": "ubl/credit-note"}.get(transaction.type)
            if spec is not None:
                count += 1
                document, problems = read_one(transaction, spec)
                assert document is not None, (file, problems)
                assert {problem.severity.value for problem in problems} <= {"warning"}, (file, problems)
    assert count > 20
