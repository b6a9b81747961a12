"""A partner's receipt that is posted to us after it took our message: kept, put to the message by its Message-ID (or, where it names none, by the
digest that it holds), compared with the digests
that were kept when the message was made, and written down in one commit. Whoever posts it is answered at once with 200: a receipt is never
answered by another one.

Only a receipt that proves something changes anything. One that is not signed as agreed, or by somebody else, or for other bytes, is kept,
told in the journal, and the message goes on waiting. One that fits nothing that we sent is kept and shown among the partner's answers.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from gateway.config import ConfigTrouble
from gateway.exchange.as2 import Answer
from gateway.exchange.as2 import Mic
from gateway.exchange.as2 import Receipt as Mdn
from gateway.exchange.as2 import speaks_of
from gateway.exchange.as2.mdn import is_one_of
from gateway.exchange.as2.names import read_name
from gateway.kinds import answer as kinds
from gateway.pipeline.answers.deadlines import answer_due
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.keys import relation_in_force
from gateway.pipeline.as2.sending import facts_of
from gateway.pipeline.as2.sending import heard
from gateway.pipeline.as2.sending import verdict_of
from gateway.pipeline.outbox import given_up
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.outbox.delivered import Told
from gateway.pipeline.outbox.recording import entry_of
from gateway.pipeline.outbox.recording import keep_told
from gateway.pipeline.outbox.recording import receipt_answer
from gateway.pipeline.outbox.recording import tell_left
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database import when_written
from gateway.store.incoming import as2_requests
from gateway.store.outgoing import answers
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.store.outgoing import posted
from gateway.store.outgoing import precedence

#: what whoever posts a receipt is told, whatever it says
TAKEN = Answer(status=200, headers=(), body=b"")
#: but who posts one after the other that fit nothing
TOO_MANY = Answer(
    status=429,
    headers=(("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "60")),
    body=b"There were too many receipts under these names for messages that we did not send: wait a minute.\n",
)
_LONGEST_FACT = 200

_log = structlog.get_logger("as2")


def hear_receipt(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], body: bytes, request: str, strangers: str) -> Answer:
    """Take in a posted receipt, archived as `request`; what fits nothing is told in the journal's stream `strangers`."""
    identifier, sending = _meant(station, headers, body)
    loaded = station.installation.directory.partners.get(sending.partner) if sending is not None else None
    endpoint = loaded.partner.endpoint(sending.endpoint) if loaded is not None and sending is not None else None
    if sending is None or loaded is None or endpoint is None or endpoint.as2 is None:
        _fits_nothing(station, relations, headers, identifier, request, strangers)
        return TAKEN
    try:
        relation = relation_in_force(station.installation, loaded.partner, endpoint)
    except ConfigTrouble as error:
        # its signature cannot be verified now: whoever posted it is asked to do so again
        _log.error("as2 receipt not heard", partner=loaded.partner.id, error=str(error))
        return Answer(status=503, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=b"The receipt cannot be verified at the moment.\n")
    mdn, told, references = heard(station, sending, relation, headers, body)
    with station.database.begin() as connection:
        entries: list[journal.Entry] = []
        outcome = _write_down(station, connection, sending.message_id, mdn, told, references, entries)
        journal.append(connection, entries)
        crash.point(85)
    crash.point(86)
    _log.info("as2 receipt", outcome=outcome, partner=sending.partner, message_id=sending.message_id)
    return TAKEN


def may_be_heard(station: Station, relations: Relations, headers: Sequence[tuple[str, str]], body: bytes) -> bool:
    """Whether a receipt is kept and told: of those that fit nothing only so many a minute are, since anybody may post them in a partner's name."""
    _, sending = _meant(station, headers, body)
    return sending is not None or relations.measures.may_be_heard(relations.sender_of(*_names(headers)) or "")


def _meant(station: Station, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[str | None, as2_sendings.Sending | None]:
    """The Message-ID that a receipt names, and the message of ours that it speaks of."""
    identifier, mic = speaks_of(headers, body)
    with station.database.read() as connection:
        found = as2_sendings.get(connection, identifier) if identifier is not None else _with_digest(connection, headers, mic)
    return identifier, found


def _with_digest(connection: Connection, headers: Sequence[tuple[str, str]], mic: Mic | None) -> as2_sendings.Sending | None:
    """The message that a receipt confirms which names none: the only one under way between the two names whose digest it holds."""
    if mic is None:
        return None
    them, us = _names(headers)
    fitting = [one for one in as2_sendings.unconfirmed(connection, us, them) if is_one_of(mic, map(Mic.from_text, one.mics))]
    return fitting[0] if len(fitting) == 1 else None


def _names(headers: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """AS2-From and AS2-To."""
    values: dict[str, str] = {}
    for name, value in headers:
        values.setdefault(name.lower(), value)
    return read_name(values.get("as2-from", "")), read_name(values.get("as2-to", ""))


def _write_down(
    station: Station,
    connection: Connection,
    message_id: str,
    mdn: Mdn,
    told: Told,
    references: tuple[str, ...],
    entries: list[journal.Entry],
) -> str:
    """What the receipt changes; in a word for the log."""
    now = station.clock()
    sending = as2_sendings.lock(connection, message_id)
    assert sending is not None
    first = outbox.get_existing(connection, sending.outbox)
    facts = {**facts_of(sending, mdn), "disposition": told.disposition or "", "trouble": told.trouble}
    if sending.receipt_state in ("accepted", "refused"):
        words = "receipt came again" if sending.receipt_state == told.state else "receipt came again and says something else"
        entries.append(entry_of(first, now, words, facts, references))
        return "again"
    keep_told(connection, told, now)
    if told.state == "waiting":
        entries.append(entry_of(first, now, "receipt proves nothing", facts, references, reason=told.trouble))
        when_written(
            connection, partial(_log.warning, "as2 receipt proves nothing", partner=sending.partner, message_id=message_id, error=told.trouble)
        )
        return "proves nothing"
    # who confirms has our bytes, also where nothing was heard for so long that we gave them up
    rows = posted.of_file(connection, first, given_up=told.state == "accepted")
    if told.state == "refused" and first.id not in {row.id for row in rows}:
        # an old message's refusal says nothing of the same bytes that were posted again since
        rows = []
    ids = [row.id for row in rows]
    answers.keep(connection, [receipt_answer(row, verdict_of(mdn), now) for row in rows or [first]])
    if told.state == "refused":
        # a row that is being recorded at this moment is left to its holder, who finds the refusal
        posted.give_up(connection, ids, told.trouble)
        given_up.rest(connection, ids, told.trouble, now)
        entries += [entry_of(row, now, "refused by receipt", facts, references, reason=told.trouble) for row in rows or [first]]
        said = partial(_log.error, "given up", partner=first.partner, endpoint=first.endpoint, row=first.id, spec=first.spec)
        when_written(connection, partial(said, error=told.trouble))
        return "refused"
    if rows:
        for row in rows:
            posted.confirmed(connection, [row.id], now, answer_due(station, row, now))
        tell_left(connection, [(row, Delivered(facts_of(sending, mdn), references)) for row in rows], now, entries)
    else:
        entries.append(entry_of(first, now, "receipt came", facts, references))
    for stream in sorted({first.stream, *precedence.streams_behind(connection, ids)}):
        streams.poke(connection, stream)
    return "accepted"


def _fits_nothing(
    station: Station, relations: Relations, headers: Sequence[tuple[str, str]], identifier: str | None, request: str, strangers: str
) -> None:
    """A receipt for a message that we did not send (or no longer know): kept, and shown with the partner that it claims to be of."""
    now = station.clock()
    names = _names(headers)
    found = relations.partner_of(*names)
    speaks_of = f"message {identifier}" if identifier else "no message that it names"
    with station.database.begin() as connection:
        if found is not None:
            problem = kinds.UNMATCHED.at(NOWHERE, f"A receipt speaks of {speaks_of}, and we sent {found[0].name} no such thing", found=identifier)
            answers.keep(connection, [_unmatched(found[0].id, speaks_of[:_LONGEST_FACT], request, problem, now)])
        facts = {"as2_from": names[0], "as2_to": names[1], "message_id": identifier or ""}
        whose = relations.sender_of(*names) or ""
        as2_requests.keep(connection, [as2_requests.Request(request_sha256=request, partner=whose, came_at=now, **facts)])
        journal.append(
            connection,
            [
                journal.Entry(
                    stream=strangers,
                    at=now,
                    actor="gateway",
                    action="AS2 receipt fits nothing that we sent",
                    subject_kind="as2_request",
                    subject=request,
                    facts={name: value[:_LONGEST_FACT] for name, value in facts.items() if value},
                    references=(request,),
                )
            ],
        )
    _log.warning("as2 receipt fits nothing that we sent", request=request, partner=found[0].id if found is not None else "")


def _unmatched(partner: str, speaks_of: str, request: str, problem: Problem, now: datetime) -> answers.Answer:
    return answers.Answer(
        id=short_id("A", "MDN", request),
        partner=partner,
        kind="MDN",
        layer="transport",
        level="interchange",
        speaks_of=speaks_of,
        outcome="received",
        relation="unmatched",
        problems=(problem,),
        at=now,
    )
