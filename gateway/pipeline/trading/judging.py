"""What a decision on an order is made with: the partner, its rules, and the facts, fetched once for a batch."""

from collections.abc import Collection
from collections.abc import Sequence
from typing import cast

import msgspec

from gateway.exchange.partner import LoadedPartner
from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.pipeline.answers.work import Work
from gateway.rules.plan import RulePlan
from gateway.store.incoming import holds
from gateway.store.records import changes
from gateway.store.records import documents
from gateway.store.trading import masterdata
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import policy_from_words


def partner_of(work: Work, row: documents.Document) -> LoadedPartner:
    """The partner that a document is from or for."""
    loaded = work.station.installation.directory.partners.get(row.partner)
    if loaded is None:
        raise LookupError(f"the partner '{row.partner}' of document {row.id} has no file in partners/ any more")
    return loaded


def rules_of(work: Work, loaded: LoadedPartner) -> tuple[RulePlan, AcceptancePolicy]:
    """The rules in force for a partner, and how we decide for it."""
    plan = work.station.plans.rules(loaded, work.station.installation.rules)
    policy = policy_from_words(plan.decisions)
    if policy.currency is None:
        policy = msgspec.structs.replace(policy, currency=loaded.partner.currency or work.station.installation.settings.us.currency)
    return plan, policy


def facts_of(work: Work, loaded: LoadedPartner, batch: Sequence[Order], excluding: Collection[str]) -> Facts:
    """What rules and decisions need to know about these orders, without the documents in `excluding`."""
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


def released_on(work: Work, document: str) -> frozenset[str]:
    """Codes of the problems that people let pass on this document."""
    return frozenset(problem.code for hold in holds.of_document(work.connection, document) if hold.decision == "release" for problem in hold.reasons)


def orders_as_they_are(work: Work, rows: Sequence[documents.Document], changeable: Collection[str]) -> list[Order]:
    """The orders of these documents in their newest versions; only those in `changeable` can have been changed."""
    newest = changes.newest(work.connection, changeable) if changeable else {}
    bodies = [newest[row.id].body if row.id in newest else row.body for row in rows]
    return [cast(Order, work.station.at_hand.take(body or "")) for body in bodies]
