"""Webhooks: which events there are, signed posts in order, targets that do not answer, and addresses that are not allowed."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from typing import get_args

import pytest
from sqlalchemy import Connection

from gateway.config.settings import Settings
from gateway.config.webhooks import EventType
from gateway.pipeline.answers.deadlines import watch
from gateway.pipeline.arriving.handing_in import hand_in_shipments
from gateway.pipeline.arriving.handing_in import release_invoices
from gateway.pipeline.outbound import hooking
from gateway.pipeline.outbound.events import TABLE
from gateway.pipeline.outbound.events import Told
from gateway.pipeline.outbound.hook_states import hook_states
from gateway.store import journal
from gateway.store.outgoing import pickups
from gateway.store.outgoing import webhooks
from gateway.store.trading import masterdata
from gateway.store.watching import troubles
from gateway.transport.box import TransportError
from gateway.transport.webhook import WebhookTarget
from gateway.transport.webhook import is_public
from gateway.transport.webhook import post_event
from tests.docs.pages import ROOT
from tests.docs.pages import blocks
from tests.pipeline.test_spread import assert_spread
from tests.pipeline.world import ACME
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving

SECRET, OLD_SECRET = "s" * 32, "o" * 32


@dataclass
class Ear:
    """A server that hears events; `answers` are the statuses of the next ones."""

    port: int = 0
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


def listening() -> tuple[Ear, ThreadingHTTPServer]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = ear.answers.pop(0) if ear.answers else 204
            if status < 300:
                ear.heard.append((dict(self.headers), body))
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{ear.port}/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ear.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return ear, server


@pytest.fixture
def ear() -> Iterator[Ear]:
    made, server = listening()
    yield made
    server.shutdown()
    server.server_close()


def config(*hooks: str) -> str:
    return CONFIG + "webhooks:\n" + "".join(f"  - {hook}\n" for hook in hooks)


def hook(ear: Ear, more: str = "") -> str:
    return f'{{url: "http://127.0.0.1:{ear.port}/hook", private: true, secret: ["env:HOOK", "env:OLD_HOOK"]{more}}}'


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", SECRET)
    monkeypatch.setenv("OLD_HOOK", OLD_SECRET)


def world_of(folder: Path, *hooks: str, partners: dict[str, str] | None = None) -> World:
    made = World(folder / "installation", config=config(*hooks), partners=partners or {"acme": ACME})
    hooking.tell(made.station)
    return made


def tell(world: World) -> None:
    hooking.tell(world.station)
    world.settle()


def later(world: World, **time: float) -> None:
    world.clock.now += timedelta(**time)


def standing(world: World) -> list[tuple[str, str]]:
    with world.station.database.read() as connection:
        return [(one.state, one.error) for one in troubles.standing(connection) if one.kind == "webhook"]


def test_what_happens_to_an_order_is_told_in_order_and_signed(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear))
    world.receive(x12_order())
    tell(world)
    assert ear.types == ["file.received", "document.received", "document.accepted", "document.sent", "document.sent"]
    accepted = ear.events[2]
    assert accepted["partner"] == "acme" and accepted["document"]["number"] == "PO1" and accepted["document"]["kind"] == "order"
    assert ear.events[0]["file"]["name"] == "po.edi" and {event["delivery"]["kind"] for event in ear.events[3:]} == {
        "acknowledgment",
        "order_response",
    }
    assert len({event["id"] for event in ear.events}) == 5
    for headers, body in ear.heard:
        said = dict(part.split("=", 1) for part in headers["Gateway-Signature"].split(",")[:1])
        proofs = [part.partition("=")[2] for part in headers["Gateway-Signature"].split(",")[1:]]
        for secret, proof in zip((SECRET, OLD_SECRET), proofs, strict=True):
            assert proof == hmac.new(secret.encode(), f"{said['t']}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["Content-Type"] == "application/json" and headers["Gateway-Event"]
    tell(world)
    assert len(ear.heard) == 5, "nothing is told twice"
    world.close()


def test_held_rejected_and_dead_are_told(tmp_path: Path, ear: Ear) -> None:
    partner = ACME.replace("send_to: boxes/acme/in", "send_to: boxes/blocked/in")
    world = world_of(tmp_path, hook(ear), partners={"acme": partner})
    (world.folder / "boxes/blocked").write_text("a file where a folder should be")
    world.receive(x12_order().replace(b"PID*F****WIDGET", b"PID*F****" + b"W" * 90))
    world.receive(x12_order("PO2", control=2, sender="STRANGER"))
    world.receive(b"rubbish")
    for _ in range(12):
        later(world, hours=9)
        world.settle()
    tell(world)
    assert {"document.rejected", "file.held", "file.unreadable", "document.dead"} <= set(ear.types)
    assert ear.events[ear.types.index("file.unreadable")]["partner"] == "acme"
    rejected = ear.events[ear.types.index("document.rejected")]
    assert rejected["problems"] == ["X12-ELEMENT-TOO-LONG"]
    assert "WWWW" not in str(ear.events), "no payload stands in an event"
    world.close()


def test_what_partners_answer_and_fetch_is_told(tmp_path: Path, ear: Ear) -> None:
    partner = ACME.replace("endpoints:\n", "endpoints:\n  pull: {https: receive, api_keys: env:HOOK}\n")
    partner = partner.replace("{send: x12/004010/855, to: box}", "{send: x12/004010/855, to: box, expect_acknowledgment: {within: 1h}}")
    partner = partner.replace("{send: x12/004010/810, to: box}", "{send: x12/004010/810, to: pull}")
    world = world_of(tmp_path, hook(ear), partners={"acme": partner})
    with world.station.database.begin() as connection:
        for kind, row in (("items", {"number": "SKU1", "name": "Widget"}), ("prices", {"item": "SKU1", "currency": "USD", "amount": "9.25"})):
            assert not masterdata.import_rows(connection, kind, [row], world.clock())[1]
    world.receive(x12_order())
    world.receive(x12_order("PO2", control=2, lines=(("1", "10", "8.10", "SKU1"),)))
    group = next(text.split("GS*PR*")[1].split("*")[4] for text in world.sent() if "ST*855*" in text)
    head = "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260201*1200*U*00401*000009001*0*P*>~"
    body = f"GS*FA*ACMEBUYER*SELLERCO*20260201*1200*9001*X*004010~ST*997*0001~AK1*PR*{group}~AK9*A*1*1*1~SE*4*0001~GE*1*9001~IEA*1*000009001~"
    hand_in_shipments(world.station, b"shipment,order,line,quantity\nS1,PO1,1,10\n", "ship.csv", "warehouse")
    world.settle()
    release_invoices(world.station, ["PO1"], "clerk")
    world.settle()
    later(world, hours=2)
    watch(world.station)
    world.receive((head + body).encode(), name="997.edi")
    tell(world)
    with world.station.database.begin() as connection:
        [pickup] = pickups.waiting(connection, "https:acme")
    types = ear.types
    assert types.count("document.accepted") == 1 and "document.held" in types and "document.overdue" in types, types
    acknowledged = ear.events[types.index("document.acknowledged")]
    assert acknowledged["outcome"] == "accepted" and acknowledged["delivery"]["spec"] == "x12/004010/855"
    assert ear.events[types.index("document.held")]["document"]["number"] == "PO2"
    assert pickup.name.startswith("810-")
    world.close()


def test_the_table_of_events_is_the_one_of_the_docs_and_the_config() -> None:
    named = {event for _, _, event in TABLE}
    assert named == set(get_args(EventType))
    page = (ROOT / "docs/operations/webhooks.md").read_text()
    assert [event for event in sorted(named) if f"`{event}`" not in page] == []


def test_who_wants_some_events_of_some_partners_gets_those(tmp_path: Path, ear: Ear) -> None:
    other = (
        ACME.replace("id: acme", "id: other")
        .replace("ACMEBUYER", "OTHER")
        .replace('gln: "1234567890128"', 'duns: "1"')
        .replace("boxes/acme", "boxes/other")
    )
    world = world_of(tmp_path, hook(ear, ", events: [document.accepted], partners: [other]"), partners={"acme": ACME, "other": other})
    world.receive(x12_order())
    world.receive(x12_order("PO2", sender="OTHER"), address="folder:boxes/other/out")
    tell(world)
    assert [(event["type"], event["partner"], event["document"]["number"]) for event in ear.events] == [("document.accepted", "other", "PO2")]
    world.close()


def test_nobody_hears_the_past_of_before_he_was_named(tmp_path: Path, ear: Ear) -> None:
    world = World(tmp_path / "installation")
    world.receive(x12_order())
    hooking.tell(world.station)
    world.close()
    (world.folder / "config.yaml").write_text(config(hook(ear)))
    hooking.tell(world.station)
    world.receive(x12_order("PO2", control=2))
    tell(world)
    assert {event.get("document", {}).get("number") for event in ear.events} <= {"PO2", None, "OR-PO2"} and "document.accepted" in ear.types
    world.close()


def test_what_comes_before_the_first_stroke_of_the_clock_is_told(tmp_path: Path, ear: Ear) -> None:
    world = World(tmp_path / "installation", config=config(hook(ear)))
    hooking.begin(world.station)
    world.receive(x12_order())
    hooking.begin(world.station)  # killed, and begun again
    tell(world)
    assert "document.accepted" in ear.types
    world.close()


def test_an_event_that_is_not_taken_comes_again_the_same_and_the_next_wait_behind_it(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear, ", events: [document.received, document.accepted]"))
    ear.answers += [500, 302]
    world.receive(x12_order())
    tell(world)
    assert ear.heard == []
    [(state, error)] = standing(world)
    assert state == "retrying" and "answered 500" in error
    world.settle()
    assert ear.heard == [] and ear.answers == [302], "not before its time"
    later(world, seconds=10)
    tell(world)
    assert ear.heard == [] and "answered 302" in standing(world)[0][1], "a redirect is not followed"
    later(world, seconds=60)
    tell(world)
    assert ear.types == ["document.received", "document.accepted"] and standing(world) == []
    world.close()


def test_a_target_that_does_not_answer_harms_no_other(tmp_path: Path, ear: Ear) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = f'{{name: dead, url: "http://127.0.0.1:{nobody.getsockname()[1]}/", private: true, secret: "env:HOOK"}}'
        world = world_of(tmp_path, dead, hook(ear, ", events: [document.accepted]"))
        world.receive(x12_order())
        tell(world)
        assert ear.types == ["document.accepted"]
        assert [state for state, _ in standing(world)] == ["retrying"]
    world.close()


def test_an_event_over_which_our_own_step_fails_keeps_none_behind_it_back(tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(tmp_path, hook(ear, ", events: [document.received, document.accepted]"))
    posted, told = hooking.post_event, hooking.event_of

    def post(target: WebhookTarget, id: str, body: bytes, at: int) -> None:
        if b"document.received" in body:
            raise ValueError("a fault of ours")
        posted(target, id, body, at)

    def event(connection: Connection, entry: journal.Recorded) -> Told | None:
        if entry.entry.action == "received":
            raise ValueError("a fault of ours")
        return told(connection, entry)

    monkeypatch.setattr(hooking, "post_event", post)
    monkeypatch.setattr(hooking, "event_of", event)
    world.receive(x12_order())
    for _ in range(hooking.TRIES):
        tell(world)
        later(world, minutes=10)
    tell(world)
    assert ear.types == ["document.accepted"]
    [(state, error)] = standing(world)
    assert state == "stopped" and "a fault of ours" in error and "1 events were given up" in error
    world.close()


def test_an_event_is_given_up_after_days_and_revived_by_a_person(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear, ", name: erp, events: [document.received, document.accepted]"))
    ear.answers += [503] * 60
    world.receive(x12_order())
    tell(world)
    shares: list[float] = []
    for number in range(60):
        with world.station.database.read() as connection:
            first = max(webhooks.latest(connection), key=lambda event: event.attempts)
        if first.attempts == number + 1 <= len(hooking.WAITS):
            shares.append((first.due_at - world.clock.now).total_seconds() / hooking.WAITS[number])
        later(world, hours=2)
        world.settle()
    assert len(shares) == len(hooking.WAITS)
    assert_spread(shares)
    with world.station.database.read() as connection:
        assert webhooks.counts(connection) == {("erp", "dead"): 2}
        [first, _] = reversed(webhooks.latest(connection))
        [given_up] = journal.of_subject(connection, "webhook", first.id)
    assert given_up.entry.action == "webhook given up"
    [(state, error)] = standing(world)
    assert state == "stopped" and "2 events were given up" in error
    with world.station.database.begin() as connection:
        troubles.forget_all(connection)  # as a service does that is started anew
    told = world.command("status").stdout
    assert "webhook erp: 2 events given up" in told and "gateway webhooks retry erp" in told
    with serving(world.station) as site:
        assert "answered 503" in site.get("/webhooks").text and 'href="/webhooks"' in site.get("/deliveries").text
        assert site.post_form("/webhooks/retry", "webhook=other").status == 409
        assert site.ask("POST", "/webhooks/retry", b"webhook=erp", {"Origin": "https://evil.example"}).status == 403
        with world.station.database.read() as connection:
            [shown] = hook_states(world.station.installation, connection)
        assert (shown.state, shown.dead, shown.waiting, shown.last_sent_at) == ("dead", 2, 0, None)
    ear.answers.clear()
    with serving(world.station) as site:
        assert site.post_form("/webhooks/retry", "webhook=erp").headers["location"] == "/webhooks?done=erp"
        world.settle()
        assert "on its way again" in site.get("/webhooks?done=erp").text
    assert ear.types == ["document.received", "document.accepted"] and standing(world) == []
    with world.station.database.read() as connection:
        [shown] = hook_states(world.station.installation, connection)
    assert (shown.state, shown.sent, shown.dead, shown.last_error) == ("sent", 2, 0, None) and shown.last_sent_at is not None


def test_a_lease_of_a_clock_that_has_gone_back_holds_no_event(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear, ", name: erp, events: [document.accepted]"))
    world.receive(x12_order())
    hooking.tell(world.station)
    with world.station.database.begin() as connection:
        [event] = webhooks.latest(connection)
        later = world.station.clock() + timedelta(hours=1)
        assert webhooks.claim(connection, "erp", later, timedelta(seconds=120), "dead") is not None
        held = webhooks.claim(connection, "erp", later, timedelta(seconds=120), "other")
        assert held is None and webhooks.claim(connection, "erp", event.due_at, timedelta(seconds=120), "other") is not None
    world.close()


def test_a_webhook_that_is_gone_from_config_is_told_as_such(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear, ", name: erp, events: [document.accepted]"))
    world.receive(x12_order())
    hooking.tell(world.station)
    world.close()
    (world.folder / "config.yaml").write_text(CONFIG)
    world.settle()
    assert "no webhook 'erp' any more" in standing(world)[0][1] and ear.heard == []
    world.close()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1"],
)
def test_addresses_of_this_network_are_not_reached_unless_that_is_said(address: str) -> None:
    assert not is_public(address)


def test_a_name_that_leads_to_this_machine_is_refused_before_anything_is_said(ear: Ear) -> None:
    target = WebhookTarget(url=f"http://localhost:{ear.port}/", secrets=(b"x",))
    with pytest.raises(TransportError, match="address of this machine or network") as error:
        post_event(target, "1", b"{}", 1)
    assert error.value.stop and ear.heard == []
    assert is_public("8.8.8.8") and is_public("2001:4860:4860::8888")


@pytest.mark.parametrize(
    ("hooks", "fault"),
    [
        ([{"url": "ftp://x", "secret": "env:A"}], "is no address to post to"),
        ([{"url": "https://u:p@x/", "secret": "env:A"}], "an address holds no password"),
        ([{"url": "https://x/?token=a", "secret": "env:A"}], "name: is needed where the url has a query"),
        ([{"url": "http://x.example/", "secret": "env:A"}], "without TLS is for addresses of your own network"),
        ([{"url": "https://x.example/", "secret": "plain"}], "a secret is named, not written"),
        ([{"url": "https://x.example/", "secret": []}], "names what bodies are signed with"),
        ([{"url": "https://x.example/", "secret": "env:A", "events": "order.paid"}], "Input should be"),
        ([{"url": "https://x.example/", "secret": "env:A"}] * 2, "two webhooks are called"),
    ],
)
def test_a_webhook_that_cannot_be_is_told(hooks: list[dict[str, object]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Settings.model_validate({"webhooks": hooks})


def test_the_snippet_of_the_docs_tells_genuine_events(tmp_path: Path, ear: Ear) -> None:
    [snippet] = [text for _, text in blocks(ROOT / "docs/operations/webhooks.md", "python") if "def is_genuine" in text]
    room: dict[str, Any] = {}
    exec(snippet, room)
    genuine = room["is_genuine"]
    post_event(
        WebhookTarget(url=f"http://127.0.0.1:{ear.port}/", secrets=(SECRET.encode(), OLD_SECRET.encode()), private=True), "1", b'{"a":1}', 1000
    )
    [(headers, body)] = ear.heard
    header = headers["Gateway-Signature"]
    assert genuine(header, body, SECRET, 1100) and genuine(header, body, OLD_SECRET, 900)
    assert not genuine(header, body + b" ", SECRET, 1100) and not genuine(header, body, "other", 1100) and not genuine(header, body, SECRET, 1400)
    assert not genuine(header.replace("t=1000", "t=1001"), body, SECRET, 1100)


def test_commands_show_what_is_on_its_way_and_begin_again(tmp_path: Path, ear: Ear) -> None:
    world = world_of(tmp_path, hook(ear, ", name: erp, events: [document.accepted]"))
    ear.answers += [503]
    world.receive(x12_order())
    tell(world)
    shown = world.command("webhooks", "list")
    assert shown.stdout.startswith("erp: 1 waiting, 0 posted, 0 given up\n") and "answered 503" in shown.stdout, shown.stderr
    assert json.loads(world.command("webhooks", "list", "--json").stdout)[0]["waiting"] == 1
    said = world.command("webhooks", "retry", "none")
    assert (said.returncode, "config.yaml: it names " in said.stderr) == (2, True), said.stderr
    assert world.command("webhooks", "retry", "erp").stdout == "0 events that were given up are on the way again\n"
    world.clock.now = datetime.now(UTC) + timedelta(minutes=1)  # the command told the time by the clock on the wall
    world.settle()
    assert ear.types == ["document.accepted"]
    world.close()
