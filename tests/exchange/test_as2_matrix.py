"""Both sides of ours with each other: every way to wrap, every kind of payload, the receipt checked."""

import itertools
import os

import pytest

from gateway.exchange import as2
from gateway.transport.box import safe_name
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs

PAYLOADS = {
    "LF": b"ISA*00~\nGS*PO~\n",
    "CR": b"UNB+UNOC:3'\rUNH+1'\r",
    "CRLF": b"a\r\n\r\nb\r\n",
    "NUL and high octets": bytes(range(256)) * 4,
    "UTF-16": "Bestellung für Müller\n".encode("utf-16"),
    "empty": b"",
    "only line ends": b"\r\n\r\n\n",
    "looks like MIME": b"--x\r\nContent-Type: a/b\r\n\r\n--x--",
    "1 MB": os.urandom(1 << 20),
}
WAYS = list(itertools.product((None, "sha256"), (None, "aes256_cbc"), (False, True)))


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize(("sign", "encrypt", "compress"), WAYS)
def test_payload_arrives_untouched_and_the_receipt_proves_it(sign: str | None, encrypt: str | None, compress: bool, payload: bytes) -> None:
    sender = theirs(sign=sign, encrypt=encrypt, compress=compress)
    receiver = ours(require_signature=sign is not None, require_encryption=encrypt is not None)
    sent = request(payload, sender, filename="po 1.edi", content_type="application/edi-x12")
    got = opened(sent.headers, sent.body, receiver)
    assert got.accepted and got.problems == ()
    assert got.payload == payload
    assert (got.filename, got.content_type) == ("po 1.edi", "application/edi-x12")
    assert (got.signed_by is not None, got.encrypted, got.compressed) == (sign is not None, encrypt is not None, compress)
    assert got.mic == sent.mic
    mdn = as2.build_mdn(got, receiver, NOW, signed=True)
    assert isinstance(mdn, as2.MdnResponse)
    receipt = as2.read_mdn(mdn.headers, mdn.body, sent.expected, sender, NOW)
    assert receipt.delivered and receipt.mic_matches and receipt.signed_by and not receipt.problems and not receipt.may_retry


@pytest.mark.parametrize("encrypt", ["aes128_cbc", "aes192_cbc", "aes256_cbc", "aes128_gcm", "aes192_gcm", "aes256_gcm"])
@pytest.mark.parametrize("oaep", [None, "sha1", "sha256", "sha512"])
def test_every_cipher_and_key_transport(encrypt: str, oaep: str | None) -> None:
    sent = request(b"x" * 100_000, theirs(encrypt=encrypt, oaep=oaep))
    assert opened(sent.headers, sent.body).payload == b"x" * 100_000


@pytest.mark.parametrize("sign", ["sha256", "sha384", "sha512"])
def test_every_digest(sign: str) -> None:
    sent = request(b"x", theirs(sign=sign))
    got = opened(sent.headers, sent.body)
    assert got.accepted and got.mic == sent.mic and sent.mic.algorithm == sign.replace("sha", "sha-")


def test_same_message_is_the_same_request_but_for_the_encryption() -> None:
    plain = theirs(encrypt=None)
    assert request(b"x", plain) == request(b"x", plain)
    assert request(b"x").mic == request(b"x").mic


def test_unsigned_receipt_counts_only_where_that_was_agreed() -> None:
    sent = request(b"x")
    mdn = as2.build_mdn(opened(sent.headers, sent.body), ours(), NOW, signed=False)
    assert isinstance(mdn, as2.MdnResponse)
    assert as2.read_mdn(mdn.headers, mdn.body, sent.expected, theirs(receipt="unsigned"), NOW).delivered
    receipt = as2.read_mdn(mdn.headers, mdn.body, sent.expected, theirs(), NOW)
    assert not receipt.delivered and receipt.may_retry and receipt.problems[0].code == "AS2-MDN-NOT-SIGNED"


def test_names_with_spaces_and_signs_are_quoted_on_their_way() -> None:
    for name in ("big buyer", 'say "hi"', "back\\slash", "a!;[]", "x" * 128):
        sent = request(b"x", theirs(us=name))
        got = opened(sent.headers, sent.body, ours(partner=name))
        assert got.accepted and got.as2_from == name
        mdn = as2.build_mdn(got, ours(partner=name), NOW, signed=True)
        assert isinstance(mdn, as2.MdnResponse)
        assert as2.read_mdn(mdn.headers, mdn.body, sent.expected, theirs(us=name), NOW).delivered
    assert ("EDIINT-Features", "multiple-attachments, AS2-Reliability") in request().headers
    assert ("AS2-From", '"big buyer"') in request().headers and ("AS2-To", "SELLER") in request().headers


@pytest.mark.parametrize("name", ["plain.edi", "with space.edi", "Bestellung Müller.xml", 'quo"te\\.edi', "日本.edi"])
def test_file_name_is_preserved(name: str) -> None:
    sent = request(b"x", filename=name)
    assert opened(sent.headers, sent.body).filename == safe_name(name)


@pytest.mark.parametrize(
    "changes",
    [
        {"us": ""},
        {"us": "ü"},
        {"us": "x" * 129},
        {"partner": "a\r\nb"},
        {"sign": "sha1"},
        {"sign": "md5"},
        {"encrypt": "rc2"},
        {"encrypt": "tripledes_3key"},
        {"receipt": "async"},
        {"oaep": "md5"},
        {"subject": "a\r\nb"},
    ],
)
def test_relation_that_cannot_work_is_refused_when_it_is_made(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        ours(**changes)


@pytest.mark.parametrize("message_id", ["", "<>", "a b", "a\r\nb", "x" * 996, "<a><b>"])
def test_message_id_that_cannot_stand_in_a_header_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError):
        as2.wrap(b"x", theirs(), message_id, NOW)
