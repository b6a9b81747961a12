"""Killed while a person tries again, pauses and resumes, and while a despatch advice is set aside behind its response: each leaves once, in order."""

import signal
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.outgoing import pauses
from tests.crash.house import ForkServer
from tests.crash.house import build
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.redelivering import SHORT
from tests.crash.walk import put
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order


def built(tmp_path: Path, database_url: str) -> Path:
    folder = tmp_path / "installation"
    build(folder, database_url, SHORT)
    put(folder / "boxes/acme/out", "po1.edi", x12_order("PO1").decode())
    return folder


def faults(folder: Path) -> list[str]:
    left = sorted((tags(text, "ISA")[0][13], tags(text, "ST")[0][1]) for text in inbox(folder))
    found = [] if [kind for _, kind in left] == ["997", "855", "856"] else [f"left: {left}"]
    if [int(number) for number, _ in left] != [1, 2, 3]:
        found.append("control numbers are missing or come twice")
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        with station.database.read() as connection:
            if pauses.standing(connection):
                found.append("the partner is still paused")
        found += journal_faults(station)
    finally:
        station.close()
    return found


@pytest.mark.parametrize("point", ["", "87", "88", "88:2", "89"])
def test_killed_at_a_point_what_people_do_is_done_once(point: str, tmp_path: Path, database_url: str, forks: ForkServer) -> None:
    folder = built(tmp_path, database_url)
    if point:
        assert forks.run("redelivering", folder, point) == -signal.SIGKILL
    assert forks.run("redelivering", folder) == 0
    assert faults(folder) == []
