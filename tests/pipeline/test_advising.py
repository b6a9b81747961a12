"""The TA1 of a partner is looked at as any other segment; what is wrong with it is said and refuses nothing."""

import pytest

from gateway.pipeline.plans import spec_of
from gateway.pipeline.reading.payload import Item
from gateway.pipeline.reading.payload import Read
from gateway.pipeline.reading.payload import read_payload
from gateway.pipeline.reading.payload import stateless
from gateway.problem import Problem
from gateway.problem import Severity
from tests.ready_made import shipped_plans

ISA = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*{version}*000000001*0*P*>~"
PLANS = shipped_plans()


def told(advice: str, version: str = "00401") -> list[Problem]:
    data = f"{ISA.format(version=version)}{advice}~IEA*0*000000001~".encode()
    items: list[Item] = list(read_payload([data], PLANS, stateless(PLANS))[1])
    return [item for item in items if isinstance(item, Problem) and item.place.segment == "TA1"]


@pytest.mark.parametrize("version", ["00305", "00401", "00501", "00703"])
def test_a_right_one_is_not_mentioned(version: str) -> None:
    assert told("TA1*000000905*260105*1200*A*000", version) == []


@pytest.mark.parametrize(
    ("advice", "codes"),
    [
        ("TA1*000000905*260105*1200*X*000", ["X12-ELEMENT-CODE"]),
        ("TA1*905*20260105*1200*A*000", ["X12-ELEMENT-TOO-SHORT", "X12-ELEMENT-TOO-LONG"]),
        ("TA1*000000905*261305*2561*R*025", ["X12-ELEMENT-DATE", "X12-ELEMENT-TIME"]),
        ("TA1*000000905*260105*1200*A", ["X12-ELEMENT-MISSING"]),
        ("TA1*000000905*260105*1200*A*000*", ["X12-ELEMENTS-TOO-MANY"]),
    ],
)
def test_a_wrong_one_is_told_element_by_element(advice: str, codes: list[str]) -> None:
    problems = told(advice)
    assert [problem.code for problem in problems] == codes
    assert {(problem.severity, problem.place.interchange) for problem in problems} == {(Severity.WARNING, "000000001")}


@pytest.mark.parametrize(
    ("sent", "spec"),
    [
        ("004010", "x12/004010/850"),
        ("004010VICS", "x12/004010/850"),
        ("005010UCS", "x12/005010/850"),
        ("005010X222A1", "x12/005010/850"),
        ("4010", "x12/004010/850"),
        ("00401", "x12/004010/850"),
        ("003060", "x12/003060/850"),
        ("VICS", "x12/VICS/850"),
    ],
)
def test_the_version_is_that_of_the_group_whatever_guide_stands_behind_it(sent: str, spec: str) -> None:
    body = f"{ISA.format(version='00401')}GS*PO*ACME*SELLER*20260105*1200*1*X*{sent}~ST*850*0001~SE*2*0001~GE*1*1~IEA*1*000000001~"
    (read,) = (item for item in read_payload([body.encode()], PLANS, stateless(PLANS))[1] if isinstance(item, Read))
    assert spec_of(read.transaction) == spec
