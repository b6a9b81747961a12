"""AS2 messages that are refused, so that they are found when the partner calls: a row, an entry in the journal, a line in the log, a number.

Anybody may post to us, also under a partner's names. How much of it is told has its measure (measures.py); what comes beyond that is answered
like any other and only counted.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from gateway.exchange.as2 import Received
from gateway.kinds import as2 as kinds
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.measures import Measures
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.meters import AS2_REFUSED
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.problem import NOWHERE
from gateway.problem import Problem
from gateway.problem import Severity
from gateway.problem import codes
from gateway.store import journal
from gateway.store.database import DatabaseTrouble
from gateway.store.incoming import as2_refusals
from gateway.store.incoming.as2_refusals import Refusal
from gateway.store.outgoing.receipts import Names
from gateway.store.watching import meters

#: the journal's stream of what nobody that we know sent
STRANGERS = "in:as2"
#: what the journal says of them
REFUSED = "AS2 message refused"
_log = structlog.get_logger("as2")


def refusal_of(relations: Relations, got: Received, request: str, mdn: str | None, file: str, now: datetime) -> Refusal:
    """A message that was opened as far as it could be, and is not taken."""
    message = got.unwrapped
    problems = (*message.problems, *got.problems)
    return _refusal(relations, (message.as2_from, message.as2_to, message.message_id), problems, request, mdn, file, now)


def _refusal(
    relations: Relations, names: Names, problems: Sequence[Problem], request: str | None, mdn: str | None, file: str, now: datetime
) -> Refusal:
    worst = next((one for one in problems if one.severity is Severity.ERROR), problems[0])
    return Refusal(
        id=short_id("Q", *names, codes(problems)),
        partner=relations.sender_of(*names[:2]) or "",
        as2_from=names[0],
        as2_to=names[1],
        message_id=names[2],
        file=file,
        code=worst.code,
        sentence=worst.message,
        codes=codes(problems),
        request_sha256=request,
        mdn_sha256=mdn,
        first_at=now,
        at=now,
    )


def keep(connection: Connection, measures: Measures, refusals: Sequence[Refusal]) -> None:
    """Keep those that are told, in the caller's transaction, and how many there were."""
    if refusals:
        as2_refusals.keep(connection, refusals)
        meters.add(connection, {(AS2_REFUSED, labels): number for labels, number in measures.counted().items()})


def log_refused(refusals: Iterable[Refusal]) -> None:
    """A line in the log for each, once they are committed."""
    for given in refusals:
        one = as2_refusals.cut(given)
        _log.warning(
            "as2 message refused",
            partner=one.partner,
            message_id=one.message_id,
            as2_from=one.as2_from,
            as2_to=one.as2_to,
            problems=one.codes,
            request=one.request_sha256,
            cure="gateway trail with the Message-ID says what to do",
        )


def refuse_size(station: Station, relations: Relations, names: Names, limit: int) -> None:
    """A message that is larger than its sender's may be: nothing of it is kept but who posted it, and when."""
    problem = kinds.TOO_LARGE.at(NOWHERE, f"The message is too large: expected at most {limit} bytes")
    now = station.clock()
    refusal = _refusal(relations, names, (problem,), None, None, "", now)
    if not relations.measures.may_be_told(refusal.partner, refusal.code):
        return
    told = as2_refusals.cut(refusal)
    found = relations.partner_of(refusal.as2_from, refusal.as2_to)
    facts = {"partner": told.partner, "as2_from": told.as2_from, "as2_to": told.as2_to, "message_id": told.message_id, "problems": told.codes}
    entry = journal.Entry(
        stream=stream_of(found[2].address) if found is not None else STRANGERS,
        at=now,
        actor="gateway",
        action=REFUSED,
        subject_kind="as2_request",
        subject=refusal.id,
        facts={name: value for name, value in facts.items() if value},
    )
    try:
        with station.database.begin() as connection:
            keep(connection, relations.measures, [refusal])
            journal.append(connection, [entry])
    except DatabaseTrouble as error:
        # it is too large all the same: its sender is told so
        _log.warning("refused message not kept", error=str(error))
    log_refused([refusal])
