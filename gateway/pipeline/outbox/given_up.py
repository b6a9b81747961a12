"""A document of ours says truly whether it will leave: once its delivery is given up it is `dead` itself, until a person tries it again, sends it
again or stops it, or until its partner turns out to have it."""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from gateway.store.outgoing import outbox
from gateway.store.records import documents

#: states of a document of ours that is to leave, and of one whose delivery was given up
TO_LEAVE, GIVEN_UP = "created", "dead"
#: state of one that a person stopped before it ever left
STOPPED = "stopped"


def rest(connection: Connection, ids: Sequence[str], reason: str, now: datetime) -> None:
    """These rows were given up, as far as their partner has not acknowledged them meanwhile: their documents wait for a person with them."""
    dead = [row.document for row in outbox.get_many(connection, ids) if row.state == "dead" and row.document is not None]
    _move(connection, dead, TO_LEAVE, GIVEN_UP, "gateway", f"its delivery was given up: {reason}", now)


def take_up(connection: Connection, rows: Iterable[outbox.Entry], actor: str, reason: str, now: datetime) -> None:
    """These rows, which had been given up, are tried again."""
    _move(connection, [row.document for row in rows if row.document is not None], GIVEN_UP, TO_LEAVE, actor, reason, now)


def stop(connection: Connection, id: str, actor: str, reason: str, now: datetime) -> None:
    """The delivery of a document was stopped for good: it is what it was before that, where it had left earlier."""
    row = documents.get(connection, id)
    if row is None or row.state not in (TO_LEAVE, GIVEN_UP):
        return
    before = [step.state for step in documents.history(connection, id) if step.state not in (TO_LEAVE, GIVEN_UP)]
    state, words = (before[-1], "not sent again") if before else (STOPPED, "stopped before it left")
    documents.transition(
        connection, [documents.Change(document=id, expected=row.state, state=state, actor=actor, reason=f"{words}: {reason}", at=now)]
    )


def _move(connection: Connection, ids: Iterable[str], expected: str, state: str, actor: str, reason: str, now: datetime) -> None:
    changes = [
        documents.Change(document=row.id, expected=expected, state=state, actor=actor, reason=reason, at=now)
        for row in documents.get_many(connection, set(ids)).values()
        if row.state == expected
    ]
    documents.transition(connection, changes)
