"""The answer to a change of an order: line by line what was taken, what was not and why. Its number follows from the change."""

import hashlib
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from gateway.kinds import rule
from gateway.model.change import OrderChange
from gateway.model.money import is_handy
from gateway.model.money import number_words
from gateway.model.money import round_money
from gateway.model.order import Order
from gateway.model.order import OrderLine
from gateway.model.response import OrderResponse
from gateway.model.response import ResponseLine
from gateway.model.values import Note
from gateway.model.values import Totals
from gateway.model.values import Value
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.trade.lines import DecidedLine

_LONGEST = 35
_ZERO = Decimal(0)
#: a change that came again has an answer of its own
_AGAIN = frozenset({rule.CHANGE_DUPLICATE.code, rule.CHANGE_NUMBER_REUSED.code})


class Answered(Value, frozen=True, kw_only=True):
    """What is to be said about one line of a change. `line` is as it will be, or as it stays where the change is refused."""

    number: str
    #: the action that was asked for, in our word and as sent
    asked: str | None = None
    asked_source: str | None = None
    line: OrderLine
    #: what was asked for, where that is not what the line gets
    asked_quantity: Decimal | None = None
    #: how it was decided; None where the change of it is refused, or it is deleted
    decided: DecidedLine | None = None
    #: it was to be deleted, and ends with what has left of it
    floored: bool = False
    #: what of it has left
    left: Decimal = _ZERO
    #: what we still promise of a line whose change is refused; None where there is no such line
    stands: Decimal | None = None
    problem: Problem | None = None


def change_response_number(change: OrderChange, *, again: bool = False) -> str:
    """The number of our answer: from the order and the change's sequence or number, or else from the interchange that brought it."""
    told = change.sequence or change.number
    parts = [change.order_number] + ([change.order_release] if change.order_release else [])
    # buyers that number their changes after the order need not be told it twice
    number = "OC-" + "-".join([told] if told and told.startswith(f"{change.order_number}-") else [*parts, told] if told else parts)
    if told is None or again:
        source = change.source
        came = [source.sender, source.interchange_control_number, source.transaction_control_number] if source else []
        number += "-D" + hashlib.sha256("\x00".join([change.order_number, *(part or "" for part in came)]).encode()).hexdigest()[:8]
    return number if len(number) <= _LONGEST else "OC-" + hashlib.sha256(number.encode()).hexdigest()[:24]


def build_change_response(
    change: OrderChange,
    order: Order | None,
    answered: Sequence[Answered],
    problems: Iterable[Problem],
    currency: str | None,
    today: date,
    *,
    rejected: bool = False,
) -> OrderResponse:
    """The response with the order's parties, and each line that the change was about."""
    told = tuple(problems)
    lines = tuple(_line(one, currency) for one in sorted(answered, key=_place))
    whole = [problem for problem in told if problem.outcome is Outcome.REJECT and not (problem.place.field or "").startswith("lines[")]
    about = order or change
    return OrderResponse(
        number=change_response_number(change, again=any(problem.code in _AGAIN for problem in told)),
        order_number=change.order_number,
        order_release=change.order_release,
        order_type=about.type,
        order_issued_on=order.issued_on if order is not None else change.order_issued_on,
        response="rejected" if rejected else _response(lines),
        purpose=change.purpose or "change",
        change_number=change.number,
        change_sequence=change.sequence,
        change_issued_on=change.issued_on,
        issued_on=today,
        currency=currency,
        buyer=about.buyer or change.buyer,
        seller=about.seller or change.seller,
        bill_to=about.bill_to,
        ship_to=about.ship_to,
        parties=about.parties,
        delivery=about.delivery,
        references=about.references,
        notes=tuple(Note(type="reason", text=problem.message) for problem in whole),
        lines=lines,
        totals=Totals(line_count=len(lines)) if lines else None,
    )


def _place(one: Answered) -> tuple[int, str]:
    return (int(one.number), "") if one.number.isascii() and one.number.isdigit() and len(one.number) < 12 else (10**12, one.number)


def _response(lines: Sequence[ResponseLine]) -> str:
    actions = {line.action for line in lines}
    if actions and actions <= {"rejected"}:
        return "rejected"
    return "accepted" if actions <= {"accepted", "deleted"} else "accepted_with_changes"


def _line(one: Answered, currency: str | None) -> ResponseLine:
    line, decided = one.line, one.decided
    if decided is not None and decided.action != "rejected":
        return _taken(one, decided, currency)
    action, quantity, code, reason = "deleted", _ZERO, None, None
    if one.problem is not None:
        action, quantity = "rejected", one.stands or _ZERO
        code, reason = one.problem.code, one.problem.message
        if one.stands is not None:
            reason += f"; {number_words(one.stands)} stand as before"
    elif decided is not None:
        action, code, reason = "rejected", decided.reason_code, decided.reason
    asked = one.asked_quantity if one.asked_quantity is not None else line.quantity
    return ResponseLine(
        number=one.number,
        action=action,
        change=one.asked,
        change_source=one.asked_source,
        ordered_quantity=asked if asked is not None and is_handy(asked) else None,
        quantity=quantity,
        outstanding_quantity=max(quantity - one.left, _ZERO),
        unit=line.unit,
        unit_source=line.unit_source,
        price=line.price if line.price is not None and is_handy(line.price) else None,
        price_base=line.price_base if line.price_base is not None and is_handy(line.price_base) else None,
        price_unit=line.price_unit,
        identifiers=line.identifiers,
        description=line.description,
        reason_code=code,
        reason=reason,
    )


def _taken(one: Answered, decided: DecidedLine, currency: str | None) -> ResponseLine:
    """A line that is promised as it says. One of which more has left than was asked for is changed by us."""
    line, problem = one.line, one.problem
    left_whole = one.asked == "delete" and problem is None and not one.floored
    action, code, reason = decided.action, decided.reason_code, decided.reason
    if problem is not None:
        action, code, reason = "changed", problem.code, problem.message
    elif one.floored:
        action, code = "changed", rule.CHANGE_BELOW_DESPATCHED.code
        reason = f"Of line {one.number} {number_words(one.left)} have left already, the rest will not come"
    elif left_whole:
        action, code, reason = "rejected", rule.CHANGE_LINE_LEFT.code, f"Line {one.number} has left already"
    return ResponseLine(
        number=one.number,
        action=action,
        change=one.asked,
        change_source=one.asked_source,
        ordered_quantity=one.asked_quantity if one.asked_quantity is not None else line.quantity,
        quantity=decided.quantity,
        back_ordered_quantity=decided.back_ordered or None,
        outstanding_quantity=max(decided.quantity + decided.back_ordered - one.left, _ZERO),
        unit=line.unit,
        unit_source=line.unit_source,
        price=decided.price,
        price_base=decided.price_base,
        price_unit=decided.price_unit,
        net_amount=round_money(decided.net_amount, currency) if decided.net_amount is not None and currency else decided.net_amount,
        identifiers=line.identifiers,
        description=line.description,
        promised_on=decided.promised_on,
        schedule=decided.schedule,
        reason_code=code,
        reason=reason,
    )
