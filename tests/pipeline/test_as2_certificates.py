"""Certificates that end while the service runs: told ahead, sending stops for that partner alone, and goes on with the new one by itself."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.pipeline.alerts.raising import decide
from gateway.pipeline.as2.certificates import watch_certificates
from gateway.pipeline.inbound.receive import Arrival
from gateway.pipeline.inbound.receive import register
from gateway.store.outgoing import outbox
from gateway.store.records import documents
from gateway.store.watching import troubles
from gateway.store.watching.troubles import Trouble
from tests.pipeline.as2_partner import PartnerStation
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import keys
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import Clock
from tests.pipeline.world import World
from tests.pipeline.world import x12_order

START = Clock().now
#: ends a hundred days after the world begins
SHORT = keys("them", START - timedelta(days=1), 101)


@pytest.fixture
def partner() -> Iterator[PartnerStation]:
    with partner_station() as station:
        station.relation = their_relation(identities=(as2.read_identity(*SHORT),))
        yield station


@pytest.fixture
def world(tmp_path: Path, partner: PartnerStation) -> Iterator[World]:
    made = as2_world(tmp_path / "installation", f"{partner.url}/as2")
    (made.folder / "keys/them.pem").write_bytes(SHORT[1])
    partner.clock = made.clock
    yield made
    made.close()


def order(world: World, number: str) -> None:
    register(
        world.station, [Arrival(address="folder:boxes/acme/out", name="po.edi", identity=number, data=x12_order(number, control=int(number[2:])))]
    )
    world.settle()


def told(world: World, at: datetime | None = None) -> list[Trouble]:
    if at is not None:
        world.clock.now = at
    watch_certificates(world.station)
    with world.station.database.read() as connection:
        return troubles.standing(connection)


def response(world: World, number: str) -> outbox.Entry:
    with world.station.database.read() as connection:
        responses = documents.search(connection, documents.Filters(kind="order_response"))
        [wanted] = [one.id for one in responses if number in one.number]
        return next(row for row in outbox.search(connection) if row.document == wanted)


def test_an_end_is_told_sixty_thirty_and_seven_days_ahead_and_when_it_is_there(world: World) -> None:
    assert told(world) == []
    seen = []
    for days in range(101):
        for trouble in told(world, START + timedelta(days=days)):
            if (trouble.state, trouble.error) not in seen:
                seen.append((trouble.state, trouble.error))
    assert [state for state, _ in seen] == ["warning", "warning", "warning", "stopped"]
    assert [error.partition("in at most ")[2][:7] for _, error in seen[:3]] == ["60 days", "30 days", "7 days,"]
    assert all("CN=them" in error and "there is none after it" in error for _, error in seen)
    # it began when it was first told
    assert told(world)[0].since < START + timedelta(days=42)


def test_each_stage_is_an_alert_and_a_line_of_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with (world.folder / "config.yaml").open("a") as file:
        file.write("alerts: {webhook: {url: 'http://127.0.0.1:9/', secret: ['env:NONE'], private: true}}\n")
    world.close()
    alerted, logged = [], []
    # the days around each stage, and one between them: the same words are told once
    for left in (61, 59, 58, 45, 31, 29, 28, 8, 6, 5, 1, 0, -1):
        told(world, START + timedelta(days=100 - left))
        logged += [left] * capsys.readouterr().err.count('"event": "certificate"')
        for _ in range(3):
            world.clock.now += timedelta(minutes=20)
            alerted += [left] if decide(world.station) else []
    assert alerted == [59, 29, 6, 0] and logged == [59, 29, 6, 0]


def test_the_certificate_that_we_show_to_an_https_server_is_told_ahead(world: World) -> None:
    for name in ("key", "pem"):
        (world.folder / f"keys/line.{name}").write_bytes(keys("line", START, 39)[name == "pem"])
    file = world.folder / "partners/acme.yaml"
    more = "  line: {https: 'https://files.acme.example/', client_key: 'file:keys/line.key', client_certificate: keys/line.pem}\n"
    file.write_text(file.read_text().replace("agreements:\n", f"{more}agreements:\n"))
    world.close()
    [trouble] = told(world, START)
    assert (trouble.kind, trouble.state) == ("certificate", "warning")
    assert "our certificate CN=line for the partner's HTTPS server ends on" in trouble.error
    [trouble] = told(world, START + timedelta(days=39, hours=1))
    assert trouble.state == "stopped"
    (world.folder / "keys/line.key").unlink()
    [trouble] = told(world)
    assert trouble.state == "stopped" and "line.key cannot be read" in trouble.error
    for name in ("key", "pem"):
        (world.folder / f"keys/line.{name}").write_bytes(keys("line", START, 400)[name == "pem"])
    assert told(world) == []


def test_a_successor_ends_the_warning(world: World) -> None:
    assert told(world, START + timedelta(days=50))
    text = (world.folder / "partners/acme.yaml").read_text()
    (world.folder / "keys/next.pem").write_bytes(keys("next", START, 3650)[1])
    (world.folder / "partners/acme.yaml").write_text(text.replace("certificates: keys/them.pem", "certificates: [keys/them.pem, keys/next.pem]"))
    world.close()
    assert told(world) == []


def test_an_expired_certificate_stops_sending_until_the_new_one_is_there(world: World, partner: PartnerStation) -> None:
    order(world, "PO1")
    assert response(world, "PO1").state == "sent"
    world.clock.now += timedelta(days=101)
    order(world, "PO2")
    row = response(world, "PO2")
    assert row.state == "prepared" and len(partner.posts) == 1
    standing = {trouble.name: trouble for trouble in told(world)}
    stopped = standing["sending acme:as2"]
    assert (stopped.kind, stopped.state, stopped.partner) == ("certificate", "stopped", "acme") and "goes on by itself" in stopped.cure
    order(world, "PO3")
    assert len(partner.posts) == 1, "what is behind it waits with it"
    new = keys("them anew", world.clock.now - timedelta(days=1), 300)
    (world.folder / "keys/them.pem").write_bytes(new[1])
    partner.relation = their_relation(identities=(as2.read_identity(*new),))
    assert told(world) == []
    world.settle()
    assert [response(world, number).state for number in ("PO2", "PO3")] == ["sent", "sent"] and len(partner.posts) == 3


def test_a_message_under_way_when_its_certificate_ends_is_encrypted_for_the_next_one(world: World, partner: PartnerStation) -> None:
    partner.answer = lambda post: (503, (), b"")
    order(world, "PO1")
    world.clock.now += timedelta(days=101)
    new = keys("them later", world.clock.now - timedelta(days=1), 300)
    (world.folder / "keys/them.pem").write_bytes(new[1])
    partner.relation, partner.answer = their_relation(identities=(as2.read_identity(*new),)), partner.receipt_at_once
    world.settle()
    first, second = partner.posts
    assert response(world, "PO1").state == "sent" and first.header("message-id") == second.header("message-id") and first.body != second.body


def test_a_key_that_is_gone_is_told_and_stops_nobody_else(world: World) -> None:
    key = world.folder / "keys/us.key"
    text = key.read_bytes()
    key.unlink()
    [trouble] = told(world)
    assert (trouble.kind, trouble.state) == ("certificate", "stopped") and "us.key" in trouble.error
    key.write_bytes(text)
    assert told(world) == []


def test_a_warning_fails_no_check_of_the_installation(world: World) -> None:
    assert told(world, START + timedelta(days=50))
    world.close()
    done = world.command("status")
    assert done.returncode == 0 and "needs you" in done.stdout and "CN=them" in done.stdout, done


def test_our_own_certificate_is_told_too(world: World) -> None:
    ours = keys("us", START - timedelta(days=1), 20)
    (world.folder / "keys/us.key").write_bytes(ours[0])
    (world.folder / "keys/us.pem").write_bytes(ours[1])
    assert [trouble.error.startswith("our certificate CN=us") for trouble in told(world)] == [True]
