"""Orders: rules over facts, decision, answer. Pure decisions are made in rules/ and trade/; here they are carried out in one transaction."""

from collections.abc import Collection
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import msgspec

from gateway.exchange.partner import LoadedPartner
from gateway.model import document as canonical
from gateway.model.facts import Facts
from gateway.model.money import to_minor
from gateway.model.order import Order
from gateway.pipeline.handing_over import hand_over
from gateway.pipeline.handing_over import hand_over_end
from gateway.pipeline.plans import kept
from gateway.pipeline.rows import keep
from gateway.pipeline.station import short_id
from gateway.pipeline.work import Work
from gateway.pipeline.work import answer_endpoint
from gateway.pipeline.work import own_document
from gateway.problem import Outcome
from gateway.problem import codes
from gateway.rules.apply import judge
from gateway.rules.plan import RulePlan
from gateway.store import crash
from gateway.store import documents
from gateway.store import holds
from gateway.store import masterdata
from gateway.store import orders
from gateway.store import references
from gateway.store import stock
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import Decision
from gateway.trade.acceptance import decide
from gateway.trade.acceptance import facts_after
from gateway.trade.acceptance import fingerprint
from gateway.trade.acceptance import policy_from_words
from gateway.trade.acceptance import reject_by_hand
from gateway.trade.open_order import open_order

RESPONSES = ("855", "ordrsp", "order-response")
#: purposes that book nothing of their own
_NO_ORDERS = frozenset({"cancel", "confirm", "duplicate", "copy", "change"})


def decide_orders(work: Work, rows: Sequence[documents.Document]) -> None:
    """Decide a batch of one partner's orders in their order; facts are fetched once and follow each decision."""
    loaded = partner_of(work, rows[0])
    plan, policy = _rules(work, loaded)
    batch = [(row, cast(Order, canonical.decode(row.body or ""))) for row in rows]
    # an order that is decided again must not meet itself
    again = {row.id for row in rows if row.transition_no > 1}
    facts = _facts(work, loaded, [order for _, order in batch], again)
    released = {row.id: _released(work, row) for row in rows if row.id in again}
    for row, order in batch:
        decision = decide(order, judge(order, plan, facts), facts, policy, work.now.date(), released=released.get(row.id, frozenset()))
        _carry_out(work, loaded, row, order, decision, plan, facts)
        facts = facts_after(facts, order, decision, row.id)
    crash.point(41)


def reject_order(work: Work, row: documents.Document, reason: str) -> None:
    """A person rejects a held order; the buyer reads the reason."""
    loaded = partner_of(work, row)
    plan, policy = _rules(work, loaded)
    order = cast(Order, canonical.decode(row.body or ""))
    facts = _facts(work, loaded, [order], {row.id})
    decision = reject_by_hand(order, judge(order, plan, facts), facts, policy, work.now.date(), reason)
    _carry_out(work, loaded, row, order, decision, plan, facts)


def partner_of(work: Work, row: documents.Document) -> LoadedPartner:
    loaded = work.station.installation.directory.partners.get(row.partner)
    if loaded is None:
        raise LookupError(f"the partner '{row.partner}' of document {row.id} has no file in partners/ any more")
    return loaded


def _rules(work: Work, loaded: LoadedPartner) -> tuple[RulePlan, AcceptancePolicy]:
    plan = work.station.plans.rules(loaded, work.station.installation.rules)
    policy = policy_from_words(plan.decisions)
    if policy.currency is None:
        policy = msgspec.structs.replace(policy, currency=loaded.partner.currency or work.station.installation.settings.us.currency)
    return plan, policy


def _facts(work: Work, loaded: LoadedPartner, batch: Sequence[Order], excluding: Collection[str]) -> Facts:
    credit = loaded.partner.credit
    terms = None
    if credit != "none":
        terms = masterdata.CreditTerms(
            currency=(credit.currency if credit else None) or loaded.partner.currency or work.station.installation.settings.us.currency,
            limit=credit.amount if credit else None,
            hold_days_overdue=credit.hold_days_overdue if credit else None,
        )
    facts = masterdata.facts_for(work.connection, loaded.partner.id, batch, work.now.date(), terms, excluding=excluding)
    if facts.credit is not None and credit is not None and credit != "none" and credit.first_order == "accept":
        facts = msgspec.structs.replace(facts, credit=msgspec.structs.replace(facts.credit, vetted=True))
    return facts


def _released(work: Work, row: documents.Document) -> frozenset[str]:
    """Codes of the problems that people let pass on this document."""
    return frozenset(problem.code for hold in holds.of_document(work.connection, row.id) if hold.decision == "release" for problem in hold.reasons)


def _carry_out(work: Work, loaded: LoadedPartner, row: documents.Document, order: Order, decision: Decision, plan: RulePlan, facts: Facts) -> None:
    """Write a decision: states, lines, stock, hold, answer, handover."""
    keep(work.station, work.connection, kept("rules", plan.digest, plan.sources))
    reason = _reason(decision)
    currency = decision.currency or order.currency or work.station.installation.settings.us.currency
    total = to_minor(decision.total, currency) if decision.total is not None else None
    work.changes.append(
        documents.Change(
            document=row.id,
            expected=row.state,
            state=decision.state,
            actor=work.actor,
            reason=reason,
            at=work.now,
            amount_minor=total if total is not None else row.amount_minor,
            currency=currency,
            problems=(*(problem for problem in row.problems if problem.outcome is None), *decision.problems),
            plan_digests={**row.plan_digests, "rules": plan.digest},
        )
    )
    work.note(
        row,
        f"order {decision.state}",
        {"problems": codes(decision.problems), "rules": plan.digest, "total": str(decision.total or "")},
        reason=reason,
    )
    _keep_order(work, row, order, decision, currency, total or 0, facts)
    if decision.state == "held":
        holding = tuple(problem for problem in decision.problems if problem.outcome is Outcome.HOLD)
        kind = "credit" if any(problem.code.startswith("CREDIT-") for problem in holding) else "rules"
        work.holds.append(holds.Hold(id=short_id("H", row.id, row.transition_no), document=row.id, kind=kind, reasons=holding, opened_at=work.now))
    for ended in decision.ends:
        _end(work, ended, row, order)
    stock.reserve(
        work.connection,
        [
            stock.Reservation(document=row.id, line=one.line, item=one.item, quantity=one.quantity, cause="reserve", at=work.now)
            for one in decision.reservations
        ],
    )
    if decision.response is not None:
        _answer(work, loaded, row, decision)
    if decision.books and decision.state == "accepted":
        hand_over(work, row, order, decision)


def _reason(decision: Decision) -> str:
    """What a person reads in the history: the problems that led to the decision."""
    telling = [problem.message for problem in decision.problems if problem.outcome in {Outcome.HOLD, Outcome.REJECT}]
    return "; ".join(telling) or ("nothing speaks against it" if decision.state == "accepted" else decision.state)


def _keep_order(work: Work, row: documents.Document, order: Order, decision: Decision, currency: str, total: int, facts: Facts) -> None:
    """The order as we follow it through: made at its first decision, moved on at a later one. Cancels and copies are none."""
    if order.purpose in _NO_ORDERS and not decision.books:
        return
    # prices for the line's own unit, as goods leave and are billed
    opened = {line.number: line for line in open_order(order, decision, row.id, facts).lines}
    lines = []
    for line in decision.lines:
        own = opened.get(line.number)
        lines.append(
            orders.OrderLine(
                document=row.id,
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
    present = orders.get(work.connection, row.id) if row.transition_no > 1 else None
    if present is None:
        work.sales_orders.append(
            orders.SalesOrder(
                document=row.id,
                partner=row.partner,
                number=order.number,
                release=order.release,
                purpose=None if order.purpose in _NO_ORDERS else order.purpose,
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


def _end(work: Work, ended: str, by: documents.Document, order: Order) -> None:
    """An earlier order ends because of this one: its hold is withdrawn, its stock is free again."""
    earlier = documents.get(work.connection, ended)
    if earlier is None:
        return
    state = "replaced" if order.purpose == "replace" else "cancelled"
    reason = f"{state} by the buyer in document {by.id}"
    work.changes.append(documents.Change(document=ended, expected=earlier.state, state=state, actor=work.actor, reason=reason, at=work.now))
    present = orders.get(work.connection, ended)
    if present is not None:
        orders.change_state(work.connection, ended, present.state, "cancelled", at=work.now)
    for hold in holds.of_document(work.connection, ended):
        if hold.resolved_at is None:
            holds.resolve(work.connection, hold.id, decision="withdrawn", actor=work.actor, reason=reason, at=work.now)
    if earlier.state == "accepted":
        hand_over_end(work, earlier, by, state)
    stock.release(work.connection, ended, f"ended by {by.id}", work.now)
    work.links.append(references.Link(from_document=ended, to_document=by.id, relation="changes"))
    work.note(earlier, f"order {state}", {"by": by.id}, reason=reason)


def _answer(work: Work, loaded: LoadedPartner, row: documents.Document, decision: Decision) -> None:
    """The order response goes out, where the partner takes one."""
    response = decision.response
    assert response is not None
    agreement = loaded.partner.sending(*RESPONSES)
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
    work.send(answer, response, loaded, agreement, endpoint, relation="answers", cause=row)
    work.references.append(references.Reference(document=answer.id, kind="order", value=response.order_number))
