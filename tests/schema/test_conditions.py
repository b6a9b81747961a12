"""Relational conditions of X12.6 (P R E C L): each is met by some segments and broken by others, and the sentence says which element it is about."""

import pytest

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Transaction
from gateway.schema.apply import check
from gateway.schema.compile import compile_schema
from gateway.schema.load import load_schema
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.schema.segment_check import checks_for
from tests.schema.test_load import Files
from tests.schema.world import compiled
from tests.schema.world import transaction

MARKS = Delimiters(element="*", component=">", segment="~")
SEGMENTS = """schema: x12/t/segments
segments:
  ST: {name: Header, elements: [324 M]}
  SE: {name: Trailer, elements: [96 M]}
  BEG: {name: Head, elements: [324 O, 324 O, 324 O, 324 O], conditions: [CONDITION]}
"""
ORDER = """schema: x12/t/order
name: Order
group: PO
type: "850"
segments: [ST M 1, BEG M 1, SE M 1]
"""


def told(condition: str, segment: str) -> list[str]:
    """What is said about a BEG under one condition."""
    schema = compile_schema(load_schema("x12/t/order", Files(segments=SEGMENTS.replace("CONDITION", condition), order=ORDER)))
    return [problem.message for problem in check(transaction("x12/004010/850", [segment]), schema).problems if problem.place.segment == "BEG"]


@pytest.mark.parametrize(
    ("condition", "met", "broken"),
    [
        ("P0102", ["BEG***A", "BEG*A*B", "BEG*A*B*C"], ["BEG*A", "BEG**B", "BEG*A**C"]),
        ("P010203", ["BEG****D", "BEG*A*B*C"], ["BEG*A", "BEG**B", "BEG***C", "BEG*A*B", "BEG*A**C", "BEG**B*C"]),
        ("R0102", ["BEG*A", "BEG**B", "BEG*A*B"], ["BEG***C", "BEG****D"]),
        ("R010203", ["BEG*A", "BEG***C", "BEG*A*B*C"], ["BEG****D"]),
        ("E0102", ["BEG*A", "BEG**B", "BEG***C"], ["BEG*A*B", "BEG*A*B*C"]),
        ("E010203", ["BEG*A", "BEG***C"], ["BEG*A**C", "BEG**B*C", "BEG*A*B*C"]),
        ("C0102", ["BEG**B", "BEG*A*B", "BEG***C"], ["BEG*A", "BEG*A**C"]),
        ("C010203", ["BEG**B", "BEG*A*B*C"], ["BEG*A", "BEG*A*B", "BEG*A**C"]),
        ("C0402", ["BEG**B", "BEG**B**D", "BEG*A"], ["BEG****D", "BEG*A***D"]),
        ("L010203", ["BEG**B", "BEG*A*B", "BEG*A**C", "BEG*A*B*C"], ["BEG*A", "BEG*A***D"]),
        ("L040102", ["BEG*A", "BEG*A***D", "BEG**B**D"], ["BEG****D", "BEG***C*D"]),
    ],
)
def test_a_condition_is_met_or_broken(condition: str, met: list[str], broken: list[str]) -> None:
    assert [segment for segment in met if told(condition, segment)] == []
    assert [segment for segment in broken if len(told(condition, segment)) != 1] == []


@pytest.mark.parametrize(
    ("condition", "segment", "sentence"),
    [
        ("P0102", "BEG*A", "BEG-02 is empty, but BEG-01 is sent"),
        ("P010203", "BEG**B", "BEG-01 and BEG-03 are empty, but BEG-02 is sent"),
        ("R0102", "BEG***C", "one of BEG-01 and BEG-02 is needed, but all are empty"),
        ("E0102", "BEG*A*B", "BEG-01 and BEG-02 stand together, but only one of them is allowed"),
        ("C0102", "BEG*A", "BEG-02 is empty, but BEG-01 is sent"),
        ("L010203", "BEG*A", "BEG-02 or BEG-03 is needed, because BEG-01 is sent"),
    ],
)
def test_a_broken_condition_says_what_is_missing(condition: str, segment: str, sentence: str) -> None:
    assert told(condition, segment) == [sentence]


def segments_of(loop: LoopUse) -> list[SegmentUse]:
    return [found for child in loop.children for found in (segments_of(child) if isinstance(child, LoopUse) else [child])]


@pytest.mark.parametrize("version", ["003060", "004010", "004030", "005010", "006020", "007030"])
@pytest.mark.parametrize("kind", ["810", "850", "855", "856", "860", "820"])
def test_every_condition_of_the_schemas_can_be_met(version: str, kind: str) -> None:
    """With every element sent no P, R, C or L is broken: a condition that names the wrong element shows where it cannot be met."""
    for use in segments_of(compiled(f"x12/{version}/{kind}").plan.root):
        for condition in use.conditions:
            assert all(1 <= position <= len(use.elements) for position in condition.positions), (use.tag, condition)
            lone = [condition.positions[0]] if condition.kind == "E" else list(condition.positions)
            mandatory = [element.position for element in use.elements if element.mandatory]
            sent = {*lone, *mandatory} if condition.kind == "E" else {*lone}
            clash = condition.kind == "E" and len(set(condition.positions) & set(mandatory)) > 1
            assert not clash, (use.tag, condition)
            assert sent


def test_a_date_is_a_day_of_the_calendar_in_both_lengths() -> None:
    for version, good, bad in (("003060", "240229", "230229"), ("004010", "20240229", "20230229")):
        spec = f"x12/{version}/850"
        for date, accepted in ((good, True), (bad, False)):
            sent: Transaction = transaction(spec, [f"BEG*00*SA*PO1**{date}", "PO1*1*1*EA"])
            assert check(sent, compiled(spec)).accepted is accepted, (version, date)


def test_a_period_has_the_form_that_the_element_before_names() -> None:
    spec = "x12/004010/850"
    for period, accepted in (("D8*20260131", True), ("D8*20260231", False), ("RD8*20260101-20260131", True), ("TM*2570", False), ("UN*SOON", True)):
        sent = transaction(spec, ["BEG*00*SA*PO1**20260105", f"DTM*002****{period}", "PO1*1*1*EA"])
        assert check(sent, compiled(spec)).accepted is accepted, period


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("SAC*C*D240***500", ""),
        ("SAC*C*D240***-500", ""),
        ("SAC*C*D240***5.00", "X12-ELEMENT-CHARACTER"),
        ("SAC*C*D240***500-", "X12-ELEMENT-CHARACTER"),
        ("SAC*C*D240***+500", "X12-ELEMENT-CHARACTER"),
        ("SAC*C*D240***1234567890123456", "X12-ELEMENT-TOO-LONG"),
        ("SAC*C*D240***-123456789012345", ""),
        ("AMT*TT*12.50", ""),
        ("AMT*TT*-12.50", ""),
        ("AMT*TT*1.25E1", ""),
        ("AMT*TT*12.50-", "X12-ELEMENT-CHARACTER"),
        ("AMT*TT*12,50", "X12-ELEMENT-CHARACTER"),
        ("AMT*TT*1.234.567", "X12-ELEMENT-CHARACTER"),
    ],
)
def test_numbers_are_written_as_x12_writes_them(amount: str, code: str) -> None:
    spec = "x12/004010/850"
    checked = check(transaction(spec, ["BEG*00*SA*PO1**20260105", amount, "PO1*1*1*EA"]), compiled(spec))
    assert [problem.code for problem in checked.problems] == ([code] if code else [])


def test_repetitions_are_counted_from_005010_on() -> None:
    spec = "x12/005010/999"
    body = ["AK1*PO*1*005010", "AK2*850*0001", "IK3*PO1*3*PO1*8", "CTX*{}", "IK5*R*5", "AK9*R*1*1*0"]
    for count, code in ((10, []), (11, ["X12-REPETITIONS-TOO-MANY"])):
        segments = [segment.format("^".join(f"A>{number}" for number in range(count))) for segment in body]
        assert [problem.code for problem in check(transaction(spec, segments), compiled(spec)).problems] == code


def test_components_are_counted_and_needed() -> None:
    spec = "x12/004010/850"
    for reference, codes in (
        ("REF*ZZ*A**PO>B", []),
        ("REF*ZZ*A**PO>B>SA>C>VN>D", []),
        ("REF*ZZ*A**PO>B>SA>C>VN>D>X", ["X12-COMPONENTS-TOO-MANY"]),
        ("REF*ZZ*A**PO", ["X12-ELEMENT-MISSING"]),
        ("REF*ZZ*A**PO>B>>C", ["X12-ELEMENT-CONDITION"]),
    ):
        checked = check(transaction(spec, ["BEG*00*SA*PO1**20260105", reference, "PO1*1*1*EA"]), compiled(spec))
        assert [problem.code for problem in checked.problems] == codes, reference


def test_the_quick_check_agrees() -> None:
    use = next(use for use in segments_of(compiled("x12/004010/850").plan.root) if use.tag == "TD5")
    quick = checks_for(use, "x12")
    for segment in (["TD5", "", "2", "UPSN", "M"], ["TD5", "", "2"], ["TD5", "O"]):
        assert bool(quick[len(segment)](segment, MARKS)) is (segment != ["TD5", "", "2", "UPSN", "M"])
