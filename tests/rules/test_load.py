"""Rule files: overlays state only differences, and every fault is found with file, line and column."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.problem import Outcome
from gateway.rules.apply import judge
from gateway.rules.functions import KINDS
from gateway.rules.load import DECISIONS
from gateway.rules.load import load_rules
from gateway.rules.load import parse_tolerance
from gateway.rules.plan import RulePlan
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse
from tests.rules.world import Shelf
from tests.rules.world import base_plan
from tests.rules.world import earlier
from tests.rules.world import facts
from tests.rules.world import order


def overlay(text: str, file: str = "partners/acme.yaml") -> Mapping:
    node = parse(text, file)
    assert isinstance(node, Mapping)
    return node


def plan_with(text: str) -> RulePlan:
    return load_rules(Shelf(), [overlay(text)])


def faults_of(text: str) -> list[str]:
    with pytest.raises(Faults) as raised:
        plan_with(text)
    return [str(fault).splitlines()[0] for fault in raised.value.faults]


def outcomes(plan: RulePlan, **fields: object) -> dict[str, Outcome | None]:
    return {problem.code: problem.outcome for problem in judge(order(**fields), plan, facts())}  # type: ignore[arg-type]  # fields of the order


def test_the_base_set_names_every_check_and_every_decision() -> None:
    plan = base_plan()
    assert set(plan.checks) == set(KINDS)
    assert set(plan.decisions) == set(DECISIONS)


def test_a_partner_changes_an_outcome() -> None:
    lines = [{"price": "4.00"}]
    assert outcomes(base_plan(), lines=lines)["RULE-PRICE-DIFFERS"] is Outcome.HOLD
    assert outcomes(plan_with("checks: {RULE-PRICE-DIFFERS: warn}"), lines=lines)["RULE-PRICE-DIFFERS"] is Outcome.WARN


def test_a_partner_sets_a_tolerance_and_keeps_the_outcome() -> None:
    plan = plan_with('checks: {RULE-PRICE-DIFFERS: {tolerance: "2 %"}}')
    assert outcomes(plan, lines=[{"price": "4.90"}]) == {}
    assert outcomes(plan, lines=[{"price": "4.89"}])["RULE-PRICE-DIFFERS"] is Outcome.HOLD


def test_an_absolute_tolerance_is_for_one_base_unit() -> None:
    plan = plan_with('checks: {RULE-PRICE-DIFFERS: {tolerance: "0.10"}}')
    assert outcomes(plan, lines=[{"price": "5.10"}]) == {}
    assert "RULE-PRICE-DIFFERS" in outcomes(plan, lines=[{"price": "5.11"}])
    assert outcomes(plan, lines=[{"price": "61.20", "unit": "XCS", "quantity": "1"}]) == {}


def test_a_partner_switches_a_check_off() -> None:
    assert outcomes(plan_with("checks: {RULE-PRICE-DIFFERS: off}"), lines=[{"price": "4.00"}]) == {}


def test_a_duplicate_may_be_held_and_is_then_judged_in_full() -> None:
    plan = plan_with("checks: {RULE-DUPLICATE-ORDER: hold}")
    again = order([{"price": "4.00"}])
    found = {problem.code for problem in judge(again, plan, facts(earlier={"PO1": (earlier("accepted", again),)}))}
    assert found == {"RULE-DUPLICATE-ORDER", "RULE-PRICE-DIFFERS"}


def test_overlays_are_laid_over_each_other_in_their_order() -> None:
    plan = load_rules(
        Shelf(), [overlay("checks: {RULE-PRICE-DIFFERS: warn}\ndecisions: {price: list}"), overlay("checks: {RULE-PRICE-DIFFERS: reject}")]
    )
    assert plan.checks["RULE-PRICE-DIFFERS"].outcome is Outcome.REJECT
    assert plan.decisions["price"] == "list"


def test_an_overlay_may_extend_a_rule_file_of_the_installation() -> None:
    shelf = Shelf({"schemas/rules/strict.yaml": "rules: strict\nchecks: {RULE-SHIP-TO-UNKNOWN: hold}\n"})
    plan = load_rules(shelf, [overlay("extends: strict\nchecks: {RULE-PRICE-DIFFERS: warn}")])
    assert plan.checks["RULE-SHIP-TO-UNKNOWN"].outcome is Outcome.HOLD
    assert [name for name, _ in plan.sources] == ["schemas/rules/order.yaml", "schemas/rules/strict.yaml", "partners/acme.yaml"]


def test_a_file_that_extends_itself_is_a_fault() -> None:
    shelf = Shelf({"schemas/rules/round.yaml": "rules: round\nextends: round\n"})
    with pytest.raises(Faults, match="schemas/rules/round.yaml:2:10: 'round' extends itself"):
        load_rules(shelf, [overlay("extends: round")])


def test_a_rule_file_outside_of_its_folder_is_a_fault() -> None:
    assert faults_of("extends: ../../etc/passwd") == ["partners/acme.yaml:1:10: '../../etc/passwd' is not the name of a rule file"]


def test_the_digest_follows_what_the_rules_say_not_how_they_are_written() -> None:
    assert plan_with("checks: {RULE-PRICE-DIFFERS: hold}").digest == base_plan().digest
    assert plan_with("checks: {RULE-PRICE-DIFFERS: warn}").digest != base_plan().digest


def test_all_faults_are_found_at_once_with_their_places() -> None:
    text = """checks:
  RULE-PRICE-DIFFRS: warn
  RULE-NO-LINES: maybe
  RULE-ITEM-UNKNOWN: {outcome: hold, tolerance: 5}
  RULE-PRICE-DIFFERS: {tolerance: much, limit: 3}
decisions:
  stock_short: partly
  colour: blue
  lead_days: -1
RULE-NO-LINES: warn
"""
    found = faults_of(text)
    assert [fault.split(": ")[0] for fault in found] == [
        "partners/acme.yaml:10:1",
        "partners/acme.yaml:2:3",
        "partners/acme.yaml:3:18",
        "partners/acme.yaml:4:49",
        "partners/acme.yaml:5:41",
        "partners/acme.yaml:5:35",
        "partners/acme.yaml:7:16",
        "partners/acme.yaml:8:3",
        "partners/acme.yaml:9:14",
    ]
    assert "did you mean 'RULE-PRICE-DIFFERS'?" in found[1]
    assert "checks stand under the key 'checks'" in found[0]
    assert "expected accept, warn, hold, reject or off" in found[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checks: [a]", "checks are written as a mapping"),
        ("checks: {RULE-NO-LINES: [reject]}", "an outcome is one word"),
        ("checks: {RULE-NO-LINES: {outcome: [a]}}", "an outcome is one word"),
        ("decisions: {price: [list]}", "price is one word"),
        ("extends: [a]", "extends names one rule file"),
        ("extends: nowhere", "there is no file schemas/rules/nowhere.yaml"),
    ],
)
def test_other_shapes_are_faults(text: str, message: str) -> None:
    assert message in faults_of(text)[0]


@pytest.mark.parametrize("text", ["", "-1", "1e9", "NaN", "2 % 3", "%", "1" * 30])
def test_odd_tolerances_are_refused(text: str) -> None:
    assert parse_tolerance(text) is None


def test_a_percent_is_of_what_was_expected() -> None:
    tolerance = parse_tolerance("10 %")
    assert tolerance is not None
    assert tolerance.allows(Fraction(90), Fraction(100))
    assert not tolerance.allows(Fraction(89), Fraction(100))
    assert (tolerance.amount, tolerance.words()) == (Decimal(10), "10 %")


def test_a_retired_check_says_what_took_its_place() -> None:
    with pytest.raises(Faults) as raised:
        load_rules(Shelf(), [overlay("checks: {RULE-CHANGE-BY-HAND: hold}\n")])
    [fault] = raised.value.faults
    assert "is retired" in fault.message and "take this line out" in fault.message
