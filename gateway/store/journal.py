"""The journal: what happened, who did it and why, in entries that are only ever added and that nobody can change unseen.

An entry's canonical form is JSON with sorted keys, compact, UTF-8. Its hash is that of an RFC 6962 leaf; each entry carries the hash of the
one before it in its stream. Checkpoints (store.checkpoints) sign a Merkle root over all entries; store.verification checks everything.
Personal data never stands in an entry: only a salted commitment, whose salt can be forgotten.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy import Insert
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import text

from gateway.store import crash
from gateway.store import tables
from gateway.store.columns import moment_text
from gateway.store.columns import storable
from gateway.store.many import Single
from gateway.store.many import many_inserts
from gateway.store.many import many_upserts
from gateway.store.merkle import leaf_hash
from gateway.store.rows import Row
from gateway.store.rows import insert

VERSION = 1
#: PostgreSQL: who appends holds this advisory lock shared, who seals holds it alone, so that no entry can slip in before a sealed one
SEALING_LOCK = 0x4757_4A4F_5552_4E4C

_TABLE = tables.journal_entry
_HEAD = tables.journal_head
_INSERT = many_inserts(_TABLE, ("stream", "number", "at", "action", "subject_kind", "subject", "entry", "hash"))
_HEADS = (
    select(_HEAD.c.stream, _HEAD.c.number, _HEAD.c.hash)
    .where(_HEAD.c.stream.in_(bindparam("streams", expanding=True)))
    .order_by(_HEAD.c.stream)
    .with_for_update()
)
_ONE_HEAD = Single(("stream",), lambda _: select(_HEAD.c.number, _HEAD.c.hash).where(_HEAD.c.stream == bindparam("stream")).with_for_update())


def _upsert_heads(connection: Connection) -> Insert:
    statement = insert(connection, _HEAD)
    return statement.on_conflict_do_update(index_elements=["stream"], set_={"number": statement.excluded.number, "hash": statement.excluded.hash})


_MOVE_HEADS = many_upserts(_upsert_heads, ("stream", "number", "hash"))
_ENCODE = msgspec.json.Encoder(order="sorted").encode


class Entry(Row, frozen=True, kw_only=True):
    """One thing that happened. `facts` are texts without personal data; `references` are digests of the archive."""

    stream: str
    at: datetime
    #: a person's account, `system`, or the partner that caused it (`partner:acme`)
    actor: str
    action: str
    #: document, transmission, interchange, outbox, hold, ...
    subject_kind: str
    subject: str
    reason: str = ""
    facts: Mapping[str, str] = {}
    references: tuple[str, ...] = ()
    #: name -> commit_value(salt, value)
    commitments: Mapping[str, str] = {}


class Recorded(Row, frozen=True, kw_only=True):
    """An entry as it stands in the journal."""

    position: int
    number: int
    hash: str
    prev: str
    entry: Entry


class _Canonical(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    stream: str
    number: int
    prev: str
    at: str
    actor: str
    action: str
    subject_kind: str
    subject: str
    reason: str
    facts: dict[str, str]
    references: list[str]
    commitments: dict[str, str]


decode_canonical = msgspec.json.Decoder(_Canonical).decode


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries to their streams, in the order given. Call it late in the transaction: on PostgreSQL the streams' heads stay locked."""
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": SEALING_LOCK})
    heads = _heads(connection, sorted({storable(entry.stream) for entry in entries}))
    rows = []
    for entry in entries:
        stream = storable(entry.stream)
        number, prev = heads[stream]
        canonical, row = _row(entry, stream, number + 1, prev)
        hash = leaf_hash(canonical).hex()
        heads[stream] = (number + 1, hash)
        rows.append((*row, hash))
    _INSERT.run(connection, rows)
    _MOVE_HEADS.run(connection, [(stream, number, hash) for stream, (number, hash) in heads.items()])
    crash.point(23)


def of_subject(connection: Connection, subject_kind: str, subject: str) -> list[Recorded]:
    """Everything that happened to one subject, in order."""
    query = select(_TABLE.c.position, _TABLE.c.number, _TABLE.c.hash, _TABLE.c.entry).where(
        _TABLE.c.subject == subject, _TABLE.c.subject_kind == subject_kind
    )
    return [_recorded(row) for row in connection.execute(query.order_by(_TABLE.c.position))]


def after(connection: Connection, position: int, limit: int = 1000) -> list[Recorded]:
    """The next entries of the whole journal behind a position: for export and feeds."""
    query = (
        select(_TABLE.c.position, _TABLE.c.number, _TABLE.c.hash, _TABLE.c.entry)
        .where(_TABLE.c.position > position)
        .order_by(_TABLE.c.position)
        .limit(limit)
    )
    return [_recorded(row) for row in connection.execute(query)]


def commit_value(salt: bytes, value: str) -> str:
    """A commitment to a personal value: proves it to whoever knows value and salt, tells nothing to others."""
    return hmac.new(salt, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def salt_of(connection: Connection, subject: str) -> bytes:
    """The salt for commitments about a subject (a partner, a document), made at the first asking."""
    table = tables.commitment_salt
    known = connection.execute(select(table.c.salt).where(table.c.subject == subject)).scalar_one_or_none()
    if known is None:
        connection.execute(insert(connection, table).values(subject=subject, salt=secrets.token_hex(32)).on_conflict_do_nothing())
        known = connection.execute(select(table.c.salt).where(table.c.subject == subject)).scalar_one()
    return bytes.fromhex(known)


def forget_salt(connection: Connection, subject: str) -> bool:
    """Erase: what was committed about the subject can never be linked to a value again. The journal still verifies."""
    table = tables.commitment_salt
    return connection.execute(delete(table).where(table.c.subject == subject)).rowcount == 1


# ---------------------------------------------------------------- how


def _heads(connection: Connection, streams: list[str]) -> dict[str, tuple[int, str]]:
    """Number and hash of each stream's newest entry, locked; a new stream starts at (0, "")."""
    if len(streams) == 1:
        one = _ONE_HEAD.run(connection, streams[0]).one_or_none()
        if one is not None or connection.dialect.name != "postgresql":
            return {streams[0]: (one.number, one.hash) if one is not None else (0, "")}
    heads = {row.stream: (row.number, row.hash) for row in connection.execute(_HEADS, {"streams": streams})}
    missing = [stream for stream in streams if stream not in heads]
    if missing and connection.dialect.name == "postgresql":
        # two transactions may begin the same stream: the row is made first, then waited for
        connection.execute(insert(connection, _HEAD).on_conflict_do_nothing(), [{"stream": stream, "number": 0, "hash": ""} for stream in missing])
        heads = {row.stream: (row.number, row.hash) for row in connection.execute(_HEADS, {"streams": streams})}
    return {stream: heads.get(stream, (0, "")) for stream in streams}


def _row(entry: Entry, stream: str, number: int, prev: str) -> tuple[bytes, tuple[Any, ...]]:
    action, kind, subject = storable(entry.action), storable(entry.subject_kind), storable(entry.subject)
    content = _Canonical(
        version=VERSION,
        stream=stream,
        number=number,
        prev=prev,
        at=moment_text(entry.at),
        actor=storable(entry.actor),
        action=action,
        subject_kind=kind,
        subject=subject,
        reason=storable(entry.reason),
        facts={storable(name): storable(value) for name, value in entry.facts.items()},
        references=list(entry.references),
        commitments=dict(entry.commitments),
    )
    canonical = _ENCODE(content)
    return canonical, (stream, number, entry.at, action, kind, subject, canonical.decode())


def _recorded(row: Any) -> Recorded:
    content = decode_canonical(row.entry)
    entry = Entry(
        stream=content.stream,
        at=datetime.fromisoformat(content.at),
        actor=content.actor,
        action=content.action,
        subject_kind=content.subject_kind,
        subject=content.subject,
        reason=content.reason,
        facts=content.facts,
        references=tuple(content.references),
        commitments=content.commitments,
    )
    return Recorded(position=row.position, number=row.number, hash=row.hash, prev=content.prev, entry=entry)
