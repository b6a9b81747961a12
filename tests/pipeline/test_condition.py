"""Which processes work on an installation, for people and machines that ask."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import ConfigTrouble
from gateway.pipeline.arriving.handing_in import became
from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.pipeline.service.assembly import cluster_engine
from gateway.pipeline.service.assembly import seal
from gateway.pipeline.service.assembly import work_off
from gateway.pipeline.service.condition import condition_of
from gateway.pipeline.service.joining import check_shared
from gateway.pipeline.service.joining import own_database
from gateway.pipeline.service.waiting import Waiting
from gateway.pipeline.station import now_utc
from gateway.store.identity import new_id
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.moments import database_now
from gateway.store.outgoing import outbox
from gateway.store.working import claims
from gateway.store.working import nodes
from tests.pipeline.test_engine_contract import CLUSTER
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving


@pytest.fixture
def world(tmp_path: Path, migrated_postgres_url: str):
    made = World(tmp_path, config=CLUSTER, database=migrated_postgres_url)
    yield made
    made.close()


def test_the_owner_of_one_machine_is_told(tmp_path: Path, sqlite_url: str) -> None:
    world = World(tmp_path, database=sqlite_url)
    assert condition_of(world.station).owner is None
    with OwnerLock(world.station.installation.data) as lock:
        assert lock.take()
        assert str(condition_of(world.station).owner).startswith("process ")
    world.close()


def test_the_processes_of_a_cluster_are_told_with_what_they_do(tmp_path: Path, migrated_postgres_url: str) -> None:
    world = World(tmp_path, config=CONFIG + "engine: cluster\n", database=migrated_postgres_url, clock=now_utc)  # type: ignore[arg-type]
    with world.station.database.begin() as connection:
        now = database_now(connection)
        for id, role in (("A", "worker"), ("B", "command")):
            nodes.beat(connection, nodes.Node(id=id, host="first", process=7, role=role, version="1", started_at=now, beat_at=now))
        for key in ("poll:folder:boxes/acme/out", "clock:seal"):
            claims.take(connection, key, "A", timedelta(minutes=1))
    found = condition_of(world.station)
    assert found.owner == "process 7 on first"
    assert [(worker.role, worker.mailboxes, worker.timers) for worker in found.workers] == [
        ("worker", ("folder:boxes/acme/out",), ("seal",)),
        ("command", (), ()),
    ]
    printed = world.command("status")
    assert "service: running (process 7 on first)" in printed.stdout
    assert "looks into folder:boxes/acme/out" in printed.stdout
    with serving(world.station) as site:
        page = site.get("/").text
        assert "Processes" in page and "<code>folder:boxes/acme/out</code>" in page
        assert site.get("/readyz").status == 200
        assert 'gateway_nodes{host="first",role="worker"} 1.0' in site.get("/metrics").text
    with world.station.database.begin() as connection:
        nodes.leave(connection, "A")
    with serving(world.station) as site:
        assert site.get("/readyz").status == 503, "a command alone is no service"
    world.close()


def test_a_command_of_a_cluster_without_processes_does_the_work_itself(world: World) -> None:
    assert world.receive(x12_order("PO1")).documents[0].state == "accepted"
    result = world.command("receive", "--json", str(put(world.folder / "po2.edi", x12_order("PO2", control=2))))
    assert result.returncode == 0, result.stderr
    assert '"state":"accepted"' in result.stdout.replace(" ", "")
    with world.station.database.read() as connection:
        assert nodes.known(connection) == [], "it has signed off"


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_process_that_was_killed_a_moment_ago_is_waited_for_until_it_is_silent(tmp_path: Path, migrated_postgres_url: str) -> None:
    world = World(tmp_path, config=CLUSTER.replace("silence: 60", "silence: 3"), database=migrated_postgres_url)
    with world.station.database.begin() as connection:
        now = database_now(connection)
        nodes.beat(connection, nodes.Node(id=new_id(), host="first", process=7, role="worker", version="1", started_at=now, beat_at=now))
    [(transmission, _)] = register(world.station, [Arrival(address="folder:boxes/acme/out", name="po.edi", identity="po.edi", data=x12_order("PO1"))])
    work_off(world.station, 120, files=[transmission.id])
    assert became(world.station, "po.edi", transmission.id).documents[0].state == "accepted"
    with world.station.database.read() as connection:
        assert nodes.known(connection) == []
    world.close()


def test_a_machine_with_another_key_of_the_journal_does_not_join(world: World) -> None:
    world.receive(x12_order("PO1"))
    seal(world.station)
    check_shared(world.station)
    key = world.folder / "data/keys/journal.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(ConfigTrouble, match="copy data/keys/journal.key of the first machine"):
        check_shared(world.station)
    world.station.journal_key()
    with pytest.raises(ConfigTrouble, match="another key"):
        check_shared(world.station)
    key.write_bytes(kept)
    check_shared(world.station)


def test_a_machine_with_another_archive_does_not_join(world: World) -> None:
    world.receive(x12_order("PO1"))
    (world.folder / "data/archive").rename(world.folder / "elsewhere")
    world.close()
    with pytest.raises(ConfigTrouble, match="all machines need one archive"):
        cluster_engine(world.station, "worker")
    with world.station.database.begin() as connection:
        [last] = transmissions.search(connection, limit=1)
        gone = erasures.Erasure(subject_kind="transmission", subject=last.id, sha256=last.sha256, erased_at=world.clock(), rule="90d")
        erasures.add(connection, [gone])
    check_shared(world.station)


def test_a_service_of_one_machine_is_alone_on_its_database(tmp_path: Path, migrated_postgres_url: str) -> None:
    world = World(tmp_path, database=migrated_postgres_url)
    alone = own_database(world.station, 0)
    assert alone is not None
    with pytest.raises(ConfigTrouble, match="engine: cluster"):
        own_database(world.station, 0.1)
    other = World(tmp_path / "other", config=CLUSTER, database=migrated_postgres_url)
    with pytest.raises(ConfigTrouble, match="engine: local"):
        cluster_engine(other.station, "worker").run()
    alone.close()
    other.close()
    world.close()


def test_a_worker_needs_a_cluster(tmp_path: Path, sqlite_url: str) -> None:
    world = World(tmp_path, database=sqlite_url)
    result = world.command("worker")
    assert result.returncode == 4
    assert "engine: cluster" in result.stderr
    world.close()


def test_a_command_waits_for_what_it_handed_in_and_for_nothing_else(world: World) -> None:
    result = world.receive(x12_order("PO1"))
    register(world.station, [Arrival(address="folder:boxes/acme/out", name="next.edi", identity="next", data=x12_order("PO2", control=2))])
    with world.station.database.read() as connection:
        [acknowledgment] = [entry.id for entry in outbox.of_interchange(connection, str(result.documents[0].interchange))]
    assert not Waiting(world.station).is_over()
    # a 997 is of no document
    assert Waiting(world.station, deliveries=[acknowledgment]).is_over()
    assert Waiting(world.station, documents=[]).is_over()
    world.settle()
    assert Waiting(world.station).is_over()
