"""What partners pushed to us under a key of their own, with the answer that they got: the same again gets the same answer."""

from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

#: how long a key is known; partners try again for days, not for months
KNOWN_FOR = timedelta(days=90)
_TABLE = tables.upload


class Upload(Row, frozen=True, kw_only=True):
    """One push. `key` is the partner's, unique to its account."""

    account: str
    key: str
    sha256: str
    #: JSON, as it was answered
    answer: str
    created_at: datetime


def keep(connection: Connection, upload: Upload) -> tuple[Upload, bool]:
    """Keep a push; where its key was used already, the first one and False. Keys that nobody can mean any more are forgotten."""
    connection.execute(delete(_TABLE).where(_TABLE.c.created_at < upload.created_at - KNOWN_FOR))
    statement = insert(connection, _TABLE).values(values_of(upload)).on_conflict_do_nothing(index_elements=["account", "key"])
    if connection.execute(statement.returning(_TABLE.c.key)).scalar_one_or_none() is not None:
        return upload, True
    known = find(connection, upload.account, upload.key)
    if known is None:
        raise StaleState(f"the upload under {upload.key} vanished")
    return known, False


def find(connection: Connection, account: str, key: str) -> Upload | None:
    """What came under this key."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.account == account, _TABLE.c.key == key)), Upload)
