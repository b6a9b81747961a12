"""UBL against its XSD: what passes, what fails and where, and that what did not run is never called passed."""

from pathlib import Path

import pytest

from gateway.codecs import xml
from gateway.codecs.node import Transaction
from gateway.conformance import artefacts
from gateway.conformance import judge
from gateway.conformance import xsd
from gateway.conformance.level import Level
from gateway.problem import problem_json
from tests.conformance.documents import bill
from tests.conformance.documents import order
from tests.conformance.documents import transaction_of

SHELF = xsd.SchemaShelf()
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"


def need(document: str) -> None:
    path, reason = artefacts.schema_path(document, [artefacts.default_folder()])
    if path is None:
        pytest.skip(f"UBL schemas: {reason}")


@pytest.mark.parametrize("document", ["Invoice", "CreditNote"])
def test_a_right_bill_passes(document: str) -> None:
    judgement = xsd.validate(transaction_of(bill(document)), SHELF)
    assert (judgement.level, judgement.problems) == (Level.PASSED, ())


def test_a_right_order_passes() -> None:
    need("Order")
    assert xsd.validate(transaction_of(order()), SHELF).level is Level.PASSED


def test_what_stands_at_the_wrong_place_is_named_with_path_and_line() -> None:
    text = bill().replace("<cbc:Name>Thing 2</cbc:Name>", "\n<cbc:Nix>Thing 2</cbc:Nix>")
    judgement = xsd.validate(transaction_of(text), SHELF)
    assert judgement.level is Level.FAILED
    problem = judgement.problems[0]
    assert problem.code == "XML-SCHEMA"
    assert problem.place.path == "/Invoice/cac:InvoiceLine[2]/cac:Item/cbc:Nix"
    assert problem.place.line == 3
    assert "cbc:Name" in (problem.expected or "")
    assert "urn:oasis" not in problem.message
    assert problem_json(problem)["place"]["path"] == problem.place.path


def test_a_value_of_the_wrong_kind_is_named_with_the_value() -> None:
    problem = xsd.validate(transaction_of(bill().replace("2026-01-05", "5.1.2026")), SHELF).problems[0]
    assert problem.found == "5.1.2026"
    assert problem.place.path == "/Invoice/cbc:IssueDate"


def test_a_flood_of_faults_is_cut_off() -> None:
    text = bill().replace("</Invoice>", "<cac:Nix/>" * 500 + "</Invoice>").replace('currencyID="EUR"', "")
    assert 1 <= len(xsd.validate(transaction_of(text), SHELF).problems) <= xsd.MAX_PROBLEMS


def test_without_its_schema_nothing_is_said_to_have_passed(tmp_path: Path) -> None:
    judgement = xsd.validate(transaction_of(order()), xsd.SchemaShelf([tmp_path]))
    assert judgement.level is Level.NOT_RUN
    assert "gateway artefacts fetch" in judgement.reason


def test_a_newer_ubl_and_another_syntax_are_not_judged_by_this_schema() -> None:
    newer = bill().replace("<cbc:ID>INV1", "<cbc:UBLVersionID>2.3</cbc:UBLVersionID><cbc:ID>INV1")
    assert xsd.validate(transaction_of(newer), SHELF).level is Level.NOT_RUN
    camt = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>'
    assert xsd.validate(transaction_of(camt), SHELF).level is Level.NOT_RUN
    assert xsd.validate(transaction_of('<Nix xmlns="urn:oasis:names:specification:ubl:schema:xsd:Nix-2"/>'), SHELF).level is Level.NOT_RUN


def test_levels_are_judged_on_their_own() -> None:
    text = bill().replace(">143.10<", ">143.05<").replace("<cbc:Name>Thing 2</cbc:Name>", "<cbc:Nix/>")
    conformance = judge.judge(transaction_of(text), SHELF)
    assert conformance.levels == {"xsd": "failed", "en16931": "failed", "peppol": "not_run"}
    assert {problem.code for problem in conformance.problems} == {"XML-SCHEMA", "BR-CO-16"}
    assert set(conformance.reasons) == {"peppol"}


def test_a_clean_bill_is_passed_only_where_the_whole_level_ran() -> None:
    assert judge.judge(transaction_of(bill()), SHELF).levels == {"xsd": "passed", "en16931": "not_run", "peppol": "not_run"}


def test_official_examples_pass_their_schema() -> None:
    files = sorted((CORPUS / "peppol" / "examples").rglob("*.xml")) + sorted((CORPUS / "peppol" / "billing" / "examples").rglob("*.xml"))
    if not files:
        pytest.skip("no corpus of official examples beside the checkout")
    need("Order")
    for file in files:
        for event in xml.read([file.read_bytes()]):
            if isinstance(event, Transaction):
                judgement = xsd.validate(event, SHELF)
                # an advanced order response that the publisher got wrong
                expected = Level.FAILED if file.name == "OrderResponseAdvanced_Example.xml" else Level.PASSED
                assert judgement.level is expected, (file, judgement)
