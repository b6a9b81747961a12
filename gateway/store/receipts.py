"""AS2 receipts that we gave: the same message again gets the same receipt, byte for byte (RFC 4130 does not want it processed twice)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.rows import Row
from gateway.store.rows import StaleState
from gateway.store.rows import insert
from gateway.store.rows import one_of
from gateway.store.rows import values_of

_TABLE = tables.receipt


class Receipt(Row, frozen=True, kw_only=True):
    """A receipt; its bytes lie in the archive."""

    as2_from: str
    message_id: str
    transmission: str | None
    mdn_sha256: str
    headers: Mapping[str, str]
    at: datetime


def keep(
    connection: Connection, as2_from: str, message_id: str, *, transmission: str | None, mdn_sha256: str, headers: Mapping[str, str], at: datetime
) -> tuple[Receipt, bool]:
    """Keep a receipt; where one was given for this message already, that one and False."""
    receipt = Receipt(as2_from=as2_from, message_id=message_id, transmission=transmission, mdn_sha256=mdn_sha256, headers=headers, at=at)
    statement = insert(connection, _TABLE).values(values_of(receipt)).on_conflict_do_nothing(index_elements=["as2_from", "message_id"])
    if connection.execute(statement.returning(_TABLE.c.message_id)).scalar_one_or_none() is not None:
        return receipt, True
    known = find(connection, as2_from, message_id)
    if known is None:
        raise StaleState(f"the receipt for {message_id} vanished")
    return known, False


def find(connection: Connection, as2_from: str, message_id: str) -> Receipt | None:
    """The receipt that we gave for a message."""
    return one_of(connection.execute(select(_TABLE).where(_TABLE.c.as2_from == as2_from, _TABLE.c.message_id == message_id)), Receipt)
