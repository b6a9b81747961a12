"""Our files posted to a partner's address: who we say we are, the same identity on every try, and which answers are worth another one."""

import base64
import hashlib
import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store import journal
from gateway.store.outgoing import outbox
from gateway.store.watching import troubles
from tests.pipeline.world import ACME
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.transport.tls import certificate_files
from tests.transport.tls import server_context


@dataclass
class Inbox:
    """A partner's server: what it got, and the statuses of its next answers."""

    port: int = 0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture(params=["http", "https"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inbox]:
    made = Inbox()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(made.answers.pop(0) if made.answers else 201)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if request.param == "https":
        pem, key = certificate_files(tmp_path / "tls")
        context = server_context(pem, key)
        # whoever comes shows a certificate: ours is its own authority
        context.load_verify_locations(pem)
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def world_of(folder: Path, inbox: Inbox, request: pytest.FixtureRequest, more: str = "") -> World:
    scheme = str(request.node.callspec.params["inbox"])
    tls = f", authorities: {folder}/tls/tls.pem, client_certificate: {folder}/tls/tls.pem, client_key: file:{folder}/tls/tls.key"
    endpoint = f'{{https: "{scheme}://127.0.0.1:{inbox.port}/edi/inbox?from=seller"{tls if scheme == "https" else ""}{more}}}'
    partner = ACME.replace("endpoints:\n", f"endpoints:\n  inbox: {endpoint}\n").replace(
        "{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: inbox}"
    )
    assert "to: inbox" in partner
    return World(folder / "installation", partners={"acme": partner})


def test_a_file_is_posted_with_our_secret_under_an_identity(
    tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "token-of-ours")
    world = world_of(tmp_path, inbox, request, ", bearer: env:ACME_TOKEN")
    world.receive(x12_order())
    [(path, headers, body)] = inbox.got
    assert path == "/edi/inbox?from=seller" and b"ST*855*" in body
    assert headers["Authorization"] == "Bearer token-of-ours" and headers["Content-Type"] == "application/edi-x12"
    assert headers["Content-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    assert "855-" in headers["Content-Disposition"] and len(headers["Idempotency-Key"]) == 40
    with world.station.database.read() as connection:
        [entry] = [one for one in outbox.search(connection, state="sent") if one.endpoint == "inbox"]
        told = [one.entry for one in journal.of_subject(connection, "outbox", entry.id)]
    assert told[-1].facts["status"] == "201" and told[-1].facts["idempotency_key"] == headers["Idempotency-Key"]
    assert "token-of-ours" not in str(told)
    world.close()


def test_user_and_password_go_as_basic(tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_PASSWORD", "p\u00e4ss")
    world = world_of(tmp_path, inbox, request, ", user: seller, password: env:ACME_PASSWORD")
    world.receive(x12_order())
    assert base64.b64decode(inbox.got[0][1]["Authorization"].removeprefix("Basic ")).decode() == "seller:p\u00e4ss"
    world.close()


def test_the_same_identity_on_every_try_and_another_for_the_next_file(tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest) -> None:
    world = world_of(tmp_path, inbox, request)
    inbox.answers += [503, 429, 408]
    world.receive(x12_order())
    for _ in range(4):
        world.clock.now += timedelta(hours=2)
        world.settle()
    assert len(inbox.got) == 4 and len({(headers["Idempotency-Key"], body) for _, headers, body in inbox.got}) == 1
    world.receive(x12_order("PO2", control=2))
    assert len({headers["Idempotency-Key"] for _, headers, _ in inbox.got}) == 2
    world.close()


@pytest.mark.parametrize("status", [302, 400, 403, 404, 422])
def test_an_answer_that_will_not_change_is_not_asked_for_again(tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest, status: int) -> None:
    world = world_of(tmp_path, inbox, request)
    inbox.answers += [status]
    world.receive(x12_order())
    with world.station.database.read() as connection:
        [dead] = outbox.search(connection, state="dead")
    assert f"answered {status}" in (dead.last_error or "") and len(inbox.got) == 1
    world.close()


def test_a_token_that_is_not_taken_stops_the_endpoint_and_loses_nothing(tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest) -> None:
    world = world_of(tmp_path, inbox, request)
    inbox.answers += [401]
    world.receive(x12_order())
    with world.station.database.read() as connection:
        [trouble] = troubles.standing(connection)
        assert trouble.state == "stopped" and "what we log in with is not taken" in trouble.error
        assert outbox.search(connection, state="dead") == []
    assert len(inbox.got) == 1, "those behind it wait as well"
    with world.station.database.begin() as connection:
        outbox.try_now(connection, world.station.clock())
    world.settle()
    with world.station.database.read() as connection:
        assert outbox.search(connection, state="sent") and troubles.standing(connection) == []
    world.close()


def test_a_secret_that_is_missing_stops_the_endpoint_and_loses_nothing(
    tmp_path: Path, inbox: Inbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(tmp_path, inbox, request, ", bearer: env:ACME_TOKEN_MISSING")
    world.receive(x12_order())
    with world.station.database.read() as connection:
        assert [one.state for one in troubles.standing(connection)] == ["stopped"]
    monkeypatch.setenv("ACME_TOKEN_MISSING", "now-there")
    world.clock.now += timedelta(hours=2)
    world.settle()
    assert [headers["Authorization"] for _, headers, _ in inbox.got] == ["Bearer now-there"]
    world.close()
