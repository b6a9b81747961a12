"""An account that fails is left alone by polling and sending alike, until it is mended."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.pipeline.outbox import circuits
from gateway.pipeline.outbox import redelivering
from gateway.pipeline.outbox.boxes import make_box
from gateway.pipeline.outbox.circuits import Resting
from gateway.pipeline.outbox.circuits import guarded
from gateway.pipeline.service.condition import condition_of
from gateway.pipeline.troubles import TRY_AGAIN
from gateway.store.outgoing import circuits as store
from gateway.store.outgoing import outbox
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.sftp import SftpBox
from tests.pipeline.test_spread import assert_spread
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.faulty_sftp import FaultyServer

PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints:
  box: {sftp: "sftp://127.0.0.1:PORT/", user: seller, password: "file:secret", host_keys: ["KEY"], send_to: "/", settle: 0}
agreements:
  - {receive: x12/004010/850, from: box, acknowledge: "997"}
  - {send: x12/004010/855, to: box}
currency: USD
tax: none
credit: none
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyServer]:
    (tmp_path / "server").mkdir()
    running = FaultyServer(tmp_path / "server", lambda: "do")
    yield running
    running.close()


@pytest.fixture
def world(tmp_path: Path, server: FaultyServer) -> Iterator[World]:
    text = PARTNER.replace("PORT", str(server.port)).replace("KEY", server.host_key.fingerprint)
    made = World(tmp_path / "house", partners={"acme": text})
    (tmp_path / "house/secret").write_text("wrong")
    yield made
    made.close()


def knock(world: World) -> None:
    partner = world.station.installation.directory.partners["acme"].partner
    with guarded(world.station, partner.endpoints["box"]) as box:
        box.list_ready()


def test_a_refused_login_stops_polling_and_sending_until_a_person_says_so(world: World, server: FaultyServer) -> None:
    with pytest.raises(TransportError) as caught:
        knock(world)
    assert caught.value.stop and server.logins == 1
    for _ in range(3):
        with pytest.raises(Resting) as resting:
            knock(world)
        assert resting.value.stop and resting.value.message == caught.value.message
    world.receive(x12_order("PO1"), address=f"sftp:sftp://seller@127.0.0.1:{server.port}")
    with world.station.database.read() as connection:
        entries = outbox.search(connection)
    assert entries and all(entry.attempts == 0 for entry in entries), "what was not tried is no try"
    assert {entry.last_error for entry in entries if entry.last_error} == {caught.value.message}
    assert server.logins == 1, "the account is not knocked at again"
    # rows, status and trouble tell one story
    [trouble] = condition_of(world.station).troubles
    assert (trouble.name, trouble.state, trouble.cure) == ("sending acme:box", "stopped", TRY_AGAIN)
    assert condition_of(world.station).next_try_at is None
    listed = world.command("outbox", "list").stdout
    assert listed.count("its endpoint is stopped since 2026-01-06") == listed.count(TRY_AGAIN) == 2
    assert "It is tried again by itself" not in listed and "next try" not in listed and "leaves at" not in listed
    server.password = "wrong"  # mended there: nothing of ours changed
    partner = world.station.installation.directory.partners["acme"].partner
    assert circuits.try_again(world.station, partner) >= 1
    knock(world)
    world.settle()
    assert len([path for path in server.folder.iterdir() if path.suffix == ".edi"]) == 2


def test_trying_a_delivery_again_says_that_the_account_was_mended(world: World, server: FaultyServer) -> None:
    world.receive(x12_order("PO1"), address=f"sftp:sftp://seller@127.0.0.1:{server.port}")
    server.password = "wrong"
    [first, *_] = redelivering.to_try_again(world.station, "acme")
    redelivering.retry(world.station, [first], "anna", "their password is set right")
    world.settle()
    assert len([path for path in server.folder.iterdir() if path.suffix == ".edi"]) == 2
    assert redelivering.to_try_again(world.station, "acme") == []


def test_two_folders_of_one_account_share_its_connections(tmp_path: Path, server: FaultyServer) -> None:
    more = '  second: {sftp: "sftp://127.0.0.1:PORT/second", user: seller, password: "file:secret", host_keys: ["KEY"], connections: 3}\nagreements:'
    text = PARTNER.replace("agreements:", more).replace("PORT", str(server.port)).replace("KEY", server.host_key.fingerprint)
    world = World(tmp_path / "house", partners={"acme": text})
    (tmp_path / "house/secret").write_text("hunter2")
    endpoints = world.station.installation.directory.partners["acme"].partner.endpoints
    first, second = (make_box(world.station.installation, endpoints[name]) for name in ("box", "second"))
    assert isinstance(first, SftpBox) and isinstance(second, SftpBox) and first.pool is second.pool
    assert first.pool._settings.connections == 3, "the most that was agreed for the account"
    world.close()


def test_other_credentials_are_tried_at_once(world: World, server: FaultyServer) -> None:
    with pytest.raises(TransportError):
        knock(world)
    (world.folder / "secret").write_text("hunter2")
    world.close()
    knock(world)
    (world.folder / "secret").write_text("wrong")
    world.close()
    with pytest.raises(Resting):
        knock(world)
    assert server.logins == 2


def test_a_server_that_is_away_is_left_alone_for_growing_times(world: World, server: FaultyServer) -> None:
    server.close()
    with pytest.raises(Unreachable):
        knock(world)
    waits = []
    for _ in range(4):
        waited, error = 0.0, None
        while not isinstance(error, Unreachable):
            world.clock.now += timedelta(seconds=0.1)
            waited += 0.1
            with pytest.raises(TransportError) as caught:
                knock(world)
            error = caught.value
            assert error.retry and not error.stop and waited < 400
        waits.append(waited)
    assert waits[0] < 2 and waits == sorted(waits) and waits[-1] > 10


def test_a_service_that_is_started_over_and_over_knocks_more_and_more_rarely(world: World, server: FaultyServer) -> None:
    for _ in range(40):
        with world.station.database.begin() as connection:
            store.begin_again(connection)
        with pytest.raises(TransportError):
            knock(world)
        world.clock.now += timedelta(seconds=5)
    assert 5 <= server.logins <= 9, "after 1, 2, 5, 15 and 60 seconds"


def test_accounts_that_fail_at_one_moment_are_not_tried_again_at_one_moment(world: World) -> None:
    shares = []
    for number in range(20):
        with pytest.raises(Unreachable), circuits.knocking(world.station, f"account {number}"):
            raise Unreachable("nobody is there")
        with world.station.database.read() as connection:
            known = store.get(connection, f"account {number}")
        assert known is not None
        shares.append((known.not_before - world.clock()).total_seconds() / circuits.WAITS[0])
    assert_spread(shares)


def test_a_clock_that_was_set_back_holds_nothing_up(world: World, server: FaultyServer) -> None:
    server.close()
    with pytest.raises(Unreachable):
        knock(world)
    world.clock.now -= timedelta(hours=1)
    with pytest.raises(Unreachable):
        knock(world)


def test_the_command_says_what_it_did(world: World) -> None:
    with pytest.raises(TransportError):
        knock(world)
    done = world.command("partner", "retry", "acme")
    assert done.returncode == 0 and "its mailboxes are looked into again" in done.stdout, done.stderr
    with pytest.raises(TransportError) as caught:
        knock(world)
    assert "refused the login" in caught.value.message
    assert world.command("partner", "retry", "nobody").returncode == 2
