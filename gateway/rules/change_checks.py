"""Checks of an order change or cancel: is there such an order, can it still be changed, is it the change that is next, does it say what it
means. What the changed order orders is judged like any order."""

from collections.abc import Iterator

from msgspec.structs import replace

from gateway.kinds import rule
from gateway.model.amendment import AmendedLine
from gateway.model.amendment import change_fingerprint
from gateway.model.change import ChangeLine
from gateway.model.change import OrderChange
from gateway.model.money import number_words
from gateway.model.order import OrderLine
from gateway.model.standing import EarlierChange
from gateway.model.standing import StandingLine
from gateway.rules.change_view import ChangeView
from gateway.rules.document_checks import hash_total
from gateway.rules.document_checks import line_count
from gateway.rules.document_checks import line_numbers
from gateway.rules.document_checks import test_traffic
from gateway.rules.view import Finding

#: states of an order of which everything has left
GONE = frozenset({"despatched", "invoiced", "closed"})
_NOT_LEFT = "a line that has not left"


def own_traffic(view: ChangeView) -> Iterator[Finding]:
    """A change that is test traffic."""
    yield from test_traffic(view.own)


def order_known(view: ChangeView) -> Iterator[Finding]:
    """Exactly one order of this number must stand."""
    number, cancels = view.change.order_number, view.change.purpose == "cancel"
    word = "cancel" if cancels else "change"
    if not view.known or (cancels and all(order.state == "rejected" for order in view.known)):
        kind = rule.CANCEL_UNKNOWN if cancels else rule.CHANGE_ORDER_UNKNOWN
        yield Finding(kind, "order_number", f"The {word} names order {number}, which we do not have", number, "an order that was received before")
    elif not view.standing and not cancels:
        state = view.known[-1].state
        message = f"Order {number} is {state}: there is nothing to change"
        yield Finding(rule.CHANGE_ORDER_ENDED, "order_number", message, state, "an order that stands")
    elif len(view.standing) > 1:
        count = len(view.standing)
        message = f"The number {number} stands for {count} orders, and the {word} does not say which is meant"
        yield Finding(rule.CHANGE_ORDER_UNKNOWN, "order_number", message, number, "one order")


def too_late(view: ChangeView) -> Iterator[Finding]:
    """An order that has left, is billed or is ended cannot be changed."""
    if view.order is None or view.order.state not in GONE:
        return
    state, number = view.order.state, view.change.order_number
    if view.change.purpose == "cancel":
        message = f"Order {number} cannot be cancelled any more, it is {state}"
        yield Finding(rule.CANCEL_TOO_LATE, "order_number", message, state, "an order that has not left")
    else:
        message = f"Order {number} cannot be changed any more, it is {state}"
        yield Finding(rule.CHANGE_TOO_LATE, "order_number", message, state, "an order of which something has not left")


def came_before(view: ChangeView) -> Iterator[Finding]:
    """A change that we know by its number, its sequence or, where it has neither, its content. A rejected one may be sent again."""
    change, known = view.change, _standing_changes(view)
    for one in known:
        if _is_the_same(change, one):
            shown = change.number or change.sequence or ""
            if one.fingerprint == change_fingerprint(change):
                message = f"Change {shown} of order {change.order_number} was received before with the same content (it is {one.state})"
                yield Finding(rule.CHANGE_DUPLICATE, _number_field(view), message, shown, "a change that was not received before")
            else:
                message = f"Change {shown} of order {change.order_number} was received before with other content (it is {one.state})"
                yield Finding(rule.CHANGE_NUMBER_REUSED, _number_field(view), message, shown, "a number that was not used before")
            return
    if known and change.number is None and change.sequence is None and known[-1].fingerprint == change_fingerprint(change):
        message = f"The last change of order {change.order_number} was the same (it is {known[-1].state})"
        yield Finding(rule.CHANGE_DUPLICATE, "order_number", message, change.order_number, "a change that was not received before")


def _is_the_same(change: OrderChange, one: EarlierChange) -> bool:
    """By the number where both have one: UBL must give a sequence, and buyers that do not count give the same one each time."""
    if change.number is not None and one.number is not None:
        return change.number == one.number
    return change.sequence is not None and change.sequence == one.sequence


def _standing_changes(view: ChangeView) -> list[EarlierChange]:
    return [one for one in view.order.changes if one.state != "rejected"] if view.order is not None else []


def _number_field(view: ChangeView) -> str:
    return "number" if view.change.number is not None else "sequence"


def in_sequence(view: ChangeView) -> Iterator[Finding]:
    """Where changes are counted each comes after the one before. The pipeline has waited for one that is missing."""
    sequence = count_of(view.change.sequence)
    last = last_count(view)
    if sequence is None or last is None or sequence == last + 1:
        return
    if sequence > last:
        message = f"Change {sequence} of order {view.change.order_number} came, but after change {last} one is missing"
        yield Finding(rule.CHANGE_SEQUENCE, "sequence", message, str(sequence), str(last + 1))
    elif sequence not in {count_of(one.sequence) for one in _standing_changes(view)}:
        message = f"Change {sequence} of order {view.change.order_number} came after change {last}"
        yield Finding(rule.CHANGE_SEQUENCE, "sequence", message, str(sequence), str(last + 1))


def count_of(sequence: str | None) -> int | None:
    """The number that a sequence is, where it is one."""
    return int(sequence) if sequence is not None and sequence.isascii() and sequence.isdigit() else None


def last_count(view: ChangeView) -> int | None:
    """The highest sequence of the changes that came before."""
    counts = [count for one in _standing_changes(view) if (count := count_of(one.sequence)) is not None]
    return max(counts, default=None)


def behind_another(view: ChangeView) -> Iterator[Finding]:
    """A cancel reaches the order whatever waits; a change waits until the one before it is decided."""
    if view.change.purpose == "cancel":
        return
    waiting = next((one for one in _standing_changes(view) if one.state == "held"), None)
    if waiting is not None:
        shown = waiting.number or waiting.sequence or waiting.document
        message = f"Change {shown} of order {view.change.order_number} waits for a person: this one is decided after it"
        yield Finding(rule.CHANGE_BEHIND, "order_number", message, shown, "a decision on the change before")


def in_order_message(view: ChangeView) -> Iterator[Finding]:
    """A change that came as an order message."""
    if view.in_order and view.change.purpose == "change":
        yield Finding(
            rule.CHANGE_IN_ORDER,
            "purpose",
            f"A change of order {view.change.order_number} came as an order: lines that it does not name stay as they are",
            "change",
            "a change message, or a replacement",
        )


def own_lines(view: ChangeView) -> Iterator[Finding]:
    """Line numbers of the change itself."""
    yield from line_numbers(view.own)


def own_count(view: ChangeView) -> Iterator[Finding]:
    """The line count that the change itself declares."""
    yield from line_count(view.own)


def own_hash(view: ChangeView) -> Iterator[Finding]:
    """The hash total that the change itself declares."""
    yield from hash_total(view.own)


# --- lines ------------------------------------------------------------------------------------------------------------------


def lines_known(view: ChangeView) -> Iterator[Finding]:
    """A line that is changed or deleted must be there, one that is added must not."""
    if view.order is None or view.change.purpose in ("cancel", "replace"):
        return
    present = {line.number for line in view.order.order.lines}
    known = ", ".join(sorted(present))[:100]
    for index, line in enumerate(view.change.lines):
        if not line.number or (line.number not in present and line.action not in (None, "add", "no_change")):
            shown = line.number or "without a number"
            nameless = "A line names neither its number nor one item of the order"
            message = f"Order {view.change.order_number} has no line {shown}" if line.number else nameless
            yield Finding(rule.CHANGE_LINE_UNKNOWN, f"lines[{index}]", message, shown, known)
        elif line.number in present and line.action == "add":
            message = f"Line {line.number} is to be added, and order {view.change.order_number} has it already"
            yield Finding(rule.CHANGE_LINE_THERE, f"lines[{index}]", message, line.number, "a new line number")


def says_what_it_means(view: ChangeView) -> Iterator[Finding]:
    """The action of a line against what the line gives: where they differ nobody knows which is meant."""
    if view.order is None or view.change.purpose in ("cancel", "replace"):
        return
    present = {line.number: line for line in view.order.order.lines}
    for index, line in enumerate(view.change.lines):
        before = present.get(line.number)
        if before is not None:
            for found, expected in _contradictions(line, before):
                yield Finding(rule.CHANGE_CONTRADICTS, f"lines[{index}]", f"Line {line.number} {found}", line.action_source or line.action, expected)


def _contradictions(line: ChangeLine, before: OrderLine) -> Iterator[tuple[str, str]]:
    quantity, was = line.quantity, before.quantity
    if quantity is not None and was is not None and line.unit in (None, before.unit):
        shown, old = number_words(quantity), number_words(was)
        if line.action == "quantity_increase" and quantity <= was:
            yield f"is to be increased, its quantity is {shown}, and the order has {old}", f"more than {old}"
        if line.action == "quantity_decrease" and quantity >= was:
            yield f"is to be decreased, its quantity is {shown}, and the order has {old}", f"less than {old}"
        if line.action in ("price_change", "date_change") and quantity != was:
            yield f"is a {line.action.replace('_', ' ')}, but its quantity is {shown}, and the order has {old}", old
    if line.previous_quantity is not None and was is not None and line.previous_quantity != was:
        yield f"says that its quantity was {number_words(line.previous_quantity)}, the order has {number_words(was)}", number_words(was)
    if line.action is None or not line.action.startswith("quantity_") or line.price is None or before.price is None:
        return
    if line.price * (before.price_base or 1) != before.price * (line.price_base or 1):
        shown, old = number_words(line.price), number_words(before.price)
        yield f"is a quantity change, but its price is {shown}, and the order has {old}", old


def goods_have_left(view: ChangeView) -> Iterator[Finding]:
    """What has left cannot be changed: it is the floor of the line's quantity, and fixes its item, unit and (until it is invoiced) price."""
    if view.order is None or view.amendment is None or view.order.state in GONE:
        return
    for one in view.amendment.lines:
        line = view.order.line(one.number)
        if one.before is None or line is None or not line.despatched:
            continue
        yield from _of_left_line(view, one, one.before, line)


def _of_left_line(view: ChangeView, one: AmendedLine, before: OrderLine, line: StandingLine) -> Iterator[Finding]:
    field, left = view.field_of(one), number_words(line.despatched)
    if one.after is None:
        if one.index is not None and not line.outstanding:
            yield Finding(rule.CHANGE_LINE_LEFT, field, f"Line {one.number} has left ({left}): it cannot be deleted", left, _NOT_LEFT)
        elif line.outstanding or one.index is not None:
            yield _below(field, one.number, left, "0", number_words(line.outstanding))
        return
    after = one.after
    if after.unit != before.unit or after.identifiers != before.identifiers:
        what = "unit" if after.unit != before.unit else "item"
        yield Finding(rule.CHANGE_LINE_LEFT, field, f"Of line {one.number} {left} have left: its {what} cannot be changed", left, _NOT_LEFT)
        return
    if (after.price, after.price_base, after.price_unit) != (before.price, before.price_base, before.price_unit) and line.despatched != line.invoiced:
        message = f"Of line {one.number} {left} have left and are not all invoiced: its price cannot be changed"
        yield Finding(rule.CHANGE_LINE_LEFT, field, message, left, _NOT_LEFT)
        return
    if after.quantity is not None and after.quantity < line.despatched:
        yield _below(field, one.number, left, number_words(after.quantity), number_words(line.outstanding))
    elif not line.outstanding and after != before and after.quantity == before.quantity:
        yield Finding(rule.CHANGE_LINE_LEFT, field, f"Line {one.number} has left ({left}): it cannot be changed", left, _NOT_LEFT)


def _below(field: str, number: str, left: str, wanted: str, rest: str) -> Finding:
    rest_words = f"; the rest of {rest} will not come" if rest != "0" else ""
    message = f"Line {number} is to be {wanted}, but {left} have left already: it ends with {left}{rest_words}"
    return Finding(rule.CHANGE_BELOW_DESPATCHED, field, message, wanted, f"at least {left}")


def changes_something(view: ChangeView) -> Iterator[Finding]:
    """A change after which the order is as before."""
    if view.order is None or view.amendment is None or view.change.purpose == "cancel":
        return
    same = all(one.before == one.after for one in view.amendment.lines)
    before, after = view.order.order, view.amendment.order
    if same and replace(before, totals=None) == replace(after, totals=None) and not any(True for _ in lines_known(view)):
        yield Finding(rule.CHANGE_NOTHING, "lines", f"Order {view.change.order_number} is as the change wants it already")
