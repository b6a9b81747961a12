"""What the checks of a change share: the change, the order that it is for, and what it would make of it."""

from dataclasses import dataclass

from gateway.model.amendment import AmendedLine
from gateway.model.amendment import Amendment
from gateway.model.amendment import amend
from gateway.model.change import OrderChange
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.standing import StandingOrder
from gateway.rules.plan import RulePlan
from gateway.rules.view import View
from gateway.rules.view import view_of


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a check of a change looks at. `known` are all orders of this number, ended ones as well; `order` is the one that stands."""

    change: OrderChange
    known: tuple[StandingOrder, ...]
    order: StandingOrder | None
    #: what the change asks for, laid over the order as it is; None where there is no one order
    amendment: Amendment | None
    #: the change's own lines and totals, as the checks of orders look at them
    own: View
    #: it came in the order's own message
    in_order: bool = False

    @property
    def standing(self) -> tuple[StandingOrder, ...]:
        """The orders of this number that are not ended."""
        return tuple(order for order in self.known if order.state not in ENDED_STATES)

    def field_of(self, line: AmendedLine) -> str:
        """Where the change says something about a line; a line that it leaves out stands nowhere."""
        return f"lines[{line.index}]" if line.index is not None else "lines"


def change_view(change: OrderChange, known: tuple[StandingOrder, ...], plan: RulePlan, facts: Facts, *, in_order: bool) -> ChangeView:
    """The change with what its checks share."""
    standing = [order for order in known if order.state not in ENDED_STATES]
    order = standing[0] if len(standing) == 1 else None
    amendment = amend(order.order, change) if order is not None else None
    bare = Facts(partner=facts.partner, today=facts.today)
    return ChangeView(change, known, order, amendment, view_of(lines_alone(change), plan, bare), in_order)


def lines_alone(change: OrderChange) -> Order:
    """The change's own lines and totals as an order of their own: what its counts and numbers are checked on."""
    names = OrderLine.__struct_fields__
    lines = tuple(OrderLine(**{name: getattr(line, name) for name in names}) for line in change.lines)
    return Order(number=change.order_number, currency=change.currency, lines=lines, totals=change.totals, source=change.source)
