"""Two processes fight for one partner, and one of them freezes while it sends: what a partner gets has one identity, order and one record."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.pipeline.outbox import pausing
from gateway.store import journal
from gateway.store.outgoing import outbox
from tests.crash.test_full_disk import until
from tests.machine import PATIENCE
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

ORDERS = 8


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    """A partner to whom sixteen files shall leave."""
    made = World(tmp_path, database=database_url)
    made.clock.now = datetime.now(UTC)
    pausing.pause(made.station, "acme", "tester", "until both are there")
    for control in range(1, ORDERS + 1):
        made.receive(x12_order(f"PO{control}", control=control))
    pausing.resume(made.station, "acme", "tester")
    yield made
    made.close()


class Sender:
    """tests/crash/fighting.py in a process."""

    def __init__(self, world: World, name: str, pace: float, lease: float = PATIENCE) -> None:
        command = [sys.executable, "-m", "tests.crash.fighting", str(world.folder), name, str(pace), str(lease)]
        with (world.folder / f"{name}.log").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[2])

    def tell(self, how: signal.Signals) -> None:
        os.kill(self.process.pid, how)

    def end(self) -> None:
        """It ends by itself when `stop` is there."""
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            self.process.kill()


def log(world: World) -> list[tuple[str, str, str]]:
    """(who, begins or done, which file), in the order of time."""
    path = world.folder / "deliveries.log"
    if not path.exists():
        return []
    return [(who, what, name) for who, what, name in (line.split() for line in path.read_text().splitlines())]


def states(world: World) -> Counter[str]:
    with world.station.database.read() as connection:
        return Counter(entry.state for entry in outbox.search(connection, limit=100))


def records(world: World) -> Counter[str]:
    """How often the journal says of each row that it has left."""
    with world.station.database.read() as connection:
        return Counter(
            {
                entry.id: sum(one.entry.action.endswith(" sent") for one in journal.of_subject(connection, "outbox", entry.id))
                for entry in outbox.search(connection, limit=100)
            }
        )


def test_two_processes_share_a_partner_without_doubling_or_overtaking(world: World) -> None:
    first, second = Sender(world, "A", 0.05), Sender(world, "B", 0.05)
    try:
        assert until(lambda: states(world) == {"sent": 2 * ORDERS})
    finally:
        (world.folder / "stop").touch()
        first.end()
        second.end()
    done = [name for _, what, name in log(world) if what == "done"]
    numbers = [int(name.removesuffix(".edi").rpartition("-")[2]) for name in done]
    assert numbers == list(range(1, 2 * ORDERS + 1)), "each once, in order"
    assert set(records(world).values()) == {1}


def test_a_sending_that_takes_longer_than_a_lease_keeps_it(world: World) -> None:
    slow, other = Sender(world, "A", 6, lease=5), None
    try:
        assert until(lambda: len(log(world)) == 1)
        other = Sender(world, "B", 0.05)
        assert until(lambda: sum(what == "done" for _, what, _ in log(world)) >= 1)
    finally:
        (world.folder / "stop").touch()
        slow.process.kill()
        slow.process.wait(PATIENCE)
        if other is not None:
            other.end()
    assert {who for who, _, _ in log(world)} == {"A"}, "nobody takes over from who is alive"


def test_a_pause_stops_what_has_not_begun_to_leave(world: World) -> None:
    sender = Sender(world, "A", 2)
    try:
        assert until(lambda: len(log(world)) >= 2)
        pausing.pause(world.station, "acme", "tester", "their disk is full")
        assert until(lambda: states(world)["claimed"] == 0 and states(world)["prepared"] + states(world)["sent"] == 2 * ORDERS)
        assert until(lambda: not _leased(world))
        gone = states(world)["sent"]
        assert gone < 2 * ORDERS, "the rest of the claim stays"
        (world.folder / "hurry").touch()
        pausing.resume(world.station, "acme", "tester")
        assert until(lambda: states(world) == {"sent": 2 * ORDERS})
    finally:
        (world.folder / "stop").touch()
        sender.end()
    assert set(records(world).values()) == {1}


def _leased(world: World) -> bool:
    with world.station.database.read() as connection:
        return any(entry.lease_token for entry in outbox.search(connection, limit=100))


def test_what_a_frozen_process_did_is_void_when_another_has_taken_over(world: World) -> None:
    frozen = Sender(world, "A", 0.3, lease=2)
    other = None
    try:
        assert until(lambda: sum(who == "A" and what == "begins" for who, what, _ in log(world)) == 3)
        frozen.tell(signal.SIGSTOP)
        under_way = [name for who, what, name in log(world) if what == "begins"][-1]
        other = Sender(world, "B", 0.05)
        assert until(lambda: states(world) == {"sent": 2 * ORDERS}), "it is taken over when its lease has run out"
        frozen.tell(signal.SIGCONT)
        assert until(lambda: "lease lost" in (world.folder / "A.log").read_text())
    finally:
        frozen.tell(signal.SIGCONT)
        (world.folder / "stop").touch()
        frozen.end()
        if other is not None:
            other.end()
    by_frozen = [name for who, what, name in log(world) if who == "A" and what == "done"]
    assert by_frozen[-1] == under_way and len(by_frozen) <= 3, "it sends nothing more after it woke"
    twice = {name for name, times in Counter(name for _, what, name in log(world) if what == "done").items() if times > 1}
    # what had left and was not recorded when it froze leaves again as what it is
    assert under_way in twice and twice <= set(by_frozen)
    present = sorted(path.name for path in (world.folder / "boxes/acme/in").iterdir())
    assert len(present) == 2 * ORDERS, "under the same names"
    assert set(records(world).values()) == {1}
    assert states(world) == {"sent": 2 * ORDERS}
