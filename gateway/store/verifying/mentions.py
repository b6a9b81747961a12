"""Who speaks of an archived file: what a person wants to know of one that is missing or altered. Looks through the whole journal, which only a
verification that found something does."""

from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy import text

from gateway.store.incoming import as2_requests
from gateway.store.incoming import transmissions
from gateway.store.journal import decode_canonical
from gateway.store.outgoing import outbox
from gateway.store.records import documents

#: mentions of one file that are named
_MOST = 3


def in_words(connection: Connection, digests: Collection[str]) -> dict[str, str]:
    """What each file was: its name, its documents, and the first entries that refer to it."""
    found: dict[str, list[str]] = {digest: [] for digest in digests}
    for digest, words in _mentions(connection, frozenset(digests)):
        if len(found[digest]) < _MOST and words not in found[digest]:
            found[digest].append(words)
    return {digest: "; ".join(words) for digest, words in found.items()}


def _mentions(connection: Connection, digests: frozenset[str]) -> Iterator[tuple[str, str]]:
    query = text("SELECT stream, number, action, subject_kind, subject, entry FROM journal_entry ORDER BY position")
    rows: list[tuple[str, Any]] = []
    for row in connection.execute(query, execution_options={"yield_per": 2000}):
        if not any(digest in row.entry for digest in digests):
            continue
        try:
            referred = decode_canonical(row.entry.encode()).references
        except msgspec.DecodeError:
            continue  # told by whoever verifies the entries
        rows += [(digest, row) for digest in digests.intersection(referred)]
    for digest, row in rows:
        subject = _subject(connection, row.subject_kind, row.subject)
        yield digest, f"{subject}, {row.action} by entry {row.number} of stream {row.stream}"


def _subject(connection: Connection, kind: str, id: str) -> str:
    if kind == "transmission":
        file = transmissions.get(connection, id)
        if file is not None:
            led_to = _listed([_document(row) for row in documents.of_transmission(connection, id, limit=_MOST + 1)])
            return f'file "{file.name}"{f" of {file.partner}" if file.partner else ""}{f" with {led_to}" if led_to else ""}'
    if kind == "outbox":
        entry = outbox.get(connection, id)
        if entry is not None:
            row = documents.get(connection, entry.document) if entry.document is not None else None
            named = f'file "{entry.identity}" to {entry.partner}' if entry.identity else f"{entry.spec} to {entry.partner}"
            return f"{named} with {_document(row)}" if row is not None else named
    if kind == "as2_request":
        request = as2_requests.get(connection, id)
        if request is not None:
            return f'AS2 message "{request.message_id}" of {request.partner or "nobody known"}'
    if kind == "document":
        row = documents.get(connection, id)
        if row is not None:
            return _document(row)
    return f"{kind} {id}"


def _document(row: documents.Document) -> str:
    return f"{row.kind.replace('_', ' ') or 'document'} {row.number} ({row.id})"


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_MOST]) + (", ..." if len(words) > _MOST else "")
