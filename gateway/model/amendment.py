"""How a change meets its order: the next version of the order, and what is different in it. Knows content only; whether we agree is
decided by rules and trade. What a change leaves out stays as it is."""

import hashlib
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

import msgspec

from gateway.model.change import ChangeLine
from gateway.model.change import OrderChange
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.values import ItemIdentifiers
from gateway.model.values import Party
from gateway.model.values import Reference
from gateway.model.values import Value

_ENCODE = msgspec.json.Encoder(decimal_format="string").encode
_ZERO = Decimal(0)

#: which fields of a line an action is about; other actions are about all that the line gives
ABOUT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("quantity_change", "quantity_increase", "quantity_decrease"), frozenset({"quantity", "unit", "unit_source", "deliveries", "packaging"})
    ),
    "price_change": frozenset({"price", "price_base", "price_unit", "price_type", "gross_price", "allowances_charges", "net_amount"}),
    "date_change": frozenset({"requested_on", "deliveries"}),
}
_OF_LINE = tuple(name for name in OrderLine.__struct_fields__ if name not in ("number", "action"))
#: parts of the head that a change may give, each laid over what is there
_PARTS = ("delivery", "delivery_terms", "transport")
_LISTS = ("payment_terms", "allowances_charges")
_PARTIES = ("ship_to", "bill_to", "payer")


class AmendedLine(Value, frozen=True, kw_only=True):
    """One line that a change is about. `action`: add, delete, change."""

    number: str
    action: str
    #: what the change asked for, in our word and as sent
    asked: str | None = None
    asked_source: str | None = None
    #: its place in the change; None where a replacement or a cancel leaves it out
    index: int | None = None
    before: OrderLine | None = None
    #: None where it is deleted
    after: OrderLine | None = None
    #: how much was asked for, where more than that has left already
    asked_quantity: Decimal | None = None


class Amendment(Value, frozen=True, kw_only=True):
    """The next version of an order, and the lines that the change was about."""

    order: Order
    lines: tuple[AmendedLine, ...] = ()


def change_of(order: Order) -> OrderChange:
    """A change, replacement or cancel that came in the order's own message (BEG01, BGM 1225), as the change that it is."""
    names = [name for name in OrderChange.__struct_fields__ if name in Order.__struct_fields__ and name not in ("number", "lines")]
    given = {name: getattr(order, name) for name in names}
    lines = tuple(ChangeLine(**{name: getattr(line, name) for name in OrderLine.__struct_fields__}) for line in order.lines)
    return OrderChange(order_number=order.number, order_release=order.release, lines=lines, **given)


def change_fingerprint(change: OrderChange) -> str:
    """SHA-256 of what a change asks for; not its number, its day or the interchange that it came in."""
    return hashlib.sha256(
        _ENCODE(msgspec.structs.replace(change, number=None, sequence=None, issued_on=None, issued_at=None, source=None))
    ).hexdigest()


def numbered(change: OrderChange, order: Order) -> OrderChange:
    """The change with a number for each line that names its item alone: that of the one line with the item, or a new one."""
    if all(line.number for line in change.lines):
        return change
    taken = {line.number for line in (*order.lines, *change.lines)}
    lines = []
    for line in change.lines:
        if not line.number:
            found = [one.number for one in order.lines if _same_item(one.identifiers, line.identifiers)]
            if line.action == "add" or (line.action is None and not found):
                number = _next_number(taken)
                taken.add(number)
                line = msgspec.structs.replace(line, number=number)
            elif len(found) == 1:
                line = msgspec.structs.replace(line, number=found[0])
        lines.append(line)
    return msgspec.structs.replace(change, lines=tuple(lines))


def amend(order: Order, change: OrderChange, *, refused: Collection[str] = (), floors: Mapping[str, Decimal] | None = None) -> Amendment:
    """The order with the change laid over it, but for the lines in `refused`. `floors` are quantities that have left: no line falls below."""
    floors = floors or {}
    present = {line.number: line for line in order.lines}
    amended: list[AmendedLine] = []
    if change.purpose == "cancel":
        amended += [_left_out(line, None, floors) for line in order.lines if line.number not in refused]
    else:
        for index, line in enumerate(change.lines):
            if line.number and line.number not in refused and line.action != "no_change":
                one = _amended(present.get(line.number), line, index, floors, replaces=change.purpose == "replace")
                if one is not None:
                    amended.append(one)
        if change.purpose == "replace":
            named = {line.number for line in change.lines}
            amended += [_left_out(line, None, floors) for line in order.lines if line.number not in named and line.number not in refused]
    after = {one.number: one.after for one in amended}
    lines = [after.get(line.number, line) for line in order.lines]
    lines += [one.after for one in amended if one.before is None]
    kept = tuple(line for line in lines if line is not None)
    head = msgspec.structs.replace(order, totals=None) if change.purpose == "cancel" else _head(order, change)
    return Amendment(order=msgspec.structs.replace(head, lines=kept), lines=tuple(amended))


def _amended(before: OrderLine | None, line: ChangeLine, index: int, floors: Mapping[str, Decimal], *, replaces: bool) -> AmendedLine | None:
    """What becomes of the line that a change names; None where the order lacks it and it is not to be added."""
    told = AmendedLine(number=line.number, action="change", asked=line.action, asked_source=line.action_source, index=index, before=before)
    if line.action == "delete":
        return _left_out(before, line, floors, index) if before is not None else None
    if before is None:
        added = line.action in (None, "add") or replaces
        return msgspec.structs.replace(told, action="add", after=_order_line(line)) if added else None
    after = _order_line(line) if replaces or line.action == "replace" else _laid_over(before, line)
    asked = None
    if after.quantity is not None and after.quantity < floors.get(line.number, _ZERO):
        asked = after.quantity
        after = msgspec.structs.replace(after, quantity=floors[line.number], net_amount=None, deliveries=())
    return msgspec.structs.replace(told, after=after, asked_quantity=asked)


def _left_out(before: OrderLine, line: ChangeLine | None, floors: Mapping[str, Decimal], index: int | None = None) -> AmendedLine:
    """A line that is deleted, or ends with what has left of it."""
    floor = floors.get(before.number, _ZERO)
    after = None
    if floor:
        whole = before.quantity is not None and before.quantity <= floor
        after = before if whole else msgspec.structs.replace(before, quantity=floor, net_amount=None, deliveries=())
    return AmendedLine(
        number=before.number,
        action="delete" if after is None else "change",
        asked="delete",
        asked_source=line.action_source if line else None,
        index=index,
        before=before,
        after=after,
        asked_quantity=_ZERO if after is not None else None,
    )


def _order_line(line: ChangeLine) -> OrderLine:
    return OrderLine(number=line.number, **{name: getattr(line, name) for name in _OF_LINE})


def _laid_over(before: OrderLine, line: ChangeLine) -> OrderLine:
    about = ABOUT.get(line.action or "", frozenset(_OF_LINE))
    given = {name: value for name in _OF_LINE if name in about and (value := getattr(line, name)) not in (None, ())}
    if "identifiers" in given:
        given["identifiers"] = _identifiers(before.identifiers, given["identifiers"])
    if "ship_to" in given:
        given["ship_to"] = _party(before.ship_to, given["ship_to"])
    if "unit" in given and "unit_source" not in given:
        given["unit_source"] = None
    if "price" in given:
        # a price comes with its base and unit: what it does not say is not the old price's
        given = {"price_base": None, "price_unit": None, **given}
        if "gross_price" not in given and given["price"] != before.price:
            given["gross_price"] = None
    changed = any(given.get(name, getattr(before, name)) != getattr(before, name) for name in ("quantity", "price", "price_base", "unit"))
    if changed and "net_amount" not in given:
        given["net_amount"] = None
    quantity = given.get("quantity")
    if quantity is not None and quantity != before.quantity and "deliveries" not in given and len(before.deliveries) == 1:
        given["deliveries"] = (msgspec.structs.replace(before.deliveries[0], quantity=quantity),)
    return msgspec.structs.replace(before, **given)


def _head(order: Order, change: OrderChange) -> Order:
    given: dict[str, object] = {}
    for name in _PARTS:
        value = getattr(change, name)
        if value is not None:
            given[name] = _over(getattr(order, name), value)
    for name in _LISTS:
        if getattr(change, name):
            given[name] = getattr(change, name)
    for name in _PARTIES:
        if getattr(change, name) is not None:
            given[name] = _party(getattr(order, name), getattr(change, name))
    if change.currency is not None:
        given["currency"] = change.currency
    if change.parties:
        roles = {party.role for party in change.parties}
        given["parties"] = (*(party for party in order.parties if party.role not in roles), *change.parties)
    if change.references:
        given["references"] = _references(order.references, change.references)
    if change.notes:
        given["notes"] = (*order.notes, *(note for note in change.notes if note not in order.notes))
    # the totals were those of the version before
    return msgspec.structs.replace(order, totals=change.totals if change.purpose == "replace" else None, **given)


_Part = TypeVar("_Part", bound=Value)


def _over(before: _Part | None, given: _Part) -> _Part:
    """A part of a document with what is given laid over what was there."""
    if before is None:
        return given
    return msgspec.structs.replace(before, **{name: value for name in given.__struct_fields__ if (value := getattr(given, name)) not in (None, ())})


def _party(before: Party | None, given: Party) -> Party:
    """Another party takes the place; the same one, named again, keeps what is not said."""
    if before is None or (before.identifiers is not None and given.identifiers is not None and before.identifiers != given.identifiers):
        return given
    if before.identifiers is None or given.identifiers is None:
        same = before.name == given.name or given.name is None
        return _over(before, given) if same else given
    return _over(before, given)


def _same_item(one: ItemIdentifiers | None, other: ItemIdentifiers | None) -> bool:
    if one is None or other is None:
        return False
    return any(getattr(one, name) is not None and getattr(one, name) == getattr(other, name) for name in ("buyer", "seller", "gtin", "manufacturer"))


def _identifiers(before: ItemIdentifiers | None, given: ItemIdentifiers) -> ItemIdentifiers:
    """Numbers of another item replace all; those of the same item are added to what is known."""
    if before is None:
        return given
    names = ("buyer", "seller", "gtin", "manufacturer")
    if any(getattr(given, name) is not None and getattr(before, name) not in (None, getattr(given, name)) for name in names):
        return given
    return _over(before, given)


def _references(before: Iterable[Reference], given: Iterable[Reference]) -> tuple[Reference, ...]:
    new = tuple(given)
    types = {one.type for one in new}
    return (*(one for one in before if one.type not in types), *new)


def _next_number(taken: Collection[str]) -> str:
    return str(max((int(number) for number in taken if number.isascii() and number.isdigit()), default=0) + 1)
