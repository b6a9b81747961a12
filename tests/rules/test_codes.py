"""One file a code: orders that pass it and orders that fail it, against the base rules."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.model.facts import Facts
from gateway.rules.apply import judge
from gateway.rules.functions import KINDS
from tests.rules.world import base_plan
from tests.rules.world import earlier
from tests.rules.world import facts
from tests.rules.world import order

FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.yaml"))}
PLAN = base_plan()


def cases(which: str) -> list[Any]:
    return [pytest.param(code, case, id=f"{code}-{number}") for code, file in FILES.items() for number, case in enumerate(file[which])]


def facts_of(case: dict[str, Any]) -> Facts:
    return facts(earlier={"PO1": (earlier(case["earlier"], order()),)}) if "earlier" in case else facts()


@pytest.mark.parametrize(("code", "case"), cases("passes"))
def test_passes(code: str, case: dict[str, Any]) -> None:
    assert code not in {problem.code for problem in judge(order(**case["order"]), PLAN, facts_of(case))}


@pytest.mark.parametrize(("code", "case"), cases("fails"))
def test_fails_with_outcome_field_and_sentence(code: str, case: dict[str, Any]) -> None:
    found = [problem for problem in judge(order(**case["order"]), PLAN, facts_of(case)) if problem.code == code]
    assert found, f"{code} was not found"
    assert found[0].outcome is not None
    assert found[0].outcome.value == FILES[code]["outcome"]
    assert found[0].place.field == FILES[code]["field"]
    assert found[0].message[0].isupper()
    assert found[0].severity.value == ("error" if found[0].outcome.value in ("hold", "reject") else "warning")


def test_each_code_has_its_file() -> None:
    assert set(FILES) == set(KINDS)
