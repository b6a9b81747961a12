"""Encryption for one certificate and decryption with any of our keys (CMS EnvelopedData, AuthEnvelopedData).

Randomness comes from OpenSSL through AESGCM.generate_key: the one place in this room that is not a function of its arguments.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import CIPHERS
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Cipher
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import PrivateKey
from gateway.exchange.cms.keys import title
from gateway.exchange.cms.reading import UNREADABLE
from gateway.exchange.cms.reading import content_of
from gateway.exchange.cms.reading import octets_of
from gateway.exchange.cms.reading import type_of
from gateway.exchange.cms.signature import key_identifier
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: More recipients than this are not looked at: each may cost an RSA operation.
MOST_RECIPIENTS = 16


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What was inside, and which of our certificates it was encrypted for."""

    content: bytes
    certificate: x509.Certificate
    cipher: Cipher


class _GcmParameters(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """RFC 5084 3.2."""

    _fields = [("nonce", core.OctetString), ("tag_length", core.Integer, {"default": 12})]


def encrypt(content: bytes, certificate: x509.Certificate, cipher: Cipher, *, oaep: bool = False) -> bytes:
    """`content` for the holder of this certificate's RSA key."""
    assert not cipher.old, "old ciphers are never written"
    key = AESGCM.generate_key(cipher.key_bytes * 8)
    recipients = der.set_of(_recipient(key, certificate, oaep))
    if cipher.authenticated:
        nonce = AESGCM.generate_key(128)[:12]
        sealed = AESGCM(key).encrypt(nonce, content, None)
        algorithm = der.sequence(cipher.identifier, der.sequence(der.octets(nonce), der.integer(16)))
        inner = der.sequence(der.DATA, algorithm, der.compose(0x80, sealed[:-16]))
        return der.sequence(
            der.AUTHENTICATED_ENVELOPED_DATA, der.explicit(0, der.sequence(der.integer(0), recipients, inner, der.octets(sealed[-16:])))
        )
    start = AESGCM.generate_key(128)
    machine = Machine(AES(key), CBC(start)).encryptor()
    fill = 16 - len(content) % 16
    encrypted = machine.update(content) + machine.update(bytes((fill,)) * fill) + machine.finalize()
    inner = der.sequence(der.DATA, der.sequence(cipher.identifier, der.octets(start)), der.compose(0x80, encrypted))
    return der.sequence(der.ENVELOPED_DATA, der.explicit(0, der.sequence(der.integer(0), recipients, inner)))


def decrypt(data: bytes, identities: Sequence[Identity], at: datetime, *, accept: Old = Old.NOTHING) -> Decrypted | Problem:
    """What an enveloped message holds, by whichever valid key of ours opens it."""
    kind = type_of(data)
    if kind not in ("enveloped_data", "authenticated_enveloped_data"):
        return kinds.DECRYPTION_FAILED.at(NOWHERE, "the encrypted part is no CMS EnvelopedData", found=kind or "something else")
    try:
        enveloped = content_of(data, kind)
        authenticated = kind == "authenticated_enveloped_data"
        inner = enveloped["auth_encrypted_content_info" if authenticated else "encrypted_content_info"]
        algorithm = inner["content_encryption_algorithm"]
        cipher = CIPHERS.get(algorithm["algorithm"].native)
        if cipher is None or (cipher.old and Old.TRIPLEDES not in accept) or cipher.authenticated != authenticated:
            return kinds.ALGORITHM_REFUSED.at(
                NOWHERE,
                "the message is encrypted in a way that we do not accept",
                found=str(algorithm["algorithm"].native),
                expected="AES with 128, 192 or 256 bits",
            )
        recipients = [recipient.chosen for recipient in enveloped["recipient_infos"] if recipient.name == "ktri"][:MOST_RECIPIENTS]
        valid = [identity for identity in identities if identity.decrypts and identity.holds(at)]
        for recipient, identity in _pairs(recipients, valid):
            content = _open(enveloped, inner, cipher, recipient, identity.key)
            if content is not None:
                return Decrypted(content, identity.certificate, cipher)
        return _why_not(recipients, identities, valid, at)
    except UNREADABLE as error:
        return kinds.DECRYPTION_FAILED.at(NOWHERE, f"the encrypted part cannot be read: {error}")


def _recipient(key: bytes, certificate: x509.Certificate, oaep: bool) -> bytes:
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey), "the caller chose a certificate with an RSA key"
    digest = der.sequence(DIGESTS["sha256"].identifier, der.NULL)
    if oaep:
        way: padding.AsymmetricPadding = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
        algorithm = der.sequence(der.RSA_OAEP, der.sequence(der.explicit(0, digest), der.explicit(1, der.sequence(der.MGF1, digest))))
    else:
        way = padding.PKCS1v15()
        algorithm = der.sequence(der.RSA_ENCRYPTION, der.NULL)
    name = der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
    return der.sequence(der.integer(0), name, algorithm, der.octets(public.encrypt(key, way)))


def _pairs(recipients: Sequence[Any], identities: Sequence[Identity]) -> Iterator[tuple[Any, Identity]]:
    """Recipients with the keys that they name; where none of ours is named (a renewed certificate), each with each."""
    named = [(recipient, identity) for recipient in recipients for identity in identities if _names(recipient, identity.certificate)]
    yield from named or ((recipient, identity) for recipient in recipients for identity in identities)


def _names(recipient: Any, certificate: x509.Certificate) -> bool:
    identifier = recipient["rid"]
    if identifier.name == "issuer_and_serial_number":
        return bool(
            identifier.chosen["serial_number"].native == certificate.serial_number
            and identifier.chosen["issuer"].dump() == certificate.issuer.public_bytes()
        )
    return bool(identifier.chosen.native == key_identifier(certificate))


def _open(enveloped: Any, inner: Any, cipher: Cipher, recipient: Any, private: PrivateKey) -> bytes | None:
    """The content, or None where this key does not open it. One answer for every reason: no hint for who tries keys out."""
    if not isinstance(private, rsa.RSAPrivateKey):
        return None
    try:
        key = private.decrypt(octets_of(recipient["encrypted_key"]), _padding_of(recipient["key_encryption_algorithm"]))
        if len(key) != cipher.key_bytes:
            return None
        encrypted = octets_of(inner["encrypted_content"])
        parameters = inner["content_encryption_algorithm"]["parameters"]
        if cipher.authenticated:
            return _open_authenticated(enveloped, encrypted, parameters, key)
        block = TripleDES.block_size // 8 if cipher.old else 16
        machine = Machine(TripleDES(key) if cipher.old else AES(key), CBC(parameters.native)).decryptor()
        padded = machine.update(encrypted) + machine.finalize()
    except (*UNREADABLE, UnsupportedAlgorithm, InvalidTag):
        return None
    fill = padded[-1] if padded else 0
    if not 1 <= fill <= block or padded[-fill:] != bytes((fill,)) * fill:
        return None
    return padded[:-fill]


def _open_authenticated(enveloped: Any, encrypted: bytes, parameters: Any, key: bytes) -> bytes:
    gcm = parameters.parse(_GcmParameters)
    tag = octets_of(enveloped["mac"])
    if len(tag) < 12 or len(tag) != gcm["tag_length"].native:
        raise ValueError("the authentication tag is too short")
    attributes = enveloped["auth_attrs"]
    bound = b"\x31" + attributes.dump()[1:] if attributes else None
    if len(tag) < 16:  # AESGCM takes whole tags only
        machine = Machine(AES(key), GCM(gcm["nonce"].native, tag, min_tag_length=12)).decryptor()
        if bound:
            machine.authenticate_additional_data(bound)
        return machine.update(encrypted) + machine.finalize()
    return AESGCM(key).decrypt(gcm["nonce"].native, encrypted + tag, bound)


def _padding_of(algorithm: Any) -> padding.AsymmetricPadding:
    name = algorithm["algorithm"].native
    if name in ("rsaes_pkcs1v15", "rsa"):
        return padding.PKCS1v15()
    if name != "rsaes_oaep":
        raise ValueError(f"key transport {name}")
    parameters = algorithm["parameters"]
    digest = DIGESTS[parameters["hash_algorithm"]["algorithm"].native]
    mask = DIGESTS[parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native]
    return padding.OAEP(padding.MGF1(mask.algorithm), digest.algorithm, parameters["p_source_algorithm"]["parameters"].native or None)


def _why_not(recipients: Sequence[Any], identities: Sequence[Identity], valid: Sequence[Identity], at: datetime) -> Problem:
    for identity in identities:
        if identity not in valid and any(_names(recipient, identity.certificate) for recipient in recipients):
            return kinds.DECRYPTION_FAILED.at(
                NOWHERE,
                f"the message is encrypted for our certificate {title(identity.certificate)}, which does not hold today",
                found=at.date().isoformat(),
                expected=identity.days,
            )
    return kinds.DECRYPTION_FAILED.at(
        NOWHERE,
        "none of our valid keys opens the message",
        expected="; ".join(title(identity.certificate) for identity in valid) or "no key is valid today",
    )
