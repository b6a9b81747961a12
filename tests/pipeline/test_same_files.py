"""Machines that work by other files than the others are found, and told with what is different."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat

from gateway.pipeline.service import connection_watch
from gateway.pipeline.service import in_force
from gateway.pipeline.service.condition import condition_of
from gateway.pipeline.service.connection_watch import ConnectionWatch
from gateway.pipeline.service.fingerprints import fingerprint_of
from gateway.pipeline.service.in_force import Lead
from gateway.pipeline.service.reading_anew import hold
from gateway.pipeline.service.reloading import Reloading
from gateway.pipeline.service.same_files import PATIENCE
from gateway.pipeline.service.same_files import TROUBLE
from gateway.pipeline.service.same_files import SameFiles
from gateway.store.database import DatabaseTrouble
from gateway.store.moments import database_now
from gateway.store.watching import troubles
from gateway.store.working import nodes
from gateway.store.working.nodes import Node
from tests.exchange.as2_world import identity
from tests.exchange.as2_world import pem_of
from tests.pipeline.test_engine_contract import CLUSTER
from tests.pipeline.test_reloading import away
from tests.pipeline.world import ACME
from tests.pipeline.world import World


class Counted:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world(tmp_path: Path, migrated_postgres_url: str) -> Iterator[World]:
    made = World(tmp_path / "first", config=CLUSTER.replace("silence: 3", "silence: 300"), database=migrated_postgres_url)
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path, world: World) -> Iterator[World]:
    url = world.station.database.url.render_as_string(hide_password=False)
    made = World(tmp_path / "second", config=CLUSTER.replace("silence: 3", "silence: 300").replace("port: 18999", "port: 18998"), database=url)
    yield made
    made.close()


def join(world: World, host: str) -> None:
    with world.station.database.begin() as connection:
        now = database_now(connection)
        node = Node(id=world.station.node, host=host, process=7, role="worker", version="1", started_at=now, beat_at=now)
        nodes.beat(connection, node)


def same_files(world: World, counting: Counted) -> SameFiles:
    return SameFiles(world.station, lambda: hold(world.folder / "config.yaml")[0], counting)


def told(world: World) -> list[str]:
    with world.station.database.read() as connection:
        return [trouble.error for trouble in troubles.standing(connection) if trouble.name == TROUBLE]


def test_what_stays_different_is_told_with_machines_and_digests_until_it_is_the_same(world: World, other: World) -> None:
    time = Counted()
    mine, theirs = same_files(world, time), same_files(other, time)
    join(world, "first")
    join(other, "second")
    mine.tell()
    theirs.tell()
    mine.compare()
    time.now += PATIENCE + 1
    mine.compare()
    assert told(world) == [], "the web's port is a machine's own"
    (other.folder / "partners/acme.yaml").write_text(ACME.replace("ACME Corporation", "Acme GmbH"))
    (other.folder / "partners/new.yaml").write_text("x")
    theirs.tell()
    mine.compare()
    assert told(world) == [], "somebody may still be copying"
    time.now += PATIENCE + 1
    mine.compare()
    [error] = told(world)
    assert error.startswith("partners/acme.yaml is ") and " on first, " in error and "; partners/new.yaml is nothing on first, " in error
    [first, second] = [worker.files for worker in condition_of(world.station).workers]
    assert first != second and f"files {first}" in world.command("status").stdout
    for name in ("acme.yaml", "new.yaml"):
        text = (other.folder / "partners" / name).read_text()
        (world.folder / "partners" / name).write_text(text)
    mine.tell()
    # the process that told it has died meanwhile
    theirs.compare()
    assert told(world) == []


def test_another_key_of_config_and_another_program_are_told(world: World, other: World, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Counted()
    mine, theirs = same_files(world, time), same_files(other, time)
    join(world, "first")
    join(other, "second")
    settings = other.station.installation.settings.model_copy(update={"poll": 9.0})
    object.__setattr__(other.station.installation, "settings", settings)
    mine.tell()
    monkeypatch.setattr("gateway.pipeline.service.same_files.__version__", "0.0.1")
    theirs.tell()
    mine.compare()
    time.now += PATIENCE + 1
    mine.compare()
    [error] = told(world)
    assert error.startswith("config.yaml: poll is ") and "; the program is " in error and "0.0.1 on second" in error


def test_other_keys_and_certificates_are_told_by_fingerprint_with_file_and_machine(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = identity("seller"), identity("other")
    certificate = identity("buyer").certificate.public_bytes(Encoding.PEM)
    monkeypatch.setenv("ACME_TOKEN", "hunter2secret")
    far = '  far: {sftp: "sftp://h/x", user: u, key: "file:keys/acme", passphrase: "file:keys/word", host_keys: ["SHA256:x"]}\n'
    station = '  station: {as2: "https://h/as2", name: ACME, our_name: US, our_key: "env:ACME_TOKEN", our_certificate: keys/ours.pem, certificates: keys/a.pem}\n'
    processes = []
    time = Counted()
    for one, key in ((world, ours), (other, theirs)):
        (one.folder / "keys").mkdir()
        (one.folder / "keys/acme").write_bytes(pem_of(key.key))
        (one.folder / "keys/word").write_text(f"hunter2{one.folder.name}")
        (one.folder / "keys/a.pem").write_bytes(certificate)
        (one.folder / "partners/acme.yaml").write_text(ACME.replace("endpoints:\n", "endpoints:\n" + far + station))
        one.close()
        join(one, one.folder.name)
        processes.append(same_files(one, time))
    (world.folder / "keys/ours.pem").write_bytes(ours.certificate.public_bytes(Encoding.PEM))
    for process in processes:
        process.tell()
    processes[0].compare()
    time.now += PATIENCE + 1
    processes[0].compare()
    [error] = told(world)
    assert error.startswith("keys/acme is key ") and " on first, key " in error and error.count(" is ") == 2
    assert "; keys/ours.pem is certificate " in error and ", nothing on second" in error
    with world.station.database.read() as connection:
        said = nodes.files_of(connection, [world.station.node])[world.station.node]
    digest = hashlib.sha256(ours.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert said["keys/ours.pem"] == f"certificate {digest[:12]}"
    assert said["keys/word"] == said["env:ACME_TOKEN"] == "there"
    (other.folder / "keys/acme").write_bytes(pem_of(ours.key))
    (other.folder / "keys/ours.pem").write_bytes((world.folder / "keys/ours.pem").read_bytes())
    processes[1].tell()
    processes[0].compare()
    assert told(world) == []


@pytest.mark.parametrize("password", [None, b"hunter2"])
def test_a_key_shows_its_public_half_alone(password: bytes | None) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    public = hashlib.sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:12]
    assert fingerprint_of(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, hidden)) == f"key {public}"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)
    assert fingerprint_of(plain) == (f"key encrypted {hashlib.sha256(plain.strip()).hexdigest()[:12]}" if password else f"key {public}")
    buyer, seller = (identity(name).certificate for name in ("buyer", "seller"))
    both = [one.public_bytes(Encoding.PEM) for one in (buyer, seller)]
    assert fingerprint_of(buyer.public_bytes(Encoding.DER)) == fingerprint_of(both[0])
    assert fingerprint_of(both[0] + both[1]) == fingerprint_of(both[1] + both[0]) != fingerprint_of(both[0])
    for nonsense in (b"", b"hunter2", b"\x30\x82", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"):
        assert fingerprint_of(nonsense) == "there"
    assert fingerprint_of(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----") == "key unreadable"


def test_what_a_process_said_goes_with_it(world: World) -> None:
    join(world, "first")
    same_files(world, Counted()).tell()
    with world.station.database.begin() as connection:
        assert nodes.files_of(connection, [world.station.node]) != {}
        nodes.leave(connection, world.station.node)
        assert nodes.files_of(connection, [world.station.node]) == {}


def test_a_worker_answers_where_no_service_is_on_its_machine(world: World) -> None:
    data = world.station.installation.data
    held, _ = hold(world.folder / "config.yaml")
    worker = Reloading(world.station, held, lambda asked: None, " on first", leads=False)
    assert in_force.read(in_force.path_in(data)) is not None, "commands see what is in force"
    request = in_force.ask(data, "clerk (command)")
    worker.look()
    now = in_force.read(in_force.path_in(data))
    assert now is not None and now.request == request.id
    service = Lead(data, stays=True)
    with service.taken() as leads:
        assert leads
    request = in_force.ask(data, "clerk (command)")
    worker.look()
    now = in_force.read(in_force.path_in(data))
    assert now is not None and now.request != request.id, "the service answers, also between two looks"


def test_a_start_that_fails_keeps_nobody_from_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held, _ = hold(world.folder / "config.yaml")
    Reloading(world.station, held, lambda asked: None, leads=False)
    other = replace(held, texts={**held.texts, "partners/new.yaml": "x"})
    monkeypatch.setattr(type(world.station.database), "begin", away)
    with pytest.raises(DatabaseTrouble) as failed:
        Reloading(world.station, other, lambda asked: None)
    monkeypatch.undo()
    with Lead(world.station.installation.data, stays=False).taken() as leads:
        assert leads and failed.value.retry


def test_too_few_connections_are_told_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def standing() -> list[tuple[str, str]]:
        with world.station.database.read() as connection:
            return [(trouble.name, trouble.state) for trouble in troubles.standing(connection)]

    watch = ConnectionWatch(world.station)
    join(world, "first")
    watch.look()
    assert standing() == []
    monkeypatch.setattr(connection_watch, "NEEDED", 10_000)
    watch.look()
    assert standing() == [("database connections", "warning")]
    monkeypatch.setattr(connection_watch, "BUSY", 0.0)
    watch.look()
    assert standing() == [("database connections", "stopped")]
    monkeypatch.undo()
    ConnectionWatch(world.station).look()
    assert standing() == []
