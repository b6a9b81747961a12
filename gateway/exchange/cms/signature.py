"""Detached signatures (CMS SignedData): sign, verify.

Verifying needs at least one signer whose signature fits a pinned certificate and whose signed attributes name the content's
type and digest (RFC 5652 5.4): a SignedData without a signer, or with strangers only, proves nothing.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import DIGESTS
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import Pinned
from gateway.exchange.cms.keys import PrivateKey
from gateway.exchange.cms.keys import is_strong
from gateway.exchange.cms.keys import title
from gateway.exchange.cms.reading import UNREADABLE
from gateway.exchange.cms.reading import content_of
from gateway.exchange.cms.reading import octets_of
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: More signers than this are not looked at: each costs a signature check.
MOST_SIGNERS = 8


@dataclass(frozen=True, slots=True)
class Verified:
    """A good signature: by whom, with which digest."""

    certificate: x509.Certificate
    digest: Digest


def sign(content: bytes, identity: Identity, digest: Digest, at: datetime, *, pss: bool = False) -> bytes:
    """A detached signature over `content` with our certificate in it; `pss` for RSA keys, instead of PKCS #1 v1.5."""
    assert not digest.old, "old digests are never written"
    algorithm = der.sequence(digest.identifier, der.NULL)
    attributes = (
        der.sequence(der.CONTENT_TYPE, der.set_of(der.DATA)),
        der.sequence(der.SIGNING_TIME, der.set_of(der.moment(at))),
        der.sequence(der.MESSAGE_DIGEST, der.set_of(der.octets(digest.of(content)))),
    )
    way, signature = _sign_bytes(der.set_of(*attributes), identity.key, digest, pss)
    certificate = identity.certificate
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number)),
        algorithm,
        der.explicit(0, *sorted(attributes)),
        way,
        der.octets(signature),
    )
    signed_data = der.sequence(
        der.integer(1),
        der.set_of(algorithm),
        der.sequence(der.DATA),
        der.explicit(0, certificate.public_bytes(serialization.Encoding.DER)),
        der.set_of(signer),
    )
    return der.sequence(der.SIGNED_DATA, der.explicit(0, signed_data))


def _sign_bytes(data: bytes, key: PrivateKey, digest: Digest, pss: bool) -> tuple[bytes, bytes]:
    """The signature's algorithm as DER, and the signature."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der.sequence(digest.ecdsa), key.sign(data, ec.ECDSA(digest.algorithm))
    if not pss:
        return der.sequence(der.RSA_ENCRYPTION, der.NULL), key.sign(data, padding.PKCS1v15(), digest.algorithm)
    # salt as long as the digest, whatever the tables of RFC 4055 leave open: all stations take that one
    salt = digest.algorithm.digest_size
    algorithm = der.sequence(digest.identifier, der.NULL)
    parameters = der.sequence(der.explicit(0, algorithm), der.explicit(1, der.sequence(der.MGF1, algorithm)), der.explicit(2, der.integer(salt)))
    return der.sequence(der.RSA_PSS, parameters), key.sign(data, padding.PSS(padding.MGF1(digest.algorithm), salt), digest.algorithm)


def verify(content: bytes, signature: bytes, pinned: Sequence[Pinned], at: datetime, *, accept: Old = Old.NOTHING) -> Verified | Problem:
    """Whether a detached signature over `content` is by one of the pinned certificates, and by which."""
    try:
        signed_data = content_of(signature, "signed_data")
        signers = list(signed_data["signer_infos"])
    except UNREADABLE as error:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, f"the signature cannot be read: {error}")
    if not signers:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, "the signature names no signer", found="0 signers", expected="at least one")
    worst: Problem | None = None
    for signer in signers[:MOST_SIGNERS]:
        try:
            verdict = _verify_signer(content, signer, pinned, at, accept)
        except UNREADABLE as error:
            verdict = kinds.SIGNATURE_INVALID.at(NOWHERE, f"a signer's part of the signature cannot be read: {error}")
        if isinstance(verdict, Verified):
            return verdict
        if worst is None or worst.code == kinds.SIGNER_UNKNOWN.code:  # what is wrong with a known signer says more
            worst = verdict
    assert worst is not None
    return worst


def _verify_signer(content: bytes, signer: cms.SignerInfo, pinned: Sequence[Pinned], at: datetime, accept: Old) -> Verified | Problem:
    named = [one for one in pinned if _names(signer, one.certificate)]
    digest = DIGESTS.get(signer["digest_algorithm"]["algorithm"].native)
    if digest is None or (digest.old and Old.SHA1 not in accept):
        return kinds.ALGORITHM_REFUSED.at(
            NOWHERE,
            "the signature uses a digest that we do not accept",
            found=str(signer["digest_algorithm"]["algorithm"].native),
            expected="sha256, sha384 or sha512",
        )
    attributes = _signed_attributes(signer)
    if isinstance(attributes, Problem):
        return attributes
    signed = _signed_bytes(signer)
    fitting = next((one for one in named or pinned if _fits(signer, signed, digest, one.certificate)), None)
    if fitting is None and named:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, f"the signature does not fit the certificate {title(named[0].certificate)}")
    if fitting is None:
        return kinds.SIGNER_UNKNOWN.at(
            NOWHERE,
            "the signature is not by a pinned certificate",
            found=_name_of(signer),
            expected="; ".join(title(one.certificate) for one in pinned) or "none is pinned",
        )
    if not fitting.holds(at):
        return kinds.CERTIFICATE_EXPIRED.at(
            NOWHERE,
            f"the signature is by the certificate {title(fitting.certificate)}, which does not hold today",
            found=at.date().isoformat(),
            expected=fitting.days,
        )
    if not is_strong(fitting.certificate) and Old.SHORT_KEYS not in accept:
        return kinds.ALGORITHM_REFUSED.at(
            NOWHERE, f"the key of the certificate {title(fitting.certificate)} is too short", expected="RSA of 2048 bits or more"
        )
    if not hmac.compare_digest(attributes, digest.of(content)):
        return kinds.CONTENT_CHANGED.at(
            NOWHERE, "the content's digest is not the one that was signed", found=digest.of(content).hex(), expected=attributes.hex()
        )
    return Verified(fitting.certificate, digest)


def _signed_attributes(signer: cms.SignerInfo) -> bytes | Problem:
    """The signed digest; the two attributes that make a signature one over this content must be there once each."""
    values: dict[str, list[object]] = {}
    for attribute in signer["signed_attrs"] or ():
        kind = attribute["type"].native
        if kind in ("content_type", "message_digest"):
            values.setdefault(kind, []).extend(value.native for value in attribute["values"])
    if values.get("content_type") != ["data"]:
        return kinds.SIGNATURE_INVALID.at(
            NOWHERE, "the signed attributes do not name the content's type", found=str(values.get("content_type")), expected="data, once"
        )
    match values.get("message_digest"):
        case [bytes(digest)]:
            return digest
    return kinds.SIGNATURE_INVALID.at(NOWHERE, "the signed attributes do not hold the content's digest", expected="message-digest, once")


def _signed_bytes(signer: cms.SignerInfo) -> tuple[bytes, ...]:
    """What the signature is over: the attributes as a SET, as received and (RFC 5652 5.4) as DER."""
    attributes = signer["signed_attrs"]
    received: bytes = attributes.dump()
    ordered: bytes = attributes.untag().dump(force=True)
    return (b"\x31" + received[1:], ordered)


def _fits(signer: cms.SignerInfo, signed: tuple[bytes, ...], digest: Digest, certificate: x509.Certificate) -> bool:
    signature = octets_of(signer["signature"])
    algorithm = signer["signature_algorithm"]
    kind = algorithm.signature_algo
    if kind != "rsassa_pss" and algorithm["algorithm"].native not in ("rsassa_pkcs1v15",) and algorithm.hash_algo != digest.name:
        return False
    key = certificate.public_key()
    for data in signed:
        try:
            if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
                key.verify(signature, data, padding.PKCS1v15(), digest.algorithm)
            elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss" and algorithm.hash_algo == digest.name:
                mask = DIGESTS[algorithm["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"].native]
                key.verify(signature, data, padding.PSS(padding.MGF1(mask.algorithm), padding.PSS.AUTO), digest.algorithm)
            elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
                key.verify(signature, data, ec.ECDSA(digest.algorithm))
            else:
                return False
        except InvalidSignature:
            continue
        return True
    return False


def _names(signer: cms.SignerInfo, certificate: x509.Certificate) -> bool:
    """Whether the signer's identifier is this certificate's."""
    identifier = signer["sid"]
    if identifier.name == "issuer_and_serial_number":
        return bool(
            identifier.chosen["serial_number"].native == certificate.serial_number
            and identifier.chosen["issuer"].dump() == certificate.issuer.public_bytes()
        )
    return bool(identifier.chosen.native == key_identifier(certificate))


def key_identifier(certificate: x509.Certificate) -> bytes:
    """The subject key identifier, computed where the certificate does not state it."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _name_of(signer: cms.SignerInfo) -> str:
    identifier = signer["sid"]
    if identifier.name == "issuer_and_serial_number":
        return f"{identifier.chosen['issuer'].human_friendly}, serial number {identifier.chosen['serial_number'].native:x}"
    return f"key identifier {identifier.chosen.native.hex()}"
