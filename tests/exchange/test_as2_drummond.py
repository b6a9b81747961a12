"""What other AS2 systems really send (Drummond's resolved issues, and threads about open-source stations): all of it is read."""

import base64
import re

import pytest

from gateway.exchange import as2
from gateway.exchange.as2.mime import parameters_of
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.signature import sign
from gateway.exchange.cms.signature import verify
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pinned
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs
from tests.exchange.test_as2_hostile import read
from tests.exchange.test_as2_hostile import receipt_for
from tests.exchange.test_as2_hostile import resigned
from tests.exchange.test_as2_hostile import with_headers

PLAIN = ours(require_signature=False, require_encryption=False)
SIGNED = ours(require_encryption=False)
ASK = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, "


def signed(entity: bytes) -> tuple[as2.values.Headers, bytes]:
    """Headers and body of a signed message around this entity."""
    headers, body = sign_entity(entity, BUYER, DIGESTS["sha256"], NOW, "x")
    return with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_transfer_encoding=None, content_type=headers[0][1]), body


@pytest.mark.parametrize("message_id", ["no-at-sign", "x" * 255, "y" * 995, "a/b\\c:d*e?@f", "<bracketed@x>"])
def test_message_ids_of_every_shape(message_id: str) -> None:
    sent = request(message_id=message_id)
    got = opened(sent.headers, sent.body)
    assert got.accepted and got.message_id == message_id.strip("<>")
    assert read(receipt_for(sent), sent).delivered


def test_message_id_without_brackets_is_the_same() -> None:
    sent = request()
    got = opened(with_headers(sent.headers, message_id=sent.message_id), sent.body)
    assert got.message_id == sent.message_id


@pytest.mark.parametrize("absent", ["Date", "Subject", "MIME-Version", "AS2-Version", "Content-Transfer-Encoding", "Content-Disposition"])
def test_headers_that_may_be_missing(absent: str) -> None:
    sent = request()
    assert opened(with_headers(sent.headers, **{absent: None}), sent.body).accepted


def test_header_names_and_content_types_in_any_case() -> None:
    sent = request()
    headers = tuple(
        (name.upper(), value.replace("application/pkcs7-mime", "Application/X-PKCS7-MIME").replace("smime-type", "SMIME-Type"))
        for name, value in sent.headers
    )
    assert opened(headers, sent.body).accepted


def test_missing_smime_type_is_seen_from_the_structure() -> None:
    sent = request()
    assert opened(with_headers(sent.headers, content_type="application/pkcs7-mime"), sent.body).accepted


def test_transfer_encoding_missing_in_the_signed_part_means_binary() -> None:
    got = opened(*signed(b"Content-Type: application/edi-x12\r\n\r\n\x00\xff\n=41"), SIGNED)
    assert got.payload == b"\x00\xff\n=41"


def test_base64_and_quoted_printable_parts() -> None:
    payload = bytes(range(256))
    entity = b"Content-Type: application/edifact\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(payload)
    assert opened(*signed(entity), SIGNED).payload == payload
    entity = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\na=3Db=\r\nc"
    assert opened(*signed(entity), SIGNED).payload == b"a=bc"
    packed = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    packed += base64.encodebytes(compress(b"Content-Type: application/edifact\r\n\r\n" + payload))
    assert opened(*signed(packed), SIGNED).payload == payload


def test_folded_headers_within_the_message_are_read_and_none_are_sent() -> None:
    entity = b'Content-Type: application/edi-x12;\r\n name="a.edi"\r\nContent-Disposition: attachment;\r\n\tfilename="b.edi"\r\n\r\nx'
    got = opened(*signed(entity), SIGNED)
    assert (got.payload, got.filename) == (b"x", "b.edi")
    sent = request(filename="x" * 190 + ".edi", relation=theirs(encrypt=None))
    assert not re.search(rb"\r\n[ \t]", sent.body.split(b"\r\n\r\n")[0])


def test_signed_within_compressed_and_compressed_within_signed() -> None:
    entity = b"Content-Type: application/edi-x12\r\n\r\nISA\n"
    headers, body = sign_entity(entity, BUYER, DIGESTS["sha256"], NOW, "x")
    whole = f"Content-Type: {headers[0][1]}\r\n\r\n".encode() + body
    outer = with_headers(request().headers, content_type="application/pkcs7-mime; smime-type=compressed-data")
    got = opened(outer, compress(whole), SIGNED)
    assert got.accepted and got.payload == b"ISA\n" and got.compressed and got.signed_by
    assert got.mic is not None and base64.b64decode(got.mic.value) == DIGESTS["sha256"].of(entity)  # RFC 5402: over what was signed
    sealed = encrypt(
        b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n" + compress(whole), SELLER.certificate, CIPHERS["aes128_cbc"]
    )
    got = opened(with_headers(outer, content_type="application/pkcs7-mime; smime-type=enveloped-data"), sealed)
    assert got.accepted and got.payload == b"ISA\n" and got.encrypted


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n", b"  \r\n", b"\r\nepilogue\r\n"])
def test_last_boundary_with_or_without_a_line_end(end: bytes) -> None:
    headers, body = signed(b"Content-Type: application/edi-x12\r\n\r\nx")
    assert opened(headers, body.rstrip(b"\r\n") + end, SIGNED).payload == b"x"


def test_payload_that_looks_like_a_boundary_is_kept() -> None:
    headers, _ = signed(b"")
    boundary = parameters_of(dict(headers)["content-type"])["boundary"].encode()
    payload = b"--" + boundary + b"-more\r\n--" + boundary + b" \x00\r\nx--" + boundary + b"--"
    entity = b"Content-Type: application/edi-x12\r\n\r\n" + payload
    digest = DIGESTS["sha256"]
    body = b"\r\n".join(
        (
            b"--" + boundary,
            entity,
            b"--" + boundary,
            b"Content-Type: application/pkcs7-signature\r\n",
            sign(entity, BUYER, digest, NOW),
            b"--" + boundary + b"--",
        )
    )
    assert opened(headers, body, SIGNED).payload == payload


def test_digest_parameters_null_or_absent() -> None:
    content = b"Content-Type: text/plain\r\n\r\nx"
    null = sign(content, BUYER, DIGESTS["sha256"], NOW)
    original = der.NULL
    try:
        der.NULL = b""  # type: ignore[misc]
        absent = sign(content, BUYER, DIGESTS["sha256"], NOW)
    finally:
        der.NULL = original  # type: ignore[misc]
    for signature in (null, absent):
        assert not hasattr(verify(content, signature, (pinned(BUYER),), NOW), "code")
    assert len(null) > len(absent)


# ---- which digest the receipt has


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sha-256, sha1", "sha-256"),
        ("SHA256", "SHA256"),
        ("sha3-256, sha512, sha256", "sha512"),
        ("sha1, sha-384", "sha-384"),
        ("rsa-sha256", "rsa-sha256"),
        ('"sha-512"', "sha-512"),
        ("md5", "sha-256"),
        ("", "sha-256"),
    ],
)
def test_first_digest_of_the_list_that_we_have_is_used_and_named_as_it_was_asked_for(words: str, expected: str) -> None:
    sent = request()
    got = opened(with_headers(sent.headers, disposition_notification_options=ASK + words), sent.body)
    assert got.accepted and got.mic_algorithm == expected


@pytest.mark.parametrize(
    "options",
    [
        "signed-receipt-micalg=optional,sha-256;signed-receipt-protocol=optional,pkcs7-signature",
        "garbage",
        ";;=,",
        "signed-receipt-protocol=pkcs7-signature;signed-receipt-micalg=sha256",
        "Signed-Receipt-Protocol = Optional , PKCS7-Signature",
    ],
)
def test_options_swapped_spaced_or_broken_never_stop_a_message(options: str) -> None:
    sent = request()
    got = opened(with_headers(sent.headers, disposition_notification_options=options), sent.body)
    assert got.accepted and got.mic_algorithm in ("sha-256", "sha256")
    assert got.receipt is not None and got.receipt.signed is ("pkcs7" in options.lower())


@pytest.mark.parametrize("word", ["sha1", "sha-1", "SHA1", "SHA-1"])
def test_sha1_is_one_digest_whatever_it_is_called_and_only_for_listed_partners(word: str) -> None:
    sent = request(relation=theirs(accept_old=True))
    headers = with_headers(sent.headers, disposition_notification_options=ASK + word)
    assert opened(headers, sent.body).mic_algorithm == "sha-256"
    got = opened(headers, sent.body, ours(accept_old=True))
    assert got.mic_algorithm == word
    mdn = as2.build_mdn(got, ours(accept_old=True), NOW, signed=True)
    assert isinstance(mdn, as2.MdnResponse)
    assert read(mdn, sent, theirs(accept_old=True)).delivered and not read(mdn, request(), theirs()).delivered
    assert b"micalg=sha-256" in dict(mdn.headers)["Content-Type"].encode()  # the receipt's own signature is never SHA-1


# ---- receipts as others write them


def changed(change: dict[bytes, bytes]) -> as2.Receipt:
    sent = request()
    return read(resigned(receipt_for(sent), change), sent)


@pytest.mark.parametrize(
    "change",
    [
        {rb", sha-256\r\n": b",sha-256\r\n"},
        {rb", sha-256\r\n": b" ,  SHA256 \r\n"},
        {rb"MIC: (.{10})": b"MIC: \r\n "},
        {rb"automatic-action/MDN-sent-automatically; processed": b"Automatic-Action / MDN-Sent-Automatically ;   Processed  "},
        {rb"Original-Recipient: .*\r\n": b""},
        {rb"Reporting-UA: .*\r\n": b""},
        {rb"Final-Recipient: .*\r\n": b""},
        {rb"Original-Message-ID: .*\r\n": b""},
        {rb"Original-Message-ID: <(.*)>": b"original-message-id: 1@buyer"},
        {rb"Content-Type: multipart/report": b"content-type: Multipart/Report"},
        {rb"Content-Transfer-Encoding: 7bit\r\n": b""},
        {rb"Reporting-UA": b"\r\nReporting-UA"},
        {rb"Reporting-UA": b"a line that is no field\r\nReporting-UA"},
    ],
    ids=lambda change: next(iter(change)).decode(),
)
def test_receipts_of_every_spelling_prove_delivery(change: dict[bytes, bytes]) -> None:
    sent = request()
    mdn = receipt_for(sent)
    if b"MIC: (.{10})" in change:
        value = re.search(rb"MIC: (.{10})", mdn.body)
        assert value is not None
        change = {rb"MIC: .{10}": b"MIC: " + value.group(1) + b"\r\n\t"}
    receipt = read(resigned(mdn, change), sent)
    assert receipt.delivered and not receipt.problems, receipt


def test_receipt_without_its_own_message_id_and_with_a_digest_longer_than_a_line() -> None:
    sent = request(relation=theirs(sign="sha512"))
    mdn = as2.build_mdn(opened(sent.headers, sent.body), ours(), NOW, signed=True)
    assert isinstance(mdn, as2.MdnResponse)
    bare = as2.MdnResponse(headers=tuple((name, value) for name, value in mdn.headers if name == "Content-Type"), body=mdn.body)
    assert read(bare, sent).delivered


def test_other_recipient_and_warning_are_told_but_do_not_fail() -> None:
    receipt = changed({rb"Final-Recipient: .*\r\n": b"Final-Recipient: rfc822; SOMEBODY\r\n"})
    assert receipt.delivered and codes(receipt.problems) == ["AS2-MDN-RECIPIENT-DIFFERS"]
    receipt = changed({rb"; processed": b"; processed/Warning: duplicate-document", rb"Received-content-MIC: .*\r\n": b""})
    assert receipt.delivered and codes(receipt.problems) == ["AS2-MDN-WARNING"]
    receipt = changed({rb"; processed": b"; processed/warning: something", rb"Received-content-MIC: .*\r\n": b""})
    assert not receipt.delivered


def test_negative_receipt_gives_the_partners_reason_and_its_words() -> None:
    receipt = changed({rb"; processed": b"; processed / error : authentication-failed", rb"The message was received.*": b"Kontonummer unbekannt"})
    assert not receipt.delivered and not receipt.may_retry
    assert "authentication-failed" in receipt.problems[0].message and receipt.text == "Kontonummer unbekannt"


def test_bare_unsigned_notification_without_multipart_is_read() -> None:
    sent = request()
    body = (
        f"Original-Message-ID: <{sent.message_id}>\nDisposition: automatic-action/MDN-sent-automatically; processed\nReceived-content-MIC: {sent.mic}"
    ).encode()
    receipt = as2.read_mdn((("content-type", "message/disposition-notification"),), body, sent.expected, theirs(receipt="unsigned"), NOW)
    assert receipt.delivered
