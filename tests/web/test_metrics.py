"""Numbers for Prometheus and the two addresses that a watcher asks: honest, and quick whatever is in the store."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from gateway.pipeline.engine.local import OwnerLock
from gateway.pipeline.meters import Meters
from gateway.pipeline.service.assembly import lookers
from gateway.pipeline.service.running import keep_meters
from gateway.store.payloads.archive import ArchiveTrouble
from gateway.store.watching import meters
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from gateway.web.app import gated
from gateway.web.app import make_app
from gateway.web.metric_names import METRICS
from tests.machine import cpu_seconds
from tests.machine import is_quick
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database=database_url)
    yield made
    made.close()


@pytest.fixture
def client(world: World) -> TestClient:
    return TestClient(gated(make_app(world.station)), base_url="http://127.0.0.1:18999")


def numbers(client: TestClient) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """name -> labels -> value, as a Prometheus server reads it."""
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_documents_are_counted_by_partner_and_state_and_steps_are_timed(world: World, client: TestClient) -> None:
    world.receive(x12_order("PO1"))
    keep_meters(world.station)
    found = numbers(client)
    assert found["gateway_partner_documents"][("direction", "in"), ("partner", "acme"), ("state", "accepted")] == 1
    steps = found["gateway_step_seconds_count"]
    assert steps[("step", "in"), ("transport", "folder")] >= 1
    assert {key[0][1] for key in steps} >= {"in", "out", "trade"}
    assert (
        found["gateway_step_seconds_bucket"][("le", "+Inf"), ("step", "in"), ("transport", "folder")]
        == steps[("step", "in"), ("transport", "folder")]
    )
    assert found["gateway_queue_age_seconds"] == {(("queue", queue),): 0 for queue in ("in", "trade", "out", "erp")}


def test_every_metric_is_in_the_table_and_every_one_in_the_table_is_told(client: TestClient) -> None:
    families = {family.name for family in text_string_to_metric_families(client.get("/metrics").text)}
    assert families == set(METRICS)


def test_failures_of_transports_are_counted_and_outlive_the_process(world: World, client: TestClient) -> None:
    box = world.folder / "boxes/acme"
    for name in ("in", "out"):
        (box / name).rename(box / f"{name} away")
        (box / name).write_text("a file stands where the folder was")
    world.receive(x12_order("PO1"))
    assert not lookers(world.station)["folder:boxes/acme/out"].make().once()
    keep_meters(world.station)
    endpoint = str(world.folder / "boxes/acme/out")
    found = {
        dict(labels)["direction"]: (dict(labels)["endpoint"], count) for labels, count in numbers(client)["gateway_transport_errors_total"].items()
    }
    assert found["out"] == ("acme:box", 1) and found["in"][1] == 1, endpoint


def test_answers_that_are_waited_for_have_an_age(tmp_path: Path) -> None:
    waiting = ACME.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, expect_acknowledgment: {within: 2h}}")
    world = World(tmp_path, partners={"acme": waiting})
    world.receive(x12_order("PO1"))
    world.clock.now += timedelta(minutes=5)
    client = TestClient(gated(make_app(world.station)), base_url="http://127.0.0.1:18999")
    assert numbers(client)["gateway_answer_wait_seconds"] == {(("partner", "acme"),): pytest.approx(300, abs=2)}
    world.close()


def test_counts_that_cannot_be_kept_are_kept_with_the_next() -> None:
    counting = Meters()
    counting.count("x", "a")
    taken = counting.take()
    counting.count("x", "a")
    counting.give_back(taken)
    assert counting.take() == {("x", ("a",)): 2}


def test_two_processes_add_to_the_same_counter(world: World) -> None:
    with world.station.database.begin() as connection:
        meters.add(connection, {("x", ("a",)): 2, ("y", ()): 0})
        meters.add(connection, {("x", ("a",)): 3})
    with world.station.database.read() as connection:
        assert meters.all_counts(connection) == {("x", ("a",)): 5}


def test_ready_is_honest(world: World, client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    said = client.get("/readyz")
    assert said.status_code == 503 and said.json() == {"database": "reachable", "engine": "none: start gateway run", "archive": "writable"}
    with OwnerLock(world.station.installation.data) as lock:
        assert lock.take()
        assert client.get("/readyz").status_code == 200
        # it holds the lock, but hangs
        path = world.station.installation.data / "engine.lock"
        old = time.time() - 600
        os.utime(path, (old, old))
        said = client.get("/readyz")
        assert said.status_code == 503 and "has not turned for 600 seconds" in said.json()["engine"]


def test_an_archive_that_cannot_be_written_is_not_ready(world: World, client: TestClient) -> None:
    with OwnerLock(world.station.installation.data) as lock:
        assert lock.take()
        archive = world.station.installation.data / "archive"
        archive.rename(archive.with_name("away"))
        archive.write_text("a file where a folder should be")
        said = client.get("/readyz")
        assert said.status_code == 503 and said.json()["archive"].startswith("cannot be written")


def test_bytes_whose_place_cannot_be_reached_are_told_so(world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.receive(x12_order("PO1")).transmission
    address = f"/files/{file.id}/payload"
    assert client.get(address).content == x12_order("PO1")

    def away(archive: object, sha256: str) -> int:
        raise ArchiveTrouble("the archive in s3://x/y cannot be used")

    monkeypatch.setattr(type(world.station.archive), "size", away)
    said = client.get(address)
    assert said.status_code == 503 and "payloads cannot be reached now" in said.text


def test_all_answer_quickly_with_much_in_the_store(world: World, client: TestClient) -> None:
    """No full counts: what is done many times over is not looked at."""
    if str(world.station.database.url).startswith("postgresql"):
        pytest.skip("filled by SQLite's own words")
    with world.station.database.begin() as connection:
        stamp = "2026-01-01T00:00:00.000000Z"
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
            "INSERT INTO outbox (id, partner, endpoint, stream, seq, kind, spec, body, properties, state, test, created_at, due_at, attempts, expects_ack)"
            f" SELECT 'X' || i, 'p' || (i % 50), 'box', 's' || (i % 50), i, 'document', 'x', '', '{{}}', 'acknowledged', 0, '{stamp}', '{stamp}', 1, 1 FROM n"
        )
        for number in range(200):
            trouble = Trouble(name=f"t{number}", kind="mailbox", state="retrying", error="x", cure="y", since=world.clock.now)
            troubles.stands(connection, trouble)
    # 100 ms each on a quiet machine
    assert is_quick(cpu_seconds(lambda: [client.get(address) for address in ("/healthz", "/readyz", "/metrics")], 3), 2.0)
    assert numbers(client)["gateway_not_working"][("kind", "mailbox"), ("state", "retrying")] == 200


def test_ages_are_told(world: World, client: TestClient) -> None:
    from gateway.store.outgoing import outbox
    from tests.store.made import entry

    now = world.clock.now
    with world.station.database.begin() as connection:
        outbox.enqueue(connection, [entry(id="L1", partner="acme", endpoint="box", stream="out:acme:box", created_at=now, due_at=now)])
    world.clock.now += timedelta(minutes=5)
    found = numbers(client)
    assert found["gateway_queue_age_seconds"][(("queue", "out"),)] == pytest.approx(300, abs=1)
    assert found["gateway_unsent_age_seconds"][(("partner", "acme"),)] == pytest.approx(300, abs=1)
