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
    """A line with its item (None where it is not exactly one) and its place."""

    line: OrderLine
    field: str
    items: tuple[Item, ...]

    @property
    def item(self) -> Item | None:
        return self.items[0] if len(self.items) == 1 else None

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
        check = self.plan.checks.get(kind.code)
        return check.tolerance if check else EXACT


def view_of(order: Order, plan: RulePlan, facts: Facts) -> View:
    """The order with what the checks share."""
    lines = tuple(LineView(line, f"lines[{index}]", find_items(line.identifiers, facts)) for index, line in enumerate(order.lines))
    return View(order, facts, plan, lines, order.currency or (facts.credit.currency if facts.credit else None))


def base_quantity(line: LineView) -> Fraction | None:
    """What the line orders in base units of its item; None where that is not known."""
    size = unit_size(line.item, line.line.unit) if line.item else None
    return Fraction(line.line.quantity) * size if size is not None and line.line.quantity is not None else None
