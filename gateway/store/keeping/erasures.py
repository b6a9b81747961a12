"""What was erased, and what must not be: erasures with their payloads, and the legal holds that keep everything as it is.

An erasure takes bytes and bodies, never the journal: digests, states and amounts stay, so that the books still prove themselves.
"""

from collections.abc import Collection
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Delete
from sqlalchemy import Table
from sqlalchemy import Update
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import update

from gateway.store import journal
from gateway.store import tables
from gateway.store.incoming import as2_requests
from gateway.store.outgoing import receipts
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

_TABLE = tables.erasure
#: what is left of an interchange's envelope, in the form of those who read it
NO_ENVELOPE = '{"envelope":null}'
_HOLD = tables.legal_hold


class Erasure(Row, frozen=True, kw_only=True):
    """One payload of one unit (store.due) that was erased by a rule; no digest where nothing of it lay in the archive."""

    subject_kind: str
    subject: str
    sha256: str
    erased_at: datetime
    rule: str
    #: when the bytes left the archive; None: not yet (a kill in between, or the same bytes came again)
    removed_at: datetime | None = None


class LegalHold(Row, frozen=True, kw_only=True):
    """What must not be erased whatever the rules say. `subject_kind`: partner, document, transmission, as2_request."""

    id: str
    subject_kind: str
    subject: str
    actor: str
    reason: str
    since: datetime
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


def add(connection: Connection, erasures: Iterable[Erasure]) -> None:
    """Enter erasures; one that is there already stays."""
    rows = [values_of(erasure) for erasure in erasures]
    if rows:
        connection.execute(insert(connection, _TABLE).on_conflict_do_nothing(), rows)


def of_payload(connection: Connection, sha256: str) -> Erasure | None:
    """The latest erasure of these bytes."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.sha256 == sha256).order_by(_TABLE.c.erased_at.desc()).limit(1)), Erasure)


def words_of(connection: Connection, sha256: str) -> str | None:
    """Why bytes are not there, where a rule erased them."""
    found = of_payload(connection, sha256)
    if found is None:
        return None
    return f"These bytes were erased on {found.erased_at:%Y-%m-%d} by the rule {found.rule}; the journal holds the proof"


def unfinished(connection: Connection) -> list[str]:
    """Payloads that are erased by their rule and still lie in the archive, as far as we know."""
    waiting = (_TABLE.c.removed_at.is_(None), _TABLE.c.sha256 != "")
    return list(connection.execute(select(_TABLE.c.sha256).where(*waiting).distinct().order_by(_TABLE.c.sha256)).scalars())


def removed(connection: Connection, sha256: str, at: datetime) -> None:
    """The bytes have left the archive."""
    connection.execute(update(_TABLE).where(_TABLE.c.sha256 == sha256, _TABLE.c.removed_at.is_(None)).values(removed_at=at))


def recent(connection: Connection, limit: int = 50) -> list[Erasure]:
    """The newest erasures."""
    return all_of(connection.execute(select(_TABLE).order_by(_TABLE.c.erased_at.desc(), _TABLE.c.subject).limit(limit)), Erasure)


def erase_contents(connection: Connection, subject: str, documents: Collection[str]) -> None:
    """Take what stands in the rows of a unit and its documents; numbers, amounts, dates and states stay."""
    ids = sorted(documents)
    content, change, handover = tables.document_content, tables.order_change, tables.handover
    outbox, hold, answer, payment = tables.outbox, tables.hold, tables.answer, tables.payment
    statements: list[Update | Delete] = [
        update(content).where(content.c.document.in_(ids)).values(body=None, problems=(), result=None),
        update(change).where(change.c.document.in_(ids)).values(body=None),
        update(handover).where(handover.c.document.in_(ids)).values(body="", last_error=None),
        update(outbox).where(outbox.c.document.in_(ids) | (outbox.c.id == subject)).values(body="", last_error=None),
        update(hold).where(hold.c.document.in_(ids) | (hold.c.transmission == subject)).values(reasons=()),
        update(answer).where(answer.c.document.in_(ids) | (answer.c.transmission == subject)).values(problems=(), notes=()),
        update(payment).where(payment.c.document.in_(ids)).values(payer_name=None, payer_account=None, text=None, details={}),
        update(tables.transmission).where(tables.transmission.c.id == subject).values(problems=()),
        # problems of an envelope say what was found in it
        update(tables.interchange).where(tables.interchange.c.transmission == subject).values(envelope=NO_ENVELOPE),
        # and why a message was refused
        delete(tables.as2_refusal).where(tables.as2_refusal.c.request_sha256 == subject),
    ]
    for statement in statements:
        connection.execute(statement)
    for one in (subject, *ids):
        journal.forget_salt(connection, one)


def subjects_of(connection: Connection, reference: str, partner: str | None = None) -> list[str]:
    """The ids of files, deliveries and documents (of one partner) that people know by a name, number or id, and of AS2 messages by Message-ID."""
    transmission, outbox, document = tables.transmission, tables.outbox, tables.document
    called = (document.c.id == reference) | (document.c.number == reference)
    ids = list(connection.execute(select(document.c.id).where(called, _is_of(document, partner))).scalars())
    message = reference.strip().removeprefix("<").removesuffix(">")
    requests = {one.request_sha256 for one in as2_requests.named(connection, message, partner)}
    taken = [one.transmission for one in receipts.named(connection, message)]
    sending = tables.as2_sending
    queries = (
        select(transmission.c.id).where((transmission.c.name == reference) | (transmission.c.id == reference), _is_of(transmission, partner)),
        select(document.c.transmission).where(document.c.id.in_(ids), document.c.transmission.is_not(None)),
        select(outbox.c.id).where(
            (outbox.c.identity == reference) | (outbox.c.id == reference) | outbox.c.document.in_(ids), _is_of(outbox, partner)
        ),
        select(transmission.c.id).where(transmission.c.id.in_(taken), _is_of(transmission, partner)),
        select(sending.c.outbox).where(sending.c.message_id == message, _is_of(sending, partner)),
    )
    return sorted({*ids, *requests, *(id for query in queries for id in connection.execute(query).scalars())})


def _is_of(table: Table, partner: str | None) -> ColumnElement[bool]:
    return table.c.partner == partner if partner is not None else true()


# ---------------------------------------------------------------- legal holds


def hold(connection: Connection, wanted: LegalHold) -> None:
    """Put a hold; the same subject may be held for several reasons."""
    connection.execute(_HOLD.insert().values(values_of(wanted)))


def release(connection: Connection, id: str, at: datetime, actor: str, reason: str) -> bool:
    """End a hold; False where it has ended already."""
    standing = (_HOLD.c.id == id, _HOLD.c.released_at.is_(None))
    return connection.execute(update(_HOLD).where(*standing).values(released_at=at, released_by=actor, release_reason=reason)).rowcount == 1


def standing(connection: Connection) -> list[LegalHold]:
    """All holds that have not ended, oldest first."""
    return all_of(connection.execute(select(_HOLD).where(_HOLD.c.released_at.is_(None)).order_by(_HOLD.c.since, _HOLD.c.id)), LegalHold)
