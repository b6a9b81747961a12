"""What is worth telling at this moment, found in the store: troubles that stand, deliveries that were given up, answers that are overdue, what
waits for a person or for us for long. Names, numbers and addresses; no value out of a document."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.config.alerting import Alerting
from gateway.exchange.bounds import timedelta_of
from gateway.pipeline.as2.refused_lately import refused_lately
from gateway.pipeline.troubles import OUR_FAULT
from gateway.store.watching import troubles
from gateway.store.watching.set_aside import set_aside
from gateway.store.working import queues

WARNING = "warning"
ERROR = "error"
#: characters of what a trouble says: the first page has all of it
_LONGEST = 300
_QUEUES = {"in": "files that came in", "trade": "documents that wait to be decided", "out": "what shall leave", "erp": "orders for the ERP"}


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that stands now."""

    name: str
    kind: str
    partner: str | None
    severity: str
    what: str
    cure: str
    since: datetime
    number: int = 1
    #: told in stages, each with other words and more urgent than the one before
    staged: bool = False


def signals(connection: Connection, alerting: Alerting, now: datetime) -> list[Signal]:
    """Everything that stands."""
    return [
        *_troubles(connection),
        *_refused(connection, now),
        *_given_up(connection),
        *_overdue(connection),
        *_held(connection, now - timedelta_of(alerting.holds_older_than), alerting.holds_older_than),
        *_queued(connection, now, alerting.queue_older_than),
    ]


def _troubles(connection: Connection) -> Iterator[Signal]:
    for one in (*set_aside(connection), *troubles.standing(connection)):
        stopped = one.state == "stopped"
        # words of a fault of ours may hold what stood in a document: the page shows them, nothing else
        words = one.error.partition(":")[0] if one.cure == OUR_FAULT else one.error
        yield Signal(
            name=one.name,
            kind=one.kind,
            partner=one.partner,
            severity=ERROR if stopped else WARNING,
            what=_cut(words),
            cure=one.cure,
            since=one.since,
            staged=one.kind == "certificate",
        )


def _refused(connection: Connection, now: datetime) -> Iterator[Signal]:
    for one in refused_lately(connection, now):
        yield Signal(
            name=one.name,
            kind=one.kind,
            partner=one.partner,
            severity=WARNING,
            # what strangers write stands on the pages; a mail of ours does not carry their words
            what=_cut(one.error) if one.partner else "AS2 messages were refused whose names stand in no partner's file",
            cure=one.cure if one.partner else "Where a partner is meant, its name is written otherwise there or here: gateway status names it.",
            since=one.since,
        )


def _cut(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} ..."


def _given_up(connection: Connection) -> Iterator[Signal]:
    for one in queues.given_up(connection):
        what = f"{_counted(one.number, 'delivery', 'deliveries')} to {one.partner} over '{one.kind}' {'was' if one.number == 1 else 'were'} given up"
        cure = "The page of deliveries says why. Mend it there or with the partner, then try again."
        yield Signal(f"given up {one.partner}:{one.kind}", "given up", one.partner, ERROR, what, cure, one.since, one.number)


def _overdue(connection: Connection) -> Iterator[Signal]:
    for one in queues.overdue(connection):
        what = f"{_counted(one.number, 'answer', 'answers')} of {one.partner} {'is' if one.number == 1 else 'are'} overdue"
        cure = "Ask the partner whether it arrived; gateway resend sends it again."
        yield Signal(f"answers {one.partner}", "answers", one.partner, ERROR, what, cure, one.since, one.number)


def _held(connection: Connection, before: datetime, span: str) -> Iterator[Signal]:
    for one in queues.held_since(connection, before):
        whose = f" of {one.partner}" if one.partner else ""
        what = f"{_counted(one.number, 'hold', 'holds')} of the kind '{one.kind}'{whose}: nobody has decided for longer than {span}"
        cure = "Decide on the page of holds, or with gateway hold release and gateway hold reject."
        yield Signal(f"holds {one.kind} {one.partner or ''}".rstrip(), "holds", one.partner, WARNING, what, cure, one.since, one.number)


def _queued(connection: Connection, now: datetime, span: str) -> Iterator[Signal]:
    for kind, since in queues.oldest(connection, now).items():
        if since is not None and now - since > timedelta_of(span):
            what = f"{_QUEUES[kind]}: the oldest waits for longer than {span}"
            cure = "gateway status says what does not work; where nothing is said, the machine is too slow or the log knows."
            yield Signal(f"queue {kind}", "queue", None, ERROR, what, cure, since)


def _counted(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {many}"
