"""What the journal says, as events for people's other systems: one table from words of the journal to types of events.

Nothing of a payload, no price and no reason stands in an event: who wants more asks the API by the ids in it.
"""

import re
from typing import Any

import msgspec
from sqlalchemy import Connection

from gateway.store import journal
from gateway.store import settings
from gateway.store.columns import moment_text
from gateway.store.incoming import transmissions
from gateway.store.journal import Recorded
from gateway.store.outgoing import outbox
from gateway.store.records import documents

#: (kind of subject, its action) -> event; `*` stands for the kind of document
TABLE: tuple[tuple[str, str, str], ...] = (
    ("transmission", r"received", "file.received"),
    ("transmission", r"transmission held", "file.held"),
    ("transmission", r"transmission unreadable", "file.unreadable"),
    ("document", r"document registered", "document.received"),
    ("document", r"(?!hold )[\w ]+ accepted", "document.accepted"),
    ("document", r"[\w ]+ held", "document.held"),
    ("document", r"(?!hold )[\w ]+ rejected", "document.rejected"),
    ("outbox", r"\w+ sent", "document.sent"),
    ("outbox", r"\w+ receipt came", "document.delivered"),
    ("pickup", r"fetched by the partner", "document.delivered"),
    ("outbox", r"\w+ acknowledged: \w+", "document.acknowledged"),
    ("outbox", r"\w+ answered: \w+", "document.answered"),
    ("outbox", r"\w+ not answered in time", "document.overdue"),
    ("outbox", r"\w+ (?:given up|cannot be written)", "document.dead"),
)
_TABLE = tuple((kind, re.compile(rf"{action}\Z"), event) for kind, action, event in TABLE)
_SHOWN = {"problems", "outcome", "identity"}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it is known who wants it."""

    position: int
    type: str
    partner: str | None
    body: bytes


def event_of(connection: Connection, recorded: Recorded) -> Told | None:
    """The event of a journal entry, None where it is none."""
    entry = recorded.entry
    type = next((event for kind, action, event in _TABLE if kind == entry.subject_kind and action.match(entry.action)), None)
    if type is None:
        return None
    partner, about = _about(connection, entry.subject_kind, entry.subject)
    outcome = entry.action.partition(": ")[2]
    body: dict[str, Any] = {
        "id": f"{settings.installation_id(connection)}-{recorded.position}",
        "type": type,
        "at": moment_text(entry.at),
        "partner": partner,
        **about,
        **({"outcome": outcome} if outcome else {}),
        **({"problems": problems.split(",")} if (problems := entry.facts.get("problems")) else {}),
    }
    return Told(position=recorded.position, type=type, partner=partner, body=msgspec.json.encode(body))


def _about(connection: Connection, kind: str, subject: str) -> tuple[str | None, dict[str, Any]]:
    """Whose it is, and what is said of the subject."""
    if kind == "transmission":
        transmission = transmissions.get(connection, subject)
        if transmission is None:
            return None, {}
        return transmission.partner, {"file": {"id": subject, "name": transmission.name, "size": transmission.size, "sha256": transmission.sha256}}
    if kind == "pickup":
        # the row that it was laid ready for
        laid = next((one.entry.facts.get("row", "") for one in journal.of_subject(connection, "pickup", subject)), "")
        return _about(connection, "outbox", laid)
    if kind == "outbox":
        entry = outbox.get(connection, subject)
        if entry is None:
            return None, {}
        delivery = {"id": entry.id, "kind": entry.kind, "spec": entry.spec, "file": entry.identity, "test": entry.test}
        about = _document(connection, entry.document) if entry.document else {}
        return entry.partner, {"delivery": delivery, **about}
    row = documents.get(connection, subject)
    return (row.partner if row is not None else None), _document(connection, subject)


def _document(connection: Connection, id: str) -> dict[str, Any]:
    row = documents.get(connection, id)
    if row is None:
        return {}
    shown = {"id": row.id, "kind": row.kind, "number": row.number, "direction": row.direction, "test": row.test, "transmission": row.transmission}
    return {"document": {name: value for name, value in shown.items() if value not in {None, ""}}}
