"""What became of a try to send is written down: sent, with its receipt and the time until which the answer is waited for; failed, to be
tried again; stopped, until a person mends the endpoint; or given up. The rows of one interchange share their fate."""

from datetime import datetime
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from gateway.pipeline.answers.deadlines import answer_due
from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.circuits import Resting
from gateway.pipeline.outbox.delivered import Awaited
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.outbox.delivered import Lost
from gateway.pipeline.outbox.delivered import NoCertificate
from gateway.pipeline.outbox.delivered import NotHere
from gateway.pipeline.outbox.delivered import Receipt
from gateway.pipeline.outbox.delivered import ReceiptRefused
from gateway.pipeline.outbox.delivered import Told
from gateway.pipeline.spread import spread
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import TRY_AGAIN
from gateway.pipeline.troubles import UNREACHED
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import when_written
from gateway.store.outgoing import answers
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import precedence
from gateway.store.outgoing import tries
from gateway.store.outgoing.outbox import Entry
from gateway.store.records import documents
from gateway.store.watching import troubles
from gateway.transport.box import Busy
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable

#: seconds before the second, third, ... try; after the last one the row rests in `dead`
WAITS = (5, 15, 60, 300, 900, 3600, 3600, 7200, 14400)
#: tries after which bytes that the archive has lost are looked for no more, and seconds between two of them at most: others wait behind them
LOST_TRIES = 5
LOST_WAIT = 300.0
#: seconds that a partner's server may ask to be left alone for (Retry-After)
LONGEST_ASKED = 3600.0
#: how long an endpoint is left alone after a wrong host key, password or setting: one try an hour locks no account
STOPPED = timedelta(hours=1)
#: seconds after which a row asks again whether an account that is left alone may be tried
POSTPONED = timedelta(seconds=10)

BRING_BACK = (
    "Bring the file back into the archive from a backup (gateway journal verify names all that are missing). It is looked for a few times more; "
    "then it stands among what was given up, the others go on, and gateway resend --anew sends it again."
)
NEW_CERTIFICATE = "Put a new certificate where the partner's file names it: sending goes on by itself within a minute."

_log = structlog.get_logger("outbound")

#: the rows of one file, and what is known of its delivery
Gone = tuple[list[Entry], Delivered]
Failed = tuple[list[Entry], TransportError]


def record(station: Station, sent: list[Gone], failure: Failed | None, rest: list[str], token: str) -> None:
    """Write down what left and what did not, and give the rows behind it back untried."""
    now = station.clock()
    left = [(entry, delivered) for rows, delivered in sent if delivered.awaited is None for entry in rows]
    with station.database.begin() as connection:
        entries: list[journal.Entry] = []
        if left:
            for due, ids in _by_deadline(station, [entry for entry, _ in left], now).items():
                tries.sent(connection, ids, token, now, due)
            tell_left(connection, left, now, entries)
        for rows, delivered in sent:
            if delivered.awaited is not None:
                _posted(connection, rows, delivered, delivered.awaited, token, now, entries)
        receipts = [(rows, delivered.receipt) for rows, delivered in sent if delivered.receipt is not None]
        if failure is not None and isinstance(failure[1], ReceiptRefused):
            refused = failure[1].delivered
            words = "refused by receipt" if refused.receipt is not None else "receipt proves nothing"
            if refused.receipt is not None:
                receipts.append((failure[0], refused.receipt))
            entries += [entry_of(entry, now, words, refused.facts, refused.references) for entry in failure[0]]
        answers.keep(connection, [receipt_answer(entry, receipt, now) for rows, receipt in receipts for entry in rows])
        for delivered in (*(one for _, one in sent), *([failure[1].delivered] if failure and isinstance(failure[1], ReceiptRefused) else [])):
            if delivered.told is not None:
                keep_told(connection, delivered.told, now)
        if failure is not None:
            _failed(connection, *failure, token, now, entries)
        if rest:
            tries.unclaim(connection, rest, token)
        for stream in precedence.streams_behind(connection, [entry.id for rows, _ in sent for entry in rows]):
            streams.poke(connection, stream)
        journal.append(connection, entries)
        crash.point(57)


def record_barely(station: Station, rows: list[Entry], delivered: Delivered, token: str, error: Exception) -> None:
    """All else that would be written of these rows fails by a fault of ours: that they left is written all the same, or they
    would leave again and again. Raises StaleState where the lease was lost."""
    now, name = station.clock(), type(error).__name__
    ids = [row.id for row in rows]
    with station.database.begin() as connection:
        if delivered.awaited is not None:
            tries.posted(connection, ids, token, now, delivered.awaited.until)
        else:
            tries.sent(connection, ids, token, now, None)
        words = f"it has left; what else there is to say of it could not be written: {name}"
        journal.append(connection, [entry_of(row, now, "sent", {"identity": row.identity or "", "error": name}, reason=words) for row in rows])
    _log.error("sent, and not recorded as it should", rows=ids, identity=rows[0].identity, error=name, cure="report the error", exc_info=error)


def tell_left(connection: Connection, left: list[tuple[Entry, Delivered]], now: datetime, entries: list[journal.Entry]) -> None:
    """Rows have left: their documents are sent, and the journal says with which proof."""
    for entry, delivered in left:
        entries.append(entry_of(entry, now, "sent", {"identity": entry.identity or "", **delivered.facts}, delivered.references))
    changes = [
        documents.Change(document=document.id, expected=document.state, state="sent", actor="gateway", reason="it has left", at=now)
        for document in documents.get_many(connection, [entry.document for entry, _ in left if entry.document]).values()
        if document.state in (given_up.TO_LEAVE, given_up.GIVEN_UP)
    ]
    documents.transition(connection, changes)
    troubles.is_over(connection, _sending(left[0][0]))


def _posted(
    connection: Connection, rows: list[Entry], delivered: Delivered, awaited: Awaited, token: str, now: datetime, entries: list[journal.Entry]
) -> None:
    """The partner's station took the rows and posts its receipt later; it may have been quicker than we are here."""
    ids = [row.id for row in rows]
    sending = as2_sendings.lock(connection, awaited.message_id)
    if sending is not None and sending.receipt_state == "refused":
        tries.dead(connection, ids, token, sending.trouble or "refused by the partner's receipt")
        given_up.rest(connection, ids, sending.trouble or "refused by the partner's receipt", now)
        entries += [entry_of(row, now, "given up", {"attempts": str(row.attempts)}, reason=sending.trouble or "") for row in rows]
        return
    if sending is not None and sending.receipt_state != "accepted":
        as2_sendings.posted(connection, awaited.message_id)
    tries.posted(connection, ids, token, now, awaited.until)
    entries += [entry_of(row, now, "posted", {"identity": row.identity or "", **delivered.facts}, delivered.references) for row in rows]
    troubles.is_over(connection, _sending(rows[0]))


def keep_told(connection: Connection, told: Told, now: datetime) -> None:
    """Keep what a receipt says with the message that it speaks of."""
    as2_sendings.told(
        connection,
        told.message_id,
        told.state,
        at=now,
        sha256=told.sha256,
        disposition=told.disposition,
        signed_by=told.signed_by,
        trouble=told.trouble,
    )


def _failed(connection: Connection, rows: list[Entry], error: TransportError, token: str, now: datetime, entries: list[journal.Entry]) -> None:
    entry, ids = rows[0], [row.id for row in rows]
    if not isinstance(error, NotHere):
        _tell(connection, entry, error, now)
    if isinstance(error, Resting | Busy | NotHere):
        # asking again costs no login; it counts as no try
        tries.postpone(connection, ids, token, now + POSTPONED, error.message)
        if entry.last_error == error.message:
            return
        action = "stopped" if error.stop else "postponed"
        if error.stop:
            _log_stopped(connection, entry, error)
    elif error.stop:
        # the row is as good as any behind it: they wait together, in order, for a person to mend the endpoint
        tries.failed(connection, ids, token, now + STOPPED, error.message)
        action = "stopped"
        _log_stopped(connection, entry, error)
    elif is_given_up(entry, error):
        said = partial(_log.error, "given up", partner=entry.partner, endpoint=entry.endpoint, row=entry.id, spec=entry.spec)
        when_written(connection, partial(said, error=error.message))
        tries.dead(connection, ids, token, error.message)
        given_up.rest(connection, ids, error.message, now)
        action = "given up"
    else:
        if entry.attempts == 1:
            said = partial(_log.warning, "sending failed", partner=entry.partner, endpoint=entry.endpoint, row=entry.id)
            when_written(connection, partial(said, error=error.message, cure="it is tried again by itself"))
        wait = spread(WAITS[min(entry.attempts, len(WAITS)) - 1])
        if isinstance(error, Lost):
            wait = min(wait, LOST_WAIT)
        # a server that asks for time gets it, within reason: it may be wrong about its clock
        wait = max(wait, min(error.after, LONGEST_ASKED))
        tries.failed(connection, ids, token, now + timedelta(seconds=wait), error.message)
        action = "failed"
    entries += [entry_of(row, now, action, {"attempts": str(row.attempts)}, reason=error.message) for row in rows]


def _log_stopped(connection: Connection, entry: Entry, error: TransportError) -> None:
    said = partial(_log.error, "endpoint stopped", partner=entry.partner, endpoint=entry.endpoint, error=error.message)
    when_written(connection, partial(said, cure="mend what the error names; then gateway reload"))


def receipt_answer(entry: Entry, receipt: Receipt, now: datetime) -> answers.Answer:
    """An AS2 receipt as an answer of the partner, in the layer of its transport."""
    return answers.Answer(
        id=short_id("A", entry.id, "MDN", entry.attempts),
        partner=entry.partner,
        kind="MDN",
        layer="transport",
        level="interchange",
        outbox=entry.id,
        speaks_of=f"message {entry.identity}",
        outcome=receipt.outcome,
        relation="first" if entry.attempts == 1 else "further",
        notes=(receipt.disposition,) if receipt.disposition else (),
        problems=receipt.problems,
        at=now,
    )


def _by_deadline(station: Station, sent: list[Entry], now: datetime) -> dict[datetime | None, list[str]]:
    """The rows that left, by the time until which their answer is waited for."""
    found: dict[datetime | None, list[str]] = {}
    for entry in sent:
        found.setdefault(answer_due(station, entry, now), []).append(entry.id)
    return found


def is_given_up(entry: Entry, error: TransportError) -> bool:
    """Whether a row that failed so is not tried again by itself."""
    if error.stop or isinstance(error, Resting | Busy):
        return False  # it is no fault of the row: it waits
    if isinstance(error, Lost) and error.retry:
        return entry.attempts >= LOST_TRIES and entry.last_error == error.message
    return not error.retry or entry.attempts > len(WAITS)


def _sending(entry: Entry) -> str:
    return sending_trouble(entry.partner, entry.endpoint)


def sending_trouble(partner: str, endpoint: str) -> str:
    """The name of a trouble with the endpoint that a row leaves by."""
    return f"sending {partner}:{endpoint}"


def _tell(connection: Connection, entry: Entry, error: TransportError, now: datetime) -> None:
    """Show that an endpoint takes nothing; a row that was given up stands among the dead deliveries instead."""
    if is_given_up(entry, error):
        troubles.is_over(connection, _sending(entry))
        return
    troubles.stands(
        connection,
        troubles.Trouble(
            name=_sending(entry),
            kind="certificate" if isinstance(error, NoCertificate) else "sending",
            partner=entry.partner,
            state="stopped" if error.stop else "retrying",
            error=error.message,
            cure=_cure(error),
            since=now,
        ),
    )


def _cure(error: TransportError) -> str:
    if isinstance(error, NoCertificate):
        return NEW_CERTIFICATE
    if isinstance(error, Lost):
        return BRING_BACK
    if error.stop:
        return TRY_AGAIN
    return UNREACHED if isinstance(error, Resting | Unreachable) else MENDS_ITSELF


def entry_of(entry: Entry, now: datetime, action: str, facts: dict[str, str], references: tuple[str, ...] = (), reason: str = "") -> journal.Entry:
    """The journal's entry about a row."""
    return journal.Entry(
        stream=entry.stream,
        at=now,
        actor="gateway",
        action=f"{entry.kind} {action}",
        subject_kind="outbox",
        subject=entry.id,
        reason=reason,
        facts={"spec": entry.spec, **facts},
        references=references,
    )
