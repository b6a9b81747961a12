"""Requests that came to our AS2 address, from their bytes to what is answered: opened, kept, then one commit, then the answer.

    known again  a body that was taken under its Message-ID before: the first receipt, unopened
    as2.receive  decrypted, verified, receipt made                    (exchange)
    archive      head and body as they came, and what was found in them: one wait for the disk, whatever becomes of it (arrived)
    taking       payload on its stream, receipt kept, journal entry with the digests of message and receipt (non-repudiation): one commit
    answer       only now; the same message again gets the first receipt byte for byte

Where the sender wants the receipt posted, the first commit says only that the message waits (unopened), and the rest follows after the answer
(opening). Requests that come at the same time go this way together and share what the disk and the database cost; each is opened, refused and
answered for itself. What is posted to us may be a receipt itself: hearing knows those. Knows no web framework: headers and bytes in,
status, headers and bytes out.
"""

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import structlog

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import Answer
from gateway.exchange.as2 import Lost
from gateway.exchange.as2 import Received
from gateway.exchange.as2 import Unwrapped
from gateway.exchange.as2 import is_receipt
from gateway.exchange.as2 import receive
from gateway.exchange.as2 import receive_again
from gateway.exchange.as2.names import read_message_id
from gateway.exchange.as2.names import read_name
from gateway.exchange.as2.receive import Seen
from gateway.kinds import as2 as kinds
from gateway.pipeline.as2.arrived import Arrived
from gateway.pipeline.as2.arrived import Request
from gateway.pipeline.as2.hearing import TOO_MANY
from gateway.pipeline.as2.hearing import hear_receipt
from gateway.pipeline.as2.hearing import may_be_heard
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.posting import LONGEST_HEAD
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.refusing import STRANGERS
from gateway.pipeline.as2.refusing import refuse_size
from gateway.pipeline.as2.taking import Opened
from gateway.pipeline.as2.taking import TakenMeanwhile
from gateway.pipeline.as2.taking import source_identity
from gateway.pipeline.as2.taking import write_down
from gateway.pipeline.as2.unopened import TAKEN
from gateway.pipeline.as2.unopened import Waiting
from gateway.pipeline.as2.unopened import put_by
from gateway.pipeline.as2.unopened import waiting
from gateway.pipeline.station import Station
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import crash
from gateway.store.database import DatabaseTrouble
from gateway.store.incoming import transmissions
from gateway.store.outgoing import receipts
from gateway.store.outgoing.receipts import Names
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing

#: most bytes of a message from names that we do not know
MOST_BYTES_OF_STRANGERS = 1_000_000
#: the answer while a key or certificate of ours cannot be read
UNAVAILABLE = Answer(
    status=503, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=b"Messages from you cannot be opened at the moment: try again later.\n"
)
_log = structlog.get_logger("as2")

#: what becomes of a request: its answer, or why there is none
Outcome = Answer | Exception


@dataclass(frozen=True, slots=True)
class _Message:
    """A request that is a message: which one of those that came together, its digest, and the names that tell it from others."""

    number: int
    request: Request
    sha256: str
    names: Names
    was_put_by: bool = False


def most_bytes(relations: Relations, headers: Sequence[tuple[str, str]]) -> int:
    """How large the body of a request with this head may be: only partners may send us much, each as much as its endpoint says."""
    known = relations.partner_of(*_names(headers)[:2])
    return known[2].largest * 1_000_000 if known is not None else MOST_BYTES_OF_STRANGERS


def refuse_larger(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], limit: int) -> None:
    """A request was larger than that: whose it was is told, nothing of it is kept."""
    refuse_size(station, relations, _names(headers), limit)


def may_come(relations: Relations, headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a request is looked at: of names that nobody has only so many a minute are, since each is kept, whatever it is."""
    return relations.partner_of(*_names(headers)[:2]) is not None or relations.measures.may_come()


def receive_as2(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
    """Take in one request; what is returned is to be answered as it is."""
    [outcome] = receive_together(station, relations, [(headers, body)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def receive_together(station: Station, relations: Relations, requests: Sequence[Request]) -> list[Outcome]:
    """Take in requests that came at the same time; with each its answer, or what must not happen to a request."""
    crash.point(70)
    arrived = Arrived(station.archive, requests)
    try:
        outcomes = _outcomes(station, relations, arrived, requests)
    finally:
        # also those of which nothing was written down: nobody is answered before
        arrived.keep()
    crash.point(73)
    return [outcomes[number] for number in range(len(requests))]


def _outcomes(station: Station, relations: Relations, arrived: Arrived, requests: Sequence[Request]) -> dict[int, Outcome]:
    """What becomes of each, by its place."""
    outcomes: dict[int, Outcome] = {}
    heard: list[_Message] = []
    messages: list[_Message] = []
    unopened: dict[int, Waiting] = {}
    beyond: set[str] = set()
    for number, (request, sha256) in enumerate(zip(requests, arrived.digests, strict=True)):
        headers, body = request
        if is_receipt(headers, body):
            if not may_be_heard(station, relations, headers, body):
                beyond.add(sha256)
                outcomes[number] = TOO_MANY
                continue
            heard.append(_Message(number, request, sha256, _names(headers)))
        elif (may_wait := waiting(station, relations, headers, sha256, len(body))) is not None:
            unopened[number] = may_wait
        else:
            messages.append(_Message(number, request, sha256, _names(headers)))
    arrived.leave_out(beyond, {receipt.sha256 for receipt in heard})
    if heard or unopened:
        arrived.keep()
    for receipt in heard:
        try:
            outcomes[receipt.number] = hear_receipt(station, relations, *receipt.request, receipt.sha256, STRANGERS)
        except Exception as error:  # noqa: BLE001  it is this request's alone: whoever answers it is told
            outcomes[receipt.number] = error
    if unopened:
        put_by(station, list(unopened.values()))
        outcomes.update(dict.fromkeys(unopened, TAKEN))
    outcomes.update(_take_all(station, relations, arrived, messages))
    return outcomes


def open_kept(station: Station, relations: Relations, kept: Sequence[tuple[str, Request]]) -> dict[str, str]:
    """Open requests that were answered before, in their order: each with its digest in the archive. Those that wait on, and why; raises what must
    not happen to one of them, after the others."""
    messages = [_Message(number, request, sha256, _names(request[0]), was_put_by=True) for number, (sha256, request) in enumerate(kept)]
    outcomes = _take_all(station, relations, Arrived(station.archive), messages)
    for outcome in outcomes.values():
        if isinstance(outcome, Exception):
            raise outcome
    answers = {message.sha256: outcomes[message.number] for message in messages}
    return {sha256: answer.body.decode().strip() for sha256, answer in answers.items() if isinstance(answer, Answer) and answer.status >= 500}


def _take_all(station: Station, relations: Relations, arrived: Arrived, messages: Sequence[_Message]) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    left = list(messages)
    while left:
        # the same message twice: one after the other, so that the second one finds the first one's receipt
        together = {message.names: message for message in reversed(left)}
        outcomes.update(_take_in(station, relations, arrived, list(together.values())))
        left = [message for message in left if together[message.names] is not message]
    return outcomes


def _take_in(station: Station, relations: Relations, arrived: Arrived, messages: Sequence[_Message]) -> dict[int, Outcome]:
    """Open messages of different names and write down what became of them, in one commit where nothing stands against that."""
    now = station.clock()
    with station.database.read() as connection:
        known = receipts.find_many(connection, [message.names for message in messages])
    outcomes: dict[int, Outcome] = {}
    opened: list[Opened] = []
    for message in messages:
        try:
            got = _known_again(station, relations, message, known.get(message.names))
            if got is None:
                got = receive(*message.request, relations.find, _seen(station, known), now)
        except ConfigTrouble as error:
            # no fault of the sender's: it tries again, and somebody here mends the endpoint meanwhile
            if not message.was_put_by:
                _log.error("as2 endpoint cannot be used", request=message.sha256, error=str(error))
            outcomes[message.number] = replace(UNAVAILABLE, body=str(error).encode()) if message.was_put_by else UNAVAILABLE
        except Exception as error:  # noqa: BLE001  it is this request's alone: whoever answers it is told
            outcomes[message.number] = error
        else:
            outcomes[message.number] = got.answer
            if message.was_put_by and got.problems:
                continue  # its receipt cannot be signed now: it waits on
            opened.append(Opened(got=got, request=message.sha256, was_put_by=message.was_put_by))
    try:
        write_down(station, relations, arrived, opened, now)
    except DatabaseTrouble:
        raise
    except Exception as error:  # noqa: BLE001  whose fault it is shows when each is written alone
        if len(messages) > 1:
            return {number: outcome for message in messages for number, outcome in _take_in(station, relations, arrived, [message]).items()}
        if isinstance(error, TakenMeanwhile):
            # the same message came over two connections at once, and the other one has committed first
            return _take_in(station, relations, arrived, messages)
        return {messages[0].number: error}
    return outcomes


def _names(headers: Sequence[tuple[str, str]]) -> Names:
    """The sender's name, ours and the Message-ID, as they are read when the message is opened: of a header that comes twice the first counts."""
    values: dict[str, str] = {}
    for name, value in headers:
        values.setdefault(name.lower(), value)
    return read_name(values.get("as2-from", "")), read_name(values.get("as2-to", "")), read_message_id(values.get("message-id", ""))


def _known_again(station: Station, relations: Relations, message: _Message, receipt: receipts.Receipt | None) -> Received | None:
    """A message that came before with the very same body: answered as it was then. Its certificate may have ended since, or our key."""
    if receipt is None or receipt.transmission is None:
        return None
    headers, body = message.request
    try:
        with station.database.read() as connection:
            first = transmissions.get(connection, receipt.transmission)
        if first is None or not _is_its_body(station.archive, first.properties.get("raw_message", ""), message.sha256, body):
            return None
        return receive_again(headers, relations.find, _answer_of(station.archive, receipt))
    except ArchiveMissing:
        return None  # no longer kept: it is opened once more


def _is_its_body(archive: Archive, kept: str, request: str, body: bytes) -> bool:
    """Whether a request that is kept has this body; heads differ by what the line adds, as Date."""
    if kept in ("", request):
        return kept == request
    return 0 < archive.size(kept) - len(body) <= LONGEST_HEAD and read_kept(archive, kept)[1] == body


def _answer_of(archive: Archive, receipt: receipts.Receipt) -> Answer:
    return Answer(status=200, headers=tuple(receipt.headers.items()), body=archive.read(receipt.mdn_sha256))


def _seen(station: Station, known: Mapping[Names, receipts.Receipt]) -> Seen:
    """The answer that an accepted message got before, byte for byte."""

    def first_answer(message: Unwrapped) -> Answer | Lost | Problem | None:
        receipt = known.get((message.as2_from, message.as2_to, message.message_id))
        if receipt is None:
            return None
        if not _is_the_same(station, message, receipt):
            return kinds.MESSAGE_ID_USED.at(
                NOWHERE,
                "the Message-ID was used before for another content, which was taken; this one is not",
                found=message.message_id[:998],
            )
        try:
            return _answer_of(station.archive, receipt)
        except ArchiveMissing:
            # erased after its time, or lost: the partner is answered all the same
            return Lost.RECEIPT

    return first_answer


def _is_the_same(station: Station, message: Unwrapped, receipt: receipts.Receipt) -> bool:
    """Whether a message brings the payloads that came under its Message-ID before; its signature and cipher may be others."""
    with station.database.read() as connection:
        first = transmissions.get(connection, receipt.transmission) if receipt.transmission is not None else None
        if first is None:
            return True  # it is no longer known what came
        count = len(message.payloads)
        sources = [source_identity(message.message_id, position) for position in range(count + 1)]
        there = {one.source_identity: one.sha256 for one in transmissions.of_sources(connection, first.endpoint, sources)}
    came = {source: hashlib.sha256(payload.data).hexdigest() for source, payload in zip(sources, message.payloads, strict=False)}
    return there == came
