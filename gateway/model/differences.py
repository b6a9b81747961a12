"""What is different between two versions of an order, field by field, as people read it."""

from collections.abc import Iterator
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.model.money import number_words
from gateway.model.order import Order
from gateway.model.values import Value

#: fields that say nothing about what is ordered
_QUIET = frozenset({"source", "totals", "net_amount", "unit_source", "type_source", "purpose"})


class Difference(Value, frozen=True, kw_only=True):
    """One field that is otherwise: `line 2 quantity`. Empty: not there."""

    field: str
    #: the part of the order that it is in: `notes`, `line 2 identifiers`
    part: str = ""
    before: str = ""
    after: str = ""

    @property
    def words(self) -> str:
        """`line 2 quantity 10 > 15`."""
        return f"{self.field} {self.before or 'nothing'} > {self.after or 'nothing'}"


def differences(before: Order, after: Order) -> tuple[Difference, ...]:
    """Every field that is not the same, in the order of the document; a line that came or went is one difference."""
    old, new = _fields(before), _fields(after)
    found = _between(old, new, "")
    lines: list[Difference] = []
    was, now = {line.number: line for line in before.lines}, {line.number: line for line in after.lines}
    for number in dict.fromkeys([*was, *now]):
        one, other = was.get(number), now.get(number)
        if one is None or other is None:
            lines.append(Difference(field=f"line {number}", before=_line_words(one), after=_line_words(other)))
            continue
        lines += _between(_flat(one), _flat(other), f"line {number} ")
    return (*found, *lines)


_Fields = dict[tuple[str, ...], str]


def _between(old: _Fields, new: _Fields, prefix: str) -> list[Difference]:
    return [
        Difference(
            field=prefix + " ".join(path).replace("_", " "),
            part=prefix + path[0].replace("_", " "),
            before=old.get(path, ""),
            after=new.get(path, ""),
        )
        for path in dict.fromkeys([*old, *new])
        if old.get(path, "") != new.get(path, "")
    ]


def public_words(found: tuple[Difference, ...], limit: int = 20) -> str:
    """The differences in one line without names and addresses, which no journal keeps."""
    told = [one.words if _is_public(one.field) else f"{one.part} changed" for one in found]
    told = list(dict.fromkeys(told))
    more = f"; and {len(told) - limit} more" if len(told) > limit else ""
    return "; ".join(told[:limit]) + more


_PUBLIC = ("quantity", "unit", "price", "price base", "requested on", "currency")


def _is_public(field: str) -> bool:
    return field.endswith(_PUBLIC) or field.startswith("delivery ") or (field.startswith("line ") and field.count(" ") == 1)


def _fields(order: Order) -> _Fields:
    return _flat(msgspec.structs.replace(order, lines=()))


def _flat(value: Value) -> _Fields:
    return {path: text for path, text in _leaves(value, ()) if text}


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if value is None or value == ():
        return
    if isinstance(value, Value):
        for name in value.__struct_fields__:
            if name not in _QUIET and not (not path and name in ("number", "lines")):
                yield from _leaves(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        for position, one in enumerate(value, 1):
            yield from _leaves(one, (*path, str(position)))
    else:
        yield path, _words(value)


def _words(value: object) -> str:
    if isinstance(value, Decimal):
        return number_words(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _line_words(line: Any) -> str:
    if line is None:
        return ""
    quantity = number_words(line.quantity) if line.quantity is not None else "?"
    names = line.identifiers
    item = (names.seller or names.buyer or names.gtin) if names else None
    return " ".join(part for part in (quantity, line.unit, item or line.description) if part)
