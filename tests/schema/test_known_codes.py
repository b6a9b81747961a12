"""Currencies, countries, units and GS1 numbers in any transaction, mapped or not: a warning where they are not right."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from gateway.config import default_resolver
from gateway.problem import Severity
from gateway.schema import known_codes
from gateway.schema.apply import check
from gateway.schema.compile import CompiledSchema
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from tests.schema.world import compiled as without_numbers
from tests.schema.world import transaction

ORDER, ORDERS = "x12/004010/850", "edifact/d96a/orders"
X12_HEAD = ["BEG*00*SA*PO1**20260105"]
HEAD = ["BGM+220+1+9", "DTM+137:20260105:102"]
CODES = Path(__file__).parents[2] / "schemas" / "codes"


@cache
def compiled(spec: str) -> CompiledSchema:
    """The shipped schema as the pipeline compiles it."""
    return compile_schema(load_schema(spec, default_resolver()), numbers=True)


def told(spec: str, segments: list[str]) -> list[str]:
    """Codes and places of what is told; all of it warnings."""
    checked = check(transaction(spec, segments), compiled(spec))
    assert checked.accepted
    assert all(problem.severity is Severity.WARNING and problem.found and problem.expected for problem in checked.problems)
    return [f"{problem.code} {problem.place.segment}-{problem.place.element}-{problem.place.component or ''}" for problem in checked.problems]


@pytest.mark.parametrize(
    ("good", "bad", "what"),
    [
        ("CUR*BY*USD", "CUR*BY*UST", "DOC-CURRENCY CUR-2-"),
        ("N1*BY*A~N4*CITY*IL*62701*US", "N1*BY*A~N4*CITY*IL*62701*UX", "DOC-COUNTRY N4-4-"),
        ("PO1**1*EA*2", "PO1**1*ea*2", "DOC-UNIT PO1-3-"),
        ("PO1**1*EA*2**UP*036000291452", "PO1**1*EA*2**UP*036000291453", "DOC-CHECK-DIGIT PO1-7-"),
        ("PO1**1*EA*2**VP*V1*EN*4006381333931", "PO1**1*EA*2**VP*V1*EN*4006381333930", "DOC-CHECK-DIGIT PO1-9-"),
        ("PO1**1*EA*2**UK*10614141000415", "PO1**1*EA*2**UK*10614141000410", "DOC-CHECK-DIGIT PO1-7-"),
        ("PO1**1*EA*2**EO*73513537", "PO1**1*EA*2**EO*73513536", "DOC-CHECK-DIGIT PO1-7-"),
        ("PO1**1*EA*2**UP*4006381333931", "PO1**1*EA*2**UP*40063813", "DOC-CHECK-DIGIT PO1-7-"),
        ("N1*BY*A*UL*1234567890128", "N1*BY*A*UL*1234567890123", "DOC-CHECK-DIGIT N1-4-"),
    ],
)
def test_values_of_an_order(good: str, bad: str, what: str) -> None:
    rest = [] if good.startswith("PO1") else ["PO1**1*EA*2"]
    assert told(ORDER, [*X12_HEAD, *good.split("~"), *rest]) == []
    assert told(ORDER, [*X12_HEAD, *bad.split("~"), *rest]) == [what]


@pytest.mark.parametrize(
    ("good", "bad", "what"),
    [
        ("CUX+2:EUR:9", "CUX+2:EUX:9", "DOC-CURRENCY CUX-1-2"),
        ("NAD+BY+5412345000013::9", "NAD+BY+5412345000014::9", "DOC-CHECK-DIGIT NAD-2-1"),
        ("NAD+BY+A::92++N+S+C++Z+DE", "NAD+BY+A::92++N+S+C++Z+DX", "DOC-COUNTRY NAD-9-"),
        ("LIN+1++4006381333931:EN", "LIN+1++4006381333930:EN", "DOC-CHECK-DIGIT LIN-3-1"),
        ("LIN+1~PIA+1+V1:SA+036000291452:UP", "LIN+1~PIA+1+V1:SA+036000291453:UP", "DOC-CHECK-DIGIT PIA-3-1"),
        ("LIN+1~QTY+21:1:PCE", "LIN+1~QTY+21:1:p/e", "DOC-UNIT QTY-1-3"),
        ("LIN+1~LOC+7+5412345000013::9", "LIN+1~LOC+7+5412345000014::9", "DOC-CHECK-DIGIT LOC-2-1"),
        ("LIN+1~GIN+BJ+340123450000000012", "LIN+1~GIN+BJ+340123450000000013", "DOC-CHECK-DIGIT GIN-2-1"),
    ],
)
def test_values_of_a_message(good: str, bad: str, what: str) -> None:
    rest = [] if good.startswith("LIN") else ["LIN+1"]
    right = known_codes.check_digit_fault("sscc")
    good = good.replace("340123450000000012", next(n for n in (f"34012345000000001{digit}" for digit in range(10)) if right(n) is None))
    bad = bad.replace("340123450000000013", next(n for n in (f"34012345000000001{digit}" for digit in range(10)) if right(n) is not None))
    assert told(ORDERS, [*HEAD, *good.split("~"), *rest, "UNS+S"]) == []
    assert told(ORDERS, [*HEAD, *bad.split("~"), *rest, "UNS+S"]) == [what]


def test_an_sscc_in_a_despatch_advice_that_nothing_maps() -> None:
    spec = "x12/004010/856"
    right = known_codes.check_digit_fault("sscc")
    number = next(n for n in (f"10061414100000001{digit}" for digit in range(10)) if right(n) is None)
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    head = ["BSN*00*S1*20260105*1200", "HL*1**S", "HL*2*1*P"]
    assert told(spec, [*head, f"MAN*GM*{number}"]) == []
    assert told(spec, [*head, f"MAN*GM*00{number}"]) == []
    assert told(spec, [*head, f"MAN*GM*{wrong}"]) == ["DOC-CHECK-DIGIT MAN-2-"]


def test_the_lists_are_those_of_the_tables_that_mappings_use() -> None:
    words = {name: yaml.load((CODES / f"{name}.yaml").read_text(), Loader=yaml.BaseLoader)["words"] for name in ("currencies", "countries")}
    assert set(words["currencies"]) == known_codes.CURRENCIES
    assert set(words["countries"]) | set(words["countries"].values()) == known_codes.COUNTRIES


def test_a_flood_of_warnings_hides_no_error() -> None:
    lines = [f"PO1*{number}*1*ea*2" for number in range(500)]
    checked = check(transaction(ORDER, [*X12_HEAD, *lines, "PO1*500*TEN*EA*2"]), compiled(ORDER))
    assert not checked.accepted
    assert [problem.code for problem in checked.problems if problem.severity is Severity.ERROR] == ["X12-ELEMENT-CHARACTER"]
    assert checked.problems[-1].code == "X12-PROBLEMS-TOO-MANY"
    assert len(checked.problems) == 100 + 1 + 1


def test_numbers_are_looked_at_where_it_is_asked_for() -> None:
    sent = transaction(ORDER, [*X12_HEAD, "PO1**1*EA*2**UP*036000291453"])
    assert check(sent, without_numbers(ORDER)).problems == []
    assert len(check(sent, compiled(ORDER)).problems) == 1
