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
