"""The table of checks, in the order in which they run. Each has the same signature: it looks at an order with its facts (View)
and yields what it finds; what a finding leads to stands in the plan, and rules.apply joins the two."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.kinds import rule
from gateway.problem import Kind
from gateway.rules import change_checks
from gateway.rules import delivery_checks
from gateway.rules import document_checks
from gateway.rules import history_checks
from gateway.rules import line_checks
from gateway.rules.change_view import ChangeView
from gateway.rules.view import Finding
from gateway.rules.view import View


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with the kinds of problems that it may find; those in `tolerant` take a tolerance."""

    check: Callable[[View], Iterator[Finding]]
    kinds: tuple[Kind, ...]
    tolerant: tuple[Kind, ...] = ()


#: checks of documents that order something
RULES = (
    Rule(document_checks.test_traffic, (rule.TEST_TRAFFIC,)),
    Rule(history_checks.seen_before, (rule.DUPLICATE_ORDER, rule.NUMBER_REUSED)),
    Rule(history_checks.repeats, (rule.CONFIRM_UNKNOWN, rule.COPY_UNKNOWN, rule.COPY_NOT_BOOKED, rule.NUMBER_REUSED)),
    Rule(document_checks.no_lines, (rule.NO_LINES,)),
    Rule(document_checks.line_numbers, (rule.LINE_NUMBER_TWICE,)),
    Rule(document_checks.line_count, (rule.LINE_COUNT,)),
    Rule(document_checks.hash_total, (rule.HASH_TOTAL,)),
    Rule(document_checks.totals, (rule.TOTAL_DIFFERS,), (rule.TOTAL_DIFFERS,)),
    Rule(document_checks.line_amounts, (rule.LINE_AMOUNT_DIFFERS,), (rule.LINE_AMOUNT_DIFFERS,)),
    Rule(delivery_checks.requested_dates, (rule.REQUESTED_DATE_PASSED,)),
    Rule(delivery_checks.cancel_date, (rule.CANCEL_DATE_PASSED,)),
    Rule(delivery_checks.crossed_dates, (rule.DATES_CROSSED,)),
    Rule(delivery_checks.ship_to, (rule.SHIP_TO_UNKNOWN,)),
    Rule(line_checks.quantities, (rule.QUANTITY_NOT_POSITIVE,)),
    Rule(line_checks.deliveries, (rule.DELIVERIES_DIFFER,)),
    Rule(line_checks.items, (rule.ITEM_UNKNOWN, rule.ITEM_AMBIGUOUS, rule.ITEM_DISCONTINUED)),
    Rule(line_checks.units, (rule.UNIT_UNKNOWN,)),
    Rule(line_checks.minimum_and_multiple, (rule.MINIMUM_QUANTITY, rule.ORDER_MULTIPLE)),
    Rule(line_checks.currencies, (rule.CURRENCY_DIFFERS,)),
    Rule(line_checks.prices, (rule.PRICE_DIFFERS, rule.PRICE_NOT_LISTED, rule.PRICE_MISSING), (rule.PRICE_DIFFERS,)),
    Rule(line_checks.negative_prices, (rule.PRICE_NEGATIVE,)),
)

#: checks of a cancel, which repeats an order only to name it
CANCEL_RULES = (
    Rule(document_checks.test_traffic, (rule.TEST_TRAFFIC,)),
    Rule(history_checks.cancels, (rule.CANCEL_UNKNOWN, rule.CANCEL_TOO_LATE)),
)


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """A check of a change with the kinds of problems that it may find."""

    check: Callable[[ChangeView], Iterator[Finding]]
    kinds: tuple[Kind, ...]
    #: where it finds something nothing else is asked
    settles: bool = False


#: checks of a change, a replacement or a cancel of an order; what it makes of the order is checked by RULES
CHANGE_RULES = (
    ChangeRule(change_checks.own_traffic, (rule.TEST_TRAFFIC,)),
    ChangeRule(change_checks.order_known, (rule.CHANGE_ORDER_UNKNOWN, rule.CHANGE_ORDER_ENDED, rule.CANCEL_UNKNOWN), settles=True),
    ChangeRule(change_checks.came_before, (rule.CHANGE_DUPLICATE, rule.CHANGE_NUMBER_REUSED), settles=True),
    ChangeRule(change_checks.too_late, (rule.CHANGE_TOO_LATE, rule.CANCEL_TOO_LATE), settles=True),
    ChangeRule(change_checks.behind_another, (rule.CHANGE_BEHIND,), settles=True),
    ChangeRule(change_checks.in_sequence, (rule.CHANGE_SEQUENCE,)),
    ChangeRule(change_checks.in_order_message, (rule.CHANGE_IN_ORDER,)),
    ChangeRule(change_checks.own_lines, (rule.LINE_NUMBER_TWICE,)),
    ChangeRule(change_checks.own_count, (rule.LINE_COUNT,)),
    ChangeRule(change_checks.own_hash, (rule.HASH_TOTAL,)),
    ChangeRule(change_checks.lines_known, (rule.CHANGE_LINE_UNKNOWN, rule.CHANGE_LINE_THERE)),
    ChangeRule(change_checks.says_what_it_means, (rule.CHANGE_CONTRADICTS,)),
    ChangeRule(change_checks.goods_have_left, (rule.CHANGE_LINE_LEFT, rule.CHANGE_BELOW_DESPATCHED)),
    ChangeRule(change_checks.changes_something, (rule.CHANGE_NOTHING,)),
)

#: every kind that a rule file may name, and whether it takes a tolerance
KINDS: dict[str, Kind] = {kind.code: kind for one in (*RULES, *CANCEL_RULES, *CHANGE_RULES) for kind in one.kinds}
TOLERANT = frozenset(kind.code for one in RULES for kind in one.tolerant)
