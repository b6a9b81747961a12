"""Whole messages and receipts between us and `openssl cms`: what it unpacks of ours, what we unpack of its own, layer by layer."""

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.exchange import as2
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import curve_identity
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pinned
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs
from tests.exchange.test_as2_openssl import put_identity

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")

PAYLOAD = b"UNB+UNOC:3'\r\nUNH+1'\r\n" + bytes(range(256)).replace(b"\n", b"").replace(b"\r", b"") * 20 + b"\r\n"
MOMENT = str(int(NOW.timestamp()))
CURVE = curve_identity("whole")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for name, identity in (("buyer", BUYER), ("seller", SELLER), ("curve", CURVE)):
        put_identity(folder, name, identity)
    (folder / "payload").write_bytes(b"Content-Type: application/edifact\r\n\r\n" + PAYLOAD)
    return folder


def openssl(desk: Path, given: bytes, *words: str) -> bytes:
    """What `openssl cms` makes of it."""
    (desk / "in").write_bytes(given)
    done = subprocess.run(["openssl", "cms", "-binary", "-in", "in", "-out", "out", *words], cwd=desk, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return (desk / "out").read_bytes()


def verified(desk: Path, message: bytes, by: str) -> bytes:
    """The signed part. openssl reads signatures in S/MIME files as base64 only, so the two parts are cut here and handed to it as they are."""
    boundary = re.search(rb'boundary="([^"]+)"', message)
    assert boundary is not None
    _, entity, signature, end = message.split(b"--" + boundary.group(1))
    assert end == b"--\r\n"
    (desk / "entity").write_bytes(entity[2:-2])
    given = signature.partition(b"\r\n\r\n")[2][:-2]
    return openssl(desk, given, "-verify", "-inform", "DER", "-content", "entity", "-CAfile", by, "-purpose", "any", "-attime", MOMENT)


SIGNING = [{"sign": digest, "sign_padding": padding} for digest, padding in itertools.product(("sha256", "sha384", "sha512"), ("pkcs1", "pss"))]
ENCRYPTING = [
    {"encrypt": cipher, "oaep": oaep}
    for cipher, oaep in itertools.product(("aes128_cbc", "aes192_cbc", "aes256_cbc", "aes128_gcm", "aes256_gcm"), (None, "sha256"))
]


@pytest.mark.parametrize("encrypting", ENCRYPTING, ids=str)
@pytest.mark.parametrize("signing", SIGNING[::3], ids=str)
def test_openssl_unpacks_a_whole_message_of_ours(desk: Path, signing: dict[str, object], encrypting: dict[str, object]) -> None:
    sent = request(PAYLOAD, theirs(**signing, **encrypting), content_type="application/edifact")
    signed = openssl(desk, sent.body, "-decrypt", "-inform", "DER", "-recip", "seller.crt", "-inkey", "seller.key")
    entity = verified(desk, signed, "buyer.crt")
    assert entity.endswith(b"\r\n\r\n" + PAYLOAD)


@pytest.mark.parametrize("signing", SIGNING, ids=str)
@pytest.mark.parametrize("who", ["seller", "curve"])
def test_openssl_verifies_our_receipts(desk: Path, signing: dict[str, object], who: str) -> None:
    identity = {"seller": SELLER, "curve": CURVE}[who]
    sent = request()
    got = opened(sent.headers, sent.body)
    made = as2.build_mdn(got, ours(identities=(identity,), **signing), NOW, signed=True)
    assert isinstance(made, as2.MdnResponse)
    whole = f"Content-Type: {dict(made.headers)['Content-Type']}\r\n\r\n".encode() + made.body
    report = verified(desk, whole, f"{who}.crt")
    assert re.search(rb"Received-content-MIC: " + re.escape(str(sent.mic).encode()), report)


def as_request(message: bytes, **fields: str) -> tuple[as2.values.Headers, bytes]:
    """What openssl wrote as an S/MIME file, as a request."""
    head, _, body = message.partition(b"\n\n")
    written = [tuple(line.split(": ", 1)) for line in head.decode().replace("\r", "").replace("\n\t", " ").splitlines()]
    names = [("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", "<1@openssl>"), *fields.items()]
    return tuple(names + written), body  # type: ignore[return-value]


@pytest.mark.parametrize("form", ["SMIME", "DER"])
@pytest.mark.parametrize("who", ["buyer", "curve"])
@pytest.mark.parametrize("encrypting", [("-aes-128-cbc",), ("-aes-256-cbc", "-stream"), ("-aes-256-gcm",)], ids=" ".join)
@pytest.mark.parametrize(
    "signing",
    [("-md", "sha256"), ("-md", "sha512", "-stream"), ("-md", "sha384", "-keyid")],
    ids=" ".join,
)
def test_we_unpack_a_whole_message_of_openssl(desk: Path, form: str, who: str, encrypting: tuple[str, ...], signing: tuple[str, ...]) -> None:
    entity = (desk / "payload").read_bytes()
    signed = openssl(desk, entity, "-sign", "-signer", f"{who}.crt", "-inkey", f"{who}.key", *signing)
    sealed = openssl(desk, signed, "-encrypt", "-outform", form, *encrypting, "-recip", "seller.crt")
    if form == "DER":
        headers, body = as_request(b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\n" + sealed)
    else:
        headers, body = as_request(sealed)
    relation = ours(verification=(pinned(BUYER), pinned(CURVE)))
    got = opened(headers, body, relation)
    assert got.accepted and got.payload == PAYLOAD and got.signed_with == f"sha-{signing[1][3:]}"


@pytest.mark.parametrize("keys", [("seller",), ("curve",), ("curve", "seller")], ids=" ".join)
def test_we_unpack_what_is_encrypted_for_several_of_our_keys(desk: Path, keys: tuple[str, ...]) -> None:
    entity = (desk / "payload").read_bytes()
    recipients = [word for key in ("buyer", *keys) for word in ("-recip", f"{key}.crt")]
    sealed = openssl(desk, entity, "-encrypt", "-outform", "DER", "-aes-256-cbc", *recipients)
    headers, body = as_request(b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\n" + sealed)
    got = opened(headers, body, ours(identities=(SELLER, CURVE), require_signature=False))
    assert got.accepted and got.payload == PAYLOAD
