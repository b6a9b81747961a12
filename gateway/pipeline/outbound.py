"""The walk outward. Its order is written here, once:

    trade or acknowledgment   a row in the outbox, in the transaction that decided it
    claim                     the stream's next rows are leased                              (store.outbox)
    render                    document -> transaction, checked against its schema            (mapping, schema)
                              control numbers drawn, put in its envelope                     (store.controls, exchange.envelope)
                              -> bytes                                                       (codecs)
    archive                   bytes kept, identity fixed: one commit
    deliver                   bytes leave under that identity                                (transport)
    record                    sent, with its receipt; or failed, to be tried again; or dead

Identity (file name, Message-ID) and control numbers are drawn once, when the row really leaves, and are the same on every try:
a try that was killed between sending and recording is repeated and can be told from a new message by the partner.
"""

import random
from datetime import datetime
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from gateway.kinds import pipeline as kinds
from gateway.pipeline.deadlines import answer_due
from gateway.pipeline.delivery import Delivered
from gateway.pipeline.delivery import Receipt
from gateway.pipeline.delivery import ReceiptRefused
from gateway.pipeline.delivery import deliver
from gateway.pipeline.rendering import Body
from gateway.pipeline.rendering import Rendered
from gateway.pipeline.rendering import Unrenderable
from gateway.pipeline.rendering import body_of
from gateway.pipeline.rendering import render
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.pipeline.troubles import MENDS_ITSELF
from gateway.pipeline.troubles import START_AGAIN
from gateway.problem import NOWHERE
from gateway.store import answers
from gateway.store import crash
from gateway.store import documents
from gateway.store import journal
from gateway.store import outbox
from gateway.store import troubles
from gateway.store.identity import lease_token
from gateway.store.outbox import Entry
from gateway.store.rows import StaleState
from gateway.transport.box import TransportError

BATCH = 20
LEASE = timedelta(seconds=120)
#: seconds before the second, third, ... try; after the last one the row rests in `dead`
WAITS = (5, 15, 60, 300, 900, 3600, 3600, 7200, 14400)
#: how long an endpoint is left alone after a wrong host key, password or setting: one try an hour locks no account
STOPPED = timedelta(hours=1)

_log = structlog.get_logger("outbound")


def step(station: Station, stream: str) -> bool:
    """Send the next rows of a stream; true when more may be waiting."""
    token = lease_token()
    crash.point(50)
    with station.database.begin() as connection:
        claimed = outbox.claim(connection, stream=stream, now=station.clock(), lease=LEASE, limit=BATCH, token=token)
    if not claimed:
        return False
    crash.point(51)
    try:
        ready = _prepare(station, claimed, token)
        return _send(station, ready, token) and len(claimed) == BATCH
    except StaleState:
        # the lease ran out and another worker has the rows: what it does counts
        return True


def _prepare(station: Station, claimed: list[Entry], token: str) -> list[Entry]:
    """Fix identity, control numbers and bytes of what leaves for the first time; what cannot be written rests in `dead`."""
    fresh = [entry for entry in claimed if entry.state == "claimed"]
    if not fresh:
        return claimed
    now = station.clock()
    done: dict[str, Rendered] = {}
    # what needs no number is made before the writer is held
    bodies = {entry.id: _body_alone(station, entry) for entry in fresh}
    with station.database.begin() as connection:
        entries = []
        for entry in fresh:
            rendered = _render_alone(station, connection, entry, bodies[entry.id], now)
            if isinstance(rendered, Unrenderable):
                outbox.dead(connection, [entry.id], token, rendered.reason)
                entries.append(_entry(entry, now, "cannot be written", {"problems": rendered.codes}, reason=rendered.reason))
            else:
                done[entry.id] = rendered
        crash.point(52)
        digests = station.archive.keep_many([rendered.data for rendered in done.values()])
        crash.point(53)
        outbox.prepare(
            connection,
            token,
            [
                outbox.Preparation(
                    id=id,
                    identity=rendered.identity,
                    sha256=sha256,
                    transaction_type=rendered.transaction_type,
                    interchange_control=rendered.interchange_control,
                    group_control=rendered.group_control,
                    transaction_control=rendered.transaction_control,
                )
                for (id, rendered), sha256 in zip(done.items(), digests, strict=True)
            ],
        )
        for (id, rendered), sha256 in zip(done.items(), digests, strict=True):
            entry = next(entry for entry in fresh if entry.id == id)
            entries.append(_entry(entry, now, "prepared", {"identity": rendered.identity, "control": rendered.interchange_control or ""}, (sha256,)))
        journal.append(connection, entries)
        crash.point(54)
    crash.point(55)
    with station.database.read() as connection:
        return [outbox.get_existing(connection, entry.id) for entry in claimed if entry.id in done or entry.state == "prepared"]


def _body_alone(station: Station, entry: Entry) -> Body | Unrenderable | None:
    """Map one row's document; its failure leaves its neighbours alone, is shown, and can be revived."""
    try:
        return body_of(station, entry)
    except Exception as error:  # noqa: BLE001  whatever is wrong with this row must not keep the others back
        return _failed(entry, error)


def _render_alone(station: Station, connection: Connection, entry: Entry, body: Body | Unrenderable | None, now: datetime) -> Rendered | Unrenderable:
    """Render one row so that its failure gives its control numbers back and leaves its neighbours alone."""
    if isinstance(body, Unrenderable):
        return body
    savepoint = connection.begin_nested()
    try:
        rendered = render(station, connection, entry, body, now)
    except Exception as error:  # noqa: BLE001  see above
        rendered = _failed(entry, error)
    if isinstance(rendered, Unrenderable):
        savepoint.rollback()
    else:
        savepoint.commit()
    return rendered


def _failed(entry: Entry, error: Exception) -> Unrenderable:
    _log.error("row cannot be rendered", row=entry.id, error=type(error).__name__, exc_info=error)
    return Unrenderable((kinds.STEP_FAILED.at(NOWHERE, f"{entry.spec} could not be written: {type(error).__name__}: {error}"),))


def _send(station: Station, ready: list[Entry], token: str) -> bool:
    """Deliver in order and record; a failure keeps the rows behind it back. True when all went."""
    sent: list[tuple[Entry, Delivered]] = []
    failure: tuple[Entry, TransportError] | None = None
    for entry in ready:
        assert entry.sha256 is not None
        try:
            sent.append((entry, deliver(station, entry, station.archive.read(entry.sha256))))
        except TransportError as error:
            failure = (entry, error)
            break
        except Exception as error:  # noqa: BLE001  what went before it has left and must be recorded; this row is tried again like any
            _log.exception("delivery failed", row=entry.id)
            failure = (entry, TransportError(f"delivery failed: {type(error).__name__}: {error}", retry=True))
            break
        crash.point(56)
    _record(station, ready, sent, failure, token)
    crash.point(58)
    return failure is None


def _record(
    station: Station, ready: list[Entry], sent: list[tuple[Entry, Delivered]], failure: tuple[Entry, TransportError] | None, token: str
) -> None:
    now = station.clock()
    with station.database.begin() as connection:
        entries = []
        if sent:
            for due, ids in _by_deadline(station, [entry for entry, _ in sent], now).items():
                outbox.sent(connection, ids, token, now, due)
            for entry, delivered in sent:
                entries.append(_entry(entry, now, "sent", {"identity": entry.identity or "", **delivered.facts}, delivered.references))
            changes = [
                documents.Change(document=document.id, expected=document.state, state="sent", actor="gateway", reason="it has left", at=now)
                for document in documents.get_many(connection, [entry.document for entry, _ in sent if entry.document]).values()
                if document.state == "created"
            ]
            documents.transition(connection, changes)
        if sent:
            troubles.is_over(connection, _sending(ready[0]))
        receipts = [(entry, delivered.receipt) for entry, delivered in sent if delivered.receipt is not None]
        if failure is not None and isinstance(failure[1], ReceiptRefused) and failure[1].delivered.receipt is not None:
            receipts.append((failure[0], failure[1].delivered.receipt))
            entries.append(_entry(failure[0], now, "refused by receipt", failure[1].delivered.facts, failure[1].delivered.references))
        answers.keep(connection, [_receipt_answer(entry, receipt, now) for entry, receipt in receipts])
        if failure is not None:
            entry, error = failure
            _tell(connection, entry, error, now)
            if error.stop:
                # the row is as good as any behind it: they wait together, in order, for a person to mend the endpoint
                outbox.failed(connection, [entry.id], token, now + STOPPED, error.message)
                entries.append(_entry(entry, now, "stopped", {"attempts": str(entry.attempts)}, reason=error.message))
                _log.error(
                    "endpoint stopped",
                    partner=entry.partner,
                    endpoint=entry.endpoint,
                    error=error.message,
                    cure="mend what the error names, then start the service again",
                )
            elif _is_given_up(entry, error):
                _log.error("given up", partner=entry.partner, endpoint=entry.endpoint, row=entry.id, spec=entry.spec, error=error.message)
                outbox.dead(connection, [entry.id], token, error.message)
                entries.append(_entry(entry, now, "given up", {"attempts": str(entry.attempts)}, reason=error.message))
            else:
                if entry.attempts == 1:
                    _log.warning(
                        "sending failed",
                        partner=entry.partner,
                        endpoint=entry.endpoint,
                        row=entry.id,
                        error=error.message,
                        cure="it is tried again by itself",
                    )
                wait = WAITS[entry.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311  spreads tries, guards nothing
                outbox.failed(connection, [entry.id], token, now + timedelta(seconds=wait), error.message)
                entries.append(_entry(entry, now, "failed", {"attempts": str(entry.attempts)}, reason=error.message))
            rest = [other.id for other in ready[len(sent) + 1 :]]
            if rest:
                outbox.unclaim(connection, rest, token)
        journal.append(connection, entries)
        crash.point(57)


def _receipt_answer(entry: Entry, receipt: Receipt, now: datetime) -> answers.Answer:
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


def _is_given_up(entry: Entry, error: TransportError) -> bool:
    return not error.retry or entry.attempts > len(WAITS)


def _sending(entry: Entry) -> str:
    """The name of a trouble with the endpoint that a row leaves by."""
    return f"sending {entry.partner}:{entry.endpoint}"


def _tell(connection: Connection, entry: Entry, error: TransportError, now: datetime) -> None:
    """Show that an endpoint takes nothing; a row that was given up stands among the dead deliveries instead."""
    if not error.stop and _is_given_up(entry, error):
        troubles.is_over(connection, _sending(entry))
        return
    troubles.stands(
        connection,
        troubles.Trouble(
            name=_sending(entry),
            kind="sending",
            partner=entry.partner,
            state="stopped" if error.stop else "retrying",
            error=error.message,
            cure=START_AGAIN if error.stop else MENDS_ITSELF,
            since=now,
        ),
    )


def _entry(entry: Entry, now: datetime, action: str, facts: dict[str, str], references: tuple[str, ...] = (), reason: str = "") -> journal.Entry:
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
