"""Judge an order, or a change of one: run the checks over document and facts, and give each finding the outcome that the plan says. Pure;
the facts of a whole batch are fetched once by the caller."""

from gateway.kinds import rule
from gateway.model.change import OrderChange
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.standing import StandingOrder
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.rules.change_view import change_view
from gateway.rules.change_view import lines_alone
from gateway.rules.document_checks import odd_numbers
from gateway.rules.functions import CANCEL_RULES
from gateway.rules.functions import CHANGE_RULES
from gateway.rules.functions import RULES
from gateway.rules.plan import Check
from gateway.rules.plan import RulePlan
from gateway.rules.view import Finding
from gateway.rules.view import view_of

_SEVERE = frozenset({Outcome.HOLD, Outcome.REJECT})


def _settles(check: Check) -> bool:
    """Whether nothing else matters: a copy that is not booked, a duplicate that is rejected."""
    return check.code == rule.COPY_NOT_BOOKED.code or (check.code == rule.DUPLICATE_ORDER.code and check.outcome is Outcome.REJECT)


def judge(order: Order, plan: RulePlan, facts: Facts) -> list[Problem]:
    """All that the rules find, in the order of the rules; each problem has its outcome and a place with its field."""
    odd = [_problem(finding, Outcome.REJECT) for finding in odd_numbers(order)]
    if odd:
        return odd
    view = view_of(order, plan, facts)
    problems: list[Problem] = []
    for one in CANCEL_RULES if order.purpose == "cancel" else RULES:
        settled = False
        for finding in one.check(view):
            check = plan.checks.get(finding.kind.code)
            if check is None:
                continue
            settled = settled or _settles(check)
            problems.append(_problem(finding, check.outcome))
        if settled:
            break
    return problems


def judge_change(change: OrderChange, known: tuple[StandingOrder, ...], plan: RulePlan, facts: Facts, *, in_order: bool = False) -> list[Problem]:
    """All that the rules find in a change of one of the `known` orders, before the order that it makes is judged. `in_order`: it came in
    the order's own message."""
    odd = [_problem(finding, Outcome.REJECT) for finding in odd_numbers(lines_alone(change))]
    if odd:
        return odd
    view = change_view(change, known, plan, facts, in_order=in_order)
    problems: list[Problem] = []
    for one in CHANGE_RULES:
        found = [_problem(finding, plan.checks[finding.kind.code].outcome) for finding in one.check(view) if finding.kind.code in plan.checks]
        problems += found
        if found and one.settles:
            break
    return problems


def _problem(finding: Finding, outcome: Outcome) -> Problem:
    severity = Severity.ERROR if outcome in _SEVERE else Severity.WARNING
    place = Place(field=finding.field)
    return finding.kind.at(place, finding.message, found=finding.found, expected=finding.expected, severity=severity, outcome=outcome)
