"""The time by which machines agree: the database's clock. What several of them compare (heartbeats, claims, leases) goes by it."""

from datetime import UTC
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy import text


def database_now(connection: Connection) -> datetime:
    """What time it is at the database; SQLite has the clock of its one machine."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)
