"""Payments of a bank statement as a trail tells them. A statement speaks of many customers: the trail of something else hears of the payments on
its own items alone, with the amount that they have of it. The statement's own trail has all of them."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence

from gateway.model.money import from_minor
from gateway.model.money import money_words
from gateway.store.trading.ledger import Allocation
from gateway.store.trading.ledger import OpenItem

_PAYMENT = "payment "


def own_facts(action: str, facts: Mapping[str, str], items: Mapping[str, OpenItem], allocations: Sequence[Allocation]) -> dict[str, str] | None:
    """What one of a statement's journal entries says of these items; None where it speaks of others'. What is no payment is nobody's."""
    if not action.startswith(_PAYMENT):
        return dict(facts)
    waits_for = set(filter(None, facts.get("named", "").split(",")))
    if waits_for & set(items):
        # not booked on them, but they are the payer's, and it names them
        return dict(facts)
    named = facts.get("items", "").split(",")
    own = [id for id in named if id in items]
    mine = [one for one in allocations if one.payment == facts.get("payment")]
    if not own and not (mine and action == "payment known"):
        return None
    if len(own) == len(named):
        return {**facts, "numbers": _numbers(own, items)}
    # others' items were paid with the same money: what they got is not told
    amount = sum(one.amount_minor for one in mine if one.open_item in own)
    currency = next((one.currency for one in mine), "")
    told = {name: facts[name] for name in ("payment", "trace") if name in facts}
    if own:
        told |= {"items": ",".join(own), "numbers": _numbers(own, items)}
    return {**told, "amount": money_words(from_minor(amount, currency), currency)} if amount and currency else told


def _numbers(own: Collection[str], items: Mapping[str, OpenItem]) -> str:
    return ",".join(items[id].number for id in own)
