"""What is old enough to be looked at for erasure, what belongs to it, and what keeps it: open work, unpaid money, people.

A unit is what is erased as a whole: a file that came (transmission), a delivery (outbox), a document of ours that never left in one, or an AS2
request of which nothing was taken.
"""

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Select
from sqlalchemy import Table
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select

from gateway.store import journal
from gateway.store import tables
from gateway.store.incoming.as2_requests import LONGEST as LONGEST_NAME
from gateway.store.outgoing import as2_sendings
from gateway.store.records import references
from gateway.store.records.documents import Document
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.trading.ledger import CAME_AND_WENT

REQUEST = "as2_request"
#: requests last: those that repeat a message go with its file
KINDS = ("transmission", "outbox", "document", REQUEST)
#: a chain of documents that is longer is not walked to its end, and nothing of it is erased; a file of many documents has this many for each
LONGEST = 2000
_LONGEST_OF_EACH = 20
_AT_ONCE = 400
#: facts that name a certificate by its fingerprint, which is its digest in the archive
_CERTIFICATES = ("signed_by", "answered_by")
_OF_RECEIPTS = (" refused by receipt", " receipt proves nothing")
_OPEN_DOCUMENTS = ("registered", "waiting", "held")
_OPEN_ORDERS = ("registered", "held", "accepted", "part_despatched", "despatched")
_LEAVING = ("waiting", "claimed", "prepared", "posted")


class Unit(Row, frozen=True, kw_only=True):
    """A file, a delivery or a document that may be due."""

    kind: str
    id: str
    name: str
    partner: str | None
    came_at: datetime
    state: str
    sha256: str | None = None


def candidates(connection: Connection, kind: str, before: datetime, after: tuple[datetime, str] | None, limit: int) -> list[Unit]:
    """Units of a kind from before a moment that are not erased, oldest first, page by page."""
    query, at, id = _unit(kind)
    erasure = tables.erasure
    erased = select(erasure.c.subject).where(erasure.c.subject_kind == kind, erasure.c.subject == id).exists()
    query = query.where(at < before, ~erased).order_by(at, id).limit(limit)
    if after is not None:
        query = query.where(at >= after[0], or_(at > after[0], id > after[1]))
    return all_of(connection.execute(query), Unit)


def _unit(kind: str) -> tuple[Select[tuple[object, ...]], ColumnElement[datetime], ColumnElement[str]]:
    document, outbox, transmission = tables.document, tables.outbox, tables.transmission
    head = literal(kind).label("kind")
    if kind == REQUEST:
        asked = tables.as2_request.c
        query = select(head, asked.request_sha256.label("id"), asked.message_id.label("name"), asked.partner, asked.came_at)
        query = query.add_columns(literal("").label("state"), asked.request_sha256.label("sha256"))
        return query, asked.came_at, asked.request_sha256
    if kind == "transmission":
        came = transmission.c
        query = select(head, came.id, came.name, came.partner, came.received_at.label("came_at"), came.state, came.sha256)
        return query, came.received_at, came.id
    if kind == "outbox":
        row = outbox.c
        query = select(head, row.id, row.identity.label("name"), row.partner, row.created_at.label("came_at"), row.state, row.sha256)
        return query.where(row.identity.is_not(None)), row.created_at, row.id
    sent = select(outbox.c.id).where(outbox.c.document == document.c.id).exists()
    ours = document.c
    query = select(head, ours.id, ours.number.label("name"), ours.partner, ours.created_at.label("came_at"), ours.state, ours.sha256)
    return query.where(document.c.transmission.is_(None), ~sent), document.c.created_at, document.c.id


def documents_of(connection: Connection, unit: Unit) -> list[Document]:
    """The documents of a unit, without their contents."""
    document, outbox = tables.document, tables.outbox
    if unit.kind == "transmission":
        wanted = document.c.transmission == unit.id
    elif unit.kind == "outbox":
        wanted = document.c.id.in_(select(outbox.c.document).where(outbox.c.id == unit.id))
    elif unit.kind == REQUEST:
        return []
    else:
        wanted = document.c.id == unit.id
    return all_of(connection.execute(select(document).where(wanted)), Document)


def belongs_to(connection: Connection, unit: Unit, documents: Collection[Document]) -> set[str]:
    """The documents that a unit hangs together with: its own, and for an acknowledgment those of the interchange that it answers."""
    if documents or unit.kind != "outbox":
        return {document.id for document in documents}
    interchange, answers, _ = unit.id.partition(":")
    if not answers:
        return set()
    document = tables.document
    return set(connection.execute(select(document.c.id).where(document.c.interchange == interchange)).scalars())


def payloads_of(connection: Connection, unit: Unit) -> list[str]:
    """The digests of a unit: its own, and what the journal's entries about it name (AS2 messages, receipts)."""
    found = {unit.sha256} if unit.sha256 is not None else set()
    for recorded in journal.of_subject(connection, unit.kind, unit.id):
        found.update(set(recorded.entry.references) - _certificates_of(recorded.entry))
    if unit.kind == "outbox":
        sending = as2_sendings.of_row(connection, unit.id)
        found.update(filter(None, [sending.content_sha256] if sending is not None else []))
    return sorted(found)


def _certificates_of(entry: journal.Entry) -> set[str]:
    """The certificates among what an entry names: they prove other messages as well, and hold no content."""
    if entry.action.endswith(_OF_RECEIPTS) and "signed_by" not in entry.facts:
        # receipts that proved nothing, or refused, were told without their signers once: behind the receipt and the message
        return set(entry.references[2:])
    return {entry.facts.get(name, "").partition(":")[2] for name in _CERTIFICATES}


def chain_of(connection: Connection, documents: Collection[str]) -> set[str] | None:
    """The documents and all that they are linked with, from the order to the payment; None where there are too many to say. A bank statement is
    an end: through it everybody's orders would keep everybody else's."""
    link = tables.link
    known, new = set(documents), set(documents)
    longest = max(LONGEST, _LONGEST_OF_EACH * len(known))
    while new:
        found: set[str] = set()
        batch = sorted(new)
        for start in range(0, len(batch), _AT_ONCE):
            part = batch[start : start + _AT_ONCE]
            found.update(connection.execute(select(link.c.to_document).where(link.c.from_document.in_(part))).scalars())
            found.update(connection.execute(select(link.c.from_document).where(link.c.to_document.in_(part))).scalars())
        beyond = found - known
        known |= beyond
        new = set(references.leading_on(connection, sorted(beyond)))
        if len(known) > longest:
            return None
    return known


def kept_by(connection: Connection, unit: Unit, chain: Collection[str]) -> str | None:
    """Why a unit and its documents cannot be erased now; None where nothing is open."""
    if unit.kind == "transmission" and unit.state not in {"done", "unreadable"}:
        return "the file is still in work or held"
    if unit.kind == REQUEST:
        return _request_kept_by(connection, unit)
    own = set(connection.execute(select(tables.document.c.id).where(tables.document.c.transmission == unit.id)).scalars())
    # what a statement has of others keeps nothing but the statement
    ids = sorted({*references.leading_on(connection, sorted(chain)), *(own & set(chain))})
    for start in range(0, max(1, len(ids)), _AT_ONCE):
        words = _part_kept_by(connection, unit, ids[start : start + _AT_ONCE])
        if words is not None:
            return words
    return None


def _request_kept_by(connection: Connection, unit: Unit) -> str | None:
    unopened = tables.as2_unopened
    if connection.execute(select(unopened.c.seq).where(unopened.c.request_sha256 == unit.id)).first() is not None:
        return "it waits to be opened"
    return "the message that it repeats is kept" if any(one is None for one in rules_of_originals(connection, unit)) else None


def rules_of_originals(connection: Connection, unit: Unit) -> list[str | None]:
    """The messages of a request's names that were taken: for each the rule that its file was erased by, None where the file is kept. A request
    repeats them, or was refused before they were taken; the very same bytes may prove them."""
    asked, receipt, transmission, erasure = tables.as2_request, tables.receipt, tables.transmission, tables.erasure
    # a long name was cut
    is_its = case(
        (func.length(asked.c.message_id) < LONGEST_NAME, receipt.c.message_id == asked.c.message_id),
        else_=receipt.c.message_id.between(asked.c.message_id, asked.c.message_id + "\U0010ffff"),
    )
    query = (
        select(transmission.c.id, func.max(erasure.c.rule))
        .select_from(asked)
        .join(receipt, (receipt.c.as2_from == asked.c.as2_from) & (receipt.c.as2_to == asked.c.as2_to) & is_its)
        .join(transmission, transmission.c.id == receipt.c.transmission)
        .outerjoin(erasure, (erasure.c.subject_kind == "transmission") & (erasure.c.subject == transmission.c.id))
        .where(asked.c.request_sha256 == unit.id)
        .group_by(transmission.c.id)
    )
    return [rule for _, rule in connection.execute(query)]


def _part_kept_by(connection: Connection, unit: Unit, ids: Sequence[str]) -> str | None:
    document, order, item, payment = tables.document, tables.sales_order, tables.open_item, tables.payment
    outbox, hold, handover, pickup = tables.outbox, tables.hold, tables.handover, tables.pickup
    pays = select(tables.allocation.c.payment).join(item, item.c.id == tables.allocation.c.open_item).where(item.c.document.in_(ids))
    of_these = payment.c.document.in_(ids) | payment.c.id.in_(pays)
    leaving = outbox.c.document.in_(ids) | (outbox.c.id == unit.id)
    checks: Sequence[tuple[str, Table, ColumnElement[bool]]] = (
        ("a document is still in work or held", document, document.c.id.in_(ids) & document.c.state.in_(_OPEN_DOCUMENTS)),
        ("it waits for a person", hold, (hold.c.document.in_(ids) | (hold.c.transmission == unit.id)) & hold.c.resolved_at.is_(None)),
        ("an order is still open", order, order.c.document.in_(ids) & order.c.state.in_(_OPEN_ORDERS)),
        ("an invoice is not settled", item, item.c.document.in_(ids) & (item.c.open_minor != 0)),
        ("money is not applied", payment, of_these & (payment.c.unapplied_minor != 0) & payment.c.state.not_in(CAME_AND_WENT)),
        ("something has not left yet", outbox, leaving & outbox.c.state.in_(_LEAVING)),
        ("an acknowledgment is awaited", outbox, leaving & outbox.c.ack_state.in_(("waiting", "overdue"))),
        ("it is not handed over yet", handover, handover.c.document.in_(ids) & (handover.c.state == "waiting")),
        ("the partner has not fetched it", pickup, (pickup.c.sha256 == unit.sha256) & pickup.c.taken_at.is_(None)),
    )
    for words, table, condition in checks:
        if connection.execute(select(literal(1)).select_from(table).where(condition).limit(1)).first() is not None:
            return words
    return None
