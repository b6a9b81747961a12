"""AS2 requests in the archive of which nothing was taken: messages that were refused or came again, and receipts that fit nothing that we sent.
The journal names them; here they are found by their Message-ID and by the time when they came last, until they are erased after it. Their names
stay, as those of files do.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.columns import storable
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: characters of a name that a stranger wrote
LONGEST = 200
_TABLE = tables.as2_request
_ERASURE = tables.erasure


class Request(Row, frozen=True, kw_only=True):
    """One request; its bytes, and ours that answered it, are what the journal's entries about its digest refer to."""

    request_sha256: str
    #: whose names these are; nothing: nobody's that we know
    partner: str
    as2_from: str
    as2_to: str
    message_id: str
    #: the last time
    came_at: datetime


def keep(connection: Connection, requests: Sequence[Request]) -> None:
    """Keep these; one that came before has come once more, also where it was erased since: its bytes lie in the archive again."""
    # always in the same order: two web processes cannot wait for each other
    for one in sorted(requests, key=lambda request: request.request_sha256):
        names = {name: cut(getattr(one, name)) for name in ("as2_from", "as2_to", "message_id")}
        statement = insert(connection, _TABLE).values({**values_of(one), **names})
        connection.execute(statement.on_conflict_do_update(index_elements=["request_sha256"], set_={"came_at": statement.excluded.came_at}))
    if requests:
        again = (_ERASURE.c.subject_kind == _TABLE.name, _ERASURE.c.subject.in_([one.request_sha256 for one in requests]))
        connection.execute(delete(_ERASURE).where(*again))


def cut(text: str) -> str:
    """As it is kept, and looked for: what strangers write has its length."""
    return storable(text)[:LONGEST]


def get(connection: Connection, request_sha256: str) -> Request | None:
    """The request of this digest."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.request_sha256 == request_sha256)), Request)


def named(connection: Connection, message_id: str, partner: str | None = None, limit: int = 20) -> list[Request]:
    """Those of this Message-ID, newest first."""
    query = select(_TABLE).where(_TABLE.c.message_id == cut(message_id)).order_by(_TABLE.c.came_at.desc(), _TABLE.c.request_sha256).limit(limit)
    return all_of(connection.execute(query if partner is None else query.where(_TABLE.c.partner == partner)), Request)
