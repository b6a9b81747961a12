"""Killed while an installation is copied, backed up, restored or cleared of what was due: whole before, whole after, and it may be begun again."""

import signal
from pathlib import Path

import pytest

from gateway.store import settings
from gateway.store.database import open_database
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path / "first")
    made.receive(x12_order("PO1"))
    yield made
    made.close()


@pytest.mark.parametrize("point", [16, 17])
def test_killed_while_the_store_is_copied_the_target_is_what_it_was(world: World, point: int) -> None:
    url = f"sqlite:///{world.folder}/new.db"
    arguments = ("store", "migrate", "--to", url, "--archive", "database")
    assert world.command(*arguments, env={"GATEWAY_CRASH_AT": str(point)}).returncode == -signal.SIGKILL
    target = open_database(url)
    with target.read() as connection:
        assert settings.get(connection, "installation") is None
    target.close()
    again = world.command(*arguments)
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout


def test_killed_before_a_restore_is_committed_it_may_be_begun_again(world: World, tmp_path: Path) -> None:
    backup = tmp_path / "b.zip"
    assert world.command("backup", str(backup)).returncode == 0
    arguments = ("restore", str(backup), "--into", str(tmp_path / "second"), "--gap", "0")
    assert world.command(*arguments, env={"GATEWAY_CRASH_AT": "18"}).returncode == -signal.SIGKILL
    again = world.command(*arguments)
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout
    # and never twice
    third = world.command(*arguments)
    assert (third.returncode, "holds an installation already" in third.stderr) == (4, True)


@pytest.mark.parametrize("at", ["25", "26"])
def test_killed_while_it_is_saved_there_is_no_backup_and_no_harm(world: World, tmp_path: Path, at: str) -> None:
    backup = tmp_path / "b.zip"
    assert world.command("backup", str(backup), env={"GATEWAY_CRASH_AT": at}).returncode == -signal.SIGKILL
    assert not backup.exists()
    assert world.command("backup", str(backup)).returncode == 0
