"""How each webhook stands: what waits for it, when it last took something, what was given up and why. For the page, the commands, the status."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from gateway.config import Installation
from gateway.store.outgoing import webhooks


class HookState(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook, in config.yaml or gone from it with events that are left."""

    webhook: str
    configured: bool
    waiting: int
    #: posted in the last 30 days
    sent: int
    dead: int
    last_sent_at: datetime | None = None
    #: why the first event that waits was not taken, or the last one that was given up
    last_error: str | None = None
    #: when the first event that waits came into being, how often it was tried, and when it is tried again
    oldest_at: datetime | None = None
    attempts: int = 0
    next_try_at: datetime | None = None

    @property
    def state(self) -> str:
        """dead, failed, waiting, or sent; nothing where it has never been told anything."""
        if self.dead:
            return "dead"
        if self.waiting:
            return "failed" if self.last_error is not None else "waiting"
        return "sent" if self.last_sent_at is not None else ""


def hook_states(installation: Installation, connection: Connection) -> list[HookState]:
    """Every webhook, those of config.yaml first and in their order."""
    counts = webhooks.counts(connection)
    last_sent = webhooks.last_sent(connection)
    named = [hook.target for hook in installation.settings.webhooks]
    states = []
    for target in dict.fromkeys([*named, *(target for target, _ in sorted(counts))]):
        first = webhooks.first_of(connection, target, "waiting")
        given_up = webhooks.first_of(connection, target, "dead", newest=True)
        errors = [event.last_error for event in (first, given_up) if event is not None and event.last_error is not None]
        states.append(
            HookState(
                webhook=target,
                configured=target in named,
                waiting=counts.get((target, "waiting"), 0),
                sent=counts.get((target, "sent"), 0),
                dead=counts.get((target, "dead"), 0),
                last_sent_at=last_sent.get(target),
                last_error=errors[0] if errors else None,
                oldest_at=first.created_at if first is not None else None,
                attempts=first.attempts if first is not None else 0,
                next_try_at=first.due_at if first is not None else None,
            )
        )
    return states
