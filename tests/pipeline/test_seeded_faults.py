"""Every fault that is put into good orders is named, with its code and at its place, wherever it stands; and its neighbours are accepted."""

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.checking import Report
from gateway.problem import Severity
from tests.pipeline.faults import FAULTS
from tests.pipeline.faults import good_file
from tests.ready_made import shipped_plans

PLANS = shipped_plans()
KINDS = [(syntax, name) for syntax, faults in FAULTS.items() for name in faults]
#: these are told for the file, or change what the whole file is
NOT_ALONE = {"no UNB", "the file ends early", "delimiters not different", "no SE", "no UNT"}


def report_of(data: bytes) -> Report:
    report = Report("seeded.edi")
    report.feed([data], PLANS, stateless(PLANS), None)
    return report


@given(data=st.data())
@settings(max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize(("syntax", "name"), KINDS, ids=[f"{syntax}-{name}" for syntax, name in KINDS])
def test_a_seeded_fault_is_named_at_its_place(syntax: str, name: str, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    order = data.draw(st.integers(0, len(sizes) - 1))
    line = data.draw(st.integers(0, sizes[order] - 1))
    end = data.draw(st.sampled_from(["", "\n", "\r\n"]))
    good = good_file(syntax, sizes, order, line)
    assert not report_of(good.bytes(end)).problems
    file = good_file(syntax, sizes, order, line)
    told = FAULTS[syntax][name](file)
    report = report_of(file.bytes(end))
    fitting = [
        problem
        for problem in report.problems
        if problem.code == told.code
        and told.segment in {None, problem.place.segment}
        and told.index in {None, problem.place.index}
        and (told.element in {None, problem.place.element} or name.startswith(("too many", "the same")))
    ]
    seen = [(problem.code, problem.place.words()) for problem in report.problems]
    if name.startswith("the same"):
        fitting = [problem for problem in report.problems if problem.code == told.code]
    assert fitting, (told, seen)
    assert fitting[0].message
    if any(problem.severity is Severity.ERROR for problem in fitting):
        assert report.outcome != "accepted", seen
    if told.index is not None and name not in NOT_ALONE and fitting[0].severity is Severity.ERROR:
        assert report.transactions == len(sizes)
        assert report.accepted == len(sizes) - 1, seen
