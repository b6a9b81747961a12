"""Webhooks: events of the journal, put on their way to who wants them, and posted.

    tell     the journal is read behind the last position; rows for each target and the new position are one commit
    step     the first row of a target is leased, posted, and recorded: sent, failed (later and later), or given up

A target gets its events in order: one that does not answer holds back its own events and nobody else's. Each event arrives at
least once, under the same id and with the same bytes on every try.
"""

from datetime import datetime
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.config.webhooks import Webhook
from gateway.pipeline.heads import lies_elsewhere
from gateway.pipeline.outbound.events import Told
from gateway.pipeline.outbound.events import event_of
from gateway.pipeline.spread import spread
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store.database_trouble import trouble_of
from gateway.store.identity import lease_token
from gateway.store.outgoing import webhooks
from gateway.store.rows import StaleState
from gateway.store.watching import troubles
from gateway.transport.box import TransportError
from gateway.transport.webhook import WebhookTarget
from gateway.transport.webhook import post_event

#: journal entries that one commit looks at, and events that one step posts
BATCH = 500
POSTED_AT_ONCE = 50
LEASE = timedelta(seconds=120)
#: seconds before the second, third, ... try
WAITS = (5, 15, 60, 300, 900, 1800, 3600)
#: an event that could not be posted for so long is given up
GIVEN_UP_AFTER = timedelta(days=3)
#: one over which our own step fails is given up after so many tries
TRIES = 4
MENDS = "It is tried again by itself, and given up after three days. Look whether the address answers, and see docs/operations/webhooks.md."
REVIVE = "When the address answers again: gateway webhooks retry {target}"
_log = structlog.get_logger("webhooks")


def stream_of(target: str) -> str:
    """The stream of a target's events."""
    return f"hook:{target}"


def tell(station: Station) -> None:
    """Put on their way what the journal has to say since the last time."""
    hooks = station.installation.settings.webhooks
    with station.database.read() as connection:
        position = webhooks.position(connection)
    if not hooks:
        if position is not None:
            with station.database.begin() as connection:
                webhooks.move_to(connection, None)
        return
    if position is None:
        begin(station)
        return
    with station.database.begin() as connection:
        end = webhooks.settled_position(connection)
    while position < end:
        position = _tell_some(station, hooks, position, end)


def begin(station: Station) -> None:
    """Events are told from here on, if they never were: nobody wants to hear the past. A service says so before it takes anything in: what came
    before the first stroke of its clock would be the past too."""
    if not station.installation.settings.webhooks:
        return
    with station.database.begin() as connection:
        end = webhooks.settled_position(connection)
        if webhooks.position(connection) is None:
            webhooks.move_to(connection, end)


def _tell_some(station: Station, hooks: tuple[Webhook, ...], position: int, end: int) -> int:
    now = station.clock()
    with station.database.begin() as connection:
        if webhooks.position(connection) != position:
            return end  # another process is at it
        entries = [one for one in journal.after(connection, position, BATCH) if one.position <= end]
        if not entries:
            return end
        rows = []
        for told in (told for one in entries if (told := _event(connection, one)) is not None):
            for hook in hooks:
                if _wants(hook, told):
                    rows.append(
                        webhooks.Event(
                            id=short_id("W", hook.target, told.position),
                            target=hook.target,
                            position=told.position,
                            event=told.type,
                            body=told.body.decode(),
                            created_at=now,
                            due_at=now,
                        )
                    )
        webhooks.add(connection, rows, now)
        webhooks.move_to(connection, entries[-1].position)
        for target in sorted({row.target for row in rows}):
            streams.poke(connection, stream_of(target))
        crash.point(95)
    return entries[-1].position


def _event(connection: Connection, entry: journal.Recorded) -> Told | None:
    """What an entry of the journal tells; one that cannot be put in words keeps none behind it from being told."""
    try:
        # what the database refuses is undone with this event alone
        with connection.begin_nested():
            return event_of(connection, entry)
    except Exception as error:
        if isinstance(error, DBAPIError) and (error.connection_invalidated or trouble_of(error).retry):
            raise
        _log.exception("event not told", position=entry.position, cure="report it; the journal has what happened")
        return None


def _wants(hook: Webhook, told: Told) -> bool:
    return (not hook.events or told.type in hook.events) and (not hook.partners or told.partner in hook.partners)


def step(station: Station, stream: str) -> bool:
    """Post the next events of a target; true when more may be waiting."""
    target = stream.partition(":")[2]
    for _ in range(POSTED_AT_ONCE):
        token = lease_token(station.node)
        with station.database.begin() as connection:
            event = webhooks.claim(connection, target, station.clock(), LEASE, token)
        if event is None:
            return False
        try:
            if not _post(station, target, event, token):
                return False
        except StaleState:
            return True  # the lease ran out and another process has the event: what it does counts
    return True


def _post(station: Station, target: str, event: webhooks.Event, token: str) -> bool:
    """One event, one try; whether it was taken."""
    try:
        aim = target_of(station.installation, target)
        post_event(aim, event.id, event.body.encode(), int(station.clock().timestamp()))
    except (TransportError, ConfigTrouble) as error:
        _not_taken(station, target, event, token, str(error), over=station.clock() - event.created_at > GIVEN_UP_AFTER)
        return False
    except Exception as error:
        if lies_elsewhere(error):
            raise
        # our own step: those behind it are not to wait for days
        _log.exception("webhook failed", target=target, event_id=event.id)
        _not_taken(station, target, event, token, f"a fault of ours: {type(error).__name__}: {error}", over=event.attempts >= TRIES)
        return False
    crash.point(94)
    with station.database.begin() as connection:
        webhooks.sent(connection, event.id, token, station.clock())
        if (event.attempts > 1 or event.last_error is not None) and not webhooks.given_up(connection, target):
            troubles.is_over(connection, _trouble(target))
    return True


def target_of(installation: Installation, target: str) -> WebhookTarget:
    """Where a target is, with its secrets read; raises ConfigTrouble."""
    hook = next((hook for hook in installation.settings.webhooks if hook.target == target), None)
    if hook is None:
        raise ConfigTrouble(f"config.yaml has no webhook '{target}' any more")
    return WebhookTarget(
        url=hook.url,
        secrets=tuple(installation.secret(secret).strip().encode() for secret in hook.secret),
        private=hook.private,
        ca_file=str(installation.path(hook.authorities)) if hook.authorities else None,
        timeout_seconds=hook.timeout,
    )


def _not_taken(station: Station, target: str, event: webhooks.Event, token: str, error: str, *, over: bool) -> None:
    now = station.clock()
    with station.database.begin() as connection:
        if over:
            webhooks.dead(connection, event.id, token, error, now)
            journal.append(connection, [_given_up(event, error, now)])
            streams.poke(connection, stream_of(target))
        else:
            wait = spread(WAITS[min(event.attempts - 1, len(WAITS) - 1)])
            webhooks.failed(connection, event.id, token, error, now + timedelta(seconds=wait))
        given_up = webhooks.given_up(connection, target)
        lost = f"; {given_up} events were given up" if given_up else ""
        cure = REVIVE.format(target=target) if given_up else MENDS
        state = "stopped" if given_up else "retrying"
        trouble = troubles.Trouble(name=_trouble(target), kind="webhook", state=state, error=f"{error}{lost}", cure=cure, since=now)
        troubles.stands(connection, trouble)
    if event.attempts == 1 or over:
        _log.warning("webhook given up" if over else "webhook failed", target=target, event_id=event.id, error=error)


def _given_up(event: webhooks.Event, error: str, now: datetime) -> journal.Entry:
    return journal.Entry(
        stream=stream_of(event.target),
        at=now,
        actor="gateway",
        action="webhook given up",
        subject_kind="webhook",
        subject=event.id,
        reason=error[:500],
        facts={"event": event.event, "position": str(event.position), "attempts": str(event.attempts)},
    )


def _trouble(target: str) -> str:
    return f"webhook {target}"


def retry(station: Station, target: str) -> int:
    """Try again, from now on, what was given up for a target: a person says that it answers. How many that are."""
    with station.database.begin() as connection:
        count = webhooks.revive(connection, target, station.clock())
        troubles.is_over(connection, _trouble(target))
        streams.poke(connection, stream_of(target))
    return count
