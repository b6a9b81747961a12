"""One message of ours over AS2, from its payload to what the partner's station said of it.

    wrapped     at the first try: signed, encrypted, its digests taken                       (exchange)
    archived    head and body in one file, the digests in the store: one commit, BEFORE it is posted
    posted      what the archive holds, byte for byte, on every try: same Message-ID, same signature, same ciphertext
    answered    the receipt in the answer is verified and archived; or the station took it and posts its receipt later

A request is wrapped anew under its Message-ID only where nobody could read the kept one any more: the certificate that it is encrypted
for has ended, or another one was agreed on.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import As2Request
from gateway.exchange.as2 import Expected
from gateway.exchange.as2 import Mic
from gateway.exchange.as2 import Receipt as Mdn
from gateway.exchange.as2 import can_be_read
from gateway.exchange.as2 import is_receipt
from gateway.exchange.as2 import read_mdn
from gateway.exchange.as2 import wrap
from gateway.exchange.endpoint import Endpoint
from gateway.kinds import as2 as kinds
from gateway.pipeline.answers.repeats import TRIED_AGAIN
from gateway.pipeline.answers.repeats import was_tried_before
from gateway.pipeline.as2.keys import keep_certificate
from gateway.pipeline.as2.keys import relation_in_force
from gateway.pipeline.as2.posting import keep_request
from gateway.pipeline.as2.posting import post_to
from gateway.pipeline.as2.posting import read_kept
from gateway.pipeline.as2.posting import written_head
from gateway.pipeline.outbox.delivered import Awaited
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.outbox.delivered import NoCertificate
from gateway.pipeline.outbox.delivered import Receipt
from gateway.pipeline.outbox.delivered import ReceiptRefused
from gateway.pipeline.outbox.delivered import Told
from gateway.pipeline.station import Station
from gateway.problem import Problem
from gateway.problem import codes
from gateway.store import crash
from gateway.store import journal
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.outgoing.as2_sendings import Sending
from gateway.store.outgoing.outbox import Entry
from gateway.transport.box import TransportError

_log = structlog.get_logger("as2")

#: a receipt that does not come is waited for longer after each posting, at most so long
LONGEST_WAIT = timedelta(days=1)


def message_id(entry: Entry, relation: As2Relation) -> str:
    """The AS2 Message-ID, without its brackets: it follows from the row and its file name."""
    host = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in relation.us)
    row = "".join(letter if letter.isalnum() or letter in "-." else "." for letter in f"{entry.id}.{entry.identity}")
    return f"{row}@{host}"


def post_message(station: Station, entry: Entry, endpoint: Endpoint, data: bytes) -> Delivered:
    """Post the row's message; raises TransportError where it was not taken, ReceiptRefused where the receipt says so."""
    loaded = station.installation.directory.partners[entry.partner]
    try:
        relation = relation_in_force(station.installation, loaded.partner, endpoint)
    except ConfigTrouble as error:
        raise NoCertificate(str(error)) from error
    sending, request = _kept(station, entry, relation, data)
    crash.point(84)
    headers, body = request if request is not None else read_kept(station.archive, sending.request_sha256)
    answer = post_to(station, endpoint, str(endpoint.as2), headers, body)
    crash.point(74)
    facts = {"message_id": f"<{sending.message_id}>", "mic": sending.mics[0]}
    if sending.receipt == "none":
        return Delivered({**facts, "receipt": "none asked for"}, (sending.request_sha256,))
    if sending.delivery == "async" and not is_receipt(answer.headers, answer.body):
        until = station.clock() + min(LONGEST_WAIT, endpoint.receipt_wait * 2**sending.posts)
        waiting = {**facts, "receipt": "to be posted to us", "receipt_due": until.isoformat()}
        return Delivered(waiting, (sending.request_sha256,), awaited=Awaited(message_id=sending.message_id, until=until))
    receipt, told, references = heard(station, sending, relation, answer.headers, answer.body)
    crash.point(75)
    if not receipt.delivered:
        words = "; ".join(problem.message for problem in receipt.problems)
        # an answer that proves nothing is nobody's word: only a refusal that counts is an answer of the partner's
        verdict = verdict_of(receipt) if told.state == "refused" else None
        said = {"receipt": receipt.disposition or "", "signed_by": receipt.signed_by or "", "trouble": words}
        raise ReceiptRefused(
            words,
            retry=receipt.may_retry,
            delivered=Delivered({**facts, **said}, references, verdict, told),
        )
    return Delivered(facts_of(sending, receipt), references, verdict_of(receipt), told)


def expected_of(sending: Sending) -> Expected:
    """What the receipt for a message must confirm: the digests that were kept when it was made."""
    return Expected(message_id=sending.message_id, mics=tuple(Mic.from_text(mic) for mic in sending.mics))


def heard(
    station: Station, sending: Sending, relation: As2Relation, headers: Sequence[tuple[str, str]], body: bytes
) -> tuple[Mdn, Told, tuple[str, ...]]:
    """A receipt read, verified and archived with the certificate that it is signed by; with what to keep of it, and the archive's digests."""
    # what was asked for when the message was made counts, whatever the endpoint says by now
    signed = relation.sign is not None if sending.signed is None else sending.signed
    asked = replace(relation, receipt=sending.receipt, sign=(relation.sign or "sha256") if signed else None)
    receipt = read_mdn(headers, body, expected_of(sending), asked, station.clock())
    if not receipt.delivered and "duplicate" in (receipt.disposition or "").lower() and _left_before(station, sending):
        # stations that should warn of a duplicate refuse it: they have it all the same
        receipt = read_mdn(headers, body, replace(expected_of(sending), repeat=True), asked, station.clock())
    sha256 = station.archive.keep(written_head(headers) + body)
    certificate = keep_certificate(station.archive, relation.verification, receipt.signed_by)
    state = "accepted" if receipt.delivered else "waiting" if receipt.may_retry else "refused"
    told = Told(
        message_id=sending.message_id,
        state=state,
        sha256=sha256,
        disposition=receipt.disposition,
        signed_by=receipt.signed_by,
        trouble="; ".join(problem.message for problem in receipt.problems),
    )
    return receipt, told, (sha256, sending.request_sha256, *certificate)


def _left_before(station: Station, sending: Sending) -> bool:
    """Whether the bytes of a message may have reached the partner before: at an earlier try, or when they were sent for the first time."""
    with station.database.read() as connection:
        row = outbox.get(connection, sending.outbox)
        if row is None or _was_refused(connection, row):
            return False
        if sending.posts > 1 or was_tried_before(connection, row):
            return True
        return row.document is not None and any(
            one.id != row.id and one.attempts > 0 and (one.identity, one.sha256) == (row.identity, row.sha256)
            for one in outbox.of_document(connection, row.document)
        )


def _was_refused(connection: Connection, row: Entry) -> bool:
    """Whether the partner refused it before anybody had it tried again: then it has not taken it, whatever it says by now."""
    actions = (one.entry.action for one in journal.of_subject(connection, "outbox", row.id))
    first = next((action for action in actions if action.endswith((" refused by receipt", TRIED_AGAIN))), "")
    return first.endswith(" refused by receipt")


def verdict_of(receipt: Mdn) -> Receipt:
    """A receipt as an answer of the partner."""
    # a digest that is left out is no word of the partner's about the message
    said = [problem for problem in receipt.problems if problem.code != kinds.MDN_MIC_MISSING.code]
    outcome = "rejected" if not receipt.delivered else "accepted_with_errors" if said else "accepted"
    return Receipt(outcome, receipt.disposition or "", tuple(receipt.problems))


def facts_of(sending: Sending, receipt: Mdn) -> dict[str, str]:
    """What the journal says of a message that the partner confirms."""
    return {
        # processed with a warning is processed: a resend that came twice is called a duplicate so
        **({"warning": codes(receipt.problems)} if receipt.problems else {}),
        "message_id": f"<{sending.message_id}>",
        "receipt": receipt.disposition or "",
        "mic": "matches" if receipt.mic_matches else "not given",
        "content_mic": sending.mics[0],
        "signed_by": receipt.signed_by or "",
    }


# ---------------------------------------------------------------- the request, kept


def _kept(station: Station, entry: Entry, relation: As2Relation, data: bytes) -> tuple[Sending, tuple[Sequence[tuple[str, str]], bytes] | None]:
    """The message as it is kept; with its head and body where they have just been made."""
    now = station.clock()
    with station.database.read() as connection:
        known = as2_sendings.of_row(connection, entry.id)
    if known is None:
        return _keep(station, entry, relation, data, message_id(entry, relation), now)
    if known.receipt_state == "refused":
        _demand_another_try(station, entry, known)
    if can_be_read(relation, known.encrypted_for, now):
        return known, None
    return _keep(station, entry, relation, data, known.message_id, now, instead_of=known)


def _keep(
    station: Station, entry: Entry, relation: As2Relation, data: bytes, identifier: str, now: datetime, instead_of: Sending | None = None
) -> tuple[Sending, tuple[Sequence[tuple[str, str]], bytes] | None]:
    """Wrap the message and keep it before anybody else sees it."""
    request = wrap(data, relation, f"<{identifier}>", now, entry.identity)
    if isinstance(request, Problem):
        # no fault of the message: it waits with everything behind it until there is a certificate
        raise NoCertificate(request.message)
    made = _sending(station, entry, relation, request, data, now)
    crash.point(82)
    with station.database.begin() as connection:
        if instead_of is None:
            sending = as2_sendings.keep(connection, made)
        else:
            as2_sendings.wrap_anew(connection, made)
            sending = made
            journal.append(connection, [_wrapped_anew(entry, instead_of, made, now)])
        crash.point(83)
    if instead_of is not None:
        _log.warning("as2 message encrypted anew", row=entry.id, partner=entry.partner, message_id=identifier)
    mine = sending.request_sha256 == made.request_sha256
    return sending, (request.headers, request.body) if mine else None


def _sending(station: Station, entry: Entry, relation: As2Relation, request: As2Request, data: bytes, now: datetime) -> Sending:
    """The request in the archive, and the row that finds it."""
    *before, last = request.content
    plain = last is data
    sha256 = keep_request(station.archive, request.headers, request.body)
    content = None if plain else station.archive.keep_stream(request.content)[0]
    return Sending(
        message_id=request.message_id,
        outbox=entry.id,
        partner=entry.partner,
        endpoint=entry.endpoint,
        us=relation.us,
        them=relation.partner,
        request_sha256=sha256,
        content_head=b"".join(before).decode("latin-1") if plain else None,
        content_sha256=content,
        encrypted_for=request.encrypted_for,
        mics=tuple(str(mic) for mic in request.expected.mics),
        receipt=relation.receipt,
        delivery=relation.receipt_delivery,
        wrapped_at=now,
        signed=relation.sign is not None,
    )


def _demand_another_try(station: Station, entry: Entry, known: Sending) -> None:
    """A proven refusal ends it (it was heard, and we were killed before the row could rest); a person may have it posted once more."""
    if entry.attempts > 1:
        raise TransportError(known.trouble or "the partner's receipt refuses it", retry=False)
    with station.database.begin() as connection:
        as2_sendings.begin_again(connection, known.message_id)


def _wrapped_anew(entry: Entry, before: Sending, after: Sending, now: datetime) -> journal.Entry:
    return journal.Entry(
        stream=entry.stream,
        at=now,
        actor="gateway",
        action=f"{entry.kind} encrypted anew",
        subject_kind="outbox",
        subject=entry.id,
        reason="the certificate that it was encrypted for is no longer used",
        facts={
            "message_id": f"<{after.message_id}>",
            "encrypted_for": after.encrypted_for or "nobody",
            "before": before.encrypted_for or "nobody",
            "mic": after.mics[0],
        },
        references=(after.request_sha256, before.request_sha256),
    )
