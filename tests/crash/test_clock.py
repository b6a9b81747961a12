"""The clock goes back an hour: order, windows, leases, waits and the journal survive it."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.service.clock_watch import ClockWatch
from gateway.store.outgoing import outbox
from gateway.store.outgoing import tries
from gateway.store.verifying.verification import verify
from gateway.store.watching import alerts
from gateway.store.working import clock_back
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import tags
from tests.pipeline.world import x12_order

HOUR = timedelta(hours=1)
UNDO = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, undo: 600}")
BATCH = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, batch: hourly}")


@pytest.fixture
def world(tmp_path: Path, database_url: str):
    made = World(tmp_path, database=database_url)
    made.clock.now = datetime(2026, 1, 6, 10, 30, tzinfo=UTC)
    yield made
    made.close()


def with_partner(world: World, text: str) -> None:
    (world.folder / "partners/acme.yaml").write_text(text)


def back(world: World) -> None:
    world.clock.now -= HOUR


def rows(world: World) -> list[outbox.Entry]:
    with world.station.database.read() as connection:
        return sorted(outbox.search(connection, limit=100), key=lambda entry: (entry.stream, entry.seq))


def left(world: World) -> list[tuple[str, list[str]]]:
    """What the partner has, in the order of our control numbers."""
    found = sorted((tags(text, "ISA")[0][13], tags(text, "ST")[0][1], [one[3] for one in tags(text, "BAK")]) for text in world.sent())
    return [(kind, numbers) for _, kind, numbers in found]


def test_order_control_numbers_and_the_journal_do_not_mind(world: World) -> None:
    world.receive(x12_order("PO1", control=1))
    back(world)
    world.receive(x12_order("PO2", control=2))
    assert left(world) == [("997", []), ("855", ["PO1"]), ("997", []), ("855", ["PO2"])]
    assert [row.seq for row in rows(world)] == [1, 2, 3, 4]
    assert verify(world.station.database, world.station.archive, world.station.journal_key()).faults == []


def test_a_lease_of_before_holds_nobody_after_the_clock_went_back(world: World) -> None:
    (world.folder / "boxes/acme/in").rmdir()
    (world.folder / "boxes/acme/in").write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    stream = rows(world)[0].stream
    with world.station.database.begin() as connection:
        outbox.try_now(connection, world.clock.now)
        due = max(row.due_at for row in rows(world)) + HOUR
        lease = timedelta(seconds=24)
        assert tries.claim(connection, stream=stream, now=due, lease=lease, limit=9, token="a process that died")
        assert tries.claim(connection, stream=stream, now=due + lease / 2, lease=lease, limit=9, token="too early") == []
        assert stream not in outbox.streams_due(connection, due + lease / 2)
        back_then = due - HOUR + lease
        assert stream in outbox.streams_due(connection, back_then)
        assert len(tries.claim(connection, stream=stream, now=back_then, lease=lease, limit=9, token="after it")) == 2


def test_an_undo_window_ends_by_the_clock_and_nothing_leaves_twice(world: World) -> None:
    with_partner(world, UNDO)
    world.receive(x12_order("PO1"))
    back(world)
    world.clock.now += timedelta(minutes=11)
    world.settle()
    assert left(world) == [("997", [])], "the window ends at the time that was told to people"
    world.clock.now += HOUR
    world.settle()
    world.settle()
    assert left(world) == [("997", []), ("855", ["PO1"])]


def test_a_batch_that_has_left_does_not_leave_again_in_the_same_window(world: World) -> None:
    with_partner(world, BATCH)
    world.receive(x12_order("PO1", control=1))
    world.clock.now = datetime(2026, 1, 6, 11, 0, 1, tzinfo=UTC)
    world.settle()
    back(world)
    world.receive(x12_order("PO2", control=2))
    world.clock.now = datetime(2026, 1, 6, 11, 0, 1, tzinfo=UTC)
    world.settle()
    assert [numbers for kind, numbers in left(world) if kind == "855"] == [["PO1"], ["PO2"]]


def test_what_was_due_and_what_failed_is_tried_when_the_clock_went_back(world: World) -> None:
    box = world.folder / "boxes/acme/in"
    box.rmdir()
    box.write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    running = [1000.0]
    watch = ClockWatch(world.station, lambda: running[0])
    assert not watch.look()
    running[0] += 5
    world.clock.now += timedelta(seconds=5)
    assert not watch.look(), "nothing has happened"
    box.unlink()
    box.mkdir()
    back(world)
    world.settle()
    assert left(world) == [], "its time is an hour away now"
    running[0] += 5
    assert watch.look()
    world.settle()
    assert left(world) == [("997", []), ("855", ["PO1"])]
    running[0] += 5
    world.clock.now += HOUR
    assert not watch.look(), "forward does no harm: what is due is due"


def test_alerts_and_events_wait_no_longer_than_before(world: World) -> None:
    now = world.clock.now
    with world.station.database.begin() as connection:
        alerts.add_message(connection, alerts.Message(id="M", way="mail", created_at=now, items=(), due_at=now))
        back(world)
        clock_back.make_due(connection, world.clock.now, now)
        assert [message.id for message in alerts.due_messages(connection, world.clock.now)] == ["M"]


def test_a_clock_that_went_back_while_nobody_ran_is_told_by_the_journal(world: World) -> None:
    with_partner(world, UNDO)
    box = world.folder / "boxes/acme/in"
    box.rmdir()
    box.write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    box.unlink()
    box.mkdir()
    back(world)
    assert ClockWatch(world.station).look()
    world.settle()
    assert left(world) == [("997", [])], "the undo window had not ended"
