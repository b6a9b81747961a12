"""Killed at a numbered point: what is there afterwards is whole."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.pipeline.service import in_force
from gateway.pipeline.trading import handing_over
from gateway.store import crash
from gateway.store.database import open_database
from gateway.store.payloads.in_database import DatabaseArchive
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.verifying.keys import load_or_make
from gateway.transport.box import LINKED
from gateway.transport.box import MOVED
from gateway.transport.box import NOT_MOVED
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from tests.store.made import NOW

_ROOT = Path(__file__).parents[2]


def run(code: str, *arguments: str, at: str = "") -> int:
    environment = {**os.environ, "GATEWAY_CRASH_AT": at}
    return subprocess.run([sys.executable, "-c", code, *arguments], env=environment, check=False, stderr=subprocess.DEVNULL, cwd=_ROOT).returncode


_KEEP = "import sys; from gateway.store.payloads.in_folder import FolderArchive; FolderArchive(sys.argv[1]).keep(b'payload')"


@pytest.mark.parametrize("point", [number for number in crash.POINTS if number < 15])
def test_killed_while_keeping_a_payload_it_is_whole_or_not_there_and_can_be_kept_again(tmp_path: Path, point: int) -> None:
    assert run(_KEEP, str(tmp_path), at=str(point)) == -signal.SIGKILL
    archive = FolderArchive(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "incoming":
            assert archive.verify(path.name)
    assert archive.verify(archive.keep(b"payload"))


_KEEP_PIECES = """
import sys
from gateway.store.payloads.in_database import DatabaseArchive
from gateway.store.database import open_database
DatabaseArchive(open_database(sys.argv[1])).keep(b"x" * (3 << 20))
"""


@pytest.mark.parametrize("at", ["10", "14", "15", "25:1", "25:3", "25:4", "26:1", "26:3", "26:4"])
def test_killed_while_keeping_a_large_payload_in_the_database_it_is_whole_or_not_there(sqlite_url: str, at: str) -> None:
    assert run(_KEEP_PIECES, sqlite_url, at=at) == -signal.SIGKILL
    database = open_database(sqlite_url)
    archive = DatabaseArchive(database)
    for stored in archive.stored():
        assert archive.verify(stored.sha256)
    digest = archive.keep(b"x" * (3 << 20))
    assert archive.verify(digest)
    archive.clear_incoming(older_than=time.time() + 60)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM payload_piece").scalar_one() == 3
    database.close()


_TIDY = """
import sys
from gateway.store.payloads.in_folder import FolderArchive
from gateway.store.database import open_database
from gateway.store.keeping.tidying import tidy
tidy(open_database(sys.argv[1]), FolderArchive(sys.argv[2]))
"""


def test_killed_while_payloads_are_tidied_away_the_next_run_takes_the_others(sqlite_url: str, tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path / "archive")
    archive.keep_many([b"one", b"two"])
    for stored in archive.stored():
        os.utime(next(archive.folder.rglob(stored.sha256)), (1, 1))
    left = []
    for at in ("135", ""):
        assert run(_TIDY, sqlite_url, str(tmp_path / "archive"), at=at) == (-signal.SIGKILL if at else 0)
        left.append(len(list(archive.stored())))
    assert left == [1, 0]


_PUT_IN_FORCE = """
import sys
from datetime import datetime
from pathlib import Path
from gateway.pipeline.service import in_force
in_force.write(Path(sys.argv[1]), in_force.InForce(number=int(sys.argv[2]), since=datetime(2026, 1, 1), config="", texts={}, began=""))
"""


def test_killed_while_a_configuration_is_put_in_force_the_old_one_or_the_new_one_is(tmp_path: Path) -> None:
    path = tmp_path / "configuration.json"
    numbers = []
    for number, at in enumerate(("", "141", "142"), 1):
        assert run(_PUT_IN_FORCE, str(path), str(number), at=at) == (-signal.SIGKILL if at else 0)
        found = in_force.read(path)
        numbers.append(found.number if found is not None else None)
    assert numbers == [1, 1, 3]


_MAKE_KEY = "import sys; from pathlib import Path; from gateway.store.verifying.keys import load_or_make; load_or_make(Path(sys.argv[1]))"


def test_killed_while_the_key_is_made_it_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "keys/journal.key"
    assert run(_MAKE_KEY, str(path), at="143") == -signal.SIGKILL and not path.exists()
    assert run(_MAKE_KEY, str(path), at="144") == -signal.SIGKILL
    pem = path.read_bytes()
    load_or_make(path)
    assert path.read_bytes() == pem


_COMMIT = """
import sys
from gateway.store import journal, settings
from gateway.store.database import open_database
from gateway.store.journal import Entry
from tests.store.made import NOW
database = open_database(sys.argv[1])
for number in range(3):
    with database.begin() as connection:
        settings.put(connection, f"n{number}", "1")
        journal.append(connection, [Entry(stream="s", at=NOW, actor="a", action="set", subject_kind="setting", subject=f"n{number}")])
"""


@pytest.mark.parametrize(("at", "committed"), [("25", 0), ("26", 1), ("25:2", 1), ("26:3", 3), ("23", 0), ("23:3", 2)])
def test_killed_around_a_commit_all_of_a_transaction_is_there_or_nothing(sqlite_url: str, at: str, committed: int) -> None:
    from gateway.store.verifying import verification

    assert run(_COMMIT, sqlite_url, at=at) == -signal.SIGKILL
    database = open_database(sqlite_url)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM setting").scalar_one() == committed
    verified = verification.verify(database, None, None)
    assert (verified.ok, verified.entries) == (True, committed)
    database.close()


def test_without_the_variable_nothing_happens(tmp_path: Path) -> None:
    assert run(_KEEP, str(tmp_path)) == 0


def test_a_point_that_does_not_exist_is_refused() -> None:
    for at in ("nonsense", "9999", "10:x", "10:1:2"):
        assert run("import gateway.store.crash", at=at) == 1


def test_the_table_holds_the_points_of_the_code_and_no_other() -> None:
    used = {int(number) for path in (_ROOT / "gateway").rglob("*.py") for number in re.findall(r"\bcrash\.point\((\d+)", path.read_text())}
    told = {WRITTEN, RENAMED, NOT_MOVED, MOVED, LINKED, *handing_over.POINTS.values()}
    assert used | told == set(crash.POINTS)
    assert NOW.tzinfo is not None
