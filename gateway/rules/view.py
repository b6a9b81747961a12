"""What the checks share: an order with its facts, its items found once; and what a check says when it finds something."""

from dataclasses import dataclass
from fractions import Fraction

from gateway.model.catalogue import find_items
from gateway.model.catalogue import unit_size
from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.problem import Kind
from gateway.rules.plan import EXACT
from gateway.rules.plan import RulePlan
from gateway.rules.plan import Tolerance


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found at a canonical field."""

    kind: Kind
    field: str
    message: str
    found: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its place and the items that it names; `item` where that is exactly one, `base_quantity` in units of it."""

    line: OrderLine
    field: str
    items: tuple[Item, ...]
    item: Item | None
    base_quantity: Fraction | None

    @property
    def words(self) -> str:
        return f"Line {self.line.number}"


@dataclass(frozen=True, slots=True)
class View:
    """What a check looks at; items are found once for all checks."""

    order: Order
    facts: Facts
    plan: RulePlan
    lines: tuple[LineView, ...]
    currency: str | None

    def tolerance(self, kind: Kind) -> Tolerance:
        """How far a value may differ; exactly where the plan says nothing."""
        check = self.plan.checks.get(kind.code)
        return check.tolerance if check else EXACT


def view_of(order: Order, plan: RulePlan, facts: Facts) -> View:
    """The order with what the checks share."""
    lines = tuple(_line_view(line, f"lines[{index}]", find_items(line.identifiers, facts)) for index, line in enumerate(order.lines))
    return View(order, facts, plan, lines, order.currency or (facts.credit.currency if facts.credit else None))


def _line_view(line: OrderLine, field: str, items: tuple[Item, ...]) -> LineView:
    item = items[0] if len(items) == 1 else None
    size = unit_size(item, line.unit) if item else None
    return LineView(line, field, items, item, Fraction(line.quantity) * size if size is not None and line.quantity is not None else None)
