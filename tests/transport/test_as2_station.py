"""Interop with an AS2 station of another make (django-pyas2), both directions, over HTTP on loopback.

Runs where ../shared/peers lies beside the checkout; its first start installs the station's own virtual environment.
"""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.exchange.as2 import As2Relation
from gateway.transport.as2_http import HttpAnswer
from gateway.transport.as2_http import post
from tests.machine import PATIENCE
from tests.machine import free_port
from tests.transport.as2_gateway import As2Server
from tests.transport.as2_gateway import as2_server

PEER = Path(__file__).parents[3] / "shared" / "peers" / "as2_station"
VENV = Path(os.environ.get("STATION_VENV", Path(tempfile.gettempdir()) / "as2-station-venv"))

pytestmark = pytest.mark.skipif(not (PEER / "station.sh").exists(), reason=f"no AS2 station at {PEER}")

ORDER = ("UNB+UNOC:3+GW_A+PEER_A+261122:1200+1'\r\n" + "LIN+1++5410738000152:SRV'\r\n" * 300 + "UNZ+1+1'\r\n").encode()


@dataclass(frozen=True)
class Station:
    """The running station and our server that it posts to."""

    url: str
    state: Path
    environment: dict[str, str]
    gateway: As2Server

    def relation(self, **changes: object) -> As2Relation:
        """We are GW_A, the station is PEER_A."""
        return replace(self._relation("GW_A", "PEER_A", "gw_a", "peer_a"), compress=True, **changes)  # type: ignore[arg-type]

    def old_relation(self) -> As2Relation:
        """We are GW_B; the station "peer b" uses SHA-1 and Triple DES and wants its receipt posted to its own address."""
        return replace(self._relation("GW_B", "peer b", "gw_b", "peer_b"), accept_old=True, receipt_addresses=(self.url,))

    def plain_relation(self) -> As2Relation:
        """We are GW_PLAIN; nothing is signed or encrypted."""
        return As2Relation(
            us="GW_PLAIN", partner="PEER_A", sign=None, encrypt=None, receipt="unsigned", require_signature=False, require_encryption=False
        )

    def _relation(self, us: str, partner: str, our_key: str, their_key: str) -> As2Relation:
        certificates = self.state / "certs"
        theirs = as2.read_certificate((certificates / f"{their_key}.crt").read_bytes())
        identity = as2.read_identity((certificates / f"{our_key}.key").read_bytes(), (certificates / f"{our_key}.crt").read_bytes())
        return As2Relation(us=us, partner=partner, identities=(identity,), verification=(as2.Pinned(theirs),), encryption=(as2.Pinned(theirs),))

    def send(self, organisation: str, partner: str, data: bytes, name: str) -> None:
        """Let the station send a file to us."""
        (self.state / name).write_bytes(data)
        self._run("send", organisation, partner, str(self.state / name))

    def messages(self) -> list[dict[str, str]]:
        """The station's own records, newest last."""
        return [json.loads(line) for line in self._run("messages").splitlines()]

    def stored(self, message_id: str) -> bytes:
        """The payload that the station kept of a message."""
        row = next(row for row in self.messages() if row["id"] == message_id and row["dir"] == "IN")
        return Path(row["payload"]).read_bytes()

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [VENV / "bin" / "python", PEER / "station.py", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with contextlib.ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-station-")))
        known: dict[tuple[str, str], As2Relation] = {}
        gateway = stack.enter_context(as2_server(lambda sender, receiver: known.get((sender, receiver))))
        port = free_port()
        environment = {
            **os.environ,
            "STATION_VENV": str(VENV),
            "STATION_PORT": str(port),
            "STATION_DIR": str(state),
            "STATION_TICK": "0",
            "STATION_GW_URL": f"http://127.0.0.1:{gateway.server_address[1]}/as2",
            "DJANGO_SETTINGS_MODULE": "station_settings",
            "PYTHONPATH": str(PEER),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        log = stack.enter_context((state / "start.log").open("wb"))
        process = subprocess.Popen(
            ["bash", PEER / "station.sh", str(port), environment["STATION_GW_URL"], str(state)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.terminate)
        _wait_until_it_answers(process, port, state / "start.log")
        running = Station(f"http://127.0.0.1:{port}/pyas2/as2receive", state, environment, gateway)
        for relation in (running.relation(), running.old_relation(), running.plain_relation()):
            known[(relation.partner, relation.us)] = relation
        yield running


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.skip(f"the AS2 station does not start here (its packages cannot be had?): {log.read_text()[-300:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise AssertionError(f"the AS2 station does not answer: {log.read_text()[-2000:]}")


def exchange(
    station: Station, relation: As2Relation, payload: bytes, message_id: str, content_type: str = "application/octet-stream"
) -> tuple[as2.As2Request, as2.Receipt]:
    sent = as2.wrap(payload, relation, message_id, datetime.now(UTC), filename="orders 1.edi", content_type=content_type)
    assert isinstance(sent, as2.As2Request)
    return sent, receipt(post(station.url, sent.headers, sent.body), sent, relation)


def receipt(answer: HttpAnswer, sent: as2.As2Request, relation: As2Relation) -> as2.Receipt:
    return as2.read_mdn(answer.headers, answer.body, sent.expected, relation, datetime.now(UTC))


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("sign", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encrypt", ["aes128_cbc", "aes256_cbc"])
def test_station_takes_our_message_and_its_signed_receipt_proves_it(station: Station, sign: str, encrypt: str, compress: bool) -> None:
    message_id = f"{sign}-{encrypt}-{compress}@gw.test"
    sent, proof = exchange(station, replace(station.relation(), sign=sign, encrypt=encrypt, compress=compress), ORDER, message_id)
    assert proof.delivered, proof.problems
    assert proof.mic_matches and proof.signed_by and proof.message_id == message_id
    assert station.stored(message_id) == ORDER


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_padding": "pss"},
        {"sign_padding": "pss", "sign": "sha512", "encrypt": "aes128_cbc"},
        {"compress": True, "compress_signed": True},
        {"encrypt": "aes192_cbc", "compress": True, "compress_signed": True, "sign_padding": "pss"},
    ],
    ids=str,
)
def test_station_takes_the_newer_ways_as_well(station: Station, changes: dict[str, object]) -> None:
    message_id = f"{hashlib.sha256(str(changes).encode()).hexdigest()[:20]}@gw.test"
    _, proof = exchange(station, replace(station.relation(), **changes), ORDER, message_id)  # type: ignore[arg-type]
    assert proof.delivered and proof.mic_matches and proof.signed_by, proof.problems
    assert station.stored(message_id) == ORDER


@pytest.mark.parametrize(
    "payload",
    [b"a\nb\n", b"a\rb\r", bytes(range(256)) * 8, "Grüße\n".encode("utf-16"), b"", os.urandom(1_000_000)],
    ids=["LF", "CR", "every octet", "UTF-16", "empty", "1 MB"],
)
def test_every_payload_is_confirmed_by_the_station(station: Station, payload: bytes) -> None:
    _, proof = exchange(station, station.relation(), payload, f"{hashlib.sha256(payload).hexdigest()}@gw.test")
    assert proof.delivered and proof.mic_matches, proof.problems


def test_same_message_again_is_a_duplicate_and_still_delivered(station: Station) -> None:
    sent, first = exchange(station, station.relation(), ORDER, "twice@gw.test")
    again = receipt(post(station.url, sent.headers, sent.body), sent, station.relation())
    assert first.delivered and again.delivered and not again.may_retry
    assert [problem.code for problem in again.problems] == ["AS2-MDN-WARNING"] and "duplicate" in again.problems[0].message


def test_station_refuses_what_is_not_signed_or_by_the_wrong_key(station: Station) -> None:
    certificates = station.state / "certs"
    following = as2.read_identity((certificates / "gw_a_next.key").read_bytes(), (certificates / "gw_a_next.crt").read_bytes())
    for number, (relation, words) in enumerate(
        ((replace(station.relation(), sign=None), "insufficient-message-security"), (replace(station.relation(), identities=(following,)), "failed"))
    ):
        _, proof = exchange(station, relation, ORDER, f"refused-{number}@gw.test")
        assert not proof.delivered and words in str(proof.disposition)


def test_we_take_the_stations_message_and_it_accepts_our_receipt(station: Station) -> None:
    count = len(station.gateway.received)
    station.send("PEER_A", "GW_A", ORDER, "from_station.edi")
    got = station.gateway.wait_for(count + 1).unwrapped
    assert got.accepted and got.payload == ORDER and got.encrypted and got.compressed and got.signed_by
    row = station.messages()[-1]
    assert (row["dir"], row["status"]) == ("OUT", "S"), row


def test_we_take_the_stations_plain_message_and_it_accepts_our_unsigned_receipt(station: Station) -> None:
    count = len(station.gateway.received)
    station.send("PEER_A", "GW_PLAIN", ORDER, "plain.edi")
    got = station.gateway.wait_for(count + 1).unwrapped
    assert got.accepted and got.payload == ORDER and not got.encrypted and got.signed_by is None
    row = station.messages()[-1]
    assert (row["dir"], row["status"]) == ("OUT", "S"), row


def test_old_algorithms_and_a_posted_receipt_work_for_a_listed_partner_only(station: Station) -> None:
    count = len(station.gateway.received)
    station.send("peer b", "GW_B", ORDER, "old.edi")
    got = station.gateway.wait_for(count + 1)
    assert got.is_new and got.unwrapped.payload == ORDER and got.unwrapped.mic_algorithm == "sha1"
    assert got.answer.status == 200 and got.post_to == station.url and got.post is not None
    post(got.post_to, got.post.headers, got.post.body)
    row = station.messages()[-1]
    assert (row["dir"], row["status"]) == ("OUT", "S"), row

    headers, body = station.gateway.requests[count]
    now = datetime.now(UTC)
    for changes, code in (({"accept_old": False}, "AS2-ALGORITHM-REFUSED"), ({"receipt_addresses": ()}, "AS2-ASYNC-REFUSED")):
        strict = replace(station.old_relation(), **changes)  # type: ignore[arg-type]
        refused = as2.receive(headers, body, lambda *_, known=strict: known, lambda *_: None, now)
        assert not refused.is_new and [problem.code for problem in refused.unwrapped.problems] == [code]
