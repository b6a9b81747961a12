"""Killed while payloads are kept in an object store (an S3 server in this process): at the points around a put, at each commit of the walk from
the order to the payment, and at random moments. Nothing is lost or doubled, and no payload that a row names is missing there."""

import signal
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from tests.crash.every_commit import kill_at_every_commit
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import faults
from tests.crash.house import order_files
from tests.crash.test_storm import install
from tests.crash.test_storm import storm
from tests.store.stores import s3_server

pytestmark = pytest.mark.storm
#: around a put: what comes in, what leaves, the first and later ones
POINTS = ("10", "10:4", "14", "14:6", "20", "21", "22", "52", "53", "53:3", "54", "55:2", "56:3")
#: walks of those that are killed at commits
SAMPLE = 8


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def keep_there(folder: Path, address: str) -> None:
    """Payloads are objects under a prefix of their own."""
    (folder / "secrets").mkdir()
    (folder / "secrets/s3").write_text("test")
    with (folder / "config.yaml").open("a") as file:
        file.write(
            f'archive: {{url: "s3://payloads/{uuid.uuid4().hex}", endpoint: "{address}", region: "eu-central-1", '
            'key: "file:secrets/s3", secret: "file:secrets/s3"}\n'
        )


def demand_everything(folder: Path) -> None:
    assert faults(folder) == []
    assert not (folder / "data/archive").exists(), "nothing is kept beside the store"
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        assert len(list(station.archive.stored())) >= 10
    finally:
        station.close()


@pytest.mark.parametrize("point", POINTS)
def test_killed_around_a_put_nothing_is_lost_or_doubled(point: str, tmp_path: Path, sqlite_url: str, s3: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    build(folder, sqlite_url)
    keep_there(folder, s3)
    order_files(folder)
    assert forks.run("walk", folder, point) == -signal.SIGKILL
    assert forks.run("walk", folder) == 0
    demand_everything(folder)


def test_killed_at_commits_nothing_is_lost_or_doubled(quick: Path, sqlite_files: Callable[[Path], str], s3: str, forks: ForkServer) -> None:
    @contextmanager
    def world(folder: Path, url: str) -> Iterator[Callable[[], None]]:
        build(folder, url)
        keep_there(folder, s3)
        order_files(folder)
        yield lambda: demand_everything(folder)

    kill_at_every_commit("walk", world, quick, sqlite_files, forks, SAMPLE)


def test_a_storm_loses_and_doubles_nothing(tmp_path: Path, s3: str) -> None:
    install(tmp_path, None)
    keep_there(tmp_path, s3)
    assert storm(tmp_path, kills=8, files=80, seed=3, longest=2.0, patience=400) == []
    station = open_station(load_installation(tmp_path / "config.yaml"))
    try:
        assert len(list(station.archive.stored())) >= 3 * 80
    finally:
        station.close()
