"""Several payloads in one message (multipart/related, RFC 6362): each by itself, the digest over the whole."""

import base64

import pytest

from gateway.exchange import as2
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.encryption import encrypt
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs
from tests.exchange.test_as2_hostile import with_headers

EDI = b"UNB+UNOC:3'\nUNZ'\n"
PDF = b"%PDF-1.7\r\n" + bytes(range(256)) + b"\n--b\r\n%%EOF"
ORDER = b'Content-Type: application/edifact; name="order.edi"\r\nContent-ID: <edi@x>\r\nContent-Transfer-Encoding: binary\r\n\r\n' + EDI
DRAWING = (
    b'Content-Type: application/pdf\r\nContent-ID: <pdf@x>\r\nContent-Disposition: attachment; filename="../drawing.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(PDF).replace(b"\n", b"\r\n")
)
PLAIN = ours(require_signature=False, require_encryption=False)


def related(*parts: bytes, more: str = "", kind: str = "related") -> bytes:
    """A multipart of these parts with its headers."""
    head = f'Content-Type: multipart/{kind}; type="application/edifact"; boundary="=b="{more}\r\n\r\n'.encode()
    return head + b"".join(b"--=b=\r\n" + part + b"\r\n" for part in parts) + b"--=b=--\r\n"


def message(whole: bytes, *, signed: bool, packed: bool = False, encrypted: bool = False) -> tuple[as2.values.Headers, bytes]:
    """A message around it, as deep as said."""
    body, kind = whole.split(b"\r\n\r\n", 1)[1], whole.split(b"\r\n", 1)[0].split(b": ")[1].decode()
    if signed:
        headers, body = sign_entity(whole, BUYER, DIGESTS["sha256"], NOW, "x")
        kind = headers[0][1]
    if packed:
        body = compress(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        kind = "application/pkcs7-mime; smime-type=compressed-data"
    if encrypted:
        body = encrypt(f"Content-Type: {kind}\r\n\r\n".encode() + body, SELLER.certificate, CIPHERS["aes128_cbc"])
        kind = "application/pkcs7-mime; smime-type=enveloped-data"
    return with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_type=kind, content_transfer_encoding=None), body


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kind", ["related", "mixed"])
def test_every_part_is_a_payload_with_its_name(signed: bool, packed: bool, encrypted: bool, kind: str) -> None:
    whole = related(ORDER, DRAWING, kind=kind)
    got = opened(*message(whole, signed=signed, packed=packed, encrypted=encrypted), PLAIN)
    assert got.accepted and [one.data for one in got.payloads] == [EDI, PDF]
    names = [one.filename for one in got.payloads]
    assert names[0] == "order.edi" and names[1] is not None and "/" not in names[1] and "drawing" in names[1]
    assert [one.content_type for one in got.payloads] == ['application/edifact; name="order.edi"', "application/pdf"]
    assert (got.payload, got.filename) == (EDI, "order.edi")
    assert got.mic is not None
    over = whole if signed or packed or encrypted else whole.split(b"\r\n\r\n", 1)[1]
    assert base64.b64decode(got.mic.value) == DIGESTS["sha256"].of(over), "over the whole, not over a part"


def test_the_part_that_start_names_comes_first() -> None:
    got = opened(*message(related(DRAWING, ORDER, more='; start="<edi@x>"'), signed=True), PLAIN)
    assert [one.data for one in got.payloads] == [EDI, PDF]


def test_one_part_alone_is_one_payload_and_empty_ones_are_kept() -> None:
    assert [one.data for one in opened(*message(related(ORDER), signed=True), PLAIN).payloads] == [EDI]
    got = opened(*message(related(ORDER, b"Content-Type: text/plain\r\n\r\n"), signed=True), PLAIN)
    assert [one.data for one in got.payloads] == [EDI, b""]


@pytest.mark.parametrize(
    "whole",
    [
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b--\r\n",
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\nopen",
        b"Content-Type: multipart/related\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        b"Content-Type: multipart/related; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 200 + b"--b--\r\n",
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nno header line\r\n\r\nx\r\n--b--\r\n",
    ],
    ids=["no part", "not closed", "no boundary", "too many", "broken part"],
)
def test_broken_ones_are_refused_as_a_whole(whole: bytes) -> None:
    got = opened(*message(whole, signed=True), PLAIN)
    assert not got.accepted and got.payloads == () and codes(got.problems) == ["AS2-MIME-INVALID"]


def test_the_receipt_confirms_the_whole() -> None:
    whole = related(ORDER, DRAWING)
    headers, body = message(whole, signed=True)
    got = as2.receive(headers, body, lambda *_: PLAIN, lambda *_: None, NOW)
    mic = as2.Mic(base64.b64encode(DIGESTS["sha256"].of(whole)).decode(), "sha-256")
    expected = as2.Expected(message_id="1@buyer", mics=(mic,))
    assert as2.read_mdn(got.answer.headers, got.answer.body, expected, theirs(), NOW).delivered
