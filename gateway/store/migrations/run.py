"""Runs the migrations from Python; there is no alembic.ini. The caller holds the lock and the transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gateway.store.database_trouble import DatabaseTrouble


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the database to the newest revision (or an older one, to put rows of then into it); one that this program does not know is refused."""
    config = _config()
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    present = MigrationContext.configure(connection).get_current_revision()
    if present == (newest if to == "head" else to):
        return
    if present is not None and present not in {revision.revision for revision in script.walk_revisions()}:
        raise DatabaseTrouble(
            f"the database was written by a newer version of the gateway (its tables are at {present}, this program knows up to {newest}); "
            "install that version, or restore a backup made before",
            retry=False,
        )
    command.upgrade(config, to)


def newest_revision() -> str:
    """The revision that this program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def present_revision(connection: Connection) -> str | None:
    """The revision that a database is at; None for one without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether this program knows a revision."""
    return revision in {known.revision for known in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
