"""Open orders and policies for the tests of fulfilment, billing and crediting."""

from decimal import Decimal
from typing import Any

import msgspec

from gateway.model.facts import Facts
from gateway.model.order import Order
from gateway.model.values import Address
from gateway.model.values import Party
from gateway.model.values import PartyIdentifiers
from gateway.trade.acceptance import AcceptancePolicy
from gateway.trade.acceptance import decide
from gateway.trade.billing import BillingPolicy
from gateway.trade.open_order import OpenOrder
from gateway.trade.open_order import open_order
from gateway.trade.tax import TaxPolicy
from tests.rules.world import TODAY
from tests.rules.world import facts

D = Decimal
SELLER = Party(name="Seller Co", identifiers=PartyIdentifiers(vat="DE123456789", gln="4012345500004"), address=Address(country="DE"))
BUYER = Party(name="Buyer Co", identifiers=PartyIdentifiers(vat="DE987654321"), address=Address(country="DE"))
GERMAN = BillingPolicy(tax=TaxPolicy(country="DE", rate=D(19)), seller=SELLER, buyer=BUYER, iban="DE02120300000000202051")
AMERICAN = BillingPolicy(tax=TaxPolicy(regime="none"), seller=SELLER)


def accepted(order: Order, document: str = "d1", known: Facts | None = None) -> OpenOrder:
    """The order accepted as it stands."""
    known = known or facts()
    return open_order(order, decide(order, (), known, AcceptancePolicy(stock_none="accept", stock_short="accept"), TODAY), document, known)


def despatched(one: OpenOrder, *quantities: Any, **fields: Any) -> OpenOrder:
    """So much of each line left (all of it where nothing is said)."""
    lines = []
    for index, line in enumerate(one.lines):
        quantity = D(str(quantities[index])) if index < len(quantities) else line.accepted
        lines.append(msgspec.structs.replace(line, despatched=quantity))
    return msgspec.structs.replace(one, lines=tuple(lines), **fields)
