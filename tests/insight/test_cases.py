"""Test cases beside mappings and partners: found, run, told and accepted."""

import json
from pathlib import Path

import pytest

from benchmarks import orders
from gateway.config import default_resolver
from gateway.insight.cases import accept
from gateway.insight.cases import find_cases
from gateway.insight.cases import run_case
from gateway.pipeline.plans import Plans
from gateway.user_files import FolderResolver
from tests.ready_made import shipped_plans

PLANS = shipped_plans()
SHIPPED = find_cases(default_resolver())


@pytest.mark.parametrize("case", SHIPPED, ids=[case.name for case in SHIPPED])
def test_shipped_mappings_do_what_their_cases_say(case: object) -> None:
    outcome = run_case(case, PLANS, None)  # type: ignore[arg-type]
    assert outcome.passed, (outcome.trouble, outcome.differences)


def test_both_directions_and_three_syntaxes_have_cases() -> None:
    assert {case.spec.split("/")[0] for case in SHIPPED} >= {"x12", "edifact", "ubl"}
    assert {case.writes for case in SHIPPED} == {True, False}


def made(folder: Path, data: bytes) -> FolderResolver:
    case = folder / "mappings/x12/004010/cases/850/one"
    case.mkdir(parents=True)
    (case / "input.edi").write_bytes(data)
    return FolderResolver(({"mappings": folder / "mappings"}, *default_resolver().places))


def test_a_case_is_accepted_then_passes_then_says_what_changed(tmp_path: Path) -> None:
    resolver = made(tmp_path, orders.x12(1, 2))
    [case] = [case for case in find_cases(resolver) if case.name.endswith("/one")]
    plans = Plans(resolver)
    first = run_case(case, plans, None)
    assert "--accept" in first.trouble
    accept(first)
    assert run_case(case, plans, None).passed
    expected = json.loads((case.folder / "expected.json").read_text())
    was = expected["lines"][1]["price"]
    expected["lines"][1]["price"] = "1.00"
    expected["lines"][0]["note"] = "gone"
    (case.folder / "expected.json").write_text(json.dumps(expected))
    found = {one.field: one for one in run_case(case, plans, None).differences}
    assert (found["lines[1].price"].expected, found["lines[1].price"].found) == ("1.00", was)
    assert (found["lines[1].price"].mapping or "").startswith("mappings/x12/004010/850.yaml:")
    assert (found["lines[0].note"].expected, found["lines[0].note"].found) == ("gone", None)


def test_problems_are_part_of_what_is_expected(tmp_path: Path) -> None:
    resolver = made(tmp_path, orders.x12(1, 2).replace(b"BEG*00", b"BEG*QQ"))
    [case] = [case for case in find_cases(resolver) if case.name.endswith("/one")]
    accept(run_case(case, Plans(resolver), None))
    assert "X12-ELEMENT-CODE" in (case.folder / "problems.txt").read_text()
    assert json.loads((case.folder / "expected.json").read_text()) == []
    assert run_case(case, Plans(resolver), None).passed
    (case.folder / "problems.txt").unlink()
    found = run_case(case, Plans(resolver), None).differences
    assert {(one.field, one.expected) for one in found} == {("problems", None)}


def test_a_written_element_that_differs_is_named_with_its_mapping_line(tmp_path: Path) -> None:
    source = next(case for case in SHIPPED if case.spec == "x12/004010/856")
    folder = tmp_path / "mappings/x12/004010/cases/856/one"
    folder.mkdir(parents=True)
    assert source.input is not None
    assert source.expected is not None
    (folder / "input.json").write_bytes(source.input.read_bytes())
    (folder / "expected.edi").write_bytes(source.expected.read_bytes().replace(b"*S1*", b"*S2*"))
    [case] = [case for case in find_cases(FolderResolver(({"mappings": tmp_path / "mappings"},))) if case.name.endswith("/one")]
    [difference] = run_case(case, PLANS, None).differences
    assert (difference.field, difference.expected, difference.found) == ("BSN[1]/02", "S2", "S1")
    assert (difference.mapping or "").startswith("mappings/x12/004010/856.yaml:")
