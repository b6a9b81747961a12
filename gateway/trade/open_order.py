"""An accepted order as fulfilment and billing see it: the order as sent, and how far each line is. Quantities are in the line's unit."""

from decimal import Decimal

from gateway.model.catalogue import convert
from gateway.model.catalogue import find_item
from gateway.model.catalogue import same_unit
from gateway.model.facts import Facts
from gateway.model.facts import Item
from gateway.model.fingerprint import is_test
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.values import AllowanceCharge
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Value
from gateway.trade.acceptance import Decision
from gateway.trade.lines import DecidedLine

_ZERO = Decimal(0)


class OpenLine(Value, frozen=True, kw_only=True):
    """One line: what we promised, what left, what was invoiced. The price is for `price_base` of the line's unit."""

    number: str
    #: what was ordered and what we accepted of it, back-order included
    ordered: Decimal = _ZERO
    accepted: Decimal = _ZERO
    despatched: Decimal = _ZERO
    invoiced: Decimal = _ZERO
    unit: str | None = None
    unit_source: str | None = None
    price: Decimal | None = None
    price_base: Decimal | None = None
    #: only where the price is for a unit that does not convert into the line's: such a line cannot be invoiced
    price_unit: str | None = None
    #: our item number
    item: str | None = None
    name: str | None = None
    identifiers: ItemIdentifiers | None = None
    description: str | None = None
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    tax_category: str | None = None
    tax_rate: Decimal | None = None

    @property
    def outstanding(self) -> Decimal:
        """Still to come."""
        return max(self.accepted - self.despatched, _ZERO)

    @property
    def billable(self) -> Decimal:
        """Despatched and not yet invoiced."""
        return max(self.despatched - self.invoiced, _ZERO)


class OpenOrder(Value, frozen=True, kw_only=True):
    """An accepted order with its lines. `document` is ours; `extras_billed` says that its allowances and charges were invoiced."""

    document: str
    order: Order
    currency: str | None = None
    test: bool = False
    lines: tuple[OpenLine, ...] = ()
    extras_billed: bool = False


def open_order(order: Order, decision: Decision, document: str, facts: Facts) -> OpenOrder:
    """An order that was just accepted: nothing has left yet."""
    lines = tuple(_open_line(order.lines[decided.index], decided, facts) for decided in decision.lines if decided.action != "rejected")
    return OpenOrder(document=document, order=order, currency=decision.currency, test=is_test(order), lines=lines)


def _open_line(line: OrderLine, decided: DecidedLine, facts: Facts) -> OpenLine:
    item = find_item(line.identifiers, facts)
    said = line.taxes[0] if line.taxes else None
    category, rate = (item.tax_category, item.tax_rate) if item and item.tax_category else (said.category, said.rate) if said else (None, None)
    price, base, unit = _price_in_unit(decided, item)
    return OpenLine(
        number=decided.number,
        ordered=line.quantity or _ZERO,
        accepted=decided.quantity + decided.back_ordered,
        unit=line.unit,
        unit_source=line.unit_source,
        price=price,
        price_base=base,
        price_unit=unit,
        item=decided.item,
        name=item.name if item else None,
        identifiers=line.identifiers,
        description=line.description,
        allowances_charges=line.allowances_charges,
        tax_category=category,
        tax_rate=rate,
    )


def _price_in_unit(decided: DecidedLine, item: Item | None) -> tuple[Decimal | None, Decimal | None, str | None]:
    """The price for the line's own unit, exactly: 60 per case of 12 becomes 60 for 12 pieces (PEPPOL-EN16931-R130)."""
    if decided.price is None or same_unit(decided.unit, decided.price_unit):
        return decided.price, decided.price_base, None
    share = convert(Decimal(1), decided.unit, decided.price_unit, item)
    if share is None:
        return decided.price, decided.price_base, decided.price_unit
    base = (decided.price_base or Decimal(1)) * share.denominator
    return decided.price * share.numerator, base if base != 1 else None, None
