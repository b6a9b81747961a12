"""Every combination of security, compression, receipt and digest with an AS2 station of another make, both ways, payloads compared by bytes.

To the station: what we wrap, posted to it; from the station: what it sends, taken in by the pipeline, with receipts in the answer or posted
to it through the outbox. The station's records say that it accepted each receipt.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from itertools import cycle
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gateway.exchange import as2
from gateway.store import transmissions
from gateway.transport.as2_http import post
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World
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
"""


def drive(running: Station, works: list[dict[str, Any]]) -> None:
    """Let the station do these things, in one process."""
    line = [VENV / "bin" / "python", "-c", _DRIVER]
    done = subprocess.run(line, env=running.environment, input=json.dumps(works), capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]


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


def relation(running: Station, security: str, digest: str, compress: bool, receipt: str, url: str) -> as2.As2Relation:
    signed, encrypted = SECURITY[security]
    return replace(
        running.relation(),
        us=name_of(security),
        sign=digest if signed else None,
        encrypt="aes256_cbc" if encrypted else None,
        compress=compress,
        require_signature=False,
        require_encryption=False,
        receipt="none" if receipt == "none" else "signed",
        receipt_delivery="async" if receipt == "async" else "sync",
        our_receipt_url=url,
    )


def test_the_station_takes_everything_byte_for_byte_and_confirms_it(station: Station) -> None:
    drive(station, [partner_work(name_of(security), security, station.url) for security in SECURITY])
    sent: dict[str, tuple[as2.As2Request, bytes, as2.As2Relation]] = {}
    answers: dict[str, tuple[Sequence[tuple[str, str]], bytes]] = {}
    with partner_station() as ours:
        ours.answer = lambda _: (200, (), b"")
        payloads = cycle(PAYLOADS.items())
        for security, digest, compress, receipt in product(SECURITY, ("sha256", "sha512"), (False, True), RECEIPTS):
            kind, payload = next(payloads)
            agreed = relation(station, security, digest, compress, receipt, f"{ours.url}/as2")
            identifier = f"{security}-{digest}-{compress}-{receipt}@matrix".lower()
            made = as2.wrap(payload, agreed, identifier, datetime.now(UTC), f"{kind}.bin")
            assert isinstance(made, as2.As2Request)
            answer = post(station.url, made.headers, made.body)
            sent[identifier] = (made, payload, agreed)
            if receipt == "sync":
                answers[identifier] = (answer.headers, answer.body)
        drive(station, [{"do": "async"}])
        for one in ours.posts:
            assert as2.is_receipt(one.headers, one.body)
            answers[str(as2.speaks_of(one.headers, one.body)[0])] = (one.headers, one.body)
    kept = {row["id"]: row["payload"] for row in station.messages() if row["dir"] == "IN"}
    for identifier, (made, payload, agreed) in sent.items():
        assert Path(kept[identifier]).read_bytes() == payload, identifier
        assert (identifier in answers) is (agreed.receipt != "none"), identifier
        if agreed.receipt != "none":
            proof = as2.read_mdn(*answers[identifier], made.expected, agreed, datetime.now(UTC))
            # the station computes a digest of signed messages only
            assert proof.delivered and (proof.mic_matches or agreed.sign is None), (identifier, proof.problems)


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
        drive(station, works)
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
        if "signed_with" in one.properties:
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
