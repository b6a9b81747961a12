"""A request that came to our AS2 address, from its bytes to what is answered: kept first, then opened, then one commit, then the answer.

    archive      head and body as they came                          (whatever becomes of it, it can be shown)
    as2.receive  decrypted, verified, receipt made                    (exchange)
    one commit   payload on its stream, receipt kept, journal entry with the digests of message and receipt (non-repudiation)
    answer       only now; the same message again gets the first receipt byte for byte

Knows no web framework: headers and bytes in, status, headers and bytes out. Receipts are given in the answer, never posted elsewhere.
"""

import re
from collections.abc import Sequence
from datetime import datetime

import structlog

from gateway.exchange.as2 import Answer
from gateway.exchange.as2 import Received
from gateway.exchange.as2 import receive
from gateway.exchange.as2.names import read_name
from gateway.exchange.as2.receive import Seen
from gateway.exchange.as2.receive import archived_head
from gateway.pipeline.as2_relations import Relations
from gateway.pipeline.receive import stream_of
from gateway.pipeline.station import Station
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store import receipts
from gateway.store import streams
from gateway.store import transmissions
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission

#: most bytes of a message from a partner, and from names that we do not know
MOST_BYTES = 100_000_000
MOST_BYTES_OF_STRANGERS = 1_000_000
#: the journal's stream of what nobody that we know sent
STRANGERS = "in:as2"
#: characters of what a stranger may write into our journal
_LONGEST_FACT = 200
_log = structlog.get_logger("as2")
_NOT_IN_NAMES = re.compile(r"[^\w.+=@ -]+")


def most_bytes(relations: Relations, headers: Sequence[tuple[str, str]]) -> int:
    """How large the body of a request with this head may be: only partners may send us much."""
    values = {name.lower(): value for name, value in headers}
    known = relations.find(read_name(values.get("as2-from", "")), read_name(values.get("as2-to", "")))
    return MOST_BYTES if known is not None else MOST_BYTES_OF_STRANGERS


def receive_as2(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
    """Take in one request; what is returned is to be answered as it is."""
    crash.point(70)
    request = station.archive.keep(archived_head(headers) + body)
    crash.point(71)
    now = station.clock()
    got = receive(headers, body, relations.find, _seen(station), now)
    if not got.is_new:
        _note(station, relations, got, request, now)
        return got.answer
    return _take(station, relations, got, request, now)


def safe_name(name: str | None, message_id: str) -> str:
    """The payload's name as we may show it and give it out: the last part of its path, without what a file system or page could trip over."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    clean = _NOT_IN_NAMES.sub("_", last).strip(" .")[:120]
    return clean or f"as2-{_NOT_IN_NAMES.sub('_', message_id)[:80]}"


class _Second(Exception):
    """The same message came over two connections at once, and the other one has committed first: nothing of this one is kept."""


def _take(station: Station, relations: Relations, got: Received, request: str, now: datetime) -> Answer:
    """A new message: payload, receipt and journal entry in one commit."""
    message = got.unwrapped
    assert message.payload is not None
    payload, mdn = station.archive.keep_many([message.payload, got.answer.body])
    address = _address(relations, got)
    name = safe_name(message.filename, message.message_id)
    facts = {
        "message_id": message.message_id,
        "as2_from": message.as2_from,
        "mic": str(message.mic) if message.mic else "",
        "signed_by": message.signed_by or "",
        "encrypted": "yes" if message.encrypted else "no",
    }
    arrived = Transmission(
        id=new_id(),
        direction="in",
        endpoint=address,
        source_identity=message.message_id,
        name=name,
        sha256=payload,
        size=len(message.payload),
        received_at=now,
        stream=stream_of(address),
        properties={key: value for key, value in facts.items() if value},
    )
    entry = journal.Entry(
        stream=arrived.stream,
        at=now,
        actor="gateway",
        action="received",
        subject_kind="transmission",
        subject=arrived.id,
        facts={**facts, "name": name, "address": address, "size": str(arrived.size), "raw_message": request, "mdn": mdn},
        references=(payload, request, mdn),
    )
    try:
        with station.database.begin() as connection:
            transmission, fresh = transmissions.register(connection, arrived)
            _, first = receipts.keep(
                connection,
                message.as2_from,
                message.message_id,
                transmission=transmission.id,
                mdn_sha256=mdn,
                headers=dict(got.answer.headers),
                at=now,
            )
            if not first:
                raise _Second
            if fresh:
                journal.append(connection, [entry])
                streams.poke(connection, transmission.stream)
            crash.point(72)
    except _Second:
        answer = _seen(station)(message.as2_from, message.as2_to, message.message_id)
        assert answer is not None
        return answer
    crash.point(73)
    return got.answer


def _note(station: Station, relations: Relations, got: Received, request: str, now: datetime) -> None:
    """What was refused, or came again, stands in the journal with its bytes; nothing else happens."""
    message = got.unwrapped
    references = [request]
    if got.answer.body and not got.duplicate:
        references.append(station.archive.keep(got.answer.body))
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
    _log.info("as2 request", outcome="duplicate" if got.duplicate else "refused", request=request, problems=facts["problems"])


def _address(relations: Relations, got: Received) -> str:
    """The address of the endpoint that these two names belong to: who may send what over it follows from the agreements."""
    found = relations.partner_of(got.unwrapped.as2_from, got.unwrapped.as2_to)
    return found[1].address if found is not None else "as2"


def _seen(station: Station) -> Seen:
    """The answer that an accepted message got before, byte for byte."""

    def first_answer(as2_from: str, as2_to: str, message_id: str) -> Answer | None:
        with station.database.read() as connection:
            receipt = receipts.find(connection, as2_from, message_id)
        if receipt is None:
            return None
        return Answer(status=200, headers=tuple(receipt.headers.items()), body=station.archive.read(receipt.mdn_sha256))

    return first_answer
