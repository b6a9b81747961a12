"""What we posted by AS2: the request as it was made at the first try, and what its receipt must confirm.

The request's head and body lie in the archive under `request_sha256` and are posted again byte for byte. A receipt may be quicker than we
are in recording that the message has left, and may come twice: the row is locked while either is written down.

receipt_state: None (nothing posted yet, or none is asked for) -> waiting -> accepted | refused.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import select
from sqlalchemy import update

from gateway.store import tables
from gateway.store.outgoing.outbox import is_same_file
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

_TABLE = tables.as2_sending


class Sending(Row, frozen=True, kw_only=True):
    """One message of ours."""

    #: without its angle brackets
    message_id: str
    #: the outbox row, the first one of those that leave in this file
    outbox: str
    partner: str
    endpoint: str
    #: AS2 names
    us: str
    them: str
    #: head, empty line and body as they are posted
    request_sha256: str
    #: what the digests are over: the payload behind this head, or archived whole where it is not that (compressed, or in the clear)
    content_head: str | None = None
    content_sha256: str | None = None
    #: fingerprint of the certificate that only its holder can decrypt it with
    encrypted_for: str | None = None
    #: `value, algorithm`: one of them must stand in the receipt
    mics: tuple[str, ...]
    #: signed, unsigned or none
    receipt: str
    #: sync or async
    delivery: str
    wrapped_at: datetime
    #: how often the partner took it without telling what became of it
    posts: int = 0
    receipt_state: str | None = None
    receipt_at: datetime | None = None
    #: head, empty line and body of the receipt
    receipt_sha256: str | None = None
    disposition: str | None = None
    #: fingerprint of the certificate that the receipt is signed by
    signed_by: str | None = None
    #: what is wrong with a receipt that came and proves nothing
    trouble: str | None = None
    #: unknown of messages of before 0018
    signed: bool | None = None


def of_row(connection: Connection, outbox: str) -> Sending | None:
    """The message of an outbox row."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.outbox == outbox)), Sending)


def of_rows(connection: Connection, outbox: list[str]) -> list[Sending]:
    """The messages of outbox rows."""
    found: list[Sending] = []
    for start in range(0, len(outbox), 500):
        found += all_of(connection.execute(select(_TABLE).where(_TABLE.c.outbox.in_(outbox[start : start + 500]))), Sending)
    return found


def get(connection: Connection, message_id: str) -> Sending | None:
    """The message of this Message-ID."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.message_id == message_id)), Sending)


def unconfirmed(connection: Connection, us: str, them: str) -> list[Sending]:
    """The messages between two names whose receipt is to be posted to us and has not come."""
    under_way = select(tables.outbox.c.id).where(tables.outbox.c.state.in_(("posted", "prepared")))
    mine = (_TABLE.c.us == us, _TABLE.c.them == them, _TABLE.c.delivery == "async", _TABLE.c.outbox.in_(under_way))
    return all_of(connection.execute(select(_TABLE).where(*mine)), Sending)


def of_files(connection: Connection, rows: Iterable[str]) -> list[tuple[Sending, str]]:
    """The messages by which the files of these outbox rows left, each with the digest of its file. Several rows may share a file, and one of
    them stands for it; a file's name is its partner's own, and other partners' files may be named alike."""
    mine, first = tables.outbox.alias("mine"), tables.outbox.alias("first")
    asked = sorted(set(rows))
    files: dict[str, str] = {}
    for start in range(0, len(asked), 500):
        query = (
            select(first.c.id, first.c.sha256)
            .select_from(first)
            .join(mine, is_same_file(mine, first))
            .where(mine.c.id.in_(asked[start : start + 500]))
        )
        files.update({id: str(sha256) for id, sha256 in connection.execute(query)})
    return [(sending, files[sending.outbox]) for sending in of_rows(connection, sorted(files))]


def lock(connection: Connection, message_id: str) -> Sending | None:
    """The message of this Message-ID; nobody else writes to it until this transaction ends."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.message_id == message_id).with_for_update()), Sending)


def keep(connection: Connection, sending: Sending) -> Sending:
    """Keep a message before its first try; where another process has kept it meanwhile, that one counts."""
    connection.execute(insert(connection, _TABLE).values(values_of(sending)).on_conflict_do_nothing())
    known = of_row(connection, sending.outbox)
    if known is None:
        raise ValueError(f"the Message-ID {sending.message_id} is that of another message")
    return known


def wrap_anew(connection: Connection, sending: Sending) -> None:
    """The same message encrypted for another certificate: the old request can no longer be read by anybody."""
    changed = ("request_sha256", "content_head", "content_sha256", "encrypted_for", "mics", "receipt", "delivery", "wrapped_at", "signed")
    _change(connection, sending.message_id, {name: getattr(sending, name) for name in changed})


def begin_again(connection: Connection, message_id: str) -> None:
    """A person wants a refused message posted once more."""
    _change(connection, message_id, {"posts": 0, "receipt_state": None, "trouble": None})


def posted(connection: Connection, message_id: str) -> None:
    """The partner took it and will post its receipt: from now on that is waited for."""
    _change(connection, message_id, {"posts": _TABLE.c.posts + 1, "receipt_state": "waiting"})


def told(
    connection: Connection, message_id: str, state: str, *, at: datetime, sha256: str, disposition: str | None, signed_by: str | None, trouble: str
) -> None:
    """What its receipt says."""
    changes = {"receipt_state": state, "receipt_at": at, "receipt_sha256": sha256, "disposition": disposition, "signed_by": signed_by}
    _change(connection, message_id, {**changes, "trouble": trouble or None})


def _change(connection: Connection, message_id: str, changes: Mapping[str, Any]) -> None:
    connection.execute(update(_TABLE).where(_TABLE.c.message_id == message_id).values(dict(changes)))
