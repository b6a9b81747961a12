"""AS2 messages and receipts that lie, break, blow up or come from strangers: each gets its code and its disposition."""

import base64
import re
import zlib
from dataclasses import replace

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.exchange import as2
from gateway.exchange.as2 import mdn as mdn_room
from gateway.exchange.as2.wrap import sign_entity
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import Limits
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.signature import sign
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import STRANGER
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import identity
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pinned
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs

PLAIN = ours(require_signature=False, require_encryption=False)
SIGNED = ours(require_encryption=False)


def refused(got: as2.Unwrapped, code: str, disposition: str) -> None:
    """Nothing came out, and the partner reads why."""
    assert codes(got.problems) == [code]
    assert not got.accepted and got.payload is None
    assert mdn_room.disposition_of(got.problems).endswith(f"; {disposition}")


def with_headers(headers: as2.values.Headers, **changes: str | None) -> as2.values.Headers:
    """The headers with some replaced (underscores are hyphens) or left out."""
    names = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    kept = tuple((name, value) for name, value in headers if name.lower() not in names)
    return kept + tuple((name, value) for name, value in names.items() if value is not None)


def signed_message(entity: bytes, signature: bytes) -> tuple[as2.values.Headers, bytes]:
    """A multipart/signed with a signature of the caller's making."""
    headers, body = sign_entity(entity, BUYER, DIGESTS["sha256"], NOW, "x")
    genuine = body.partition(b"smime.p7s\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    start = body.rindex(genuine[:40])
    outer = with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_type=headers[0][1], content_transfer_encoding=None)
    end = body.rindex(b"\r\n--")
    return outer, body[:start] + signature + body[end:]


# ---- what must be signed and encrypted


def test_unsigned_and_unencrypted_messages_are_refused_where_both_are_demanded() -> None:
    sent = request(relation=theirs(sign=None))
    refused(opened(sent.headers, sent.body), "AS2-NOT-SIGNED", "processed/error: insufficient-message-security")
    sent = request(relation=theirs(encrypt=None))
    refused(opened(sent.headers, sent.body), "AS2-NOT-ENCRYPTED", "processed/error: insufficient-message-security")


def test_stranger_cannot_sign_for_the_partner() -> None:
    sent = request(relation=theirs(identities=(STRANGER,)))
    refused(opened(sent.headers, sent.body), "AS2-SIGNER-UNKNOWN", "processed/error: authentication-failed")


def test_own_certificate_of_a_stranger_with_the_partners_name_is_not_believed() -> None:
    impostor = as2.read_identity(*as2.make_key_and_certificate("buyer", 365, BUYER.certificate.not_valid_before_utc))
    sent = request(relation=theirs(identities=(impostor,)))
    refused(opened(sent.headers, sent.body), "AS2-SIGNER-UNKNOWN", "processed/error: authentication-failed")


def test_signed_data_without_any_signer_proves_nothing() -> None:
    empty = der.sequence(der.SIGNED_DATA, der.explicit(0, der.sequence(der.integer(1), der.set_of(), der.sequence(der.DATA), der.set_of())))
    headers, body = signed_message(b"Content-Type: text/plain\r\n\r\nx", empty)
    refused(opened(headers, body, SIGNED), "AS2-SIGNATURE-INVALID", "processed/error: authentication-failed")


@pytest.mark.parametrize("left_out", [der.CONTENT_TYPE, der.MESSAGE_DIGEST])
def test_signature_whose_attributes_do_not_bind_the_content_is_refused(left_out: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    entity = b"Content-Type: text/plain\r\n\r\nx"
    signature = sign(entity, BUYER, DIGESTS["sha256"], NOW)
    other = bytes.fromhex("06092a864886f70d010963")  # an attribute nobody knows, well signed
    with monkeypatch.context() as changed:
        changed.setattr(der, "CONTENT_TYPE" if left_out == der.CONTENT_TYPE else "MESSAGE_DIGEST", other)
        headers, body = signed_message(entity, sign(entity, BUYER, DIGESTS["sha256"], NOW))
    assert signature not in body
    refused(opened(headers, body, SIGNED), "AS2-SIGNATURE-INVALID", "processed/error: authentication-failed")


def test_signature_without_attributes_is_refused() -> None:
    entity = b"Content-Type: text/plain\r\n\r\nx"
    genuine = sign(entity, BUYER, DIGESTS["sha256"], NOW)
    headers, body = signed_message(entity, genuine)
    assert opened(headers, body, SIGNED).accepted
    info = cms.ContentInfo.load(genuine)
    signer = info["content"]["signer_infos"][0]
    del signer["signed_attrs"]
    signer["signature"] = BUYER.key.sign(entity, padding.PKCS1v15(), DIGESTS["sha256"].algorithm)
    headers, body = signed_message(entity, info.dump(force=True))
    refused(opened(headers, body, SIGNED), "AS2-SIGNATURE-INVALID", "processed/error: authentication-failed")


def test_changed_content_and_changed_signature_are_told_apart() -> None:
    sent = request(b"PAY 100", theirs(encrypt=None))
    refused(opened(sent.headers, sent.body.replace(b"PAY 100", b"PAY 900"), SIGNED), "AS2-CONTENT-CHANGED", "processed/error: integrity-check-failed")
    entity = b"Content-Type: text/plain\r\n\r\nx"
    broken = bytearray(sign(entity, BUYER, DIGESTS["sha256"], NOW))
    broken[-1] ^= 1
    refused(opened(*signed_message(entity, bytes(broken)), SIGNED), "AS2-SIGNATURE-INVALID", "processed/error: authentication-failed")


def test_content_beside_the_signed_part_is_not_taken() -> None:
    sent = request(b"good", theirs(encrypt=None))
    delimiter = sent.body.split(b"\r\n")[0]
    evil = delimiter + b"\r\nContent-Type: text/plain\r\n\r\nevil\r\n" + sent.body
    refused(opened(sent.headers, evil, SIGNED), "AS2-MIME-INVALID", "processed/error: unexpected-processing-error")
    got = opened(sent.headers, b"preamble\r\n" + sent.body + b"epilogue", SIGNED)
    assert got.payload == b"good"


def test_second_header_of_a_name_does_not_count() -> None:
    sent = request()
    got = opened(sent.headers + (("AS2-From", "SOMEBODY"), ("Content-Type", "text/plain")), sent.body)
    assert got.accepted and got.as2_from == "big buyer"


# ---- certificates and algorithms


def test_nothing_is_sent_with_expired_or_missing_certificates() -> None:
    expired = identity("expired", start=-30, days=10)
    for relation in (theirs(identities=(expired,)), theirs(encryption=(pinned(expired),)), theirs(identities=()), theirs(encryption=())):
        problem = as2.wrap(b"x", relation, "1@x", NOW)
        assert not isinstance(problem, as2.As2Request) and problem.code == "AS2-NO-USABLE-CERTIFICATE"


def test_signature_by_a_pinned_but_expired_certificate_is_refused() -> None:
    expired = identity("expired", start=-30, days=10)
    then = expired.certificate.not_valid_before_utc
    signature = sign(b"x", expired, DIGESTS["sha256"], then)
    refused(
        opened(*signed_message(b"x", signature), replace(SIGNED, verification=(pinned(expired),))),
        "AS2-CERTIFICATE-EXPIRED",
        "processed/error: authentication-failed",
    )


def test_message_for_our_expired_key_says_so_and_several_keys_are_all_tried() -> None:
    old, new = identity("seller", start=-30, days=10), identity("seller", start=-1)
    data = encrypt(b"Content-Type: text/plain\r\n\r\nx", old.certificate, CIPHERS["aes256_cbc"])
    headers = with_headers(request().headers, content_type="application/pkcs7-mime; smime-type=enveloped-data")
    got = opened(headers, data, replace(PLAIN, identities=(new, old)))
    refused(got, "AS2-DECRYPTION-FAILED", "processed/error: decryption-failed")
    assert "does not hold today" in got.problems[0].message
    data = encrypt(b"Content-Type: text/plain\r\n\r\nx", new.certificate, CIPHERS["aes256_cbc"])
    assert opened(headers, data, replace(PLAIN, identities=(SELLER, old, new))).payload == b"x"
    sent = request(relation=theirs(identities=(new,)))
    assert opened(sent.headers, sent.body, ours(verification=(pinned(BUYER), pinned(new)))).accepted


def test_sha1_and_triple_des_are_refused_by_disposition() -> None:
    old = replace(DIGESTS["sha256"], **{name: getattr(DIGESTS["sha1"], name) for name in ("name", "identifier", "algorithm", "word")})
    entity = b"Content-Type: text/plain\r\n\r\nx"
    headers, body = signed_message(entity, sign(entity, BUYER, old, NOW))
    refused(opened(headers, body, SIGNED), "AS2-ALGORITHM-REFUSED", "processed/error: insufficient-message-security")
    assert opened(headers, body, replace(SIGNED, accept_old=True)).accepted
    for write in (lambda: sign(b"x", BUYER, DIGESTS["sha1"], NOW), lambda: encrypt(b"x", BUYER.certificate, CIPHERS["tripledes_3key"])):
        with pytest.raises(AssertionError):
            write()


# ---- encryption and compression


def test_message_for_somebody_else_and_broken_ones_are_not_decrypted() -> None:
    sent = request(relation=theirs(encryption=(pinned(STRANGER),)))
    refused(opened(sent.headers, sent.body), "AS2-DECRYPTION-FAILED", "processed/error: decryption-failed")
    sent = request()
    for body in (b"", b"rubbish", sent.body[:-100], sent.body[:300], b"\x30\x80" * 5000, b"\x30\x84\xff\xff\xff\xff"):
        refused(opened(sent.headers, body), "AS2-DECRYPTION-FAILED", "processed/error: decryption-failed")


def test_every_flipped_octet_of_an_authenticated_message_is_noticed() -> None:
    sent = request(relation=theirs(encrypt="aes256_gcm", sign=None))
    for position in range(0, len(sent.body), 37):
        body = bytearray(sent.body)
        body[position] ^= 0x40
        got = opened(sent.headers, bytes(body), PLAIN)
        assert got.accepted is False or got.payload == b"ISA*00*~"  # a few octets are names that nobody reads


def enveloped_in_pieces(piece: int) -> bytes:
    """A good EnvelopedData without lengths, whose encrypted content comes in pieces (BER)."""
    whole = encrypt(b"Content-Type: text/plain\r\n\r\n" + b"x" * 100_000, SELLER.certificate, CIPHERS["aes256_cbc"])
    enveloped = cms.ContentInfo.load(whole)["content"]
    inner = enveloped["encrypted_content_info"]
    encrypted = inner["encrypted_content"].contents

    def around(tag: int, *parts: bytes) -> bytes:
        return bytes((tag, 0x80)) + b"".join(parts) + b"\x00\x00"

    pieces = around(0xA0, *(der.octets(encrypted[start : start + piece]) for start in range(0, len(encrypted), piece)))
    content = around(0x30, der.DATA, inner["content_encryption_algorithm"].dump(), pieces)
    return around(0x30, der.ENVELOPED_DATA, around(0xA0, around(0x30, der.integer(0), enveloped["recipient_infos"].dump(), content)))


def test_content_in_pieces_is_read_and_a_flood_of_tiny_pieces_is_refused() -> None:
    headers = request().headers
    got = opened(headers, enveloped_in_pieces(1000), PLAIN)
    assert got.payload == b"x" * 100_000
    refused(opened(headers, enveloped_in_pieces(1), PLAIN), "AS2-DECRYPTION-FAILED", "processed/error: decryption-failed")


def compressed_message(data: bytes) -> tuple[as2.values.Headers, bytes]:
    return with_headers(request().headers, content_type="application/pkcs7-mime; smime-type=compressed-data"), data


def test_broken_compression_has_its_own_disposition() -> None:
    whole = compress(b"Content-Type: text/plain\r\n\r\n" + b"x" * 1000)
    assert opened(*compressed_message(whole), PLAIN).payload == b"x" * 1000
    inner = zlib.compress(b"x" * 1000)
    cut = der.sequence(
        der.COMPRESSED_DATA,
        der.explicit(0, der.sequence(der.integer(0), der.sequence(der.ZLIB), der.sequence(der.DATA, der.explicit(0, der.octets(inner[:-6]))))),
    )
    for data in (whole[:-20], cut, whole.replace(b"x\x9c", b"x\x00"), b"rubbish"):
        refused(opened(*compressed_message(data), PLAIN), "AS2-DECOMPRESSION-FAILED", "processed/error: decompression-failed")


def test_compression_bomb_is_stopped_by_size_and_by_ratio() -> None:
    bomb = compress(b"\r\n" + b"0" * 30_000_000)
    for limits in (Limits(most_bytes=1_000_000), Limits(free_bytes=1_000_000)):
        refused(opened(*compressed_message(bomb), replace(PLAIN, limits=limits)), "AS2-TOO-LARGE", "processed/error: decompression-failed")


def test_layers_within_layers_come_to_an_end() -> None:
    data = b"Content-Type: text/plain\r\n\r\nx"
    for _ in range(3):
        data = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n" + compress(data)
    refused(opened(*compressed_message(compress(data)), PLAIN), "AS2-MIME-INVALID", "processed/error: unexpected-processing-error")


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/signed",
        'multipart/signed; boundary=""',
        "multipart/signed; boundary=x",
        "multipart/report; boundary=x",
        "application/pkcs7-mime; smime-type=signed-data",
    ],
)
def test_message_that_cannot_be_taken_apart_is_refused(content_type: str) -> None:
    headers = with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_type=content_type)
    got = opened(headers, b"--x\r\n\r\nonly one part\r\n--x--\r\n", PLAIN)
    assert got.problems[0].code in ("AS2-MIME-INVALID", "AS2-DECRYPTION-FAILED") and not got.accepted


def test_unknown_transfer_encoding_and_broken_base64_are_refused() -> None:
    for encoding, body in (("x-uuencode", b"x"), ("base64", b"abc")):
        headers = with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_transfer_encoding=encoding)
        refused(opened(headers, body, PLAIN), "AS2-MIME-INVALID", "processed/error: unexpected-processing-error")


# ---- names, paths, addresses


@pytest.mark.parametrize("header", ["AS2-From", "AS2-To", "Message-ID"])
def test_missing_header_is_a_problem_and_no_crash(header: str) -> None:
    sent = request()
    for value in (None, "", "x\x00y"):
        got = opened(with_headers(sent.headers, **{header: value}), sent.body)
        assert codes(got.problems) == ["AS2-HEADER-MISSING"] and header in got.problems[0].message


def test_names_of_nobody_are_told_apart_from_our_partners() -> None:
    sent = request(relation=theirs(us="nobody"))
    refused(opened(sent.headers, sent.body), "AS2-RELATION-UNKNOWN", "processed/error: unknown-trading-relationship")
    mdn = as2.build_mdn(opened(with_headers(sent.headers, as2_from="n\u00f6body\u2028"), sent.body), None, NOW, signed=True)
    assert isinstance(mdn, as2.MdnResponse)
    for name, value in mdn.headers:
        assert value.isascii() and value.isprintable(), name


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\windows\\x", "/etc/passwd", ".hidden", "a\x00b", "x" * 3000, "=?utf-8?q?=2E=2E=2Fetc=2Fx?=", ".."]
)
def test_file_name_never_is_a_path(name: str) -> None:
    headers = with_headers(request(relation=theirs(sign=None, encrypt=None)).headers, content_disposition=f'attachment; filename="{name}"')
    filename = opened(headers, b"x", PLAIN).filename
    assert filename is None or not (set(filename) & set("/\\\x00") or filename.startswith(".") or len(filename) > 200)


def test_receipt_is_posted_to_listed_addresses_only() -> None:
    sent = request()
    address = "http://169.254.169.254/latest/meta-data?x=1&y=" + "z" * 200
    headers = sent.headers + (("Receipt-Delivery-Option", address),)
    got = opened(headers, sent.body)
    refused(got, "AS2-ASYNC-REFUSED", "processed/error: unexpected-processing-error")
    for unlisted in (ours(receipt_addresses=("http://169.254.169.254/",)), ours()):
        received = as2.receive(headers, sent.body, lambda *_, known=unlisted: known, lambda *_: None, NOW)
        assert (received.answer.status, received.post_to, received.post, received.is_new) == (403, None, None, False)
    received = as2.receive(headers, sent.body, lambda *_: ours(receipt_addresses=(address,)), lambda *_: None, NOW)
    assert (received.answer.status, received.answer.body, received.post_to, received.is_new) == (200, b"", address, True)
    assert received.post is not None
    assert as2.read_mdn(received.post.headers, received.post.body, sent.expected, theirs(), NOW).delivered


def test_required_forms_of_receipt_that_we_do_not_have_are_refused() -> None:
    sent = request()
    headers = with_headers(sent.headers, disposition_notification_options="signed-receipt-protocol=required, pgp-signature")
    refused(opened(headers, sent.body), "AS2-RECEIPT-FORMAT-UNSUPPORTED", "failed/failure: unsupported format")
    for words in ("md5", "sha1, md5", "sha3-256"):
        headers = with_headers(
            sent.headers,
            disposition_notification_options=f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=required, {words}",
        )
        refused(opened(headers, sent.body), "AS2-MIC-ALGORITHM-UNSUPPORTED", "failed/failure: unsupported MIC-algorithms")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            "multipart/signed; boundary=b",
            "application/pkcs7-mime",
            "text/plain",
            "multipart/report; boundary=b",
            "application/pkcs7-mime; smime-type=compressed-data",
        ]
    ),
)
def test_rubbish_is_a_problem_and_never_an_exception(body: bytes, content_type: str) -> None:
    headers = with_headers(request_once.headers, content_type=content_type)
    opened(headers, body, PLAIN)
    opened(headers, b"--b\r\n" + body + b"\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n" + body + b"\r\n--b--", PLAIN)
    as2.read_mdn((("Content-Type", content_type),), body, request_once.expected, theirs(), NOW)


request_once = request(relation=theirs(encrypt=None))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_message_with_changed_octets_is_never_taken_for_another(data: st.DataObject) -> None:
    body = bytearray(request_once.body)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    got = opened(request_once.headers, bytes(body), SIGNED)
    assert not got.accepted or got.payload == b"ISA*00*~"


# ---- receipts that lie


def receipt_for(sent: as2.As2Request) -> as2.MdnResponse:
    made = as2.build_mdn(opened(sent.headers, sent.body), ours(), NOW, signed=True)
    assert isinstance(made, as2.MdnResponse)
    return made


def resigned(mdn: as2.MdnResponse, change: dict[bytes, bytes], by: as2.Identity = SELLER) -> as2.MdnResponse:
    """The receipt with its text changed, then signed anew by somebody."""
    delimiter = mdn.body.split(b"\r\n")[0]
    entity = mdn.body.split(delimiter + b"\r\n")[1].removesuffix(b"\r\n")
    for old, new in change.items():
        assert re.search(old, entity), old
        entity = re.sub(old, lambda _, new=new: new, entity)
    headers, body = sign_entity(entity, by, DIGESTS["sha256"], NOW, "again")
    return as2.MdnResponse(headers=headers, body=body)


def read(mdn: as2.MdnResponse, sent: as2.As2Request, relation: as2.As2Relation | None = None) -> as2.Receipt:
    return as2.read_mdn(mdn.headers, mdn.body, sent.expected, relation or theirs(), NOW)


def test_receipt_by_a_stranger_is_neither_good_news_nor_bad() -> None:
    sent = request()
    for change in ({}, {b"; processed": b"; processed/error: decryption-failed"}):
        receipt = read(resigned(receipt_for(sent), change, by=STRANGER), sent)
        assert not receipt.delivered and receipt.may_retry and receipt.signed_by is None
        assert codes(receipt.problems)[0] == "AS2-SIGNER-UNKNOWN"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({rb"Received-content-MIC: .*\r\n": b""}, "AS2-MDN-MIC-WRONG"),
        ({rb"Received-content-MIC: .*": b"Received-content-MIC: " + base64.b64encode(b"x" * 32) + b", sha-256"}, "AS2-MDN-MIC-WRONG"),
        ({rb"sha-256\r\n": b"sha-512\r\n"}, "AS2-MDN-MIC-WRONG"),
        ({rb"<1@buyer>": b"<2@buyer>"}, "AS2-MDN-OTHER-MESSAGE"),
        ({rb"; processed": b"; processed/error: decryption-failed"}, "AS2-MDN-NEGATIVE"),
        ({rb"; processed": b"; failed/failure: unsupported format"}, "AS2-MDN-NEGATIVE"),
        ({rb"; processed": b"; displayed"}, "AS2-MDN-NEGATIVE"),
        ({rb"Disposition: .*\r\n": b""}, "AS2-MDN-UNREADABLE"),
        ({rb"message/disposition-notification": b"text/html"}, "AS2-MDN-UNREADABLE"),
    ],
)
def test_receipt_that_does_not_prove_delivery_says_why(change: dict[bytes, bytes], code: str) -> None:
    sent = request()
    receipt = read(resigned(receipt_for(sent), change), sent)
    assert codes(receipt.problems) == [code] and not receipt.delivered
    assert receipt.may_retry is (code in ("AS2-MDN-OTHER-MESSAGE", "AS2-MDN-UNREADABLE"))


def test_replayed_receipt_of_another_message_does_not_count() -> None:
    first, second = request(b"one"), request(b"two", message_id="2@buyer")
    assert not read(receipt_for(first), second).delivered


@pytest.mark.parametrize("body", [b"", b"ok", b"<html>502</html>", b"--x\r\n"])
def test_answer_that_is_no_receipt_may_be_tried_again(body: bytes) -> None:
    for content_type in ("text/html", 'multipart/signed; boundary="x"', "multipart/report"):
        receipt = as2.read_mdn((("Content-Type", content_type),), body, request().expected, theirs(), NOW)
        assert "AS2-MDN-UNREADABLE" in codes(receipt.problems) and receipt.may_retry and receipt.disposition is None
    assert not as2.read_mdn((), b"", request().expected, theirs(), NOW).delivered


def test_keys_are_not_shown() -> None:
    assert "PRIVATE" not in repr(ours()) and "_RSAPrivateKey" not in repr(ours()) and "key=" not in repr(SELLER)
    with pytest.raises(ValueError):
        as2.read_identity(as2.make_key_and_certificate("a", 1, NOW)[0], as2.make_key_and_certificate("b", 1, NOW)[1])
