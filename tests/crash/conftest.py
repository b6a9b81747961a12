"""One fork server for the crash tests of a worker; and what of them runs always.

On SQLite every case runs always. On PostgreSQL, whose walks take as long again, every fourth one does, and all of them by `make storm`.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.house import ForkServer

#: one case in so many runs always on PostgreSQL
SAMPLE = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    walks = [item for item in items if here in item.path.parents and "postgresql" in item.name and item.get_closest_marker("storm") is None]
    for place, item in enumerate(walks):
        if place % SAMPLE:
            item.add_marker(pytest.mark.storm)


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """Runs gateway work in children that may be killed."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where there is room: no test cuts the power."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 << 20
    folder = Path(tempfile.mkdtemp(prefix="gateway-test-", dir=memory if roomy else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sqlite_files(sqlite_url: str) -> Callable[[Path], str]:
    """Lays a migrated SQLite file into a folder: its address."""

    def lay(folder: Path) -> str:
        shutil.copy(sqlite_url.removeprefix("sqlite:///"), folder / "gateway.db")
        return f"sqlite:///{folder}/gateway.db"

    return lay
