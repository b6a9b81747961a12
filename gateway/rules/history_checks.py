"""Checks against what this partner sent before: duplicates, numbers used again, cancels, confirmations, copies."""

from collections.abc import Iterator

from gateway.kinds import rule
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import REACHABLE_STATES
from gateway.model.fingerprint import earlier_orders
from gateway.model.fingerprint import fingerprint
from gateway.rules.view import Finding
from gateway.rules.view import View

#: purposes that repeat an order instead of giving one
_REPEATS = {"confirm": ("confirmation", rule.CONFIRM_UNKNOWN), "duplicate": ("duplicate", rule.COPY_UNKNOWN), "copy": ("copy", rule.COPY_UNKNOWN)}


def seen_before(view: View) -> Iterator[Finding]:
    """An original whose number this partner used before. A rejected order may be sent again."""
    order = view.order
    if order.purpose not in (None, "original"):
        return
    earlier = [one for one in earlier_orders(order, view.facts) if one.state != "rejected"]
    if not earlier:
        return
    ours = fingerprint(order)
    same = next((one for one in earlier if ours in (one.fingerprint, one.changed_fingerprint) and one.state not in ENDED_STATES), None)
    if same is not None:
        yield Finding(
            rule.DUPLICATE_ORDER,
            "number",
            f"Order {order.number} was received before with the same content (it is {same.state})",
            order.number,
            "a number that was not used before",
        )
    else:
        yield Finding(
            rule.NUMBER_REUSED,
            "number",
            f"Order {order.number} was received before with other content (it is {earlier[-1].state})",
            order.number,
            "a number that was not used before",
        )


def repeats(view: View) -> Iterator[Finding]:
    """A confirmation or copy never books again; one that repeats nothing that we have waits for a person."""
    order = view.order
    if order.purpose not in _REPEATS:
        return
    word, unknown = _REPEATS[order.purpose]
    earlier = [one for one in earlier_orders(order, view.facts) if one.state not in ENDED_STATES]
    if not earlier:
        yield Finding(
            unknown, "number", f"This is a {word} of order {order.number}, which we do not have", order.number, "an order that was received before"
        )
    elif earlier[-1].fingerprint is not None and fingerprint(order) not in (earlier[-1].fingerprint, earlier[-1].changed_fingerprint):
        yield Finding(
            rule.NUMBER_REUSED,
            "number",
            f"This is a {word} of order {order.number}, but what it orders differs from the order that we have",
            order.number,
            "the same content as before",
        )
    else:
        yield Finding(
            rule.COPY_NOT_BOOKED,
            "purpose",
            f"This is a {word} of order {order.number}, which is {earlier[-1].state}; nothing is booked again",
            order.purpose,
            "original",
        )


def cancels(view: View) -> Iterator[Finding]:
    """A cancel needs an order that can still be cancelled."""
    order = view.order
    if order.purpose != "cancel":
        return
    earlier = earlier_orders(order, view.facts)
    if not [one for one in earlier if one.state != "rejected"]:
        yield Finding(
            rule.CANCEL_UNKNOWN,
            "number",
            f"The cancel names order {order.number}, which we do not have",
            order.number,
            "an order that was received before",
        )
    for one in earlier:
        if one.state not in REACHABLE_STATES and one.state not in ENDED_STATES:
            yield Finding(
                rule.CANCEL_TOO_LATE,
                "number",
                f"Order {order.number} cannot be cancelled any more, it is {one.state}",
                one.state,
                "an order that has not left",
            )
