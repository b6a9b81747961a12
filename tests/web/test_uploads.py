"""Files that partners push over HTTPS: keys, the same again, limits, what became of them, and what they fetch."""

import contextlib
import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pipeline.arriving.accounts import load_accounts
from gateway.pipeline.bucket import Bucket
from gateway.pipeline.outbound.events import event_of
from gateway.store import journal
from gateway.store.incoming import holds
from gateway.store.incoming import transmissions
from gateway.store.records import documents
from gateway.store.watching import troubles
from gateway.web import uploads
from tests.machine import PATIENCE
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import Reply
from tests.web.world import Site
from tests.web.world import read_reply
from tests.web.world import read_to_end
from tests.web.world import serving

KEY, NEW_KEY, OTHER_KEY, VAN_KEY = ("k-" + letter * 30 for letter in "abcd")
NAME = "edi.seller.example"
PARTNER = """\
id: {id}
name: {id}
identifiers: {{x12: "ZZ:{identity}"}}
endpoints:
  push: {{https: receive, api_keys: [{keys}]{more}}}
agreements:
  - {{receive: x12/004010/850, from: push, acknowledge: "997"}}
  - {{send: x12/004010/855, to: push}}
currency: USD
tax: none
credit: none
"""


def partner(id: str, identity: str, keys: str, more: str = "") -> str:
    return PARTNER.format(id=id, identity=identity, keys=keys, more=more)


PARTNERS = {
    "acme": partner("acme", "ACMEBUYER", "env:ACME_KEY, env:ACME_NEW_KEY"),
    "other": partner("other", "OTHER", "env:OTHER_KEY", ", largest: 1"),
    "north": partner("north", "NORTH", "env:VAN_KEY", ", account: van"),
    "south": partner("south", "SOUTH", "env:VAN_KEY", ", account: van"),
}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, key in (("ACME_KEY", KEY), ("ACME_NEW_KEY", NEW_KEY), ("OTHER_KEY", OTHER_KEY), ("VAN_KEY", VAN_KEY)):
        monkeypatch.setenv(name, key)
    config = CONFIG.replace("web: {", f"web: {{names: [{NAME}], ")
    assert NAME in config
    made = World(tmp_path / "installation", config=config, partners=PARTNERS)
    yield made
    made.close()


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    with serving(world.station) as found:
        yield found


def push(site: Site, body: bytes, key: str = KEY, path: str = "/api/v1/files?name=po.edi", **headers: str) -> Reply:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.ask("POST", path, body, {"Authorization": f"Bearer {key}", "Host": NAME, **more})


def ask(site: Site, path: str, key: str = KEY, method: str = "GET") -> Reply:
    return site.ask(method, path, headers={"Authorization": f"Bearer {key}", "Host": NAME})


def came(world: World) -> list[transmissions.Transmission]:
    with world.station.database.read() as connection:
        return transmissions.search(connection, direction="in")


def orders(world: World) -> list[tuple[str, str, str]]:
    with world.station.database.read() as connection:
        return [(row.partner, row.number, row.state) for row in documents.search(connection, documents.Filters(kind="order"))]


def test_a_pushed_file_is_kept_before_the_answer_and_walks_on(world: World, site: Site) -> None:
    order = x12_order()
    reply = push(site, order)
    assert reply.status == 202, reply.text
    [told] = json.loads(reply.body)["files"]
    [row] = came(world)
    assert told == {
        "id": row.id,
        "name": "po.edi",
        "size": len(order),
        "sha256": hashlib.sha256(order).hexdigest(),
        "state": f"/api/v1/files/{row.id}",
    }
    assert row.endpoint == "https:acme" and world.station.archive.read(row.sha256) == order
    world.settle()
    assert orders(world) == [("acme", "PO1", "accepted")]
    with world.station.database.read() as connection:
        [received, *_] = journal.of_subject(connection, "transmission", row.id)
    assert received.entry.actor == "https:acme" and received.entry.references == (row.sha256,)


def test_the_partner_asks_what_became_of_its_file_and_fetches_the_answers(world: World, site: Site) -> None:
    wrong = x12_order("PO2", control=2).replace(b"PID*F****WIDGET", b"PID*F****" + b"W" * 90)
    good, bad = (json.loads(push(site, body).body)["files"][0]["state"] for body in (x12_order(), wrong))
    assert json.loads(ask(site, good).body)["state"] == "waiting"
    world.settle()
    shown = json.loads(ask(site, good).body)
    assert (shown["state"], shown["outcome"], shown["file"]) == ("done", "accepted", "po.edi")
    assert shown["counts"] == {"transactions": 1, "accepted": 1, "rejected": 0} and shown["problems"] == []
    assert [(one["type"], one["state"]) for one in shown["acknowledgments"]] == [("997", "sent")]
    shown = json.loads(ask(site, bad).body)
    assert shown["outcome"] == "rejected" and shown["problems"][0]["code"] == "X12-ELEMENT-TOO-LONG"
    [interchange] = shown["interchanges"]
    [group] = interchange["groups"]
    [transaction] = group["transactions"]
    assert (interchange["control_number"], group["type"], transaction["outcome"], transaction["problems"]) == ("000000002", "PO", "rejected", [0])
    listed = json.loads(ask(site, "/api/v1/mailbox").body)["files"]
    assert sorted(one["name"].partition("-")[0] for one in listed) == ["855", "997", "997"]
    for one in listed:
        reply = ask(site, one["file"])
        assert hashlib.sha256(reply.body).hexdigest() == one["sha256"] and reply.body.startswith(b"ISA")
        assert one["name"] in reply.headers["content-disposition"]
        assert ask(site, one["file"], OTHER_KEY).status == 404 and ask(site, one["file"], OTHER_KEY, "DELETE").status == 404
        assert ask(site, one["file"], method="DELETE").status == 204 and ask(site, one["file"], method="DELETE").status == 204
    assert json.loads(ask(site, "/api/v1/mailbox").body)["files"] == []
    assert ask(site, listed[0]["file"]).status == 200, "as often as it is asked for"
    world.station.archive.remove(listed[0]["sha256"])  # its time is over
    assert ask(site, listed[0]["file"]).status == 410
    with world.station.database.begin() as connection:
        told = [
            one for entry in journal.after(connection, 0) if (one := event_of(connection, entry)) is not None and one.type == "document.delivered"
        ]
    assert len(told) == 3 and {one.partner for one in told} == {"acme"}, "each is told once, however often it is confirmed"


def test_a_file_of_another_partner_does_not_exist(world: World, site: Site) -> None:
    state = json.loads(push(site, x12_order()).body)["files"][0]["state"]
    assert ask(site, state, OTHER_KEY).status == 404 and ask(site, "/api/v1/files/none").status == 404
    assert json.loads(ask(site, "/api/v1/mailbox", OTHER_KEY).body) == {"files": []}


def test_rubbish_is_told_as_unreadable(world: World, site: Site) -> None:
    state = json.loads(push(site, b"what is this").body)["files"][0]["state"]
    world.settle()
    shown = json.loads(ask(site, state).body)
    assert (shown["state"], shown["outcome"], shown["problems"][0]["code"]) == ("unreadable", "unreadable", "FILE-UNREADABLE")


def test_the_same_key_and_bytes_get_the_first_answer_again(world: World, site: Site) -> None:
    first = push(site, x12_order(), Idempotency_Key="order-1")
    world.settle()
    again = push(site, x12_order(), Idempotency_Key="order-1", path="/api/v1/files?name=other-name.edi")
    assert (again.status, again.body) == (first.status, first.body) and again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = push(site, x12_order("PO2", control=2), Idempotency_Key="order-1")
    assert other.status == 422 and "other bytes" in other.text
    assert push(site, x12_order(), OTHER_KEY, Idempotency_Key="order-1").body != first.body, "keys are each partner's own"
    assert len(came(world)) == 2


def test_the_same_push_over_many_connections_at_once_is_taken_once(world: World, site: Site) -> None:
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(push(site, x12_order(), Idempotency_Key="at once"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({(reply.status, reply.body) for reply in replies}) == 1 and len(replies) == 8
    assert len(came(world)) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "ümlaut"])
def test_an_idempotency_key_that_is_none_is_refused(world: World, site: Site, key: str) -> None:
    assert push(site, x12_order(), Idempotency_Key=key).status == 400


def multipart(*files: tuple[str, bytes], disposition: str = 'form-data; name="file"; filename="{}"') -> tuple[bytes, str]:
    body = b"".join(
        b"--XX\r\nContent-Disposition: " + disposition.format(name).encode() + b"\r\nContent-Type: application/edi-x12\r\n\r\n" + data + b"\r\n"
        for name, data in files
    )
    return body + b"--XX--\r\n", "multipart/form-data; boundary=XX"


def test_several_files_in_one_push(world: World, site: Site) -> None:
    body, kind = multipart(("a.edi", x12_order("PO1")), ("../../b.edi", x12_order("PO2", control=2)))
    reply = push(site, body, Content_Type=kind, Idempotency_Key="two")
    assert reply.status == 202 and [one["name"] for one in json.loads(reply.body)["files"]] == ["a.edi", "b.edi"]
    assert push(site, body, Content_Type=kind, Idempotency_Key="two").body == reply.body
    world.settle()
    assert [number for _, number, _ in orders(world)] == ["PO2", "PO1"]


def test_a_multipart_body_that_is_none_is_refused(world: World, site: Site) -> None:
    for body, kind in (
        multipart(disposition=""),
        multipart(("a", b"x"), disposition='form-data; name="{}"'),
        multipart(("a", b"")),
        (b"--XX\r\nrubbish", "multipart/form-data; boundary=XX"),
        (b"x", "multipart/form-data"),
        multipart(*((f"{n}.edi", b"x") for n in range(uploads.MOST_FILES + 1))),
    ):
        assert push(site, body, Content_Type=kind).status == 400
    assert push(site, b"").status == 400 and came(world) == []


def test_without_a_key_or_with_a_wrong_one_nothing_is_told(world: World, site: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}, {"Authorization": "Bearer "}, {"Authorization": KEY}):
        for method, path in (("POST", "/api/v1/files"), ("GET", "/api/v1/files/x"), ("GET", "/api/v1/mailbox"), ("DELETE", "/api/v1/mailbox/x")):
            reply = site.ask(method, path, b"x" if method == "POST" else None, {**headers, "Host": NAME})
            assert reply.status == 401 and reply.headers["www-authenticate"].startswith("Bearer")
    assert "gateway_wrong_keys_total 20" in site.get("/metrics").text
    assert came(world) == []


def test_too_many_wrong_keys_are_told_to_wait_and_right_ones_are_not(world: World, site: Site) -> None:
    statuses = [push(site, b"x", "wrong").status for _ in range(65)]
    assert statuses[0] == 401 and statuses[-1] == 429
    assert push(site, x12_order()).status == 202


def test_both_keys_of_an_account_are_good_while_one_changes(world: World, site: Site) -> None:
    assert push(site, x12_order(), KEY).status == 202 and push(site, x12_order("PO2", control=2), NEW_KEY).status == 202
    assert {row.endpoint for row in came(world)} == {"https:acme"}


def test_a_key_that_is_short_shared_or_missing_is_told_and_shuts_out_its_holder_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_NEW_KEY", "short")
    monkeypatch.delenv("OTHER_KEY")
    found = load_accounts(world.station.installation)
    assert "at least 24" in found.faults["acme"] and "OTHER_KEY is not set" in found.faults["other"]
    monkeypatch.setenv("OTHER_KEY", VAN_KEY)
    faults = load_accounts(world.station.installation).faults
    assert "the key of van as well" in faults["other"] and "the key of other as well" in faults["van"]
    with serving(world.station) as site:
        assert push(site, x12_order(), KEY).status == 202
        assert push(site, x12_order(), VAN_KEY).status == 401, "nobody knows whose it is"
    with world.station.database.read() as connection:
        assert sorted((one.kind, one.name) for one in troubles.standing(connection)) == [("key", f"key {name}") for name in ("acme", "other", "van")]


def test_keys_stand_in_no_log_and_no_answer(world: World, site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    push(site, x12_order())
    wrong = push(site, x12_order(), "not-the-key-at-all-0123456789")
    out, err = capfd.readouterr()
    for text in (out, err, wrong.text):
        assert KEY not in text and "not-the-key-at-all" not in text


def test_too_much_is_refused_whether_it_is_said_or_not(world: World, site: Site) -> None:
    head = [("Authorization", f"Bearer {OTHER_KEY}"), ("Host", NAME)]
    assert site.announce("/api/v1/files", 1_000_001, [head[0]]) == 413
    reply = _chunked(site, OTHER_KEY, [b"x" * 100_000] * 12)
    assert b" 413 " in reply.partition(b"\r\n")[0] + b" "
    assert came(world) == []


def _chunked(site: Site, key: str, pieces: list[bytes], pause: float = 0.0) -> bytes:
    """A body of unknown length, with pauses in it; the answer."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
        with contextlib.suppress(OSError):
            line.sendall(head.encode())
            for piece in pieces:
                line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                time.sleep(pause)
            line.sendall(b"0\r\n\r\n")
        try:
            return f"HTTP/1.1 {read_reply(line).status} ".encode()
        except (OSError, http.client.HTTPException):
            return b"HTTP/1.1 413 (the line was cut before the answer was read)"


def test_a_body_that_does_not_come_is_not_waited_for(world: World, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PIECE_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(f"POST /api/v1/files HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\nISA".encode())
        assert read_reply(line).status == 408
    monkeypatch.setattr(uploads, "PIECE_SECONDS", 5)
    monkeypatch.setattr(uploads, "WHOLE_SECONDS", 0.3)
    assert b"408" in _chunked(site, KEY, [b"x"] * 4, pause=0.15)
    assert came(world) == []


def test_a_head_that_does_not_come_is_not_waited_for(world: World, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.server.HEAD_SECONDS", 0.2)
    for sent in (b"", b"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nA: "):
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
            with contextlib.suppress(OSError):  # it may be closed before this is sent
                line.sendall(sent)
            assert read_to_end(line) == b"", "the line is closed"
    monkeypatch.setattr("gateway.web.server.HEAD_SECONDS", 60)
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_reply(line).status == 200
        monkeypatch.setattr("gateway.web.server.HEAD_SECONDS", 0.2)
        line.sendall(b"GET /healthz HTT")
        assert read_to_end(line) == b"", "a second head has no more time than the first"


def test_half_a_body_is_nothing(world: World, site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(f"POST /api/v1/files HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\nISA".encode())
    assert push(site, x12_order()).status == 202
    assert len(came(world)) == 1


def test_many_requests_with_one_key_are_told_to_wait(world: World, site: Site) -> None:
    now = [0.0]
    bucket = Bucket(3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 20.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_partners_behind_one_key_are_each_themselves_and_nobody_else(world: World, site: Site) -> None:
    for sender, control in (("NORTH", 1), ("SOUTH", 2), ("ACMEBUYER", 3)):
        assert push(site, x12_order(f"{sender}-1", sender=sender, control=control), VAN_KEY).status == 202
    world.settle()
    assert sorted(orders(world)) == [("north", "NORTH-1", "accepted"), ("south", "SOUTH-1", "accepted")]
    with world.station.database.read() as connection:
        [hold] = holds.list_open(connection)
    assert [problem.code for problem in hold.reasons] == ["PARTNER-NOT-ENTITLED"]


def test_an_order_in_anothers_name_is_held(world: World, site: Site) -> None:
    state = json.loads(push(site, x12_order("PO1"), OTHER_KEY).body)["files"][0]["state"]
    world.settle()
    assert orders(world) == []
    shown = json.loads(ask(site, state, OTHER_KEY).body)
    assert (shown["state"], shown["outcome"], shown["problems"]) == ("held", None, [])
    assert json.loads(ask(site, "/api/v1/mailbox", OTHER_KEY).body) == {"files": []}
    assert json.loads(ask(site, "/api/v1/mailbox").body) == {"files": []}


def test_under_a_partners_name_there_is_nothing_but_what_is_for_partners(world: World, site: Site) -> None:
    pages = ("/", "/documents", "/holds", "/partners", "/metrics", "/readyz", "/api/openapi.json", "/api/v1/documents", "/static/app.css", "/nothing")
    for path in pages:
        for headers in (
            {"Host": NAME},
            {"Host": f"{NAME.upper()}:443"},
            {"X-Forwarded-For": "1.2.3.4"},
            {"Via": "1.1 proxy"},
            {"Forwarded": "for=1"},
        ):
            reply = site.ask("GET", path, headers=headers)
            assert reply.status in {403, 404} and b"<" not in reply.body, (path, headers, reply.body[:100])
        assert site.get(path).status != 403
    assert site.ask("POST", "/api/v1/shipments", b"[]", {"Host": NAME}).status == 403
    assert site.ask("GET", "/healthz", headers={"Host": NAME}).status == 200
    assert "AS2-HEADER-MISSING" in site.ask("POST", "/as2", b"x", {"Host": NAME}).text
    assert site.ask("GET", "/healthz", headers={"Host": "other.example"}).status == 421
    assert site.ask("GET", "/", headers={"Host": "other.example", "X-Forwarded-Host": "localhost"}).status == 421
