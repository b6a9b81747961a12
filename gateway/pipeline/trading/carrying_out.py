"""A decision on an order carried out: states, lines, stock, holds, answers, handover, in the caller's transaction."""

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from msgspec import UNSET

from gateway.exchange.partner import LoadedPartner
from gateway.model import document as canonical
from gateway.model.amendment import change_of
from gateway.model.change import OrderChange
from gateway.model.facts import Facts
from gateway.model.money import to_minor
from gateway.model.order import Order
from gateway.model.response import OrderResponse
from gateway.pipeline.answers.application_answering import judged_by_rules
from gateway.pipeline.answers.work import Work
from gateway.pipeline.answers.work import answer_endpoint
from gateway.pipeline.answers.work import own_document
from gateway.pipeline.reading.kept_plans import keep_rules
from gateway.pipeline.station import short_id
from gateway.pipeline.trading.handing_over import HELD
from gateway.pipeline.trading.handing_over import hand_over
from gateway.pipeline.trading.handing_over import hand_over_end
from gateway.problem import Outcome
from gateway.problem import Problem
from gateway.problem import codes
from gateway.rules.plan import RulePlan
from gateway.store.incoming import holds
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import orders
from gateway.store.trading import stock
from gateway.trade.acceptance import Decision
from gateway.trade.acceptance import fingerprint
from gateway.trade.changing import answer_in_order
from gateway.trade.open_order import open_order

#: what answers an order, and what answers a change: the first sort that the partner takes
RESPONSES = (("855", "ordrsp", "order-response", "order-response-advanced"),)
CHANGE_RESPONSES = (("865", "ordrsp", "order-response-advanced"), ("855", "order-response"))
#: purposes that book nothing of their own
NO_ORDERS = frozenset({"cancel", "confirm", "duplicate", "copy", "change"})


def carry_out(
    work: Work, loaded: LoadedPartner, row: documents.Document, order: Order, decision: Decision, plan: RulePlan, facts: Facts, *, version: int = 1
) -> None:
    """Write a decision: states, lines, stock, hold, answer, handover."""
    judged_by(work, plan)
    reason = reason_of(decision.state, decision.problems, _let_pass(work, row) if row.transition_no > 1 else ())
    currency = decision.currency or order.currency or work.station.installation.settings.us.currency
    total = to_minor(decision.total, currency) if decision.total is not None else None
    problems = (*(problem for problem in row.problems if problem.outcome is None), *decision.problems)
    digests = {**row.plan_digests, "rules": plan.digest}
    work.move(
        row.id,
        row.state,
        decision.state,
        reason,
        amount_minor=total if total is not None else row.amount_minor,
        currency=currency,
        # what stands there already is not written again: the row has the whole document in it
        problems=problems if problems != row.problems else UNSET,
        plan_digests=digests if digests != row.plan_digests else UNSET,
    )
    work.note(
        row,
        f"order {decision.state}",
        {"problems": codes(decision.problems), "rules": plan.digest, "total": str(decision.total or "")},
        reason=reason,
    )
    keep_order(work, row, order, decision, currency, total or 0, facts)
    if decision.state == "held":
        wait_for_a_person(work, row, decision.problems)
    for ended in decision.ends:
        end_order(work, ended, row)
    stock.reserve(
        work.connection,
        [
            stock.Reservation(document=row.id, line=one.line, item=one.item, quantity=one.quantity, cause="reserve", at=work.now)
            for one in decision.reservations
        ],
    )
    if decision.response is not None:
        send_response(work, loaded, row, decision.response, RESPONSES)
    judged_by_rules(work, loaded, row, order, decision.state, decision.problems)
    if row.transition_no > 1 and decision.state != "held":
        _answer_changes(work, loaded, row, order, decision)
    if decision.books and decision.state == "accepted":
        hand_over(work, row, order, decision, version)


def reason_of(state: str, problems: Sequence[Problem], let_pass: Sequence[str] = ()) -> str:
    """What a person reads in the history: the problems that led to the decision. `let_pass`: what people said to those that they let pass."""
    telling = [problem.message for problem in problems if problem.outcome in {Outcome.HOLD, Outcome.REJECT}]
    if state == "accepted" and let_pass and not telling:
        return f"{'; '.join(let_pass)}; nothing else speaks against it"
    return "; ".join(telling) or ("nothing speaks against it" if state == "accepted" else state)


def _let_pass(work: Work, row: documents.Document) -> list[str]:
    """Who let what pass on this document, and why."""
    released = [hold for hold in holds.of_document(work.connection, row.id) if hold.decision == "release"]
    return [f"{hold.actor} let {codes(hold.reasons).replace(',', ', ') or 'it'} pass ({hold.reason})" for hold in released]


def order_lines(document: str, order: Order, decision: Decision, facts: Facts) -> list[orders.OrderLine]:
    """The lines of an order as they were decided."""
    # prices for the line's own unit, as goods leave and are billed
    opened = {line.number: line for line in open_order(order, decision, document, facts).lines}
    lines = []
    for line in decision.lines:
        own = opened.get(line.number)
        lines.append(
            orders.OrderLine(
                document=document,
                number=line.number,
                ordinal=line.index + 1,
                item=line.item,
                unit=order.lines[line.index].unit,
                # a price for a unit that does not convert into the line's cannot be billed: billing asks for one
                price=(own.price if own.price_unit is None else None) if own else line.price,
                price_base=own.price_base if own else line.price_base,
                state="rejected" if own is None else "open",
                promised_on=line.promised_on,
                ordered=line.ordered or Decimal(0),
                accepted=own.accepted if own else Decimal(0),
                back_ordered=line.back_ordered,
            )
        )
    return lines


def judged_by(work: Work, plan: RulePlan) -> None:
    """Archive the rules of a decision, once a step."""
    if plan.digest not in work.kept_rules:
        keep_rules(work.station, work.connection, plan)
        work.kept_rules.add(plan.digest)


def wait_for_a_person(work: Work, row: documents.Document, problems: Sequence[Problem]) -> None:
    """Hold a document for what rules or credit found in it."""
    holding = tuple(problem for problem in problems if problem.outcome is Outcome.HOLD)
    kind = "credit" if any(problem.code.startswith("CREDIT-") for problem in holding) else "rules"
    work.holds.append(holds.Hold(id=short_id("H", row.id, row.transition_no), document=row.id, kind=kind, reasons=holding, opened_at=work.now))


def keep_order(work: Work, row: documents.Document, order: Order, decision: Decision, currency: str, total: int, facts: Facts) -> None:
    """The order as we follow it through: made at its first decision, moved on at a later one. Cancels and copies are none."""
    if order.purpose in NO_ORDERS and not decision.books:
        return
    lines = order_lines(row.id, order, decision, facts)
    present = orders.get(work.connection, row.id) if row.transition_no > 1 else None
    if present is None:
        work.sales_orders.append(
            orders.SalesOrder(
                document=row.id,
                partner=row.partner,
                number=order.number,
                release=order.release,
                purpose=None if order.purpose in NO_ORDERS else order.purpose,
                fingerprint=fingerprint(order),
                state=decision.state,
                currency=currency,
                total_minor=total,
                test=row.test,
                issued_on=order.issued_on,
                requested_on=order.delivery.requested_on if order.delivery else None,
                created_at=work.now,
                changed_at=work.now,
            )
        )
        work.order_lines += lines
        return
    orders.change_state(work.connection, row.id, present.state, decision.state, at=work.now, total_minor=total)
    orders.put_lines(work.connection, row.id, lines)


def _answer_changes(work: Work, loaded: LoadedPartner, row: documents.Document, order: Order, decision: Decision) -> None:
    """Changes that waited with their order are answered with it."""
    for change, state in changes.of_orders(work.connection, [row.id]).get(row.id, []):
        if state != "waiting":
            continue
        waited = documents.get(work.connection, change.document)
        assert waited is not None
        document = canonical.decode(waited.body or "")
        asked = document if isinstance(document, OrderChange) else change_of(cast(Order, document))
        outcome = "rejected" if decision.state == "rejected" else "accepted"
        reason = f"order {order.number} is {decision.state}"
        work.move(waited.id, "waiting", outcome, reason)
        work.note(waited, f"change {outcome}", {"order": row.id}, reason=reason)
        send_response(work, loaded, waited, answer_in_order(asked, order, decision, work.now.date()), CHANGE_RESPONSES)


def end_order(work: Work, ended: str, by: documents.Document) -> None:
    """An earlier order ends because of this document: its hold is withdrawn, its stock is free again, changes of it are over."""
    earlier = documents.get(work.connection, ended)
    if earlier is None:
        return
    state = "cancelled"
    reason = f"{state} by the buyer in document {by.id}"
    work.move(ended, earlier.state, state, reason)
    present = orders.get(work.connection, ended)
    if present is not None:
        orders.change_state(work.connection, ended, present.state, "cancelled", at=work.now)
    withdraw_holds(work, ended, reason)
    for change, where in changes.of_orders(work.connection, [ended]).get(ended, []):
        if where == "waiting":
            work.move(change.document, where, state, reason)
        elif where == "held" and change.document != by.id:
            # it is answered now that its order is ended
            withdraw_holds(work, change.document, reason)
            work.move(change.document, where, "registered", reason)
            work.pokes.add(by.stream)
    if earlier.state == "accepted":
        hand_over_end(work, earlier, by, state)
    stock.release(work.connection, ended, f"ended by {by.id}", work.now)
    work.links.append(references.Link(from_document=ended, to_document=by.id, relation="changes"))
    work.note(earlier, f"order {state}", {"by": by.id}, reason=reason)


def withdraw_holds(work: Work, document: str, reason: str) -> None:
    """Nobody needs to decide this document any more, or it is decided anew. Whether the ERP is told of it is asked all the same: what comes
    later of the document waits behind that."""
    for hold in holds.of_document(work.connection, document):
        if hold.resolved_at is None and hold.kind != HELD:
            holds.resolve(work.connection, hold.id, decision="withdrawn", actor=work.actor, reason=reason, at=work.now)


def send_response(work: Work, loaded: LoadedPartner, row: documents.Document, response: OrderResponse, kinds: Sequence[Sequence[str]]) -> None:
    """The answer goes out, as the first of these sorts that the partner takes."""
    agreement = next((found for names in kinds if (found := loaded.partner.sending(*names)) is not None), None)
    endpoint = answer_endpoint(work, loaded.partner, agreement, row.transmission) if agreement else None
    if agreement is None or endpoint is None:
        work.note(row, "order response not sent", {}, reason="no agreement of the partner says that we send one")
        return
    answer = own_document(
        work,
        "order_response",
        response.number,
        row.partner,
        agreement,
        row.id,
        row.transition_no,
        test=row.test,
        currency=response.currency,
        body=canonical.encode(response).decode(),
    )
    work.send(answer, loaded, agreement, endpoint, relation="answers", cause=row)
    work.references.append(references.Reference(document=answer.id, kind="order", value=response.order_number))
