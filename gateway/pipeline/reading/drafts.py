"""What is known of a received transaction once it is read, before anything is written of it: its document as JSON, and everything by which
the rows are told. Plain values, so that another process can read a file and send them (reader.py).
"""

from collections.abc import Callable
from typing import cast

import msgspec

from gateway.exchange.acknowledgment import Acknowledged
from gateway.exchange.acknowledgment import read_acknowledgment
from gateway.exchange.application_reading import read_application_answer
from gateway.model import document as canonical
from gateway.model.change import OrderChange
from gateway.model.document import Document
from gateway.model.money import to_minor
from gateway.model.order import Order
from gateway.model.values import Totals
from gateway.pipeline.reading.entitlement import ACKNOWLEDGMENTS
from gateway.pipeline.reading.entitlement import Entitled
from gateway.pipeline.reading.progress import encode_result
from gateway.problem import Problem
from gateway.trade.shipment import Shipment

SHIPMENT = "shipment"
#: takes an order that waits for its trade step, by its JSON
AtHand = Callable[[str, Document], None]


class Draft(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One transaction, read."""

    type: str
    control: str
    group_control: str
    interchange_control: str
    offset: int
    length: int
    #: which of the interchange's groups it stands in, from 1; 0: none
    group: int
    #: id of who sent it; where it is rejected, which of the partner's agreements it came under
    partner: str | None
    agreement: int | None
    #: which of the chunk's plans it was read by
    plan: int | None
    state: str
    kind: str
    number: str
    order_number: str
    amount_minor: int | None
    currency: str | None
    hold_key: str | None
    #: the document as JSON; None where there is none
    body: str | None
    #: how it is answered, as it is stored (progress.encode_result)
    result: str
    accepted: bool
    problems: tuple[Problem, ...]
    #: why it waits for a person
    hold: Problem | None
    #: what it says of what we sent
    said: tuple[Acknowledged, ...] = ()


def draft_of(found: Entitled, plan: int | None, at_hand: AtHand | None) -> Draft:
    """The draft of a transaction; `plan` numbers the plan that it was read by."""
    read = found.read
    document, transaction = read.document, read.transaction
    partner = found.partner.partner.id if found.partner else None
    accepted = read.result.outcome != "rejected"
    said: tuple[Acknowledged, ...] = ()
    kind = _kind_of(document)
    if transaction.type in ACKNOWLEDGMENTS:
        kind, state = "acknowledgment", "done" if accepted else "rejected"
        if accepted:
            said = (*read_acknowledgment(transaction), *read_application_answer(transaction))
    elif found.hold is not None:
        state = "held"
    else:
        state = "rejected" if document is None else "registered"
    body = canonical.encode(document).decode() if document is not None else None
    if at_hand is not None and body is not None and state == "registered" and isinstance(document, Order):
        at_hand(body, document)
    amount, currency = _amount(document)
    return Draft(
        type=transaction.type,
        control=transaction.control_number,
        group_control=transaction.group_control_number,
        interchange_control=transaction.interchange_control_number,
        offset=transaction.offset,
        length=len(transaction.raw),
        group=found.group,
        partner=partner,
        agreement=_agreement(found) if state == "rejected" else None,
        plan=plan,
        state=state,
        kind=kind,
        number=canonical.number_of(document) if document is not None else "",
        order_number=str(getattr(document, "order_number", None) or ""),
        amount_minor=amount,
        currency=currency,
        hold_key=_hold_key(partner or "", document),
        body=body,
        result=encode_result(found.group, read.result),
        accepted=accepted,
        problems=tuple(read.problems),
        hold=found.hold,
        said=said,
    )


def shipment_of(draft: Draft) -> Shipment | None:
    """What a warehouse reports is no document of the trade: it becomes one of its buyer's when it is written."""
    return msgspec.json.decode(draft.body, type=Shipment) if draft.kind == SHIPMENT and draft.body is not None else None


def _agreement(found: Entitled) -> int | None:
    if found.partner is None:
        return None
    return next((number for number, one in enumerate(found.partner.partner.agreements) if one is found.agreement), None)


def _kind_of(document: Document | None) -> str:
    if isinstance(cast(object, document), Shipment):
        return SHIPMENT
    return canonical.kind_of(document) if document is not None else ""


def _hold_key(partner: str, document: Document | None) -> str | None:
    """What waits for what: a change for its order, until that is registered."""
    if isinstance(document, Order):
        return f"{partner}|{document.number}"
    return f"{partner}|{document.order_number}" if isinstance(document, OrderChange) else None


def _amount(document: Document | None) -> tuple[int | None, str | None]:
    currency = getattr(document, "currency", None)
    totals: Totals | None = getattr(document, "totals", None)
    amount = (totals.payable or totals.gross or totals.net or totals.lines) if totals else getattr(document, "amount", None)
    return (to_minor(amount, currency), currency) if amount is not None and currency else (None, currency)
