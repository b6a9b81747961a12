"""Killed at each numbered point (gateway/store/crash.py), begun again, and looked at from the partner's side and in the books.

Each case is the whole walk from three files of orders to the payment in a process that dies at its point, then the same walk without it.
A point that is not passed is a fault: the process would not have died.
"""

import re
import signal
from pathlib import Path

import pytest

from gateway.store import crash
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import empty
from tests.crash.house import faults
from tests.crash.house import order_files

HERE = Path(__file__).parent
#: points that this walk does not pass, and where they are walked: one that is nowhere is walked here, and falls
ELSEWHERE = {
    "test_store.py": (16, 17, 18, 19, 134, 136, 137, 138, 139, 140),
    "../store/test_crash.py": (15, 135, 141, 142, 143, 144),
    "test_mailbox.py": (66, 67, 68, 69, 145, 146, 147),
    "test_as2.py": (70, 71, 72, 73, 74, 75, 82, 83, 84, 85, 86, 125, 126, 127),
    "test_redelivering.py": (87, 88, 89),
    "test_links.py": (90, 91, 92, 93, 94, 95, 132, 133),
    "test_cluster.py": (100, 101, 102, 103, 104),
    "test_shared_connections.py": (158, 159),
    "test_own_folders.py": (128, 129, 130, 131),
    "test_dying.py": (177,),
    "test_large.py": (172, 173),
}
POINTS = [number for number in crash.POINTS if not any(number in walked for walked in ELSEWHERE.values())]
#: later passages where the first one is always early in the walk; a commit is passed some forty times (all of them by make storm, below)
LATER = [
    "10:9",
    "14:7",
    "23:11",
    "25:5",
    "25:14",
    "25:23",
    "26:7",
    "26:16",
    "26:25",
    "33:2",
    "43:2",
    "43:5",
    "44:3",
    "46:2",
    "46:3",
    "47:2",
    "54:3",
    "55:4",
    "56:3",
    "56:6",
    "58:4",
    "63:3",
    "64:4",
    "65:4",
]


def test_what_is_walked_elsewhere_is_walked_there() -> None:
    for name, numbers in ELSEWHERE.items():
        words = set(re.findall(r"\b\d+\b", (HERE / name).read_text()))
        assert [number for number in numbers if str(number) not in words] == [], name


@pytest.mark.parametrize("point", [str(number) for number in POINTS])
def test_killed_at_a_point_nothing_is_lost_or_doubled(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    _kill_and_go_on(point, tmp_path, database_url, forks)


@pytest.mark.parametrize("point", LATER)
def test_killed_at_a_later_passage_nothing_is_lost_or_doubled(point: str, tmp_path: Path, sqlite_url: str, forks: ForkServer) -> None:
    _kill_and_go_on(point, tmp_path, sqlite_url, forks)


@pytest.mark.storm
def test_killed_at_every_commit_of_the_walk_nothing_is_lost_or_doubled(tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    """Before and after each, twice a walk, so that a resumed walk is killed too. Where no commit is left, the walk comes through."""
    for passage in range(1, 200):
        folder = tmp_path / str(passage)
        url = f"sqlite:///{tmp_path}/{passage}.db" if database_url.startswith("sqlite") else database_url
        if passage > 1 and url == database_url:
            empty(url)
        build(folder, url)
        order_files(folder)
        before = forks.run("walk", folder, f"25:{passage}")
        forks.run("walk", folder, f"26:{max(1, 60 - passage)}")
        assert forks.run("walk", folder) == 0
        assert faults(folder) == [], f"killed at commit {passage}"
        if before == 0:
            assert passage > 30
            return
    raise AssertionError("the walk never came through")


def _kill_and_go_on(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url)
    order_files(folder)
    status = forks.run("walk", folder, point)
    assert status == -signal.SIGKILL, f"point {point} ({crash.POINTS[int(point.split(':')[0])]}) was not passed: the walk ended with {status}"
    assert forks.run("walk", folder) == 0
    assert faults(folder) == []


def test_a_walk_that_nobody_kills_has_no_faults(tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, database_url)
    order_files(folder)
    assert forks.run("walk", folder) == 0
    assert faults(folder) == []
    assert forks.run("walk", folder) == 0, "a second walk finds nothing to do"
    assert faults(folder) == []
