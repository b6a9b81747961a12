"""What every engine promises, asked of each of them: wake-ups come with the caller's transaction, one process at a time does what must be
done alone, streams keep apart, a fault stays where it is, and nothing hangs on a wake-up having survived."""

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config import ConfigTrouble
from gateway.pipeline.engine import cluster
from gateway.pipeline.engine import local
from gateway.pipeline.engine.cluster import ClusterEngine
from gateway.pipeline.engine.local import LocalEngine
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.engine.port import Engine
from gateway.pipeline.engine.port import Step
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import steps
from gateway.pipeline.service.joining import own_database
from gateway.pipeline.station import Station
from gateway.pipeline.station import now_utc
from gateway.store import streams
from gateway.store.database import DatabaseTrouble
from gateway.store.records import documents
from gateway.store.watching import troubles
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order

CHANGES = ACME.replace(
    "  - {send: x12/004010/855, to: box}",
    '  - {receive: x12/004010/860, from: box, acknowledge: "997"}\n  - {send: x12/004010/855, to: box}\n  - {send: x12/004010/865, to: box}',
)
#: nobody dies here: a process that stands still for a while must not be thought dead
CLUSTER = CONFIG + "engine: cluster\ncluster: {heartbeat: 0.2, silence: 60}\n"


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for what happens in other threads."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.01)


@dataclass(slots=True)
class House:
    """Engines of one kind over one database."""

    kind: str
    folder: Path
    url: str
    _open: list[tuple[Engine, threading.Thread, Station]] = field(default_factory=list)

    @property
    def world(self) -> World:
        config = CLUSTER if self.kind == "cluster" else CONFIG
        return World(self.folder, config=config, partners={"acme": CHANGES}, database=self.url, clock=now_utc)  # type: ignore[arg-type]

    def station(self) -> Station:
        return self.world.station

    def make(self, station: Station, served: Mapping[str, Step]) -> Engine:
        return ClusterEngine(station, served, look=0.2) if self.kind == "cluster" else LocalEngine(station, served)

    def start(self, served: Mapping[str, Step], prepare: Callable[[Engine], None] = lambda engine: None) -> Engine:
        """An engine that runs until it is ended, or the test is over."""
        station = self.station()
        engine = self.make(station, served)
        prepare(engine)
        thread = threading.Thread(target=engine.run, daemon=True)
        thread.start()
        self._open.append((engine, thread, station))
        return engine

    def end(self, engine: Engine) -> float:
        """Stop one; how long it took."""
        began = time.monotonic()
        found = next(one for one in self._open if one[0] is engine)
        self._open.remove(found)
        engine.stop()
        found[1].join(PATIENCE)
        assert not found[1].is_alive()
        found[2].close()
        return time.monotonic() - began

    def close(self) -> None:
        for engine, _, _ in list(self._open):
            self.end(engine)


@pytest.fixture(params=["local", pytest.param("local on a server", marks=pytest.mark.storm), "cluster"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = request.getfixturevalue("sqlite_url" if request.param == "local" else "migrated_postgres_url")
    made = House(request.param, tmp_path, url)
    yield made
    made.close()


class Served:
    """A step that writes down when it was in which stream."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.spans: list[tuple[str, float, float]] = []
        self.failing: set[str] = set()

    def __call__(self, station: Station, stream: str) -> bool:
        began = time.monotonic()
        time.sleep(self.seconds)
        if stream in self.failing:
            raise ValueError("a fault of ours")
        self.spans.append((stream, began, time.monotonic()))
        return False

    def times(self, stream: str) -> int:
        return sum(name == stream for name, _, _ in self.spans)


def poke(station: Station, *names: str) -> None:
    with station.database.begin() as connection:
        for name in names:
            streams.poke(connection, name)


def overlaps(spans: list[tuple[str, float, float]]) -> int:
    ordered = sorted(spans, key=lambda span: span[1])
    return sum(later[1] < earlier[2] for earlier, later in zip(ordered, ordered[1:], strict=False))


def test_a_poke_wakes_when_its_transaction_commits_and_not_before(house: House) -> None:
    served = Served()
    engine = house.start({"in": served})
    station = house.station()
    poke(station, "in:first")
    until(lambda: served.times("in:first") >= 1)
    with pytest.raises(ZeroDivisionError), station.database.begin() as connection:
        engine.poke(connection, "in:never")
        raise ZeroDivisionError
    with station.database.begin() as connection:
        engine.poke(connection, "in:later")
        before = served.times("in:later")
    until(lambda: served.times("in:later") >= 1)
    assert (before, served.times("in:never")) == (0, 0)
    station.close()


def test_a_poke_that_comes_while_its_stream_is_served_wakes_again(house: House) -> None:
    station = house.station()
    came: list[str] = []

    def step(own: Station, stream: str) -> bool:
        came.append(stream)
        if len(came) == 1:
            poke(own, stream)
        return False

    house.start({"in": step})
    poke(station, "in:x")
    until(lambda: len(came) >= 2)
    station.close()


def test_steps_of_one_stream_never_overlap_and_those_of_two_do(house: House) -> None:
    served = Served(0.05)
    engines = [house.start({"out": served})]
    if house.kind == "cluster":
        engines.append(house.start({"out": served}))
    station = house.station()

    def both() -> bool:
        poke(station, "out:a:box", "out:b:box")
        return served.times("out:a:box") >= 2 and served.times("out:b:box") >= 2 and overlaps(list(served.spans)) > 0

    until(both)
    for engine in engines:
        house.end(engine)
    for name in ("out:a:box", "out:b:box"):
        assert overlaps([span for span in served.spans if span[0] == name]) == 0
    station.close()


def test_a_step_that_fails_stops_no_other_and_is_told_until_it_works(house: House) -> None:
    served = Served()
    served.failing.add("in:bad")
    house.start({"in": served})
    station = house.station()
    poke(station, "in:bad", "in:good")
    until(lambda: served.times("in:good") >= 1)

    def told() -> list[str]:
        with station.database.read() as connection:
            return [trouble.name for trouble in troubles.standing(connection)]

    until(lambda: told() == ["step in:bad"])
    served.failing.clear()
    poke(station, "in:bad")
    until(lambda: told() == [])
    station.close()


def test_a_timer_is_run_by_one_process_at_a_time_and_by_another_after_it(house: House) -> None:
    strokes: list[str] = []

    def timer(name: str) -> Callable[[Engine], None]:
        return lambda engine: engine.every("tick", 0.05, lambda: strokes.append(name))

    first = house.start({}, timer("first"))
    until(lambda: len(strokes) >= 2)
    second = house.start({}, timer("second")) if house.kind == "cluster" else None
    more = len(strokes) + 4
    until(lambda: len(strokes) >= more)
    assert set(strokes) == {"first"}
    house.end(first)
    if second is None:
        second = house.start({}, timer("second"))
    until(lambda: "second" in strokes)


def test_a_mailbox_is_looked_into_by_one_process_at_a_time(house: House) -> None:
    looks: list[tuple[str, float, float]] = []

    def look() -> bool:
        began = time.monotonic()
        time.sleep(0.02)
        looks.append(("box", began, time.monotonic()))
        return False

    def mailbox(engine: Engine) -> None:
        engine.poller("box", 0.01, look)

    engines = [house.start({}, mailbox)]
    if house.kind == "cluster":
        engines.append(house.start({}, mailbox))
    until(lambda: len(looks) >= 10)
    house.end(engines.pop(0))
    if not engines:
        house.start({}, mailbox)
    more = len(looks) + 5
    until(lambda: len(looks) >= more)
    assert overlaps(looks) == 0


def test_what_is_exclusive_is_had_by_one(house: House) -> None:
    engine = house.start({})
    other = house.start({}) if house.kind == "cluster" else engine
    with engine.exclusive("books", 5) as ours:
        assert ours
        with other.exclusive("books", 5) as theirs, other.exclusive("stock", 5) as free:
            assert (theirs, free) == (False, True)
    with other.exclusive("books", 5) as theirs:
        assert theirs
    until(lambda: other.health().serving)


def test_stopping_finishes_the_steps_under_way(house: House) -> None:
    served = Served(1.0)
    engine = house.start({"in": served, "out": served})
    station = house.station()
    began = threading.Event()

    def slow(own: Station, stream: str) -> bool:
        began.set()
        return served(own, stream)

    house.end(engine)
    engine = house.start({"in": slow, "out": slow})
    poke(station, "out:a:box", "in:x")
    assert began.wait(PATIENCE)
    assert house.end(engine) < PATIENCE
    assert len(served.spans) >= 1
    assert engine.idle()
    station.close()


def test_work_goes_on_where_another_process_left_it(house: House) -> None:
    station = house.station()
    done: list[int] = []

    def many(own: Station, stream: str) -> bool:
        done.append(len(done))
        time.sleep(0.02)
        return len(done) < enough[0]

    enough = [1_000_000]
    with station.database.begin() as connection:
        streams.poke(connection, "in:large")
    first = house.start({"in": many})
    until(lambda: len(done) >= 3)
    house.end(first)
    enough[0] = len(done) + 20
    poke(station, "in:large")
    house.start({"in": many})
    until(lambda: len(done) >= enough[0])
    station.close()


@contextmanager
def order_then_change(house: House) -> Iterator[Station]:
    """The files of an order and its change lie in the store."""
    world = house.world
    station = world.station
    files = [
        ("po.edi", x12_order("PO1", lines=(("1", "10", "9.25", "SKU1"), ("2", "4", "9.25", "SKU2")))),
        ("change.edi", x12_change("PO1", lines=(poc("1", "QI", "20", "9.25", "SKU1"),))),
    ]
    register(station, [Arrival(address="folder:boxes/acme/out", name=name, identity=name, data=data) for name, data in files])
    yield station
    station.close()


def kinds_of(station: Station) -> dict[str, str]:
    with station.database.read() as connection:
        return {row.kind: row.state for row in documents.search(connection, documents.Filters(direction="in"), limit=10)}


def test_no_wake_up_is_needed_for_anything_to_be_done(house: House) -> None:
    with order_then_change(house) as station:
        with station.database.begin() as connection:
            connection.execute(text("DELETE FROM poke"))
            if house.kind == "cluster":
                connection.execute(text("TRUNCATE procrastinate.procrastinate_jobs CASCADE"))
        house.start(steps())
        until(lambda: kinds_of(station).get("order_change") not in {None, "registered"})


def test_wake_ups_that_are_wiped_away_in_mid_run_are_found_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SWEEP", 0.3)
    monkeypatch.setattr(cluster, "SWEEP", 0.3)
    house.start(steps())
    station = house.station()
    numbers = [f"PO{number}" for number in range(1, 6)]
    for control, number in enumerate(numbers, 1):
        data = x12_order(number, control=control)
        register(station, [Arrival(address="folder:boxes/acme/out", name=number, identity=number, data=data)])
        with station.database.begin() as connection:
            connection.execute(text("DELETE FROM poke"))
            if house.kind == "cluster":
                connection.execute(text("TRUNCATE procrastinate.procrastinate_jobs CASCADE"))

    def accepted() -> bool:
        with station.database.read() as connection:
            rows = documents.search(connection, documents.Filters(kind="order"))
        return sorted(row.number for row in rows if row.state == "accepted") == numbers

    until(accepted)
    station.close()


def test_an_order_is_registered_before_its_change(house: House) -> None:
    with order_then_change(house) as station:
        house.start(steps())
        if house.kind == "cluster":
            house.start(steps())
        until(lambda: kinds_of(station).get("order_change") not in {None, "registered"})
        with station.database.read() as connection:
            rows = documents.search(connection, documents.Filters(direction="in"), limit=10)
            histories = {row.kind: documents.history(connection, row.id) for row in rows}
        assert histories["order"][1].at <= histories["order_change"][1].at
        assert "failed" not in kinds_of(station).values()


def test_a_second_engine_of_one_machine_has_no_place(house: House) -> None:
    station = house.station()
    if house.kind == "cluster":
        # a service of one machine on the database of a cluster: each would think itself alone
        house.start({})
        until(lambda: bool(_nodes(station)))
        with pytest.raises(ConfigTrouble, match="engine: cluster"):
            own_database(station, 0.2)
    else:
        with OwnerLock(station.installation.data) as one, OwnerLock(station.installation.data) as other:
            assert one.take()
            assert not other.take()
    station.close()


def _nodes(station: Station) -> list[str]:
    from gateway.store.working import nodes

    with station.database.read() as connection:
        return [node.id for node in nodes.known(connection)]


def test_a_database_that_goes_away_for_a_moment_ends_no_engine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served()
    engine = house.start({"in": served})
    station = house.station()
    poke(station, "in:one")
    until(lambda: served.times("in:one") >= 1)
    own = next(one[2] for one in house._open if one[0] is engine)
    real = own.database.read

    @contextmanager
    def away() -> Iterator[None]:
        raise DatabaseTrouble("the database cannot work: gone", retry=True)
        yield

    with monkeypatch.context() as patch:
        patch.setattr(type(own.database), "read", lambda self: away() if self is own.database else real())
        time.sleep(0.5)
    poke(station, "in:two")
    until(lambda: served.times("in:two") >= 1)
    station.close()


def test_on_a_server_a_stream_does_not_wait_for_another_ones_step(tmp_path: Path, migrated_postgres_url: str) -> None:
    house = House("local on a server", tmp_path, migrated_postgres_url)
    meet = threading.Barrier(2, timeout=PATIENCE)
    met: list[str] = []

    def both(station: Station, stream: str) -> bool:
        meet.wait()
        met.append(stream)
        return False

    engine = house.start({"in": both, "trade": both})
    try:
        with house._open[0][2].database.begin() as connection:
            for stream in ("in:folder:a", "trade:acme"):
                streams.poke(connection, stream)
        until(lambda: sorted(met) == ["in:folder:a", "trade:acme"])
    finally:
        house.end(engine)
