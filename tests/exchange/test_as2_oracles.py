"""Messages made to learn something or to cost something: keys that are none, tags that are short, floods of octets; one answer for all."""

import time
from collections.abc import Callable

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.exchange import as2
from gateway.exchange.cms import ber
from gateway.exchange.cms import decryption
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.compression import Limits
from gateway.exchange.cms.compression import compress
from gateway.exchange.cms.compression import decompress
from gateway.exchange.cms.decryption import Decrypted
from gateway.exchange.cms.decryption import decrypt
from gateway.exchange.cms.encryption import encrypt
from gateway.exchange.cms.signature import Verified
from gateway.exchange.cms.signature import sign
from gateway.exchange.cms.signature import verify
from gateway.problem import Problem
from tests.exchange.as2_world import BUYER
from tests.exchange.as2_world import NOW
from tests.exchange.as2_world import SELLER
from tests.exchange.as2_world import STRANGER
from tests.exchange.as2_world import certificate_for
from tests.exchange.as2_world import codes
from tests.exchange.as2_world import curve_identity
from tests.exchange.as2_world import opened
from tests.exchange.as2_world import ours
from tests.exchange.as2_world import pem_of
from tests.exchange.as2_world import pinned
from tests.exchange.as2_world import request
from tests.exchange.as2_world import theirs
from tests.machine import is_quick

ENTITY = b"Content-Type: text/plain\r\n\r\n" + b"x" * 1000
SIGNER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def enveloped(change: Callable[[cms.EnvelopedData], None], cipher: str = "aes256_cbc", entity: bytes = ENTITY) -> bytes:
    """A good message for us, then changed by another library."""
    info = cms.ContentInfo.load(encrypt(entity, SELLER.certificate, CIPHERS[cipher]))
    change(info["content"])
    made: bytes = info.dump(force=True)
    return made


def wrapped(data: bytes) -> Callable[[cms.EnvelopedData], None]:
    """The key's place filled with something else."""

    def change(content: cms.EnvelopedData) -> None:
        content["recipient_infos"][0].chosen["encrypted_key"] = data

    return change


def flipped(place: int) -> Callable[[cms.EnvelopedData], None]:
    """One octet of the encrypted content changed."""

    def change(content: cms.EnvelopedData) -> None:
        octets = bytearray(content["encrypted_content_info"]["encrypted_content"].contents)
        octets[place] ^= 0x55
        content["encrypted_content_info"]["encrypted_content"] = bytes(octets)

    return change


def for_us(data: bytes) -> bytes:
    key = SELLER.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.encrypt(data, padding.PKCS1v15())


ATTEMPTS = {
    "wrapped key is rubbish": wrapped(b"\x55" * 256),
    "wrapped key is one bit off": wrapped(bytes(range(256))),
    "wrapped key is empty": wrapped(b""),
    "wrapped key is too long": wrapped(b"\x01" * 5000),
    "another key of the right length": wrapped(for_us(b"k" * 32)),
    "a key of the wrong length": wrapped(for_us(b"k" * 16)),
    "padding broken": flipped(-17),
    "last block broken": flipped(-1),
    "first block broken, padding good": flipped(0),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_whatever_does_not_open_gets_the_very_same_answer(attempt: Callable[[cms.EnvelopedData], None]) -> None:
    headers, relation = request().headers, ours(require_signature=False)
    got = opened(headers, enveloped(attempt), relation)
    reference = opened(headers, enveloped(wrapped(b"\x55" * 256)), relation)
    assert got.problems == reference.problems and codes(got.problems) == ["AS2-DECRYPTION-FAILED"]
    told, other = (as2.build_mdn(one, ours(), NOW, signed=False) for one in (got, reference))
    assert isinstance(told, as2.MdnResponse) and isinstance(other, as2.MdnResponse)
    assert told.body == other.body, "the partner reads no difference either"


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_key_that_cannot_be_unwrapped_costs_the_same_work(attempt: Callable[[cms.EnvelopedData], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3218: the content is decrypted with some key even then, once."""
    opening: list[int] = []
    real = decryption._open
    monkeypatch.setattr(decryption, "_open", lambda sealed, key: opening.append(len(key)) or real(sealed, key))
    assert isinstance(decrypt(enveloped(attempt), (SELLER,), NOW), (Problem, Decrypted))
    assert opening == [32]


# ---- authenticated encryption


def tagged(tag: Callable[[bytes], bytes], length: int | None = None) -> bytes:
    """An AuthEnvelopedData with another tag, and its length told so."""
    data = encrypt(ENTITY, SELLER.certificate, CIPHERS["aes256_gcm"])
    genuine = data[-16:]
    info = cms.ContentInfo.load(data)
    content = info["content"]
    content["mac"] = tag(genuine)
    made: bytes = info.dump(force=True)
    return made if length is None else made.replace(b"\x02\x01\x10", bytes((2, 1, length)))


@pytest.mark.parametrize("length", [0, 1, 4, 8, 11])
def test_a_truncated_tag_is_refused_whatever_length_is_told(length: int) -> None:
    for told in (None, length):
        assert getattr(decrypt(tagged(lambda tag: tag[:length], told), (SELLER,), NOW), "code", None) == "AS2-DECRYPTION-FAILED"


def test_a_tag_of_twelve_octets_is_one_when_it_is_told_so() -> None:
    assert isinstance(decrypt(tagged(lambda tag: tag[:12], 12), (SELLER,), NOW), Decrypted)
    assert isinstance(decrypt(tagged(lambda tag: tag[:12]), (SELLER,), NOW), Problem)


def test_nothing_comes_out_before_the_tag_is_checked() -> None:
    wrong = decrypt(tagged(lambda tag: bytes((tag[0] ^ 1,)) + tag[1:]), (SELLER,), NOW)
    assert isinstance(wrong, Problem) and wrong.message == "none of our valid keys opens the message"


def test_attributes_that_the_tag_is_over_are_part_of_it() -> None:
    """RFC 5083: openssl writes none, others do."""
    attribute = der.sequence(der.CONTENT_TYPE, der.set_of(der.DATA))
    plain = encrypt(ENTITY, SELLER.certificate, CIPHERS["aes128_gcm"])
    recipients = cms.ContentInfo.load(plain)["content"]["recipient_infos"].dump()
    private = SELLER.key
    assert isinstance(private, rsa.RSAPrivateKey)
    key = private.decrypt(cms.ContentInfo.load(plain)["content"]["recipient_infos"][0].chosen["encrypted_key"].native, padding.PKCS1v15())
    nonce = b"n" * 12
    sealed = AESGCM(key).encrypt(nonce, ENTITY, der.set_of(attribute))
    algorithm = der.sequence(CIPHERS["aes128_gcm"].identifier, der.sequence(der.octets(nonce), der.integer(16)))
    inner = der.sequence(der.DATA, algorithm, der.compose(0x80, sealed[:-16]))
    for attributes, good in ((der.explicit(1, attribute), True), (der.explicit(1, attribute, attribute), False), (b"", False)):
        body = der.sequence(der.integer(0), recipients, inner, attributes, der.octets(sealed[-16:]))
        got = decrypt(der.sequence(der.AUTHENTICATED_ENVELOPED_DATA, der.explicit(0, body)), (SELLER,), NOW)
        assert isinstance(got, Decrypted) is good


def test_ciphers_in_the_wrong_envelope_are_refused() -> None:
    data = encrypt(ENTITY, SELLER.certificate, CIPHERS["aes256_cbc"])
    changed = data.replace(CIPHERS["aes256_cbc"].identifier, CIPHERS["aes256_gcm"].identifier)
    assert getattr(decrypt(changed, (SELLER,), NOW), "code", None) == "AS2-ALGORITHM-REFUSED"


# ---- keys that are none


def nonsense_point(point: bytes) -> bytes:
    """A message for a key of a curve whose sender's point is not on it."""
    data = encrypt(ENTITY, curve_identity("p").certificate, CIPHERS["aes128_cbc"])
    start = data.index(b"\x03\x42\x00\x04") + 3
    return data[:start] + point + data[start + 65 :]


@pytest.mark.parametrize(
    "point",
    [b"\x04" + b"\x01" * 64, b"\x00" * 65, b"\x04" + b"\xff" * 64, b"\x02" + b"\x05" * 64, b"\x07" * 65],
    ids=["off", "zero", "large", "odd", "form"],
)
def test_a_point_that_is_not_on_the_curve_never_meets_our_key(point: bytes) -> None:
    got = decrypt(nonsense_point(point), (curve_identity("p"),), NOW)
    assert isinstance(got, Problem) and got.message == "none of our valid keys opens the message"


def test_a_certificate_with_a_nonsense_point_or_another_kind_of_key_is_refused_when_it_is_read() -> None:
    good = curve_identity("p").certificate.public_bytes(serialization.Encoding.DER)
    start = good.index(b"\x03\x42\x00\x04") + 4
    with pytest.raises(ValueError, match="public key cannot be used"):
        as2.read_certificate(good[:start] + b"\x01" * 64 + good[start + 64 :])
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ValueError, match="neither an RSA key nor one of an elliptic curve"):
        as2.read_certificate(certificate_for(edwards, "edwards", SIGNER))
    digital = dsa.generate_private_key(2048).public_key()
    with pytest.raises(ValueError, match="neither an RSA key nor one of an elliptic curve"):
        as2.read_certificate(certificate_for(digital, "dsa", SIGNER))


@pytest.mark.parametrize(("bits", "exponent"), [(2048, (1 << 1000) + 1), (16384, 65537), (2048, (1 << 40) + 1)])
def test_huge_keys_and_exponents_are_refused_at_once(bits: int, exponent: int) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="public key cannot be used|at most 8192 and 32"):
        as2.read_certificate(certificate_for(rsa.RSAPublicNumbers(exponent, (1 << bits) - 159).public_key(), "huge", SIGNER))
    assert is_quick(time.process_time() - start, 1)


@pytest.mark.parametrize("octets", [0, 1, 255, 257, 100_000])
def test_signatures_of_any_length_are_refused_at_once(octets: int) -> None:
    for who in (BUYER, curve_identity("signer")):
        info = cms.ContentInfo.load(sign(ENTITY, who, DIGESTS["sha256"], NOW))
        info["content"]["signer_infos"][0]["signature"] = b"\x7f" * octets
        start = time.process_time()
        assert getattr(verify(ENTITY, info.dump(force=True), (pinned(who),), NOW), "code", None) == "AS2-SIGNATURE-INVALID"
        assert is_quick(time.process_time() - start, 1)


def test_a_flood_of_signers_and_recipients_is_cut() -> None:
    genuine = cms.ContentInfo.load(sign(ENTITY, STRANGER, DIGESTS["sha256"], NOW))
    signer = genuine["content"]["signer_infos"][0].dump()
    algorithm = der.sequence(DIGESTS["sha256"].identifier, der.NULL)
    flood = der.sequence(der.integer(1), der.set_of(algorithm), der.sequence(der.DATA), der.compose(0x31, *[signer] * 1500))
    start = time.process_time()
    got = verify(ENTITY, der.sequence(der.SIGNED_DATA, der.explicit(0, flood)), (pinned(BUYER),), NOW)
    assert getattr(got, "code", None) == "AS2-SIGNER-UNKNOWN"
    enveloped_data = cms.ContentInfo.load(encrypt(ENTITY, STRANGER.certificate, CIPHERS["aes256_cbc"]))["content"]
    recipient = enveloped_data["recipient_infos"][0].dump()
    many = der.sequence(der.integer(0), der.compose(0x31, *[recipient] * 1500), enveloped_data["encrypted_content_info"].dump())
    assert isinstance(decrypt(der.sequence(der.ENVELOPED_DATA, der.explicit(0, many)), (SELLER,), NOW), Problem)
    assert is_quick(time.process_time() - start, 3)


# ---- structures that cost


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80" * 200_000,
        b"\x24\x80" * 200_000 + b"\0\0" * 200_000,
        b"\x30\x84\x00\x0f\xff\xff" + b"\x30\x00" * 500_000,
        b"\x30\x83\x0f\xff\xff" + b"\x04\x01\x00" * 300_000,
        b"\x30\xff" + b"\xff" * 300,
        b"\x1f" * 1000,
        b"\x30\x80" + der.ENVELOPED_DATA + b"\xa0\x80" + b"\x30\x80" * 100_000,
        b"\x30\x80" + der.SIGNED_DATA + b"\xa0\x80" + b"\x30\x80" + b"\x02\x01\x00" * 100_000,
    ],
    ids=["nested", "nested strings", "many empty", "many octets", "length of lengths", "long tags", "deep", "wide"],
)
def test_structures_made_to_cost_are_refused_at_once(data: bytes) -> None:
    start = time.process_time()
    for got in (decrypt(data, (SELLER,), NOW), verify(b"x", data, (pinned(BUYER),), NOW), decompress(data, Limits())):
        assert isinstance(got, Problem)
    assert is_quick(time.process_time() - start, 2)


def test_an_octet_string_within_itself_is_read_in_one_pass() -> None:
    inner = der.octets(b"x" * 10)
    for _ in range(300):
        inner = der.compose(0x24, inner)
    assert ber.read(inner).octets().to_bytes() == b"x" * 10
    with pytest.raises(ValueError, match="nested too deep"):
        ber.to_der(ber.read(der.compose(0x31, *[_nested(40)])))


def _nested(depth: int) -> bytes:
    return der.NULL if depth == 0 else der.sequence(_nested(depth - 1))


def test_a_bomb_does_not_grow_in_memory() -> None:
    bomb = compress((b"\r\n", *[b"0" * (1 << 20)] * 300))
    got = decompress(bomb, Limits(most_bytes=50_000_000))
    assert getattr(got, "code", None) == "AS2-TOO-LARGE"


BLANKS = " " * 60_000


@pytest.mark.parametrize(
    "header",
    [
        "multipart/signed" + ';a="\\"' * 10_000,
        "x;a" + BLANKS + "b",
        "x" + "; " * 30_000,
        "application/x; name=" + "=?utf-8?q?" * 6_000,
        "x; boundary=" + "b" * 60_000,
    ],
    ids=["quotes", "blanks", "semicolons", "words", "boundary"],
)
def test_headers_made_to_cost_are_read_at_once(header: str) -> None:
    start = time.process_time()
    headers = (("Content-Type", header), ("Content-Disposition", header), ("AS2-From", '"big buyer"'), ("AS2-To", "SELLER"), ("Message-ID", "<1@x>"))
    opened(headers, b"x", ours(require_signature=False, require_encryption=False))
    assert is_quick(time.process_time() - start, 1)


@pytest.mark.parametrize(
    "body", [b"\n--bx" * 1_000_000, b"\n--b" * 1_000_000, b"--b" * 2_000_000, b"\n--b\n\n" * 500_000], ids=["alike", "parts", "line", "empty"]
)
@pytest.mark.parametrize("kind", ["signed", "mixed"])
def test_multiparts_made_to_cost_are_cut_at_once(kind: str, body: bytes) -> None:
    start = time.process_time()
    headers = tuple(one for one in request().headers if one[0] not in ("Content-Type", "Content-Transfer-Encoding"))
    got = opened((*headers, ("Content-Type", f"multipart/{kind}; boundary=b")), body, ours(require_signature=False, require_encryption=False))
    assert codes(got.problems) == ["AS2-MIME-INVALID"] and is_quick(time.process_time() - start, 1)


@pytest.mark.parametrize("disposition", [BLANKS, "a;b/c" + BLANKS + "x", ";" * 60_000, "a;b" + "/" * 60_000, "a;" + BLANKS + "processed"], ids=len)
def test_receipts_made_to_cost_are_read_at_once(disposition: str) -> None:
    body = f"Disposition: a{disposition}\r\nOriginal-Message-ID: <1@buyer>\r\n".encode()
    start = time.process_time()
    as2.read_mdn((("Content-Type", "message/disposition-notification"),), body, request().expected, theirs(receipt="unsigned"), NOW)
    assert is_quick(time.process_time() - start, 1)


# ---- attributes


def test_attributes_in_another_order_or_form_are_the_same_signature() -> None:
    """RFC 5652 5.4: signed is the DER of the set, whatever is sent."""
    genuine = sign(ENTITY, BUYER, DIGESTS["sha256"], NOW)
    attributes = cms.ContentInfo.load(genuine)["content"]["signer_infos"][0]["signed_attrs"]
    whole = attributes.dump()
    parts = [attribute.dump() for attribute in attributes]
    assert whole.endswith(b"".join(parts))
    shuffled = genuine.replace(b"".join(parts), b"".join(reversed(parts)))
    assert shuffled != genuine and isinstance(verify(ENTITY, shuffled, (pinned(BUYER),), NOW), Verified)


@pytest.mark.parametrize("which", [der.CONTENT_TYPE, der.MESSAGE_DIGEST])
def test_an_attribute_that_stands_twice_is_refused(which: bytes) -> None:
    digest = DIGESTS["sha256"]
    attributes = [
        der.sequence(der.CONTENT_TYPE, der.set_of(der.DATA)),
        der.sequence(der.MESSAGE_DIGEST, der.set_of(der.octets(digest.of(ENTITY)))),
    ]
    twice = [one for one in attributes if which in one] + attributes
    assert isinstance(verify(ENTITY, by_hand(attributes), (pinned(BUYER),), NOW), Verified)
    assert getattr(verify(ENTITY, by_hand(twice), (pinned(BUYER),), NOW), "code", None) == "AS2-SIGNATURE-INVALID"


def by_hand(attributes: list[bytes], algorithm: bytes = b"") -> bytes:
    """A SignedData of the buyer's with these attributes, well signed."""
    key = BUYER.key
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(der.set_of(*attributes), padding.PKCS1v15(), hashes.SHA256())
    digest = der.sequence(DIGESTS["sha256"].identifier, der.NULL)
    name = der.sequence(BUYER.certificate.issuer.public_bytes(), der.integer(BUYER.certificate.serial_number))
    signer = der.sequence(
        der.integer(1),
        name,
        digest,
        der.explicit(0, *sorted(attributes)),
        algorithm or der.sequence(der.RSA_ENCRYPTION, der.NULL),
        der.octets(signature),
    )
    data = der.sequence(der.integer(1), der.set_of(digest), der.sequence(der.DATA), der.set_of(signer))
    return der.sequence(der.SIGNED_DATA, der.explicit(0, data))


def test_a_signature_algorithm_of_another_digest_or_kind_is_refused() -> None:
    attributes = [
        der.sequence(der.CONTENT_TYPE, der.set_of(der.DATA)),
        der.sequence(der.MESSAGE_DIGEST, der.set_of(der.octets(DIGESTS["sha256"].of(ENTITY)))),
    ]
    with_sha256 = bytes.fromhex("06092a864886f70d01010b")
    with_sha512 = bytes.fromhex("06092a864886f70d01010d")
    md5 = bytes.fromhex("06092a864886f70d010104")
    assert isinstance(verify(ENTITY, by_hand(attributes, der.sequence(with_sha256, der.NULL)), (pinned(BUYER),), NOW), Verified)
    assert isinstance(verify(ENTITY, by_hand(attributes, der.sequence(with_sha256)), (pinned(BUYER),), NOW), Verified)
    for wrong in (with_sha512, md5, DIGESTS["sha256"].ecdsa, der.RSA_PSS):
        assert isinstance(verify(ENTITY, by_hand(attributes, der.sequence(wrong, der.NULL)), (pinned(BUYER),), NOW), Problem)


# ---- curves and PSS from end to end


@pytest.mark.parametrize("encrypt_with", ["aes128_cbc", "aes256_gcm"])
def test_a_partner_and_we_with_keys_of_curves(encrypt_with: str) -> None:
    us, them = curve_identity("us"), curve_identity("them", "SECP384R1")
    mine = ours(identities=(us,), verification=(pinned(them),), encryption=(pinned(them),))
    other = theirs(identities=(them,), verification=(pinned(us),), encryption=(pinned(us),), encrypt=encrypt_with, sign="sha384")
    sent = request(b"ISA", other)
    got = as2.receive(sent.headers, sent.body, lambda *_: mine, lambda *_: None, NOW)
    assert got.is_new and got.unwrapped.payload == b"ISA"
    assert (got.unwrapped.signed_with, got.unwrapped.encrypted_with) == ("sha-384", encrypt_with)
    assert as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, other, NOW).delivered


def test_pss_signs_messages_and_receipts() -> None:
    sent = request(b"ISA", theirs(sign_padding="pss", encrypt=None))
    assert der.RSA_PSS in sent.body
    relation = ours(sign_padding="pss", require_encryption=False)
    got = as2.receive(sent.headers, sent.body, lambda *_: relation, lambda *_: None, NOW)
    assert got.is_new and der.RSA_PSS in got.answer.body
    assert as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, theirs(), NOW).delivered


@pytest.mark.parametrize("sign_with", [None, "sha256"])
@pytest.mark.parametrize("encrypt_with", [None, "aes256_cbc", "aes128_gcm"])
def test_compressed_after_signing_arrives_and_the_receipt_proves_it(sign_with: str | None, encrypt_with: str | None) -> None:
    sender = theirs(sign=sign_with, encrypt=encrypt_with, compress=True, compress_signed=True)
    relation = ours(require_signature=sign_with is not None, require_encryption=encrypt_with is not None)
    sent = request(b"LIN+1'" * 500, sender)
    got = as2.receive(sent.headers, sent.body, lambda *_: relation, lambda *_: None, NOW)
    assert got.is_new and got.unwrapped.payload == b"LIN+1'" * 500 and got.unwrapped.compressed
    receipt = as2.read_mdn(got.answer.headers, got.answer.body, sent.expected, sender, NOW)
    assert receipt.delivered and receipt.mic_matches


def test_short_keys_are_taken_only_where_they_are_allowed() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    short = as2.read_identity(pem_of(small), certificate_for(small.public_key(), "short", small))
    signature = sign(ENTITY, short, DIGESTS["sha256"], NOW)
    assert getattr(verify(ENTITY, signature, (pinned(short),), NOW), "code", None) == "AS2-ALGORITHM-REFUSED"
    assert isinstance(verify(ENTITY, signature, (pinned(short),), NOW, accept=as2.Old.SHORT_KEYS), Verified)
    assert getattr(verify(ENTITY, signature, (pinned(short),), NOW, accept=as2.Old.SHA1 | as2.Old.TRIPLEDES), "code", None) == "AS2-ALGORITHM-REFUSED"
    tiny = ec.generate_private_key(ec.SECP192R1())
    curve = as2.read_identity(pem_of(tiny), certificate_for(tiny.public_key(), "tiny", tiny))
    assert getattr(verify(ENTITY, sign(ENTITY, curve, DIGESTS["sha256"], NOW), (pinned(curve),), NOW), "code", None) == "AS2-ALGORITHM-REFUSED"
    problem = as2.wrap(b"x", theirs(encryption=(pinned(short),)), "1@x", NOW)
    assert isinstance(problem, Problem) and problem.code == "AS2-NO-USABLE-CERTIFICATE"
