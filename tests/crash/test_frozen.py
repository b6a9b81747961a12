"""Processes of a cluster that stand still at the worst moment, and wake when others have gone on: under load, with the default times; and between
the commit of a file and its removal at the partner."""

import os
import signal
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.pipeline.station import open_station
from gateway.store.incoming import transmissions
from tests.crash.cluster import Worker
from tests.crash.cluster import install
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.test_cluster import answered
from tests.crash.test_cluster import cluster_faults
from tests.crash.test_cluster import holder
from tests.crash.test_cluster import order_and_change
from tests.crash.test_cluster import until
from tests.crash.walk import put
from tests.integration.house import texts
from tests.integration.sftp_house import sftp_partner
from tests.pipeline.world import ACME
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order
from tests.transport.openssh import SSHD
from tests.transport.openssh import running_openssh

LOAD = 30


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts `gateway worker` in one of the folders; leaves none running."""
    made: list[Worker] = []

    def begin(name: str, crash: str = "") -> Worker:
        worker = Worker(tmp_path / name)
        worker.start(crash)
        made.append(worker)
        return worker

    yield begin
    for worker in made:
        worker.stop()


def stands_still(worker: Worker) -> bool:
    return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.storm
def test_frozen_under_load_it_is_taken_over_within_thirty_seconds_and_what_it_did_is_void_when_it_wakes(
    tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker], record_property: Callable[[str, object], None]
) -> None:
    """Orders and changes come all the time, before and after; the times are those that nobody has set."""
    install(tmp_path, migrated_postgres_url, "a", "b", pace="{}")
    workers = [start("a"), start("b")]
    until(lambda: all(worker.serves() for worker in workers) and holder(tmp_path, ("a", "b")) is not None)
    for number in range(1, LOAD + 1):
        order_and_change(tmp_path, number)
    until(lambda: any("ST*855*" in text for text in inbox(tmp_path)))
    looking = holder(tmp_path, ("a", "b"))
    [frozen] = [worker for worker in workers if worker.pid == looking]
    [other] = [worker for worker in workers if worker is not frozen]
    frozen.tell(signal.SIGSTOP)
    began = time.monotonic()
    order_and_change(tmp_path, LOAD + 1)
    until(lambda: any(segment[3] == f"PO{LOAD + 1}" for text in inbox(tmp_path) for segment in tags(text, "BAK")))
    seconds = time.monotonic() - began
    record_property("seconds", seconds)
    print(f"taken over in {seconds:.1f} seconds")
    frozen.tell(signal.SIGCONT)
    for number in range(LOAD + 2, LOAD + 7):
        order_and_change(tmp_path, number)
    until(lambda: "thought dead" in frozen.log() or "claims lost" in frozen.log())
    until(lambda: answered(tmp_path, LOAD + 6))
    # nothing more may come
    time.sleep(1)
    assert [frozen.end(), other.end()] == [0, 0]
    assert cluster_faults(tmp_path, "a", LOAD + 6) == []
    assert seconds < 30


@pytest.mark.storm
@pytest.mark.parametrize("over", ["folder", pytest.param("sftp", marks=pytest.mark.skipif(not SSHD.exists(), reason="no SFTP server here"))])
def test_frozen_before_a_removal_it_removes_nothing_that_lies_there_when_it_wakes(
    over: str, tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker]
) -> None:
    """Another process has taken the file away, and the partner has put another one there: same name, size and time."""
    with running_openssh() as server:
        install(tmp_path, migrated_postgres_url, "a", "b", pace="{heartbeat: 0.5, silence: 3}", partner=ACME)
        out, sent = tmp_path / "boxes/acme/out", tmp_path / "boxes/acme/in"
        if over == "sftp":
            out, sent = server.data / "out", server.data / "in"
            for name in ("a", "b"):
                (tmp_path / name / "keys").mkdir()
                (tmp_path / name / "keys/client").write_bytes((server.home / "client").read_bytes())
                (tmp_path / name / "partners/acme.yaml").write_text(sftp_partner("acme", "ACMEBUYER", server))
                with (tmp_path / name / "config.yaml").open("a") as file:
                    file.write("poll_remote: 0.2\n")

        def is_answered(number: str) -> bool:
            return any(segment[3] == number for text in texts(sent) for segment in tags(text, "BAK"))

        file = out / "po.edi"
        put(out, file.name, x12_order("PO1").decode())
        known = file.stat()
        frozen = start("a", "62:1:freeze")
        until(lambda: stands_still(frozen))
        assert file.exists()
        other = start("b")
        until(lambda: is_answered("PO1") and not file.exists())
        assert other.end() == 0
        put(out, file.name, x12_order("PO2", control=2).decode())
        os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
        frozen.tell(signal.SIGCONT)
        until(lambda: is_answered("PO2"))
        assert "files left to another process" in frozen.log()
        until(lambda: not file.exists())
        assert frozen.end() == 0
        answers = sorted(segment[3] for text in texts(sent) for segment in tags(text, "BAK"))
        assert answers == ["PO1", "PO2"]
    station = open_station(load_installation(tmp_path / "b/config.yaml"))
    try:
        with station.database.read() as connection:
            assert len(transmissions.search(connection, direction="in")) == 2
        assert journal_faults(station) == []
    finally:
        station.close()
