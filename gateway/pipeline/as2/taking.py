"""What was opened is written down: new messages with their payloads on their streams, their receipts and the journal's entries; what was
refused or came again, with its bytes; receipts that are posted. One commit, however many came together."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import Connection

from gateway.exchange.as2 import Received
from gateway.pipeline.as2 import refusing
from gateway.pipeline.as2.arrived import Arrived
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import ReceiptOrder
from gateway.pipeline.as2.proof import Kept
from gateway.pipeline.as2.proof import Proof
from gateway.pipeline.as2.proof import keep_proofs
from gateway.pipeline.as2.refusing import STRANGERS
from gateway.pipeline.endpoints import RECEIPTS
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.identity import new_id
from gateway.store.incoming import as2_requests
from gateway.store.incoming import as2_unopened
from gateway.store.incoming import transmissions
from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.incoming.as2_requests import Request
from gateway.store.incoming.transmissions import Transmission
from gateway.store.outgoing import outbox
from gateway.store.outgoing import posted
from gateway.store.outgoing import receipts
from gateway.store.payloads.in_rows import keep_small

#: characters of what a stranger may write into our journal
_LONGEST_FACT = 200
_log = structlog.get_logger("as2")
_NOT_IN_NAMES = re.compile(r"[^\w.+=@ -]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message as far as it could be opened, and the digest of its request."""

    got: Received
    request: str
    #: it was answered before and is among the unopened
    was_put_by: bool = False

    @property
    def receipt(self) -> bytes:
        """The receipt's bytes, whichever way it goes; empty where none was asked for."""
        return (self.got.post or self.got.answer).body


class TakenMeanwhile(Exception):
    """One of these messages has been committed by somebody else: nothing of this commit is kept."""


def write_down(station: Station, relations: Relations, arrived: Arrived, opened: Sequence[Opened], now: datetime) -> None:
    """Everything in the archive, then everything in one commit; raises TakenMeanwhile."""
    new = [one for one in opened if one.got.is_new]
    told = [one for one in opened if not one.got.is_new]
    given = _receipts_for(told)
    mdns = {number: hashlib.sha256(receipt).hexdigest() for number, receipt in given.items()}
    refused = {number: _refused(relations, one, mdns.get(number), now) for number, one in enumerate(told) if not one.got.duplicate}
    # there may be any number of them: what is beyond measure is answered, and no more said of it
    unsaid = {number for number, one in refused.items() if not relations.measures.may_be_told(one.partner, one.code)}
    beyond = {told[number].request for number in unsaid}
    arrived.leave_out(beyond, {one.request for one in (*new, *(one for number, one in enumerate(told) if number not in unsaid))})
    kept = keep_proofs(arrived, [(one.got.unwrapped, one.request, one.receipt) for one in new], now) if new else []
    rows_of_new = [_transmissions(one, its, _address(relations, one.got), now) for one, its in zip(new, kept, strict=True)]
    if not opened:
        return
    arrived.keep()
    said = [one for number, one in refused.items() if number not in unsaid]
    entries = [_told(relations, one, mdns.get(number), now) for number, one in enumerate(told) if number not in unsaid]
    # a receipt that nobody names would lie there for ever
    named = [receipt for number, receipt in given.items() if number not in unsaid or told[number].got.post_to is not None]
    with station.database.begin() as connection:
        keep_small(connection, [*(data for its in kept for data in its.small), *named])
        if new:
            entries += _register(connection, new, kept, rows_of_new, now)
        for stream in dict.fromkeys(rows[0].stream for rows in rows_of_new):
            streams.poke(connection, stream)
        for one, its in zip(new, kept, strict=True):
            if one.got.post_to is not None:
                _enqueue(connection, relations, one.got, its.proof.mdn, now)
        for number, one in enumerate(told):
            if one.got.post_to is not None and number in mdns:
                _enqueue(connection, relations, one.got, mdns[number], now)
        as2_unopened.opened(connection, [one.request for one in opened if one.was_put_by])
        refusing.keep(connection, relations.measures, said)
        as2_requests.keep(connection, [_request(relations, one, now) for number, one in enumerate(told) if number not in unsaid])
        journal.append(connection, entries)
        crash.point(72)
    refusing.log_refused(said)
    for one in told:
        if one.got.duplicate:
            message = one.got.unwrapped
            whose = relations.sender_of(message.as2_from, message.as2_to) or ""
            _log.info("as2 message came again", partner=whose, message_id=message.message_id[:_LONGEST_FACT], request=one.request)


def _register(
    connection: Connection, new: Sequence[Opened], kept: Sequence[Kept], arrived: Sequence[Sequence[Transmission]], now: datetime
) -> list[journal.Entry]:
    """New messages: their payloads wait to be opened, their receipts are known; what the journal says of them."""
    answered = iter(transmissions.register_many(connection, [row for rows in arrived for row in rows]))
    entries: list[journal.Entry] = []
    given: list[receipts.Receipt] = []
    for one, its, rows in zip(new, kept, arrived, strict=True):
        message = one.got.unwrapped
        registered = [next(answered) for _ in rows]
        entries += [_received(row, its.proof, now) for row, fresh in registered if fresh]
        given.append(
            receipts.Receipt(
                as2_from=message.as2_from,
                as2_to=message.as2_to,
                message_id=message.message_id,
                transmission=registered[0][0].id,
                mdn_sha256=its.proof.mdn,
                headers=dict((one.got.post or one.got.answer).headers),
                at=now,
            )
        )
    if not receipts.keep(connection, given):
        raise TakenMeanwhile
    return entries


def source_identity(message_id: str, position: int) -> str:
    """What tells a payload from all others: several of one message by their places in it, behind a blank, which no Message-ID has."""
    return message_id if position == 0 else f"{message_id} {position + 1}"


def _transmissions(one: Opened, kept: Kept, address: str, now: datetime) -> list[Transmission]:
    message = one.got.unwrapped
    return [
        Transmission(
            id=new_id(),
            direction="in",
            endpoint=address,
            source_identity=source_identity(message.message_id, position),
            name=safe_name(payload.filename, f"{message.message_id}{f'-{position + 1}' if position else ''}"),
            sha256=sha256,
            size=len(payload.data),
            received_at=now,
            stream=stream_of(address),
            properties=kept.proof.properties(message, position),
        )
        for position, (payload, sha256) in enumerate(zip(message.payloads, kept.payloads, strict=True))
    ]


def safe_name(name: str | None, message_id: str) -> str:
    """The payload's name as we may show it and give it out: the last part of its path, without what a file system or page could trip over."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    clean = _NOT_IN_NAMES.sub("_", last).strip(" .")[:120]
    return clean or f"as2-{_NOT_IN_NAMES.sub('_', message_id)[:80]}"


def _received(transmission: Transmission, proof: Proof, now: datetime) -> journal.Entry:
    return journal.Entry(
        stream=transmission.stream,
        at=now,
        actor="gateway",
        action="received",
        subject_kind="transmission",
        subject=transmission.id,
        facts={**transmission.properties, "name": transmission.name, "address": transmission.endpoint, "size": str(transmission.size)},
        references=(transmission.sha256, *proof.references),
    )


def _enqueue(connection: Connection, relations: Relations, got: Received, mdn: str, now: datetime) -> None:
    """A receipt of ours that is posted: a row of the outbox, the same one when the message comes again."""
    found = relations.partner_of(got.unwrapped.as2_from, got.unwrapped.as2_to)
    assert found is not None and got.post is not None and got.post_to is not None
    partner, endpoint, _ = found
    # in a stream of its own: a receipt waits for no document, and no document for a receipt
    stream = f"{out_stream(partner.id, endpoint)}{RECEIPTS}"
    order = ReceiptOrder(address=got.post_to, headers=tuple(got.post.headers), message_id=got.unwrapped.message_id)
    row = outbox.Entry(
        id=short_id("R", mdn, got.post_to),
        partner=partner.id,
        endpoint=endpoint,
        stream=stream,
        kind="receipt",
        spec="as2/mdn",
        body=msgspec.json.encode(order).decode(),
        state="prepared",
        created_at=now,
        due_at=now,
        identity=next((value.strip("<>") for name, value in got.post.headers if name.lower() == "message-id"), mdn),
        sha256=mdn,
    )
    if not outbox.enqueue(connection, [row]):
        posted.again(connection, row.id, now)
    streams.poke(connection, stream)


def _receipts_for(told: Sequence[Opened]) -> dict[int, bytes]:
    """Receipts for what is not taken, by their places; one that is kept already is kept once more only to be posted."""
    return {number: one.receipt for number, one in enumerate(told) if one.receipt and (one.got.post is not None or _is_new_receipt(one.got))}


def _is_new_receipt(got: Received) -> bool:
    return got.anew or not got.duplicate


def _refused(relations: Relations, one: Opened, mdn: str | None, now: datetime) -> Refusal:
    name = one.got.unwrapped.filename
    return refusing.refusal_of(relations, one.got, one.request, mdn, safe_name(name, "") if name else "", now)


def _request(relations: Relations, one: Opened, now: datetime) -> Request:
    message = one.got.unwrapped
    names = (message.as2_from, message.as2_to)
    return Request(
        request_sha256=one.request,
        partner=relations.sender_of(*names) or "",
        as2_from=names[0],
        as2_to=names[1],
        message_id=message.message_id,
        came_at=now,
    )


def _told(relations: Relations, one: Opened, mdn: str | None, now: datetime) -> journal.Entry:
    """What was refused, or came again, stands in the journal with its bytes; nothing else happens."""
    got, message = one.got, one.got.unwrapped
    facts = {
        "partner": relations.sender_of(message.as2_from, message.as2_to) or "",
        "as2_from": message.as2_from,
        "as2_to": message.as2_to,
        "message_id": message.message_id,
        "problems": codes((*message.problems, *got.problems)),
        "status": str(got.answer.status),
    }
    return journal.Entry(
        stream=stream_of(_address(relations, got)) if message.relation is not None else STRANGERS,
        at=now,
        actor="gateway",
        action="AS2 message came again" if got.duplicate else refusing.REFUSED,
        subject_kind="as2_request",
        subject=one.request,
        facts={key: value[:_LONGEST_FACT] for key, value in facts.items() if value},
        references=(one.request, mdn) if mdn is not None and _is_new_receipt(got) else (one.request,),
    )


def _address(relations: Relations, got: Received) -> str:
    """The address of the endpoint that these two names belong to: who may send what over it follows from the agreements."""
    found = relations.partner_of(got.unwrapped.as2_from, got.unwrapped.as2_to)
    return found[2].address if found is not None else "as2"
