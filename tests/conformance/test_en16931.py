"""The sums of an invoice: each rule fires on its own fault and on nothing else; tolerances are the official ones."""

import re
import time
from pathlib import Path

import pytest

from gateway.codecs import xml
from gateway.codecs.node import Transaction
from gateway.conformance import en16931
from gateway.conformance.level import Level
from gateway.kinds import en16931 as kinds
from gateway.problem import Kind
from tests.conformance.documents import bill
from tests.conformance.documents import order
from tests.conformance.documents import transaction_of
from tests.machine import is_quick

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "peppol"


def codes(text: str) -> set[str]:
    return {problem.code for problem in en16931.judge(transaction_of(text)).problems}


@pytest.mark.parametrize("document", ["Invoice", "CreditNote"])
@pytest.mark.parametrize("zero", ["E", "Z", "AE", "K", "G", "O"])
def test_a_right_bill_breaks_no_sum_and_is_not_called_passed(document: str, zero: str) -> None:
    judgement = en16931.judge(transaction_of(bill(document, zero)))
    assert judgement.problems == ()
    assert judgement.level is Level.NOT_RUN
    assert judgement.reason


BROKEN = [
    ("BR-CO-10", 'LineExtensionAmount currencyID="EUR">150.00', 'LineExtensionAmount currencyID="EUR">150.01', {"BR-CO-13"}),
    ("BR-CO-11", 'AllowanceTotalAmount currencyID="EUR">10.00', 'AllowanceTotalAmount currencyID="EUR">10.01', {"BR-CO-13"}),
    ("BR-CO-12", 'ChargeTotalAmount currencyID="EUR">5.00', 'ChargeTotalAmount currencyID="EUR">5.01', {"BR-CO-13"}),
    ("BR-CO-13", 'TaxExclusiveAmount currencyID="EUR">145.00', 'TaxExclusiveAmount currencyID="EUR">144.99', {"BR-CO-15"}),
    ("BR-CO-14", '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">18.05', '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">18.06', {"BR-CO-15"}),
    ("BR-CO-15", 'TaxInclusiveAmount currencyID="EUR">163.05', 'TaxInclusiveAmount currencyID="EUR">163.06', {"BR-CO-16"}),
    ("BR-CO-15", '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">', '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">', set()),
    ("BR-CO-16", 'PayableAmount currencyID="EUR">143.10', 'PayableAmount currencyID="EUR">143.05', set()),
    (
        "BR-CO-17",
        '<cbc:TaxAmount currencyID="EUR">18.05</cbc:TaxAmount><cac:TaxCategory>',
        '<cbc:TaxAmount currencyID="EUR">19.05</cbc:TaxAmount><cac:TaxCategory>',
        {"BR-CO-14", "BR-S-09"},
    ),
    ("BR-S-08", 'TaxableAmount currencyID="EUR">95.00', 'TaxableAmount currencyID="EUR">96.00', {"INVOICE-TAX-INEXACT"}),
    ("BR-E-08", 'TaxableAmount currencyID="EUR">50.00', 'TaxableAmount currencyID="EUR">50.01', set()),
    ("BR-E-09", '<cbc:TaxAmount currencyID="EUR">0.00', '<cbc:TaxAmount currencyID="EUR">0.01', {"BR-CO-14", "INVOICE-TAX-INEXACT"}),
]


@pytest.mark.parametrize(("code", "right", "wrong", "others"), BROKEN, ids=[f"{row[0]}-{number}" for number, row in enumerate(BROKEN)])
@pytest.mark.parametrize("document", ["Invoice", "CreditNote"])
def test_a_wrong_sum_is_named_by_its_rule(document: str, code: str, right: str, wrong: str, others: set[str]) -> None:
    text = bill(document)
    assert text.count(right) == 1
    judgement = en16931.judge(transaction_of(text.replace(right, wrong)))
    assert {problem.code for problem in judgement.problems} == {code} | others
    assert judgement.level is Level.FAILED


@pytest.mark.parametrize(("category", "rule"), [("Z", "Z"), ("E", "E"), ("AE", "AE"), ("K", "IC"), ("G", "G"), ("O", "O")])
def test_each_untaxed_category_has_its_own_rules(category: str, rule: str) -> None:
    text = bill(zero=category)
    assert codes(text.replace('TaxableAmount currencyID="EUR">50.00', 'TaxableAmount currencyID="EUR">50.01')) == {f"BR-{rule}-08"}
    assert f"BR-{rule}-09" in codes(text.replace('<cbc:TaxAmount currencyID="EUR">0.00', '<cbc:TaxAmount currencyID="EUR">2.00'))


@pytest.mark.parametrize(("category", "rule"), [("S", "S"), ("L", "AF"), ("M", "AG")])
def test_each_taxed_category_has_its_own_rules(category: str, rule: str) -> None:
    text = bill().replace("<cbc:ID>S</cbc:ID>", f"<cbc:ID>{category}</cbc:ID>")
    assert codes(text) == set()
    assert f"BR-{rule}-08" in codes(text.replace('TaxableAmount currencyID="EUR">95.00', 'TaxableAmount currencyID="EUR">96.00'))
    wrong = text.replace(
        '<cbc:TaxAmount currencyID="EUR">18.05</cbc:TaxAmount><cac:TaxCategory>',
        '<cbc:TaxAmount currencyID="EUR">17.05</cbc:TaxAmount><cac:TaxCategory>',
    )
    assert f"BR-{rule}-09" in codes(wrong)


@pytest.mark.parametrize("amount", ["9" * 60, "1e9", "NaN", "Infinity", "\u0663", "", "-", "1,00", "9" * 22])
def test_an_amount_that_is_none_breaks_nothing(amount: str) -> None:
    for name in ("PayableAmount", "LineExtensionAmount", "TaxAmount", "TaxableAmount", "Amount", "PrepaidAmount"):
        text = re.sub(f'(<cbc:{name} currencyID="EUR">)[^<]*', rf"\g<1>{amount}", bill())
        en16931.judge(transaction_of(text))


def test_a_missing_breakdown_is_named() -> None:
    text = bill()
    start, end = text.index("<cac:TaxSubtotal>"), text.index("</cac:TaxTotal>")
    assert "BR-CO-18" in codes(text[:start] + text[end:])


def test_cents_inside_of_the_official_tolerance_are_a_warning() -> None:
    text = bill().replace("18.05", "18.06").replace("163.05", "163.06").replace("143.10", "143.11")
    judgement = en16931.judge(transaction_of(text))
    assert [(problem.code, problem.severity.value) for problem in judgement.problems] == [("INVOICE-TAX-INEXACT", "warning")]
    assert judgement.level is Level.NOT_RUN


def test_a_problem_says_where_what_and_what_was_expected() -> None:
    (problem,) = en16931.judge(transaction_of(bill().replace(">143.10<", ">143.05<"))).problems
    assert (problem.found, problem.expected) == ("143.05", "143.10")
    assert problem.place.path == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert problem.place.line == 2


def test_an_order_is_no_matter_of_en_16931() -> None:
    assert en16931.judge(transaction_of(order())).level is Level.NOT_RUN


def test_every_kind_of_these_rules_stands_in_the_table_of_rules() -> None:
    assert {kind for kind, _ in en16931.RULES} == {kind for kind in vars(kinds).values() if isinstance(kind, Kind)}


def test_official_examples_break_no_sum() -> None:
    folders = [CORPUS / "en16931" / "examples", CORPUS / "billing" / "examples", CORPUS / "examples"]
    files = [file for folder in folders for file in folder.rglob("*.xml")]
    if not files:
        pytest.skip("no corpus of official examples beside the checkout")
    for file in files:
        for event in xml.read([file.read_bytes()]):
            if isinstance(event, Transaction) and event.type in en16931.DOCUMENTS:
                assert en16931.judge(event).problems == (), file


def test_a_bill_of_very_many_lines_and_rates_is_judged_once_each() -> None:
    text = bill()
    line = text[text.index("<cac:InvoiceLine>") : text.index("</Invoice>")]
    subtotal = text[text.index("<cac:TaxSubtotal>") : text.index("</cac:TaxTotal>")]
    large = text.replace(subtotal, subtotal * 2_000).replace(line, line * 2_000)
    transaction = transaction_of(large)
    began = time.process_time()
    assert {problem.code for problem in en16931.judge(transaction).problems} >= {"BR-CO-10", "BR-CO-14", "BR-S-08"}
    assert is_quick(time.process_time() - began, 5)
