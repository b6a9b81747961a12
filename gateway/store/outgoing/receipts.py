"""AS2 receipts that we gave: the same message again gets the same receipt, byte for byte (RFC 4130 does not want it processed twice).

A message is told from others by its sender's name, ours and its Message-ID.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import select

from gateway.store import tables
from gateway.store.many import many_inserts
from gateway.store.rows import Row
from gateway.store.rows import all_of
from gateway.store.rows import is_one_of
from gateway.store.rows import one_of

_TABLE = tables.receipt
_INSERT = many_inserts(_TABLE, ("as2_from", "as2_to", "message_id", "transmission", "mdn_sha256", "headers", "at"), ignore=())
#: receipts of before 0014 whose message is no longer there have no name of ours
_FIND = (
    select(_TABLE)
    .where(_TABLE.c.as2_from == bindparam("sender"), _TABLE.c.message_id == bindparam("message"))
    .where((_TABLE.c.as2_to == bindparam("us")) | is_one_of(_TABLE.c.as2_to, ""))
    .order_by(_TABLE.c.as2_to.desc())
    .limit(1)
)

#: the sender's name, ours, the Message-ID
Names = tuple[str, str, str]


class Receipt(Row, frozen=True, kw_only=True):
    """A receipt; its bytes lie in the archive."""

    as2_from: str
    as2_to: str
    message_id: str
    transmission: str | None
    mdn_sha256: str
    headers: Mapping[str, str]
    at: datetime

    @property
    def names(self) -> Names:
        """What tells its message from all others."""
        return self.as2_from, self.as2_to, self.message_id


def keep(connection: Connection, given: Sequence[Receipt]) -> bool:
    """Keep receipts; False where one was given for one of these messages already: then nothing of this transaction may stay."""
    rows = [(one.as2_from, one.as2_to, one.message_id, one.transmission, one.mdn_sha256, dict(one.headers), one.at) for one in given]
    return _INSERT.run(connection, rows) == len(given)


def find(connection: Connection, as2_from: str, as2_to: str, message_id: str) -> Receipt | None:
    """The receipt that we gave for a message."""
    return one_of(connection.execute(_FIND, {"sender": as2_from, "us": as2_to, "message": message_id}), Receipt)


def named(connection: Connection, message_id: str, limit: int = 20) -> list[Receipt]:
    """The receipts that we gave for messages of this Message-ID, whoever sent them, newest first."""
    query = select(_TABLE).where(_TABLE.c.message_id == message_id).order_by(_TABLE.c.at.desc(), _TABLE.c.as2_from, _TABLE.c.as2_to).limit(limit)
    return all_of(connection.execute(query), Receipt)


def find_many(connection: Connection, messages: Iterable[Names]) -> dict[Names, Receipt]:
    """The receipts that we gave for these messages."""
    asked = ((names, find(connection, *names)) for names in messages)
    return {names: receipt for names, receipt in asked if receipt is not None}
