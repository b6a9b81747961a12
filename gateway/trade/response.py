"""The order response: our answer to the buyer, built from the order and what was decided. Its number follows from the order."""

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from gateway.model.money import round_money
from gateway.model.order import Order
from gateway.model.response import OrderResponse
from gateway.model.response import ResponseLine
from gateway.model.values import Note
from gateway.model.values import Totals
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.trade.lines import DecidedLine

#: longest number that every syntax carries (UN/EDIFACT 1004 in D96A: an..35)
_LONGEST = 35


def response_number(order: Order, *, again: bool = False) -> str:
    """The number of our response: from the order's number, release and purpose. The answer to an order that came a second time
    (`again`) has a number of its own, from the interchange that brought it."""
    parts = [order.number] + ([order.release] if order.release else [])
    suffix = "-C" if order.purpose == "cancel" else "-R" if order.purpose == "replace" else ""
    if again:
        source = order.source
        came = [source.sender, source.interchange_control_number, source.transaction_control_number] if source else []
        suffix += "-D" + hashlib.sha256("\x00".join(part or "" for part in came).encode()).hexdigest()[:8]
    number = "OR-" + "-".join(parts) + suffix
    return number if len(number) <= _LONGEST else "OR-" + hashlib.sha256(number.encode()).hexdigest()[:24]


def build_response(
    order: Order,
    lines: tuple[DecidedLine, ...],
    problems: Iterable[Problem],
    currency: str | None,
    today: date,
    *,
    rejected: bool = False,
    again: bool = False,
) -> OrderResponse:
    """The response with the order's parties and references, each line with its action, quantities, agreed price and date."""
    answered = tuple(_line(order, line, currency) for line in lines)
    net = sum((line.net_amount for line in answered if line.net_amount is not None), Decimal(0))
    whole = any(line.net_amount is None for line in answered)
    return OrderResponse(
        number=response_number(order, again=again),
        order_number=order.number,
        order_release=order.release,
        order_type=order.type,
        order_issued_on=order.issued_on,
        response="rejected" if rejected else _response(lines),
        purpose=order.purpose or "original",
        issued_on=today,
        currency=currency,
        buyer=order.buyer,
        seller=order.seller,
        bill_to=order.bill_to,
        ship_to=order.ship_to,
        parties=order.parties,
        delivery=order.delivery,
        references=order.references,
        notes=_notes(problems),
        lines=answered,
        totals=Totals(lines=None if whole else net, line_count=len(answered)) if answered else None,
    )


def _response(lines: tuple[DecidedLine, ...]) -> str:
    actions = {line.action for line in lines}
    if actions == {"rejected"}:
        return "rejected"
    return "accepted" if actions <= {"accepted"} else "accepted_with_changes"


def _notes(problems: Iterable[Problem]) -> tuple[Note, ...]:
    """Why the order as a whole is rejected; lines carry their own reasons. What holds an order is never told: credit is not the buyer's to read."""
    whole = [problem for problem in problems if problem.outcome is Outcome.REJECT and not (problem.place.field or "").startswith("lines[")]
    return tuple(Note(type="reason", text=problem.message) for problem in whole)


def _line(order: Order, decided: DecidedLine, currency: str | None) -> ResponseLine:
    line = order.lines[decided.index]
    net = decided.net_amount
    return ResponseLine(
        number=line.number,
        action=decided.action,
        ordered_quantity=decided.ordered,
        quantity=decided.quantity,
        back_ordered_quantity=decided.back_ordered or None,
        unit=line.unit,
        unit_source=line.unit_source,
        price=decided.price,
        price_base=decided.price_base,
        price_unit=decided.price_unit,
        net_amount=round_money(net, currency) if net is not None and currency else net,
        identifiers=line.identifiers,
        description=line.description,
        promised_on=decided.promised_on,
        schedule=decided.schedule,
        reason_code=decided.reason_code,
        reason=decided.reason,
    )
