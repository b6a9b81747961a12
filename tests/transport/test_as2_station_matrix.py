"""Every combination of security, compression, receipt and digest with an AS2 station of another make, both ways, payloads compared by bytes.

To the station: what we wrap, posted to it; from the station: what it sends, taken in by the pipeline, with receipts in the answer or posted
to it through the outbox. The station's records say that it accepted each receipt.
"""

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from itertools import cycle
from itertools import islice
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gateway.exchange import as2
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.endpoints import out_stream
from gateway.store.incoming import transmissions
from gateway.store.outgoing import answers
from gateway.store.outgoing import as2_sendings
from gateway.store.outgoing import outbox
from gateway.transport.as2_http import post
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
from tests.store.made import entry
from tests.transport.test_as2_station import PEER
from tests.transport.test_as2_station import VENV
from tests.transport.test_as2_station import Station
from tests.transport.test_as2_station import station as running_station
from tests.web.world import serving

pytestmark = pytest.mark.skipif(not (PEER / "station.sh").exists(), reason=f"no AS2 station at {PEER}")
station = running_station

SECURITY = {"none": (False, False), "signed": (True, False), "encrypted": (False, True), "both": (True, True)}
RECEIPTS = ("sync", "async", "none")
PAYLOADS = {
    "LF": b"UNB+UNOC'\nUNZ+1'\n",
    "CR": b"a\rb\r",
    "CRLF": b"a\r\nb\r\n",
    "NUL": b"\x00a\x00\x00\r\n\x00",
    "UTF-16": "Grüße\nund\r\n".encode("utf-16"),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\r<<>>\rendobj\nstartxref\n0\n%%EOF\n",
    "every octet": bytes(range(256)) * 64,
    "boundaries": b"--=_x\r\nContent-Type: text/plain\r\n\r\n.\r\n--=_x--\r\n",
}
_DRIVER = """
import django, json, sys
django.setup()
import station
import pyas2lib.as2
made, build = {}, pyas2lib.as2.Message.build
def remembering(self, *words, **more):
    answer = build(self, *words, **more)
    if self.mic:
        made[self.message_id.strip("<>")] = self.mic.decode()
    return answer
pyas2lib.as2.Message.build = remembering
from django.core.management import call_command
from pyas2.models import Partner, PublicCertificate
for work in json.load(sys.stdin):
    if work["do"] == "partner":
        certificate = PublicCertificate.objects.get(name="gw_a") if work["certificate"] else None
        Partner.objects.update_or_create(as2_name=work["as2_name"], defaults=dict(name=work["as2_name"], encryption_cert=certificate,
            signature_cert=certificate, https_verify_ssl=False, content_type="application/octet-stream", keep_filename=True, **work["fields"]))
    elif work["do"] == "send":
        station.send(work["organisation"], work["partner"], work["path"])
    elif work["do"] == "async":
        call_command("manageas2server", async_mdns=True)
print("\\n" + json.dumps(made))
"""


def drive(running: Station, works: list[dict[str, Any]]) -> dict[str, str]:
    """Let the station do these things, in one process; the digests that its library computed of what it sent, by Message-ID."""
    line = [VENV / "bin" / "python", "-c", _DRIVER]
    done = subprocess.run(line, env=running.environment, input=json.dumps(works), capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    computed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return computed


def partner_work(name: str, security: str, url: str, **more: Any) -> dict[str, Any]:
    """The station's settings for one of our names."""
    signed, encrypted = SECURITY[security]
    fields = {
        "target_url": url,
        "signature": more.get("digest", "sha256") if signed else None,
        "encryption": "aes_256_cbc" if encrypted else None,
        "compress": more.get("compress", False),
        "mdn": more.get("receipt", "sync") != "none",
        "mdn_mode": "ASYNC" if more.get("receipt") == "async" else "SYNC",
        "mdn_sign": more.get("digest", "sha256"),
    }
    return {"do": "partner", "as2_name": name, "certificate": True, "fields": fields}


def name_of(security: str, digest: str = "") -> str:
    # without spaces: the station does not take the quotes off a name in a receipt
    return f"GW-{security}-{digest}".rstrip("-")


# ---------------------------------------------------------------- to the station


CELL = """\
  {name}: {{as2: "{url}", name: PEER_A, our_name: "{us}", our_key: "file:{certificates}/gw_a.key", our_certificate: {certificates}/gw_a.crt,
    certificates: {certificates}/peer_a.crt, sign: {sign}, encrypt: {encrypt}, compress: {compress}, receipt: {receipt}, receipt_delivery: {delivery},
    our_receipt_url: "{ours}/as2", require_signature: false, require_encryption: false}}
"""
CELLS = {
    f"{security}-{digest}-{'deflated' if compress else 'plain'}-{receipt}": (security, digest, compress, receipt)
    for security, digest, compress, receipt in product(SECURITY, ("sha256", "sha512"), (False, True), RECEIPTS)
}


def sending_world(folder: Path, running: Station, ours: str) -> World:
    """An installation of ours with an endpoint for every cell."""
    head = 'id: peer\nname: Peer\nidentifiers: {edifact: "14:5412345000013"}\ncredit: none\ncurrency: EUR\nendpoints:\n'
    endpoints = [
        CELL.format(
            name=name,
            url=running.url,
            us=name_of(security),
            certificates=running.state / "certs",
            sign=digest if SECURITY[security][0] else "none",
            encrypt="aes256_cbc" if SECURITY[security][1] else "none",
            compress=str(compress).lower(),
            receipt="none" if receipt == "none" else "signed",
            delivery="async" if receipt == "async" else "sync",
            ours=ours,
        )
        for name, (security, digest, compress, receipt) in CELLS.items()
    ]
    world = World(folder, config=CONFIG, partners={"peer": head + "".join(endpoints)})
    world.clock.now = datetime.now(UTC)
    return world


def mic_by_hand(running: Station, name: str, payload: bytes, request: bytes) -> str | None:
    """The digest that the receipt must hold, by the station's library or OpenSSL; None where neither has a word for it."""
    security, _, compress, _ = CELLS[name]
    if compress or SECURITY[security][0]:
        return None
    content = payload
    if SECURITY[security][1]:
        line = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", str(running.state / "certs/peer_a.key")]
        content = subprocess.run(line, input=request.partition(b"\r\n\r\n")[2], check=True, capture_output=True).stdout
        assert content.endswith(payload)
    return f"{base64.b64encode(hashlib.sha256(content).digest()).decode()}, sha-256"


def test_the_station_takes_everything_byte_for_byte_and_confirms_it(station: Station, tmp_path: Path) -> None:
    """Through our outbox: each cell is a row of its own endpoint, and its receipt is heard as a partner's is."""
    drive(station, [partner_work(name_of(security), security, station.url) for security in SECURITY])
    with partner_station() as ours:
        ours.answer = lambda _: (200, (), b"")
        world = sending_world(tmp_path / "installation", station, ours.url)
        payloads = dict(
            zip(CELLS, (payload + b"%d" % number for number, payload in enumerate(islice(cycle(PAYLOADS.values()), len(CELLS)))), strict=True)
        )
        now = world.clock()
        rows = [
            entry(
                f"row-{name}",
                partner="peer",
                endpoint=name,
                stream=out_stream("peer", name),
                state="prepared",
                created_at=now,
                due_at=now,
                identity=f"{name}.bin",
                sha256=world.station.archive.keep(payloads[name]),
            )
            for name in CELLS
        ]
        with world.station.database.begin() as connection:
            outbox.enqueue(connection, rows)
        world.settle()
        drive(station, [{"do": "async"}])
        for one in ours.posts:
            assert receive_as2(world.station, Relations(world.station), one.headers, one.body).status == 200
    kept = {row["id"].strip("<>"): row["payload"] for row in station.messages() if row["dir"] == "IN"}
    with world.station.database.read() as connection:
        for name, (security, _, _, receipt) in CELLS.items():
            row = outbox.get_existing(connection, f"row-{name}")
            sending = as2_sendings.of_row(connection, row.id)
            assert sending is not None and (row.state, row.attempts) == ("sent", 1), (name, row.last_error)
            assert Path(kept[sending.message_id]).read_bytes() == payloads[name], name
            assert sending.receipt_state == (None if receipt == "none" else "accepted"), (name, sending)
            found = [problem.code for answer in answers.of_outbox(connection, [row.id]) for problem in answer.problems]
            # the station computes a digest of signed messages only
            assert found == (["AS2-MDN-MIC-MISSING"] if receipt != "none" and not SECURITY[security][0] else []), name
            by_hand = mic_by_hand(station, name, payloads[name], world.station.archive.read(sending.request_sha256))
            assert by_hand in (None, sending.mics[0]), name
    world.close()


# ---------------------------------------------------------------- from the station

ENDPOINT = """\
  {name}: {{as2: "{url}", name: PEER_A, our_name: "{us}", our_key: "file:{certificates}/gw_a.key", our_certificate: {certificates}/gw_a.crt,
    certificates: {certificates}/peer_a.crt, require_signature: {signed}, require_encryption: {encrypted}, accept_old: {old},
    receipt_addresses: "{url}"}}
"""
DIGESTS = ("sha1", "sha256", "sha512")


@pytest.fixture
def taking(station: Station, tmp_path: Path) -> Iterator[World]:
    """An installation of ours with a name for each kind of security and digest; SHA-1 by exception."""
    head = 'id: peer\nname: Peer\nidentifiers: {edifact: "14:5412345000013"}\ncredit: none\ncurrency: EUR\nendpoints:\n'
    endpoints = [
        ENDPOINT.format(
            name=f"{security}-{digest}",
            url=station.url,
            us=name_of(security, digest),
            certificates=station.state / "certs",
            signed=str(SECURITY[security][0]).lower(),
            encrypted=str(SECURITY[security][1]).lower(),
            old="[sha1]" if digest == "sha1" else "false",
        )
        for security, digest in product(SECURITY, DIGESTS)
    ]
    world = World(tmp_path / "installation", config=CONFIG, partners={"peer": head + "".join(endpoints)})
    world.clock.now = datetime.now(UTC)
    yield world
    world.close()


def test_every_message_of_the_station_is_taken_byte_for_byte_and_it_accepts_every_receipt(station: Station, taking: World, tmp_path: Path) -> None:
    before = len(station.messages())
    works, wanted = [], {}
    with serving(taking.station) as site:
        payloads = cycle(PAYLOADS.items())
        for number, (security, digest, compress, receipt) in enumerate(product(SECURITY, DIGESTS, (False, True), RECEIPTS)):
            kind, payload = next(payloads)
            file = tmp_path / f"{number} {kind}.bin"
            # every payload is another one: the same bytes twice would be taken for a repetition
            file.write_bytes(payload + b"%d\n" % number)
            name = name_of(security, digest)
            works.append(partner_work(name, security, f"{site.url}/as2", digest=digest, compress=compress, receipt=receipt))
            works.append({"do": "send", "organisation": "PEER_A", "partner": name, "path": str(file)})
            wanted[number] = (file.read_bytes(), security, compress, receipt, digest)
        digests = drive(station, works)
    taking.settle()
    rows = [row for row in station.messages()[before:] if row["dir"] == "OUT"]
    assert len(rows) == len(wanted)
    wrong = [(wanted[number][1:], row["status"], row["detail"]) for number, row in enumerate(rows) if row["status"] != "S"]
    assert wrong == [], "the station accepted every receipt"
    with taking.station.database.read() as connection:
        came = {one.source_identity: one for one in transmissions.search(connection, direction="in", limit=200)}
    for number, row in enumerate(rows):
        payload, security, _, _, digest = wanted[number]
        one = came[row["id"].strip("<>")]
        assert taking.station.archive.read(one.sha256) == payload, wanted[number][1:]
        assert ("signed_by" in one.properties, one.properties["encrypted"] == "yes") == SECURITY[security]
        if SECURITY[security][0]:
            assert one.properties["mic"].partition(",")[0] == digests[one.source_identity], wanted[number][1:]
            assert one.properties["signed_with"].replace("-", "") == digest


# ---------------------------------------------------------------- through our outbox


@pytest.mark.parametrize(
    "size", [0, 3_000_000, pytest.param(50_000_000, marks=pytest.mark.storm)], ids=["empty", "3 MB", "50 MB"]
)  # the station takes most of a minute for 50 MB
def test_the_smallest_and_the_largest_go_both_ways(station: Station, taking: World, tmp_path: Path, size: int) -> None:
    payload = os.urandom(size)
    made = as2.wrap(payload, replace(station.relation(), compress=False), f"size-{size}@matrix", datetime.now(UTC), "large.bin")
    assert isinstance(made, as2.As2Request)
    answer = post(station.url, made.headers, made.body, timeout_seconds=120)
    assert as2.read_mdn(answer.headers, answer.body, made.expected, station.relation(), datetime.now(UTC)).delivered
    if size:
        assert station.stored(f"size-{size}@matrix") == payload
    file = tmp_path / "from.bin"
    file.write_bytes(payload or b"\n")
    with serving(taking.station) as site:
        name = name_of("both", "sha256")
        drive(station, [partner_work(name, "both", f"{site.url}/as2"), {"do": "send", "organisation": "PEER_A", "partner": name, "path": str(file)}])
    row = [one for one in station.messages() if one["dir"] == "OUT"][-1]
    assert row["status"] == "S", row
    with taking.station.database.read() as connection:
        [one] = transmissions.search(connection, direction="in")
    assert taking.station.archive.read(one.sha256) == file.read_bytes()
