"""What tests need again and again and nobody wants made anew each time: a migrated database, compiled plans. Each test still has its own copy of what it
changes. That all of it can be made from nothing is shown where that is the thing itself (tests/store, tests/docs, tests/cli).
"""

import atexit
import functools
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from gateway.config import default_resolver
from gateway.pipeline.plans import Plans
from gateway.pipeline.station import Station
from gateway.store.database import open_database

#: what partners' files say to which plans belong that are theirs alone
_OWN = re.compile(r"mapping|schema|tables|extends")


@functools.cache
def shipped_plans() -> Plans:
    """The plans of the shipped files, compiled once a process."""
    return Plans(default_resolver())


@functools.cache
def migrated_file() -> Path:
    """An SQLite database with all tables and no rows, to copy; made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-ready-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = open_database(f"sqlite:///{folder / 'gateway.db'}")
    database.migrate()
    with database.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.close()
    return folder / "gateway.db"


def lay_database(folder: Path) -> None:
    """Into an installation that has none yet and keeps its data in `data`."""
    data = folder / "data"
    if not data.exists() and re.search(r"^data: data$", (folder / "config.yaml").read_text(), re.MULTILINE):
        data.mkdir(mode=0o700)
        shutil.copy(migrated_file(), data / "gateway.db")


def use_compiled_plans(station: Station, folder: Path) -> None:
    """Plans of shipped files that an earlier installation of this process has compiled: the same for all whose partners state no differences."""
    if any((folder / name).exists() for name in ("mappings", "schemas", "rules")):
        return
    texts = [(folder / "config.yaml").read_text(), *(path.read_text() for path in (folder / "partners").glob("*.yaml"))]
    if any(_OWN.search(text) for text in texts):
        return
    # rules may be the installation's own
    plans = replace(shipped_plans(), resolver=station.plans.resolver, _rules={})
    station.current.loaded = replace(station.current.loaded, plans=plans)
