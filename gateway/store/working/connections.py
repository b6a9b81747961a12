"""How many connections a PostgreSQL server has left for everybody."""

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy import text


@dataclass(frozen=True, slots=True)
class Connections:
    """What the server gives to those who are not its superusers, and how many all databases on it have now."""

    most: int
    used: int


def connections_of(connection: Connection) -> Connections | None:
    """None on SQLite, which has no such limit."""
    if connection.dialect.name != "postgresql":
        return None
    most = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    used = "SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database"
    return Connections(connection.execute(text(most)).scalar_one(), connection.execute(text(used)).scalar_one())
