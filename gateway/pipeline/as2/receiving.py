"""A request that came to our AS2 address, from its bytes to what is answered: kept first, then opened, then one commit, then the answer.

    archive      head and body as they came                          (whatever becomes of it, it can be shown)
    as2.receive  decrypted, verified, receipt made                    (exchange)
    one commit   payload on its stream, receipt kept, journal entry with the digests of message and receipt (non-repudiation)
    answer       only now; the same message again gets the first receipt byte for byte

A receipt stands in the answer, or, where the sender asks for that and the address was agreed on, goes through the outbox like anything that
leaves. What is posted to us may be a receipt itself: as2_hearing knows those. Knows no web framework: headers and bytes in, status, headers
and bytes out.
"""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import Connection

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import Answer
from gateway.exchange.as2 import Received
from gateway.exchange.as2 import is_receipt
from gateway.exchange.as2 import receive
from gateway.exchange.as2.names import read_name
from gateway.exchange.as2.receive import Seen
from gateway.pipeline.as2.hearing import hear_receipt
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import ReceiptOrder
from gateway.pipeline.as2.posting import keep_request
from gateway.pipeline.as2.proof import Proof
from gateway.pipeline.as2.proof import keep_proof
from gateway.pipeline.endpoints import RECEIPTS
from gateway.pipeline.endpoints import out_stream
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import outbox
from gateway.store import posted
from gateway.store import receipts
from gateway.store import streams
from gateway.store import transmissions
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission

#: most bytes of a message from names that we do not know
MOST_BYTES_OF_STRANGERS = 1_000_000
#: the journal's stream of what nobody that we know sent
STRANGERS = "in:as2"
#: characters of what a stranger may write into our journal
_LONGEST_FACT = 200
#: the answer while a key or certificate of ours cannot be read
UNAVAILABLE = Answer(
    status=503, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=b"Messages from you cannot be opened at the moment: try again later.\n"
)
_log = structlog.get_logger("as2")
_NOT_IN_NAMES = re.compile(r"[^\w.+=@ -]+")


def most_bytes(relations: Relations, headers: Sequence[tuple[str, str]]) -> int:
    """How large the body of a request with this head may be: only partners may send us much, each as much as its endpoint says."""
    values = {name.lower(): value for name, value in headers}
    known = relations.partner_of(read_name(values.get("as2-from", "")), read_name(values.get("as2-to", "")))
    return known[2].largest * 1_000_000 if known is not None else MOST_BYTES_OF_STRANGERS


def receive_as2(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
    """Take in one request; what is returned is to be answered as it is."""
    crash.point(70)
    request = keep_request(station.archive, headers, body)
    crash.point(71)
    if is_receipt(headers, body):
        return hear_receipt(station, relations, headers, body, request, STRANGERS)
    now = station.clock()
    try:
        got = receive(headers, body, relations.find, _seen(station), now)
        if got.is_new:
            if _take(station, relations, got, request, now):
                crash.point(73)
                return got.answer
            # the same message came over two connections at once, and the other one has committed first
            got = receive(headers, body, relations.find, _seen(station), now)
    except ConfigTrouble as error:
        # no fault of the sender's: it tries again, and somebody here mends the endpoint meanwhile
        _log.error("as2 endpoint cannot be used", request=request, error=str(error))
        return UNAVAILABLE
    _note(station, relations, got, request, now)
    return got.answer


def safe_name(name: str | None, message_id: str) -> str:
    """The payload's name as we may show it and give it out: the last part of its path, without what a file system or page could trip over."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    clean = _NOT_IN_NAMES.sub("_", last).strip(" .")[:120]
    return clean or f"as2-{_NOT_IN_NAMES.sub('_', message_id)[:80]}"


class _Second(Exception):
    """The same message came over two connections at once, and the other one has committed first: nothing of this one is kept."""


def _take(station: Station, relations: Relations, got: Received, request: str, now: datetime) -> bool:
    """A new message: payloads, receipt and journal entries in one commit; False where it is not new any more."""
    message = got.unwrapped
    receipt = got.post or got.answer
    proof, payloads = keep_proof(station.archive, message, request, receipt.body, now)
    address = _address(relations, got)
    arrived = [
        Transmission(
            id=new_id(),
            direction="in",
            endpoint=address,
            # several payloads of one message are told apart by their places in it, behind a blank: no Message-ID has one
            source_identity=message.message_id if position == 0 else f"{message.message_id} {position + 1}",
            name=safe_name(payload.filename, f"{message.message_id}{f'-{position + 1}' if position else ''}"),
            sha256=sha256,
            size=len(payload.data),
            received_at=now,
            stream=stream_of(address),
            properties=proof.properties(message, position),
        )
        for position, (payload, sha256) in enumerate(zip(message.payloads, payloads, strict=True))
    ]
    try:
        with station.database.begin() as connection:
            registered = [transmissions.register(connection, one) for one in arrived]
            _, first = receipts.keep(
                connection,
                message.as2_from,
                message.message_id,
                transmission=registered[0][0].id,
                mdn_sha256=proof.mdn,
                headers=dict(receipt.headers),
                at=now,
            )
            if not first:
                raise _Second
            journal.append(connection, [_received(one, proof, now) for one, fresh in registered if fresh])
            streams.poke(connection, stream_of(address))
            if got.post_to is not None:
                _enqueue(connection, relations, got, proof.mdn, now)
            crash.point(72)
    except _Second:
        return False
    return True


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


def _note(station: Station, relations: Relations, got: Received, request: str, now: datetime) -> None:
    """What was refused, or came again, stands in the journal with its bytes; nothing else happens."""
    message = got.unwrapped
    references = [request]
    receipt = got.post or got.answer
    mdn = station.archive.keep(receipt.body) if receipt.body and (got.post is not None or not got.duplicate) else None
    if mdn is not None and not got.duplicate:
        references.append(mdn)
    facts = {
        "as2_from": message.as2_from,
        "as2_to": message.as2_to,
        "message_id": message.message_id,
        "problems": codes((*message.problems, *got.problems)),
        "status": str(got.answer.status),
    }
    entry = journal.Entry(
        stream=stream_of(_address(relations, got)) if message.relation is not None else STRANGERS,
        at=now,
        actor="gateway",
        action="AS2 message came again" if got.duplicate else "AS2 message refused",
        subject_kind="as2_request",
        subject=request,
        facts={key: value[:_LONGEST_FACT] for key, value in facts.items() if value},
        references=tuple(references),
    )
    with station.database.begin() as connection:
        journal.append(connection, [entry])
        if got.post_to is not None and mdn is not None:
            _enqueue(connection, relations, got, mdn, now)
    _log.info("as2 request", outcome="duplicate" if got.duplicate else "refused", request=request, problems=facts["problems"])


def _address(relations: Relations, got: Received) -> str:
    """The address of the endpoint that these two names belong to: who may send what over it follows from the agreements."""
    found = relations.partner_of(got.unwrapped.as2_from, got.unwrapped.as2_to)
    return found[2].address if found is not None else "as2"


def _seen(station: Station) -> Seen:
    """The answer that an accepted message got before, byte for byte."""

    def first_answer(as2_from: str, as2_to: str, message_id: str) -> Answer | None:
        with station.database.read() as connection:
            receipt = receipts.find(connection, as2_from, message_id)
        if receipt is None:
            return None
        return Answer(status=200, headers=tuple(receipt.headers.items()), body=station.archive.read(receipt.mdn_sha256))

    return first_answer
