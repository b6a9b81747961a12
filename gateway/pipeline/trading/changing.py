"""Changes and cancels of orders: they find their order, or wait for it; rules, decision, the order's next version, and the answer."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import cast

import msgspec

from gateway.exchange.partner import LoadedPartner
from gateway.kinds import rule
from gateway.model import document as canonical
from gateway.model.amendment import amend
from gateway.model.amendment import change_fingerprint
from gateway.model.amendment import change_of
from gateway.model.amendment import numbered
from gateway.model.change import OrderChange
from gateway.model.differences import differences
from gateway.model.differences import public_words
from gateway.model.facts import ENDED_STATES
from gateway.model.facts import Facts
from gateway.model.fingerprint import NOT_ORDERING
from gateway.model.fingerprint import fingerprint
from gateway.model.money import from_minor
from gateway.model.money import to_minor
from gateway.model.order import Order
from gateway.model.standing import EarlierChange
from gateway.model.standing import StandingLine
from gateway.model.standing import StandingOrder
from gateway.pipeline.answers.application_answering import judged_by_rules
from gateway.pipeline.answers.work import Work
from gateway.pipeline.trading.carrying_out import CHANGE_RESPONSES
from gateway.pipeline.trading.carrying_out import carry_out
from gateway.pipeline.trading.carrying_out import end_order
from gateway.pipeline.trading.carrying_out import judged_by
from gateway.pipeline.trading.carrying_out import order_lines
from gateway.pipeline.trading.carrying_out import reason_of
from gateway.pipeline.trading.carrying_out import send_response
from gateway.pipeline.trading.carrying_out import wait_for_a_person
from gateway.pipeline.trading.carrying_out import withdraw_holds
from gateway.pipeline.trading.handing_over import hand_over
from gateway.pipeline.trading.judging import facts_of
from gateway.pipeline.trading.judging import orders_as_they_are
from gateway.pipeline.trading.judging import partner_of
from gateway.pipeline.trading.judging import released_on
from gateway.pipeline.trading.judging import rules_of
from gateway.problem import codes
from gateway.rules.apply import judge
from gateway.rules.apply import judge_change
from gateway.rules.change_checks import count_of
from gateway.rules.plan import RulePlan
from gateway.store.incoming import holds
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.records import references
from gateway.store.trading import orders
from gateway.store.trading import stock
from gateway.trade.changing import ChangeDecision
from gateway.trade.changing import decide_change
from gateway.trade.changing import reject_change_by_hand

#: purposes of orders that change another one
_CHANGING = frozenset({"change", "replace"})


def is_change(work: Work, row: documents.Document, order: Order) -> bool:
    """Whether an order changes another: by its purpose, or as a cancel of one of which something has left."""
    if order.purpose == "cancel":
        return any(
            sales.state == "part_despatched" and sales.test == row.test and order.release in (None, sales.release)
            for sales in orders.find(work.connection, row.partner, [order.number])
        )
    return order.purpose in _CHANGING


def decide_changes(work: Work, rows: Sequence[documents.Document]) -> list[documents.Document]:
    """Decide changes one after the other; returns those that are to be booked as orders."""
    ordering = []
    for row in rows:
        # what this step has decided already counts for the next one
        work.write_orders()
        document = canonical.decode(row.body or "")
        if isinstance(document, Order):
            if not _decide(work, row, change_of(document), in_order=True):
                ordering.append(row)
        else:
            _decide(work, row, cast(OrderChange, document), in_order=False)
    return ordering


def changes_step(work: Work, rows: Sequence[documents.Document]) -> None:
    """The trade step of change messages."""
    decide_changes(work, rows)


def reject_change(work: Work, row: documents.Document, reason: str) -> None:
    """A person rejects a held change: the order stands as it was, and the buyer reads the reason."""
    loaded = partner_of(work, row)
    plan, _ = rules_of(work, loaded)
    document = canonical.decode(row.body or "")
    change = change_of(document) if isinstance(document, Order) else cast(OrderChange, document)
    known = _known(work, row, change)
    facts = Facts(partner=row.partner, today=work.now.date())
    problems = judge_change(change, known, plan, facts, in_order=isinstance(document, Order))
    decision = reject_change_by_hand(change, known, problems, work.now.date(), reason)
    _carry_out(work, loaded, row, change, known, decision, plan, facts)


def _decide(work: Work, row: documents.Document, change: OrderChange, *, in_order: bool) -> bool:
    """Decide one change; False where there is nothing to change and a person wants it booked as the order that it is."""
    if change.purpose == "copy":
        reason = f"a copy of a change of order {change.order_number}: nothing is changed"
        work.move(row.id, row.state, "done", reason)
        work.note(row, "change kept", {}, reason=reason)
        return True
    loaded = partner_of(work, row)
    plan, policy = rules_of(work, loaded)
    known = _known(work, row, change)
    standing = [order for order in known if order.state not in ENDED_STATES]
    if len(standing) == 1:
        change = numbered(change, standing[0].order)
    released = released_on(work, row.id)
    if in_order and not known and change.purpose == "replace" and rule.CHANGE_ORDER_UNKNOWN.code in released:
        return False
    until = row.created_at + timedelta(minutes=policy.change_wait)
    if not in_order and work.now < until and _may_still_come(change, known, standing):
        _wait(work, row, change, until)
        return True
    today = work.now.date()
    problems = judge_change(change, known, plan, Facts(partner=row.partner, today=today), in_order=in_order)
    wanted = [order.order for order in standing] + [amend(order.order, change).order for order in standing]
    facts = facts_of(work, loaded, wanted, {order.document for order in standing})
    # what the changed order says is compared with no earlier order: it is the one
    facts = msgspec.structs.replace(facts, earlier={})
    decision = decide_change(
        change,
        known,
        problems,
        facts,
        policy,
        today,
        partial(judge, plan=plan, facts=facts),
        released=released,
        released_order=frozenset[str]().union(*(released_on(work, order.document) for order in standing)),
    )
    _carry_out(work, loaded, row, change, known, decision, plan, facts)
    return True


# ---------------------------------------------------------------- its order, or none


def _known(work: Work, row: documents.Document, change: OrderChange) -> tuple[StandingOrder, ...]:
    """All orders that the change may mean, oldest first, as they are now."""
    connection = work.connection
    sales = [
        order
        for order in orders.find(connection, row.partner, [change.order_number])
        if order.test == row.test and order.document != row.id and order.purpose not in NOT_ORDERING and change.order_release in (None, order.release)
    ]
    if not sales:
        return ()
    ids = [order.document for order in sales]
    bodies = documents.get_many(connection, ids)
    current = dict(zip(ids, orders_as_they_are(work, [bodies[id] for id in ids], ids), strict=True))
    came = changes.of_orders(connection, ids)
    lines: dict[str, list[orders.OrderLine]] = {}
    for line in orders.lines_of(connection, ids, lock=True):
        lines.setdefault(line.document, []).append(line)
    return tuple(_standing(work, order, current[order.document], lines.get(order.document, []), came.get(order.document, []), row) for order in sales)


def _standing(
    work: Work,
    sales: orders.SalesOrder,
    order: Order,
    lines: Sequence[orders.OrderLine],
    came: Sequence[tuple[changes.OrderChange, str]],
    row: documents.Document,
) -> StandingOrder:
    reserved = {line: quantity for (line, _), quantity in stock.reserved_for(work.connection, sales.document).items() if quantity}
    return StandingOrder(
        document=sales.document,
        order=order,
        state=sales.state,
        version=max((change.version for change, _ in came if change.version is not None), default=1),
        currency=sales.currency,
        total=from_minor(sales.total_minor, sales.currency),
        invoiced=from_minor(sales.invoiced_minor, sales.currency),
        test=sales.test,
        lines=tuple(
            StandingLine(
                number=line.number,
                accepted=line.accepted,
                back_ordered=line.back_ordered,
                despatched=line.despatched,
                invoiced=line.invoiced,
                price=line.price,
                price_base=line.price_base,
                item=line.item,
                reserved=reserved.get(line.number, Decimal(0)),
                promised_on=line.promised_on,
                rejected=line.state == "rejected",
            )
            for line in lines
        ),
        # one that is decided again does not meet itself
        changes=tuple(
            EarlierChange(document=change.document, number=change.number, sequence=change.sequence, fingerprint=change.fingerprint, state=state)
            for change, state in came
            if change.document != row.id
        ),
    )


def _may_still_come(change: OrderChange, known: tuple[StandingOrder, ...], standing: list[StandingOrder]) -> bool:
    """Whether the order, or the change before this one, may be on its way."""
    if not known:
        return True
    sequence = count_of(change.sequence)
    if len(standing) != 1 or sequence is None or change.purpose == "cancel":
        return False
    counts = [count for one in standing[0].changes if one.state != "rejected" and (count := count_of(one.sequence)) is not None]
    return bool(counts) and sequence > max(counts) + 1


def _wait(work: Work, row: documents.Document, change: OrderChange, until: datetime) -> None:
    """It waits beside the others: its order, when it comes, must not wait for it."""
    reason = f"waits for order {change.order_number}, or for the change before this one, until {until:%Y-%m-%d %H:%M} UTC"
    work.move(row.id, row.state, row.state, reason, due_at=until, hold_key=documents.waiting_key(f"{row.partner}|{change.order_number}"))
    work.note(row, "change waits", {"order": change.order_number}, reason=reason)


# ---------------------------------------------------------------- what is written


def _carry_out(
    work: Work,
    loaded: LoadedPartner,
    row: documents.Document,
    change: OrderChange,
    known: tuple[StandingOrder, ...],
    decision: ChangeDecision,
    plan: RulePlan,
    facts: Facts,
) -> None:
    """Write a decision on a change: its state, the order's next version, the answer; then those that waited for it."""
    judged_by(work, plan)
    order = next((one for one in known if one.state not in ENDED_STATES), known[-1] if known else None)
    reason = reason_of(decision.state, decision.problems)
    version = order.version + 1 if order is not None and decision.order is not None else None
    if version is not None:
        reason = f"version {version} of order {change.order_number}" if decision.state == "accepted" else f"waits with order {change.order_number}"
    work.move(
        row.id,
        row.state,
        decision.state,
        reason,
        hold_key=f"{row.partner}|{change.order_number}",
        problems=(*(problem for problem in row.problems if problem.outcome is None), *decision.problems),
        plan_digests={**row.plan_digests, "rules": plan.digest},
    )
    work.note(row, f"change {decision.state}", {"problems": codes(decision.problems), "rules": plan.digest}, reason=reason)
    if decision.state == "held":
        wait_for_a_person(work, row, decision.problems)
    if order is not None:
        changes.put(
            work.connection,
            changes.OrderChange(
                document=row.id,
                sales_order=order.document,
                number=change.number,
                sequence=change.sequence,
                fingerprint=change_fingerprint(change),
                version=version,
                body=canonical.encode(decision.order).decode() if decision.order is not None else None,
                order_fingerprint=fingerprint(decision.order) if decision.order is not None else None,
                at=work.now,
            ),
        )
        work.links.append(references.Link(from_document=order.document, to_document=row.id, relation="changes"))
        if decision.order_state == "cancelled" and decision.order is None:
            end_order(work, order.document, row)
        elif version is not None:
            _next_version(work, loaded, row, order, decision, version, plan, facts)
    if decision.response is not None:
        send_response(work, loaded, row, decision.response, CHANGE_RESPONSES)
    judged_by_rules(work, loaded, row, change, decision.state, decision.problems)
    if order is not None and decision.state != "held":
        _free_the_next(work, row, order)
        documents.wake(work.connection, {f"{row.partner}|{change.order_number}"})


def _next_version(
    work: Work,
    loaded: LoadedPartner,
    row: documents.Document,
    order: StandingOrder,
    decision: ChangeDecision,
    version: int,
    plan: RulePlan,
    facts: Facts,
) -> None:
    """The order as it is from now on; what has left and was invoiced stays what it is."""
    assert decision.order is not None and decision.decision is not None and decision.order_state is not None
    document = documents.get(work.connection, order.document)
    assert document is not None
    told = public_words(differences(order.order, decision.order))
    reason = f"version {version} by the buyer's change {row.number}: {told}"
    work.note(document, "order changed", {"version": str(version), "by": row.id, "changed": told}, reason=reason)
    if order.state not in orders.COMMITTED:
        withdraw_holds(work, order.document, reason)
        carry_out(work, loaded, document, decision.order, decision.decision, plan, facts, version=version)
        return
    currency = decision.decision.currency or order.currency or work.station.installation.settings.us.currency
    total = to_minor(decision.decision.total, currency) if decision.decision.total is not None else 0
    work.move(document.id, document.state, document.state, reason, amount_minor=total, currency=currency)
    orders.change_state(work.connection, document.id, order.state, decision.order_state, at=work.now, total_minor=total)
    far = {line.number: line for line in order.lines}
    lines = order_lines(document.id, decision.order, decision.decision, facts)
    lines = [
        msgspec.structs.replace(line, despatched=far[line.number].despatched, invoiced=far[line.number].invoiced) if line.number in far else line
        for line in lines
    ]
    orders.put_lines(work.connection, document.id, lines)
    _reserve(work, row, order, decision)
    if decision.decision.books:
        hand_over(work, document, decision.order, decision.decision, version, change=row.id)


def _reserve(work: Work, row: documents.Document, order: StandingOrder, decision: ChangeDecision) -> None:
    """Reservations follow the lines: what is less is free again, what is more is taken."""
    present = stock.reserved_for(work.connection, order.document)
    moves = []
    for line, (item, wanted) in decision.reserved.items():
        for (number, one), quantity in present.items():
            if number == line and one != item and quantity:
                moves.append((line, one, -quantity))
        difference = wanted - present.get((line, item), Decimal(0))
        if difference:
            moves.append((line, item, difference))
    # what is given back first can be taken again
    moves.sort(key=lambda move: move[2])
    stock.reserve(
        work.connection,
        [
            stock.Reservation(document=order.document, line=line, item=item, quantity=quantity, cause=f"change/{row.id}", at=work.now)
            for line, item, quantity in moves
        ],
    )


def _free_the_next(work: Work, row: documents.Document, order: StandingOrder) -> None:
    """A change that waited behind this one walks on, where no other one is before it."""
    held = [one.document for one in order.changes if one.state == "held"]
    waiting = {document: [hold for hold in holds.of_document(work.connection, document) if hold.resolved_at is None] for document in held}
    behind = [
        document for document, open_holds in waiting.items()
        if open_holds and all(problem.code == rule.CHANGE_BEHIND.code for hold in open_holds for problem in hold.reasons)
    ]  # fmt: skip
    if len(behind) < len(held) or not behind:
        return
    reason = f"the change before it was decided: document {row.id}"
    withdraw_holds(work, behind[0], reason)
    work.move(behind[0], "held", "registered", reason)
    work.pokes.add(row.stream)
