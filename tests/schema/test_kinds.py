"""Each kind of problem of this room: a snippet that passes and one that fails, at tests/schema/kinds/<CODE>.yaml."""

from pathlib import Path

import pytest

from gateway.codecs.node import Transaction
from gateway.kinds import KINDS
from gateway.kinds import edifact
from gateway.kinds import x12
from gateway.problem import Kind
from gateway.problem import Severity
from gateway.schema.apply import MOST
from gateway.schema.apply import check
from gateway.yaml_source import parse
from gateway.yaml_source import plain
from tests.codes.sentences import says_what_was_found_and_expected
from tests.schema.world import compiled
from tests.schema.world import transaction
from tests.schema.world import with_overlay

FILES = sorted((Path(__file__).parent / "kinds").glob("*.yaml"))
#: told beside others, see test_a_flood_of_problems_is_cut_off
BESIDE = {x12.PROBLEMS_TOO_MANY.code, edifact.PROBLEMS_TOO_MANY.code}


def _raised_here(family: object) -> set[str]:
    wanted = (
        "ELEMENT",
        "SEGMENT_UN",
        "SEGMENT_O",
        "SEGMENT_NOT",
        "SEGMENT_MISSING",
        "LOOP_",
        "REPETITIONS",
        "COMPONENTS",
        "DECIMAL",
        "DIGIT",
        "SEPARATORS",
    )
    return {kind.code for name, kind in vars(family).items() if isinstance(kind, Kind) and name.startswith(wanted)}


def test_each_kind_that_this_room_raises_has_its_snippet() -> None:
    assert {path.stem for path in FILES} == (_raised_here(x12) | _raised_here(edifact)) - BESIDE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kind_is_raised_by_the_failing_snippet_only(path: Path) -> None:
    case = plain(parse(path.read_text(), path.name))
    assert isinstance(case, dict)
    spec = case["schema"]
    schema = with_overlay(spec, case["overlay"]) if "overlay" in case else compiled(spec)
    good = check(transaction(spec, case["good"]), schema)
    assert good.problems == []
    assert good.accepted
    sent = transaction(spec, case["bad"])
    bad = check(sent, schema)
    assert [problem.code for problem in bad.problems] == [path.stem]
    problem = bad.problems[0]
    assert bad.accepted == (problem.severity is Severity.WARNING)
    assert problem.message == case["message"]
    says_what_was_found_and_expected(problem)
    assert {name: _text(getattr(problem.place, name)) for name in case["place"]} == case["place"]
    assert _stands_in(sent, problem.place.offset, problem.place.length)
    for name in ("found", "expected"):
        assert name not in case or getattr(problem, name) == case[name]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _stands_in(sent: Transaction, offset: int | None, length: int | None) -> bool:
    return offset is not None and length is not None and sent.offset <= offset <= offset + length <= sent.offset + len(sent.raw)


@pytest.mark.parametrize(
    ("spec", "head", "wrong"),
    [("x12/004010/850", ["BEG*00*SA*PO1**20260105"], "PO1**A*EA"), ("edifact/d96a/orders", ["BGM+220+1+9", "DTM+137:20260105:102"], "LIN+A")],
)
def test_a_flood_of_problems_is_cut_off(spec: str, head: list[str], wrong: str) -> None:
    tail = [] if spec.startswith("x12") else ["UNS+S"]
    checked = check(transaction(spec, [*head, *[wrong] * (MOST + 50), *tail]), compiled(spec))
    assert len(checked.problems) == MOST + 1
    assert checked.problems[-1].code in BESIDE
    assert not checked.accepted


def test_each_error_has_an_answer_for_the_partner() -> None:
    for code in sorted(_raised_here(x12)):
        kind = KINDS[code]
        assert kind.ak3 and kind.ak5 and (kind.ak3 != "8" or kind.ak4), code
    for code in sorted(_raised_here(edifact)):
        assert KINDS[code].contrl, code
