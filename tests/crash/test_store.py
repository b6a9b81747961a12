"""Killed while an installation is copied, backed up, restored or cleared of what was due: whole before, whole after, and it may be begun again."""

import os
import shutil
import signal
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.store import settings
from gateway.store.database import open_database
from gateway.store.keeping.backup_file import BackupReader
from gateway.store.keeping.backup_file import BackupWriter
from tests.pipeline.world import CONFIG
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path / "first")
    made.receive(x12_order("PO1"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, world: World) -> str:
    """An empty database of each kind."""
    return f"sqlite:///{world.folder}/new.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("point", [15, 16, 17])
def test_killed_while_the_store_is_copied_the_target_is_what_it_was(world: World, url: str, point: int) -> None:
    if point == 15:
        world.station.archive.keep(b"large" * (1 << 19))
    arguments = ("store", "migrate", "--to", url, "--archive", "database")
    assert world.command(*arguments, env={"GATEWAY_CRASH_AT": str(point)}).returncode == -signal.SIGKILL
    target = open_database(url)
    with target.read() as connection:
        assert settings.get(connection, "installation") is None
    target.close()
    again = world.command(*arguments)
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout


def test_killed_before_a_restore_is_committed_it_may_be_begun_again(world: World, tmp_path: Path, url: str) -> None:
    backup = tmp_path / "b.zip"
    assert world.command("backup", str(backup)).returncode == 0
    arguments = ("restore", str(backup), "--into", str(tmp_path / "second"), "--gap", "0", "--database", url)
    for point in ("139", "139:2", "140", "18"):
        assert world.command(*arguments, env={"GATEWAY_CRASH_AT": point}).returncode == -signal.SIGKILL, point
    again = world.command(*arguments)
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout
    # and never twice
    third = world.command(*arguments)
    assert (third.returncode, "holds an installation already" in third.stderr) == (4, True)


def test_killed_while_it_is_saved_there_is_a_whole_backup_or_none_and_the_next_one_clears_up(world: World, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    backup = backups / "b.zip"
    with BackupWriter(backup):
        [ours] = backups.iterdir()
        for point in ("136", "137", "138"):
            assert world.command("backup", str(backup), env={"GATEWAY_CRASH_AT": point}).returncode == -signal.SIGKILL
            assert backup.exists() == (point == "138")
        assert set(backups.iterdir()) == {backup, ours}, "the parts of the two before are gone, whoever still writes is left alone"
    BackupReader(backup).close()
    assert list(backups.iterdir()) == [backup]


@pytest.mark.parametrize(
    "at",
    [
        "33",
        pytest.param("43", marks=pytest.mark.storm),
        pytest.param("54", marks=pytest.mark.storm),
        "56:5",
        pytest.param("57", marks=pytest.mark.storm),
    ],
)
def test_restored_after_a_kill_open_work_goes_on_and_nothing_leaves_under_another_identity(tmp_path: Path, at: str) -> None:
    world = World(tmp_path / "first")
    files = []
    for number in range(1, 13):
        (world.folder / f"{number}.edi").write_bytes(x12_order(f"PO{number}", control=number))
        files.append(f"{number}.edi")
    killed = world.command("receive", *files, env={"GATEWAY_CRASH_AT": at})
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = {path.name: path.read_bytes() for path in (world.folder / "boxes/acme/in").iterdir() if not path.name.startswith(".")}
    backup = tmp_path / "b.zip"
    assert world.command("backup", str(backup), "--passphrase", "env:PHRASE", env={"PHRASE": "x"}).returncode == 0
    shutil.rmtree(world.folder / "data")
    said = world.command("restore", str(backup), "--passphrase", "env:PHRASE", "--gap", "0", env={"PHRASE": "x"})
    assert said.returncode == 0, said.stderr
    # whoever handed the files in does not know how far it came: all of them again
    again = world.command("receive", *files)
    assert again.returncode in {0, 1}, again.stderr
    inbox = {path.name: path.read_bytes() for path in (world.folder / "boxes/acme/in").iterdir() if not path.name.startswith(".")}
    # what the partner had is there as it was
    assert {name: inbox[name] for name in before} == before
    responses = [text.decode() for text in inbox.values() if b"ST*855*" in text]
    for number in range(1, 13):
        answered = [
            text for text in responses if any(segment.split("*")[3:4] == [f"PO{number}"] for segment in text.split("~") if segment.startswith("BAK"))
        ]
        assert len(answered) == 1, f"PO{number} has {len(answered)} answers"
    numbers = [text.decode().split("*")[13] for text in inbox.values()]
    assert len(set(numbers)) == len(numbers)
    verified = world.command("journal", "verify")
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize("point", ["19", "134"])
def test_killed_between_an_erasure_and_its_end_the_next_run_goes_on(point: str, tmp_path: Path) -> None:
    world = World(tmp_path / "first", config=CONFIG + "retention: {payloads: 1d}\n", clock=Clock(datetime(2020, 3, 1, tzinfo=UTC)))
    taken = world.receive(x12_order("PO1").replace(b"**20260105~CUR", b"**2026~CUR"))
    world.close()
    (path,) = (world.folder / "data" / "archive").rglob(taken.transmission.sha256)
    for file in (world.folder / "data" / "archive").rglob("*"):
        os.utime(file, (1_600_000_000, 1_600_000_000))
    assert world.command("retention", "run", env={"GATEWAY_CRASH_AT": point}).returncode == -signal.SIGKILL
    assert path.exists() == (point == "19")
    assert world.command("journal", "verify").returncode == 0
    assert world.command("retention", "run").returncode == 0
    assert not path.exists()
    assert world.command("journal", "verify").returncode == 0
