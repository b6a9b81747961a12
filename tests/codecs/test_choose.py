"""Which syntax a file is in."""

import pytest

from gateway.codecs import choose
from gateway.codecs.node import InterchangeStart
from gateway.codecs.node import Syntax
from gateway.problem import Problem
from tests.codecs.edi import EDIFACT
from tests.codecs.edi import MESSAGE
from tests.codecs.edi import ORDER
from tests.codecs.edi import X12
from tests.codecs.edi import each_byte
from tests.codecs.edi import transactions

UBL = '<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>'
CII = '<r:CrossIndustryInvoice xmlns:r="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
CAMT = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt/></Document>'


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        (X12, Syntax.X12),
        ("\ufeff\n" + X12, Syntax.X12),
        (ORDER, Syntax.X12),
        (EDIFACT, Syntax.EDIFACT),
        ("UNA:+.? '" + EDIFACT, Syntax.EDIFACT),
        (MESSAGE, Syntax.EDIFACT),
        (UBL, Syntax.UBL),
        ("\ufeff<?xml version='1.0'?>\n" + UBL, Syntax.UBL),
        (CII, Syntax.CII),
        (CAMT, Syntax.CAMT),
        ("<html/>", Syntax.UNKNOWN),
        ("a;b;c\n1;2;3\n", Syntax.UNKNOWN),
        ("", Syntax.UNKNOWN),
    ],
)
def test_the_head_decides(text: str, syntax: Syntax) -> None:
    assert choose.syntax_of(text.encode()[:4096]) is syntax
    found, events = choose.read(each_byte(text.encode()))
    assert found is syntax
    first = next(iter([event for event in events if not (isinstance(event, Problem) and event.code.startswith("FILE-"))]), None)
    if syntax is not Syntax.UNKNOWN:
        assert isinstance(first, InterchangeStart)
        assert first.syntax is syntax


def test_nothing_of_the_head_is_lost() -> None:
    for text in (X12, EDIFACT):
        _, events = choose.read(each_byte(text.encode()))
        assert transactions(list(events))[0].segments[1][0] in {"BEG", "BGM"}


def test_a_namespace_beyond_the_head_is_found_too() -> None:
    syntax, events = choose.read([b"<!--" + b" " * 9000 + b"-->" + UBL.encode()])
    assert syntax is Syntax.UBL
    assert transactions(list(events))[0].type == "Order"


@pytest.mark.parametrize(
    ("text", "code"), [("", "FILE-EMPTY"), (" \r\n", "FILE-EMPTY"), ("hello", "FILE-UNREADABLE"), ("<html/>", "XML-UNKNOWN-ROOT")]
)
def test_what_is_nothing_is_one_problem(text: str, code: str) -> None:
    syntax, events = choose.read([text.encode()])
    assert syntax is Syntax.UNKNOWN
    assert [event.code for event in events if isinstance(event, Problem)] == [code]
