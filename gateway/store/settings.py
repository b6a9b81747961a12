"""Values of the installation itself: its id, its salt. What a person sets stands in config.yaml, not here."""

import secrets

from sqlalchemy import Connection
from sqlalchemy import select

from gateway.store import tables
from gateway.store.identity import new_id
from gateway.store.rows import insert
from gateway.store.rows import upsert

_TABLE = tables.setting


def get(connection: Connection, name: str) -> str | None:
    """A value, None where it was never set."""
    return connection.execute(select(_TABLE.c.value).where(_TABLE.c.name == name)).scalar_one_or_none()


def put(connection: Connection, name: str, value: str) -> None:
    """Set a value."""
    upsert(connection, _TABLE, [{"name": name, "value": value}])


def put_once(connection: Connection, name: str, value: str) -> str:
    """Set a value unless there is one; returns the one that holds."""
    connection.execute(insert(connection, _TABLE).values(name=name, value=value).on_conflict_do_nothing())
    return str(connection.execute(select(_TABLE.c.value).where(_TABLE.c.name == name)).scalar_one())


def installation_id(connection: Connection) -> str:
    """What tells this installation from any other; made at the first asking."""
    return get(connection, "installation") or put_once(connection, "installation", new_id())


def installation_salt(connection: Connection) -> bytes:
    """A secret salt of the installation; made at the first asking."""
    return bytes.fromhex(get(connection, "salt") or put_once(connection, "salt", secrets.token_hex(32)))
