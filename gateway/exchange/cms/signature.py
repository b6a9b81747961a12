"""Detached signatures (CMS SignedData): sign, verify.

Verifying needs at least one signer whose signature fits a pinned certificate and whose signed attributes name the content's
type and digest (RFC 5652 5.4): a SignedData without a signer, or with strangers only, proves nothing.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding

from gateway.exchange.cms import ber
from gateway.exchange.cms import der
from gateway.exchange.cms.algorithms import Digest
from gateway.exchange.cms.algorithms import Old
from gateway.exchange.cms.ber import UNREADABLE
from gateway.exchange.cms.certificates import facts_of
from gateway.exchange.cms.keys import Identity
from gateway.exchange.cms.keys import Pinned
from gateway.exchange.cms.keys import PrivateKey
from gateway.exchange.cms.keys import title
from gateway.exchange.cms.reading import content_of
from gateway.exchange.cms.reading import name_of
from gateway.exchange.cms.reading import names
from gateway.exchange.cms.signer import Signer
from gateway.exchange.cms.signer import fits
from gateway.exchange.cms.signer import read_signer
from gateway.exchange.cms.span import Buffer
from gateway.exchange.cms.span import Content
from gateway.exchange.cms.span import Span
from gateway.exchange.cms.span import pieces_of
from gateway.kinds import as2 as kinds
from gateway.problem import NOWHERE
from gateway.problem import Problem

#: More signers than this are not looked at: each costs a signature check.
MOST_SIGNERS = 8


@dataclass(frozen=True, slots=True)
class Verified:
    """A good signature: by whom, with which digest, and the content's digest itself."""

    certificate: x509.Certificate
    digest: Digest
    value: bytes


def sign(content: Content, identity: Identity, digest: Digest, at: datetime, *, pss: bool = False) -> bytes:
    """A detached signature over `content` with our certificate in it; `pss` for RSA keys, instead of PKCS #1 v1.5."""
    return sign_digest(digest.of(*pieces_of(content)), identity, digest, at, pss=pss)


def sign_digest(value: bytes, identity: Identity, digest: Digest, at: datetime, *, pss: bool = False) -> bytes:
    """The same over a content whose digest is `value`."""
    assert not digest.old, "old digests are never written"
    algorithm = der.sequence(digest.identifier, der.NULL)
    attributes = (
        der.sequence(der.CONTENT_TYPE, der.set_of(der.DATA)),
        der.sequence(der.SIGNING_TIME, der.set_of(der.moment(at))),
        der.sequence(der.MESSAGE_DIGEST, der.set_of(der.octets(value))),
    )
    way, signature = _sign_bytes(der.set_of(*attributes), identity.key, digest, pss)
    facts = facts_of(identity.certificate)
    signer = der.sequence(
        der.integer(1),
        der.sequence(facts.issuer, der.integer(facts.serial_number)),
        algorithm,
        der.explicit(0, *sorted(attributes)),
        way,
        der.octets(signature),
    )
    signed_data = der.sequence(
        der.integer(1),
        der.set_of(algorithm),
        der.sequence(der.DATA),
        der.explicit(0, facts.encoded),
        der.set_of(signer),
    )
    return der.sequence(der.SIGNED_DATA, der.explicit(0, signed_data))


def verify(content: Content, signature: Buffer | Span, pinned: Sequence[Pinned], at: datetime, *, accept: Old = Old.NOTHING) -> Verified | Problem:
    """Whether a detached signature over `content` is by one of the pinned certificates, and by which."""
    try:
        parts = content_of(signature if isinstance(signature, Span) else Span.of(signature), "signed_data")
        signers = parts[3:][-1].parts(ber.SET)
    except UNREADABLE as error:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, f"the signature cannot be read: {error}")
    if not signers:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, "the signature names no signer", found="0 signers", expected="at least one")
    worst: Problem | None = None
    for element in signers[:MOST_SIGNERS]:
        try:
            verdict = _verify_signer(content, read_signer(element), pinned, at, accept)
        except UNREADABLE as error:
            verdict = kinds.SIGNATURE_INVALID.at(NOWHERE, f"a signer's part of the signature cannot be read: {error}")
        if isinstance(verdict, Verified):
            return verdict
        if worst is None or worst.code == kinds.SIGNER_UNKNOWN.code:  # what is wrong with a known signer says more
            worst = verdict
    assert worst is not None
    return worst


def _sign_bytes(data: bytes, key: PrivateKey, digest: Digest, pss: bool) -> tuple[bytes, bytes]:
    """The signature's algorithm as DER, and the signature."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der.sequence(digest.ecdsa), key.sign(data, ec.ECDSA(digest.algorithm))
    if not pss:
        return der.sequence(der.RSA_ENCRYPTION, der.NULL), key.sign(data, padding.PKCS1v15(), digest.algorithm)
    # the salt is as long as the digest, which every station takes
    salt = digest.algorithm.digest_size
    algorithm = der.sequence(digest.identifier, der.NULL)
    parameters = der.sequence(der.explicit(0, algorithm), der.explicit(1, der.sequence(der.MGF1, algorithm)), der.explicit(2, der.integer(salt)))
    return der.sequence(der.RSA_PSS, parameters), key.sign(data, padding.PSS(padding.MGF1(digest.algorithm), salt), digest.algorithm)


def _verify_signer(content: Content, signer: Signer, pinned: Sequence[Pinned], at: datetime, accept: Old) -> Verified | Problem:
    digest = signer.digest
    if digest is None or (digest.old and Old.SHA1 not in accept):
        return kinds.ALGORITHM_REFUSED.at(
            NOWHERE,
            "the signature uses a digest that we do not accept",
            found=digest.name if digest is not None else ber.dotted(signer.digest_identifier),
            expected="sha256, sha384 or sha512",
        )
    signed = _signed_digest(signer)
    if isinstance(signed, Problem):
        return signed
    named = [one for one in pinned if names(signer.identifier, facts_of(one.certificate))]
    # a certificate that was renewed for the same key goes by another name
    fitting = [one for one in named or pinned if fits(signer, facts_of(one.certificate).key)]
    if not fitting and named:
        return kinds.SIGNATURE_INVALID.at(NOWHERE, f"the signature does not fit the certificate {title(named[0].certificate)}")
    if not fitting:
        return kinds.SIGNER_UNKNOWN.at(
            NOWHERE,
            "the signature is not by a pinned certificate",
            found=name_of(signer.identifier),
            expected="; ".join(title(one.certificate) for one in pinned) or "none is pinned",
        )
    holder = next((one for one in fitting if one.holds(at)), fitting[0])
    if not holder.holds(at):
        return kinds.CERTIFICATE_EXPIRED.at(
            NOWHERE,
            f"the signature is by the certificate {title(holder.certificate)}, which does not hold today",
            found=at.date().isoformat(),
            expected=holder.days,
        )
    if not facts_of(holder.certificate).strong and Old.SHORT_KEYS not in accept:
        return kinds.ALGORITHM_REFUSED.at(
            NOWHERE, f"the key of the certificate {title(holder.certificate)} is too short", expected="RSA of 2048 bits or more, or a curve of 224"
        )
    value = digest.of(*pieces_of(content))
    if not hmac.compare_digest(signed, value):
        return kinds.CONTENT_CHANGED.at(NOWHERE, "the content's digest is not the one that was signed", found=value.hex(), expected=signed[:64].hex())
    return Verified(holder.certificate, digest, value)


def _signed_digest(signer: Signer) -> bytes | Problem:
    """The signed digest; the two attributes that make a signature one over this content must be there once each."""
    kinds_signed = [value.oid() for value in signer.values_of(der.CONTENT_TYPE)]
    if kinds_signed != [der.DATA[2:]]:
        return kinds.SIGNATURE_INVALID.at(
            NOWHERE, "the signed attributes do not name the content's type", found=f"{len(kinds_signed)} types", expected="data, once"
        )
    digests = signer.values_of(der.MESSAGE_DIGEST)
    if len(digests) != 1:
        return kinds.SIGNATURE_INVALID.at(
            NOWHERE, "the signed attributes do not hold the content's digest", found=f"{len(digests)} digests", expected="message-digest, once"
        )
    return digests[0].octets().to_bytes()
