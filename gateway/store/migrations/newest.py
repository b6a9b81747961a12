"""Whether a database has this program's tables already, told by the names of the migrations' files: every command asks this at its start, and
need not load alembic and all migrations for it.
"""

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import inspect
from sqlalchemy import text


def newest() -> str:
    """The revision that this program works with: files of migrations are called by their number."""
    return max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def is_newest(connection: Connection) -> bool:
    """Whether nothing is to be migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [newest()]
