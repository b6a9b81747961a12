"""One file a code: orders (or changes of one) that pass it and that fail it, against the base rules.

A change is laid over order PO1, one line of ten bolts, or the lines in `ordered`; `standing` is the order's state (none: there is no such
order), `far` how far its lines are, `came` the changes that came before, each with its state (`accepted` where none is said).
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.model.facts import Facts
from gateway.problem import Problem
from gateway.rules.apply import judge
from gateway.rules.apply import judge_change
from gateway.rules.functions import KINDS
from tests.rules.world import base_plan
from tests.rules.world import change
from tests.rules.world import earlier
from tests.rules.world import earlier_change
from tests.rules.world import facts
from tests.rules.world import order
from tests.rules.world import standing

FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.yaml"))}
PLAN = base_plan()


def cases(which: str) -> list[Any]:
    return [pytest.param(code, case, id=f"{code}-{number}") for code, file in FILES.items() for number, case in enumerate(file[which])]


def facts_of(case: dict[str, Any]) -> Facts:
    return facts(earlier={"PO1": (earlier(case["earlier"], order()),)}) if "earlier" in case else facts()


def judged(case: dict[str, Any]) -> list[Problem]:
    if "change" not in case:
        return judge(order(**case["order"]), PLAN, facts_of(case))
    came = tuple(
        earlier_change(change(**{k: v for k, v in one.items() if k != "state"}), one.get("state", "accepted")) for one in case.get("came", ())
    )
    known = tuple(
        standing(state, order(case.get("ordered", ({},))), lines=case.get("far"), changes=came, document=f"d{number}")
        for number, state in enumerate(case.get("standing", "accepted").split(), 1)
        if state != "none"
    )
    return judge_change(change(**case["change"]), known, PLAN, facts(), in_order=case.get("in_order", False))


@pytest.mark.parametrize(("code", "case"), cases("passes"))
def test_passes(code: str, case: dict[str, Any]) -> None:
    assert code not in {problem.code for problem in judged(case)}


@pytest.mark.parametrize(("code", "case"), cases("fails"))
def test_fails_with_outcome_field_and_sentence(code: str, case: dict[str, Any]) -> None:
    found = [problem for problem in judged(case) if problem.code == code]
    assert found, f"{code} was not found"
    assert found[0].outcome is not None
    assert found[0].outcome.value == FILES[code]["outcome"]
    assert found[0].place.field == case.get("field", FILES[code]["field"])
    assert found[0].message[0].isupper()
    assert found[0].severity.value == ("error" if found[0].outcome.value in ("hold", "reject") else "warning")


def test_each_code_has_its_file() -> None:
    assert set(FILES) == set(KINDS)
