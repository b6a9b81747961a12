"""The whole demo, as `gateway demo --once --json` plays it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.config import load_installation
from gateway.demo.run import Wish
from gateway.demo.run import run_demo
from gateway.demo.story import CHAPTERS
from gateway.demo.telling import Teller
from gateway.demo.watching import DidNotHappen
from gateway.demo.watching import Watch
from gateway.pipeline.station import open_station
from gateway.store.records import documents
from gateway.store.trading import ledger
from tests.machine import PATIENCE


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that name this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in words and int(process.name) != os.getpid():
            found.append(words)
    return found


def test_every_expectation_of_the_story_holds(tmp_path: Path) -> None:
    out = io.StringIO()
    result = run_demo(Wish(data=tmp_path / "demo", once=True), out)
    story = out.getvalue()
    assert result.ok, [check for check in result.checks if not check.ok]
    assert len(result.checks) > 40
    assert all(title in story for title, _ in CHAPTERS)
    assert "00:0" in story and "ACME sends purchase order PO-1001 by SFTP" in story and result.url in story
    assert result.documents["order"]["accepted"] > 25
    assert {"accepted", "accepted (test)", "cancelled", "held", "rejected"} <= set(result.documents["order"])
    assert result.journal.ok
    assert processes_of(tmp_path) == []
    station = open_station(load_installation(tmp_path / "demo" / "config.yaml"))
    try:
        with station.database.read() as connection:
            days = {row.created_at.date() for row in documents.search(connection, documents.Filters(kind="order"), limit=500)}
            owed = {row.bucket for row in ledger.ageing(connection, max(days))}
        assert len(days) > 5, "orders are dated over the month"
        assert len(owed) > 1, "some of what is open is overdue"
    finally:
        station.close()


def test_a_demo_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--once", "--data", str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "partners are up" in line:
                break
        assert processes_of(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    end = time.monotonic() + PATIENCE
    while left := processes_of(tmp_path):
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_a_folder_of_somebody_else_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    command = [sys.executable, "-m", "gateway", "demo", "--once", "--json", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.strip().splitlines()) == 1 and "--data" in done.stderr


def test_what_does_not_happen_is_said_and_counts() -> None:
    out = io.StringIO()
    teller = Teller(out)
    verdicts = [teller.ok]
    teller.chapter("One")
    teller.check("the sun rises", ok=True)
    verdicts.append(teller.ok)
    teller.check("it rains", ok=False, found="sunshine")
    verdicts.append(teller.ok)
    assert verdicts == [False, True, False], "a story that checks nothing proves nothing, and one that fails is not told as a success"
    assert "NOT SO: it rains (sunshine)" in out.getvalue()
    assert json.loads(json.dumps([check.found for check in teller.checks])) == ["", "sunshine"]


def test_a_wait_has_an_end(tmp_path: Path) -> None:
    from gateway.demo.children import Children
    from gateway.demo.premises import make_afresh

    with Children() as children:
        watch = Watch(make_afresh(tmp_path / "demo", ("acme",), ()), children)
        with pytest.raises(DidNotHappen, match="the cows come home"):
            watch.until("the cows come home", lambda: None, 0.05)
        with pytest.raises(DidNotHappen):
            watch.arrival("acme", "a letter", lambda data: True, 0.05)
