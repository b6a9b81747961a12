"""The generated checks and the thorough ones see the same: a segment is looked at closely exactly when something is wrong with it."""

import functools

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.codecs.node import Delimiters
from gateway.codecs.node import Segment
from gateway.config import default_resolver
from gateway.schema.diagnose import diagnose
from gateway.schema.load import load_schema
from gateway.schema.plan import ElementUse
from gateway.schema.plan import LoopUse
from gateway.schema.plan import SegmentUse
from gateway.schema.segment_check import Check
from gateway.schema.segment_check import checks_for

SPECS = [
    "x12/004010/850",
    "x12/004010/820",
    "x12/005010/810",
    "x12/005010/999",
    "x12/003060/860",
    "x12/004030/856",
    "x12/005010/832",
    "x12/006020/820",
    "edifact/d96a/orders",
    "edifact/d01b/desadv",
    "edifact/service/contrl-4",
]
X12 = Delimiters(element="*", component=">", segment="~", repetition="")
EDIFACT = Delimiters(element="+", component=":", segment="'", release="?", repetition="")
#: values that have something about them
ODD = [
    "",
    "0",
    "00",
    "A",
    "EA",
    "1",
    "-1",
    "1.5",
    ".5",
    "5.",
    "1,5",
    "1.2.3",
    "1E5",
    "+1",
    "--1",
    ".",
    "-",
    " ",
    " 1",
    "20260105",
    "20260231",
    "260105",
    "2400",
    "1430",
    "999999",
    "RD8",
    "20260105-20260107",
    "102",
    "203",
    "X" * 100,
    "9" * 40,
    "\u0661",
    "\u00b2",
    "A>B",
    ">",
    "A>B>C>D>E>F>G>H>I>J>K>L>M>N>O>P",
    "EA>1>2",
    "DP>1",
    "ZZ>",
    ":",
    "Q",
    "SA",
    "QQ",
]


@functools.cache
def uses(spec: str) -> tuple[tuple[SegmentUse, list[Check]], ...]:
    found: dict[str, SegmentUse] = {}

    def collect(loop: LoopUse) -> None:
        for child in loop.children:
            if isinstance(child, LoopUse):
                collect(child)
            else:
                found.setdefault(child.tag, child)

    collect(load_schema(spec, default_resolver()).root)
    return tuple((use, checks_for(use, spec.split("/")[0])) for use in found.values())


def fitting(use: ElementUse) -> st.SearchStrategy[str]:
    """A value that may well be right."""
    if use.codes:
        return st.sampled_from(sorted(use.codes)[:5])
    if use.type in {"DT", "TM"}:
        return st.sampled_from(["20260105", "20280229"] if use.type == "DT" else ["1430", "143059"])
    digits = use.type in {"R", "n"} or use.type.startswith("N")
    return st.text("0123456789" if digits else "AB12", min_size=use.min, max_size=min(use.max, use.min + 4))


def value(use: ElementUse) -> st.SearchStrategy[str]:
    return st.one_of(fitting(use), st.just(""), st.sampled_from(ODD))


def element(use: ElementUse, syntax: str) -> st.SearchStrategy[str | list[str]]:
    parts = (
        st.one_of(*(st.tuples(*map(value, use.components[:count])).map(list) for count in range(1, len(use.components) + 1)))
        if use.components
        else None
    )
    if syntax == "x12":
        whole = st.one_of(value(use), parts.map(">".join)) if parts is not None else value(use)
        return st.one_of(whole, st.just(""))
    lists = parts if parts is not None else st.tuples(value(use)).map(list)
    return st.one_of(lists, st.just([""]), st.just([]), st.lists(st.sampled_from(ODD), max_size=12))


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_quick_and_thorough_checks_agree(spec: str, data: st.DataObject) -> None:
    syntax = spec.split("/")[0]
    delimiters = X12 if syntax == "x12" else EDIFACT
    use, checks = data.draw(st.sampled_from(uses(spec)))
    count = data.draw(st.integers(0, len(use.elements)))
    segment: Segment = [use.tag, *(data.draw(element(one, syntax)) for one in use.elements[:count])]
    findings = [finding.message for finding in diagnose(segment, use, syntax, delimiters)]
    assert bool(checks[len(segment)](segment, delimiters)) == bool(findings), (segment, findings)


@pytest.mark.parametrize("spec", SPECS)
def test_every_check_can_be_generated(spec: str) -> None:
    syntax = spec.split("/")[0]
    for use, checks in uses(spec):
        for count in range(len(use.elements) + 1):
            for filling in ("", "1"):
                filled: list[str | list[str]] = [filling if syntax == "x12" else [filling]] * count
                findings = list(diagnose([use.tag, *filled], use, syntax, X12 if syntax == "x12" else EDIFACT))
                assert bool(checks[count + 1]([use.tag, *filled], X12 if syntax == "x12" else EDIFACT)) == bool(findings), (use.tag, filled, findings)
