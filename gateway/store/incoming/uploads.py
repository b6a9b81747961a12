"""What partners pushed to us under a key of their own, with the answer that they got: the same again gets the same answer."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import select

from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import values_of

#: how long a key is known; partners try again for days, not for months
KNOWN_FOR = timedelta(days=90)
_TABLE = tables.upload

#: an account, and a key that is its own
Key = tuple[str, str]


class Upload(Row, frozen=True, kw_only=True):
    """One push. `key` is the partner's, unique to its account."""

    account: str
    key: str
    sha256: str
    #: JSON, as it was answered
    answer: str
    created_at: datetime


_INSERT = many_inserts(_TABLE, Upload.__struct_fields__, ignore=("account", "key"))
_FIND = select(_TABLE).where(_TABLE.c.account == bindparam("whose"), _TABLE.c.key.in_(bindparam("keys", expanding=True)))
_FORGET = delete(_TABLE).where(_TABLE.c.created_at < bindparam("before", type_=_TABLE.c.created_at.type))


def keep(connection: Connection, made: Sequence[Upload]) -> bool:
    """Keep pushes; False where a key of them was used already: then nothing of it may be committed. Keys that nobody can mean any more are
    forgotten."""
    connection.execute(_FORGET, {"before": made[0].created_at - KNOWN_FOR})
    return _INSERT.run(connection, [tuple(values_of(upload).values()) for upload in made]) == len(made)


def find_many(connection: Connection, keys: Sequence[Key]) -> dict[Key, Upload]:
    """What came under these keys."""
    of_account: dict[str, list[str]] = {}
    for account, key in keys:
        of_account.setdefault(account, []).append(key)
    found: list[Upload] = []
    for account, its in of_account.items():
        found += all_of(connection.execute(_FIND, {"whose": account, "keys": its}), Upload)
    return {(upload.account, upload.key): upload for upload in found}
