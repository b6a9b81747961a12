"""An order as it stands when a change of it comes: what it says now, how far each line is, and which changes came before."""

from datetime import date
from decimal import Decimal

from gateway.model.order import Order
from gateway.model.values import Value

_ZERO = Decimal(0)


class StandingLine(Value, frozen=True, kw_only=True):
    """One line of an accepted order, in its unit. `accepted` holds what was back-ordered as well."""

    number: str
    accepted: Decimal = _ZERO
    back_ordered: Decimal = _ZERO
    despatched: Decimal = _ZERO
    invoiced: Decimal = _ZERO
    price: Decimal | None = None
    price_base: Decimal | None = None
    #: our item number, and what is reserved of it, in its base unit
    item: str | None = None
    reserved: Decimal = _ZERO
    promised_on: date | None = None
    #: the line was rejected when the order was decided
    rejected: bool = False

    @property
    def outstanding(self) -> Decimal:
        """Still to come."""
        return max(self.accepted - self.despatched, _ZERO)


class EarlierChange(Value, frozen=True, kw_only=True):
    """A change of the same order that came before. `state`: accepted, waiting (its order is not decided yet), held, rejected."""

    document: str
    number: str | None = None
    sequence: str | None = None
    #: SHA-256 of what it asks for (model.amendment)
    fingerprint: str
    state: str


class StandingOrder(Value, frozen=True, kw_only=True):
    """An order of this partner as it is now. `document` is the one that brought it; `order` is its newest version."""

    document: str
    order: Order
    #: held, accepted, part_despatched, ...
    state: str
    version: int = 1
    currency: str | None = None
    #: value of what we accepted; of that, what was invoiced
    total: Decimal = _ZERO
    invoiced: Decimal = _ZERO
    test: bool = False
    lines: tuple[StandingLine, ...] = ()
    #: oldest first
    changes: tuple[EarlierChange, ...] = ()

    def line(self, number: str) -> StandingLine | None:
        """How far a line is; None where the order has no such line, or was not decided yet."""
        return next((line for line in self.lines if line.number == number), None)

    def lines_left(self) -> bool:
        """Whether anything of it has left."""
        return any(line.despatched for line in self.lines)
