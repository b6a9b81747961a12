"""AS2 messages over HTTP into the store: receipt, duplicate, refusal, limits, and kill -9 at every point."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.pipeline.as2 import receiving as as2_receiving
from gateway.pipeline.as2 import taking as as2_taking
from gateway.pipeline.as2.keys import Relations
from gateway.store import journal
from gateway.store.database import Database
from gateway.store.incoming import transmissions
from gateway.store.outgoing import receipts
from gateway.store.records import documents
from gateway.store.verifying.verification import verify
from gateway.web import as2 as web
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import Reply
from tests.web.world import Site
from tests.web.world import serving

PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {x12: "ZZ:ACMEBUYER"}
endpoints:
  as2:
    as2: http://127.0.0.1:9/as2
    name: big buyer
    our_name: SELLER
    our_key: file:keys/us.key
    our_certificate: keys/us.pem
    certificates: keys/them.pem
agreements:
  - {receive: x12/004010/850, from: as2, acknowledge: "997"}
currency: USD
credit: none
"""


@cache
def keys(name: str) -> tuple[bytes, bytes]:
    """A key and certificate that hold in the world's time and today."""
    return as2.make_key_and_certificate(name, 3650, datetime(2026, 1, 1, tzinfo=UTC))


def identity(name: str) -> as2.Identity:
    return as2.read_identity(*keys(name))


def theirs() -> as2.As2Relation:
    """The relation as the buyer has it."""
    ours = as2.Pinned(identity("us").certificate)
    return as2.As2Relation(us="big buyer", partner="SELLER", identities=(identity("them"),), verification=(ours,), encryption=(ours,))


@dataclass(slots=True)
class Buyer:
    """The partner's station: sends to ours, reads the receipts."""

    port: int
    relation: as2.As2Relation = field(default_factory=theirs)

    def message(self, payload: bytes, message_id: str = "1@buyer", name: str = "po.edi", **changes: object) -> as2.As2Request:
        relation = replace(self.relation, **changes)  # type: ignore[arg-type]
        made = as2.wrap(payload, relation, message_id, datetime(2026, 1, 6, 9, 0, tzinfo=UTC), name)
        assert isinstance(made, as2.As2Request)
        return made

    def post(self, request: as2.As2Request) -> Reply:
        return Site(self.port).ask("POST", "/as2", request.body, dict(request.headers))

    def receipt(self, request: as2.As2Request, reply: Reply) -> as2.Receipt:
        return as2.read_mdn(tuple(reply.headers.items()), reply.body, request.expected, self.relation, datetime(2026, 1, 6, 9, 1, tzinfo=UTC))


def as2_world(folder: Path, database: str | None = None) -> World:
    (folder / "keys").mkdir(parents=True)
    for file, data in (("us.key", keys("us")[0]), ("us.pem", keys("us")[1]), ("them.pem", keys("them")[1])):
        (folder / "keys" / file).write_bytes(data)
    return World(folder, config=CONFIG, partners={"acme": PARTNER}, database=database)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = as2_world(tmp_path / "installation")
    yield made
    made.close()


@pytest.fixture
def buyer(world: World) -> Iterator[Buyer]:
    with serving(world.station) as site:
        yield Buyer(site.port)


def came(database: Database) -> list[transmissions.Transmission]:
    with database.read() as connection:
        return transmissions.search(connection, direction="in")


def test_a_message_is_answered_with_a_signed_receipt_and_walks_on(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    reply = buyer.post(sent)
    receipt = buyer.receipt(sent, reply)
    assert reply.status == 200 and receipt.delivered and receipt.mic_matches and receipt.signed_by
    [transmission] = came(world.station.database)
    assert (transmission.endpoint, transmission.source_identity, transmission.name) == ("as2:big buyer to SELLER", "1@buyer", "po.edi")
    assert transmission.properties["mic"] == str(sent.mic) and transmission.properties["signed_by"]
    world.settle()
    with world.station.database.read() as connection:
        assert [(row.number, row.state) for row in documents.search(connection, documents.Filters(kind="order"))] == [("PO1", "accepted")]


def test_the_journal_proves_what_was_received_and_what_was_answered(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    reply = buyer.post(sent)
    station = world.station
    [transmission] = came(station.database)
    with station.database.read() as connection:
        [recorded] = journal.of_subject(connection, "transmission", transmission.id)
        receipt = receipts.find(connection, "big buyer", "SELLER", "1@buyer")
    facts = recorded.entry.facts
    assert station.archive.read(facts["mdn"]) == reply.body
    assert station.archive.read(facts["raw_message"]).endswith(b"\r\n\r\n" + sent.body)
    certificates = {facts[name].partition(":")[2] for name in ("signed_by", "answered_by")}
    assert set(recorded.entry.references) == {facts["mdn"], facts["raw_message"], facts["signature"], transmission.sha256, *certificates}
    assert receipt is not None and receipt.transmission == transmission.id
    assert not verify(station.database, station.archive, station.journal_key()).faults


def test_the_same_message_again_gets_the_first_receipt_byte_for_byte(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    first, again = buyer.post(sent), buyer.post(sent)
    assert (again.status, again.body) == (first.status, first.body)
    assert {k: v for k, v in again.headers.items() if k != "date"} == {k: v for k, v in first.headers.items() if k != "date"}
    anew = buyer.post(buyer.message(x12_order()))
    assert anew.body == first.body and len(came(world.station.database)) == 1, "signed and encrypted once more it is the same message"


def test_another_content_under_a_message_id_that_was_used_is_refused_and_kept(world: World, buyer: Buyer) -> None:
    first, other = buyer.message(x12_order()), buyer.message(x12_order("PO2"))
    assert buyer.receipt(first, buyer.post(first)).delivered
    receipt = buyer.receipt(other, buyer.post(other))
    assert not receipt.delivered and "unexpected-processing-error" in (receipt.disposition or "") and "used before" in receipt.text
    with world.station.database.read() as connection:
        [refused] = [one for one in journal.after(connection, 0) if one.entry.action == "AS2 message refused"]
    assert refused.entry.facts["problems"] == "AS2-MESSAGE-ID-USED" and world.station.archive.read(refused.entry.subject).endswith(other.body)
    assert len(came(world.station.database)) == 1
    assert buyer.receipt(first, buyer.post(first)).delivered, "the first one stands"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_same_message_over_several_connections_at_once_is_taken_once(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue("migrated_postgres_url")) if kind == "postgresql" else None
    world = as2_world(tmp_path / "installation", url)
    with serving(world.station) as site:
        taken_once(world, Buyer(site.port))
    world.close()


def taken_once(world: World, buyer: Buyer) -> None:
    messages = [buyer.message(x12_order(), message_id="same@buyer") for _ in range(6)]
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda one=one: replies.append(buyer.post(one))) for one in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(came(world.station.database)) == 1 and len({reply.body for reply in replies}) == 1 and len(replies) == 6


def test_a_full_disk_is_told_in_words_and_the_same_message_is_taken_when_there_is_room(
    world: World, buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = buyer.message(x12_order())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gateway.store.payloads.in_folder._write_flushed", full)
    reply = buyer.post(sent)
    assert (reply.status, reply.headers["retry-after"]) == (503, "60") and b"is full" in reply.body
    monkeypatch.undo()
    assert buyer.post(sent).status == 200 and len(came(world.station.database)) == 1


def test_a_receipt_that_nobody_asked_for_is_not_sent_but_the_message_is_known(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order(), receipt="none")
    assert [(reply.status, reply.body) for reply in (buyer.post(sent), buyer.post(sent))] == [(200, b""), (200, b"")]
    assert len(came(world.station.database)) == 1


@pytest.mark.parametrize(
    "changes", [{"sign": None}, {"encrypt": None}, {"identities": (identity("stranger"),)}], ids=["unsigned", "in the clear", "signed by a stranger"]
)
def test_a_message_that_breaks_the_agreement_is_refused_and_journaled(world: World, buyer: Buyer, changes: dict[str, object]) -> None:
    sent = buyer.message(x12_order(), **changes)
    reply = buyer.post(sent)
    assert not buyer.receipt(sent, reply).delivered and came(world.station.database) == []
    with world.station.database.read() as connection:
        [refused] = [one for one in journal.after(connection, 0) if one.entry.action == "AS2 message refused"]
    assert refused.entry.facts["problems"].startswith("AS2-") and world.station.archive.read(refused.entry.subject).endswith(sent.body)
    good = buyer.message(x12_order())
    assert buyer.receipt(good, buyer.post(good)).delivered, "a refused Message-ID may be sent again, put right"


def test_a_stranger_is_refused_and_may_not_send_much(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order(), us="NOBODY")
    reply = buyer.post(sent)
    assert reply.status in {200, 403} and came(world.station.database) == []
    assert Site(buyer.port).announce("/as2", as2_receiving.MOST_BYTES_OF_STRANGERS + 1, sent.headers) == 413
    assert Site(buyer.port).ask("POST", "/as2", b"rubbish").status == 403


def test_a_partners_message_is_limited_as_well(world: World, buyer: Buyer) -> None:
    largest = 100_000_000
    assert as2_receiving.most_bytes(Relations(world.station), buyer.message(b"ISA").headers) == largest
    assert Site(buyer.port).announce("/as2", largest + 1, buyer.message(b"ISA").headers) == 413
    text = (world.folder / "partners/acme.yaml").read_text()
    (world.folder / "partners/acme.yaml").write_text(text.replace("    name: big buyer\n", "    name: big buyer\n    largest: 3\n"))
    world.close()
    assert as2_receiving.most_bytes(Relations(world.station), buyer.message(b"ISA").headers) == 3_000_000


def test_the_address_says_what_it_is_and_nothing_to_those_who_only_look(buyer: Buyer) -> None:
    looked, read = Site(buyer.port).ask("HEAD", "/as2"), Site(buyer.port).get("/as2")
    assert (looked.status, looked.headers["content-length"], looked.body) == (200, "0", b"")
    assert read.status == 200 and b"AS2" in read.body


def test_half_a_message_is_none(world: World, buyer: Buyer) -> None:
    sent = buyer.message(x12_order())
    with socket.create_connection(("127.0.0.1", buyer.port), timeout=PATIENCE) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.headers)
        line.sendall(f"POST /as2 HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(sent.body)}\r\n\r\n".encode() + sent.body[:100])
    assert buyer.receipt(sent, buyer.post(sent)).delivered and len(came(world.station.database)) == 1


def begun(buyer: Buyer, sent: as2.As2Request, count: int) -> socket.socket:
    """A line that a message has begun to come over."""
    line = socket.create_connection(("127.0.0.1", buyer.port), timeout=PATIENCE)
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.headers)
    line.sendall(f"POST /as2 HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(sent.body)}\r\n\r\n".encode() + sent.body[:count])
    return line


@pytest.mark.parametrize("limit", ["PIECE_SECONDS", "WHOLE_SECONDS"])
def test_a_message_that_does_not_come_is_not_waited_for(buyer: Buyer, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(web, limit, 0.2)
    with begun(buyer, buyer.message(x12_order()), 1) as line:
        assert line.makefile("rb").readline() == b"HTTP/1.1 408 Request Timeout\r\n"


def test_what_comes_of_all_messages_together_has_its_room(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = buyer.message(x12_order())
    monkeypatch.setattr(web, "MOST_UNDER_WAY", len(sent.body))

    def until(status: int) -> Reply:
        end = time.monotonic() + PATIENCE
        while (reply := buyer.post(sent)).status != status:
            assert time.monotonic() < end, reply
        return reply

    assert buyer.post(sent).status == 200
    with begun(buyer, sent, 100):
        assert int(until(503).headers["retry-after"]) > 0
    assert until(200).status == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\po.edi", "po.edi"),
        ("<script>.edi", "_script_.edi"),
        ("", "as2-1@b"),
        ("...", "as2-1@b"),
        ("a\nb.edi", "a_b.edi"),
        ("ö" * 200, "ö" * 120),
    ],
)
def test_names_of_files_are_made_safe(given: str, kept: str) -> None:
    assert as2_taking.safe_name(given, "1@b") == kept


def start(folder: Path, port: int, **env: str) -> "subprocess.Popen[bytes]":
    """The real web process; returns when it answers."""
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(
        "\n".join(f"web: {{host: 127.0.0.1, port: {port}}}" if line.startswith("web:") else line for line in text.split("\n"))
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "gateway.web", "--config", str(folder / "config.yaml")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
    )
    wait_for(child, port)
    return child


def wait_for(child: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + PATIENCE
    waiting = threading.Event()
    while time.monotonic() < end and child.poll() is None:
        try:
            if Site(port).get("/healthz").status == 200:
                return
        except OSError:
            waiting.wait(0.05)
    raise AssertionError(f"the web process does not answer: {child.stderr.read().decode() if child.stderr and child.poll() is not None else ''}")


@pytest.mark.parametrize("point", [70, 71, 72, 73])
def test_a_kill_at_any_point_loses_and_doubles_nothing(tmp_path: Path, point: int) -> None:
    world = as2_world(tmp_path / "installation")
    world.station.close()
    buyer = Buyer(free_port())
    sent = buyer.message(x12_order())
    child = start(world.folder, buyer.port, GATEWAY_CRASH_AT=str(point))
    with pytest.raises((OSError, http.client.HTTPException)):
        buyer.post(sent)
    assert child.wait(PATIENCE) == -signal.SIGKILL
    world = World(world.folder, partners={"acme": PARTNER})
    with serving(world.station) as site:
        again = Buyer(site.port)
        reply = again.post(sent)
        assert again.receipt(sent, reply).delivered
    [transmission] = came(world.station.database)
    world.settle()
    with world.station.database.read() as connection:
        assert len(documents.search(connection, documents.Filters(kind="order"))) == 1
        receipt = receipts.find(connection, "big buyer", "SELLER", "1@buyer")
        assert receipt is not None and receipt.transmission == transmission.id
    assert world.station.archive.read(receipt.mdn_sha256) == reply.body
    assert not verify(world.station.database, world.station.archive, world.station.journal_key()).faults
    world.close()
    for stream in (child.stdin, child.stderr):
        if stream:
            stream.close()
