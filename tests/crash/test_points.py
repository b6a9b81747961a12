"""Killed at each numbered point (gateway/store/crash.py), begun again, and looked at from the partner's side and in the books.

Each case is the whole walk from three files of orders to the payment in a process that dies at its point, then the same walk without it.
A point that is not passed is a fault: the process would not have died.
"""

import signal
from pathlib import Path

import pytest

from gateway.store import crash
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import empty
from tests.crash.house import faults
from tests.crash.house import order_files

#: points that this walk does not pass: payloads in the database, stores that move, restores and erasures (15-19: test_store.py), mailboxes
#: whose files are kept (66-69: test_mailbox.py), AS2 (70-79, 82-86, 125-127: test_as2.py), retries and pauses (87-89: test_redelivering.py), uploads, mail and
#: webhooks (90-95), a cluster (100-104: test_cluster.py)
ELSEWHERE = {*range(15, 20), *range(66, 80), *range(82, 96), *range(100, 105), *range(125, 128)}
POINTS = [number for number in crash.POINTS if number not in ELSEWHERE]
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
