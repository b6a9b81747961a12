"""Judge an order: run the checks over order and facts, and give each finding the outcome that the plan says. Pure; the facts of
a whole batch are fetched once by the caller."""

from gateway.kinds import rule
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.problem import Outcome
from gateway.problem import Place
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.rules.document_checks import odd_numbers
from gateway.rules.functions import CANCEL_RULES
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


def _problem(finding: Finding, outcome: Outcome) -> Problem:
    severity = Severity.ERROR if outcome in _SEVERE else Severity.WARNING
    place = Place(field=finding.field)
    return finding.kind.at(place, finding.message, found=finding.found, expected=finding.expected, severity=severity, outcome=outcome)
