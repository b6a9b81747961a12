"""One fork server for the crash tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.crash.house import ForkServer


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """Runs gateway work in children that may be killed."""
    server = ForkServer()
    yield server
    server.close()
