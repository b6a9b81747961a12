"""Orders: rules over facts, decision, answer. Pure decisions are made in rules/ and trade/, and written by carrying_out. A change or
replacement that came in the order's own message goes the way of changes."""

from collections.abc import Sequence
from itertools import groupby

from gateway.model.order import Order
from gateway.pipeline.answers.work import Work
from gateway.pipeline.trading.carrying_out import NO_ORDERS
from gateway.pipeline.trading.carrying_out import carry_out
from gateway.pipeline.trading.changing import decide_changes
from gateway.pipeline.trading.changing import is_change
from gateway.pipeline.trading.changing import reject_change
from gateway.pipeline.trading.judging import facts_of
from gateway.pipeline.trading.judging import orders_as_they_are
from gateway.pipeline.trading.judging import partner_of
from gateway.pipeline.trading.judging import released_on
from gateway.pipeline.trading.judging import rules_of
from gateway.rules.apply import judge
from gateway.store import crash
from gateway.store.records import documents
from gateway.trade.acceptance import decide
from gateway.trade.acceptance import facts_after
from gateway.trade.acceptance import reject_by_hand


def decide_orders(work: Work, rows: Sequence[documents.Document]) -> None:
    """Decide a batch of one partner's orders in their order, and what changes orders among them."""
    orders = orders_as_they_are(work, rows, [row.id for row in rows if row.transition_no > 1])
    for changes, group in groupby(zip(rows, orders, strict=True), key=lambda pair: is_change(work, *pair)):
        batch = list(group)
        if changes:
            # one that there is nothing to change for, and that a person let pass, is an order after all
            ordering = decide_changes(work, [row for row, _ in batch])
            batch = [(row, order) for row, order in batch if row in ordering]
        if batch:
            _decide(work, batch)
    crash.point(41)


def _decide(work: Work, batch: Sequence[tuple[documents.Document, Order]]) -> None:
    """Facts are fetched once and follow each decision."""
    loaded = partner_of(work, batch[0][0])
    plan, policy = rules_of(work, loaded)
    # an order that is decided again must not meet itself
    again = {row.id for row, _ in batch if row.transition_no > 1}
    facts = facts_of(work, loaded, [order for _, order in batch], again)
    released = {row.id: released_on(work, row.id) for row, _ in batch if row.id in again}
    for row, order in batch:
        decision = decide(order, judge(order, plan, facts), facts, policy, work.now.date(), released=released.get(row.id, frozenset()))
        carry_out(work, loaded, row, order, decision, plan, facts)
        facts = facts_after(facts, order, decision, row.id)
    # changes that came before their orders
    documents.wake(work.connection, {f"{row.partner}|{order.number}" for row, order in batch if order.purpose not in NO_ORDERS})


def reject_order(work: Work, row: documents.Document, reason: str) -> None:
    """A person rejects a held order; the buyer reads the reason."""
    [order] = orders_as_they_are(work, [row], [row.id])
    if is_change(work, row, order):
        reject_change(work, row, reason)
        return
    loaded = partner_of(work, row)
    plan, policy = rules_of(work, loaded)
    facts = facts_of(work, loaded, [order], {row.id})
    decision = reject_by_hand(order, judge(order, plan, facts), facts, policy, work.now.date(), reason)
    carry_out(work, loaded, row, order, decision, plan, facts)
