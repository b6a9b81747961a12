"""What is in a certificate, read once: asking cryptography anew costs more than the whole rest of a small message.

Only certificates that an operator pinned come here, never one out of a message.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

#: RSA keys below this are not used but for a partner that is allowed old algorithms (RFC 8551 4.1).
SMALLEST_RSA = 2048
SMALLEST_CURVE = 224
#: Larger keys and exponents make each signature check last long enough to be a weapon.
LARGEST_RSA = 8192
_LARGEST_EXPONENT = 1 << 32


@dataclass(frozen=True, slots=True)
class Facts:
    """A certificate's parts that messages are compared with."""

    key: PublicKey
    #: DER of the certificate, and of its issuer's name.
    encoded: bytes
    issuer: bytes
    serial_number: int
    #: The subject key identifier, computed where the certificate does not state it.
    key_identifier: bytes
    fingerprint: str
    title: str
    first: datetime
    last: datetime

    @property
    def strong(self) -> bool:
        """Whether the key is of a kind and size that we trust."""
        return self.key.key_size >= (SMALLEST_CURVE if isinstance(self.key, ec.EllipticCurvePublicKey) else SMALLEST_RSA)


@lru_cache(maxsize=4096)
def facts_of(certificate: x509.Certificate) -> Facts:
    """What is in it; ValueError where its key is of a kind that we do not use, or none."""
    return Facts(
        key=_key_of(certificate),
        encoded=certificate.public_bytes(serialization.Encoding.DER),
        issuer=certificate.issuer.public_bytes(),
        serial_number=certificate.serial_number,
        key_identifier=_key_identifier(certificate),
        fingerprint=f"SHA256:{certificate.fingerprint(hashes.SHA256()).hex()}",
        title=f"{certificate.subject.rfc4514_string() or 'without a name'}, serial number {certificate.serial_number:x}",
        first=certificate.not_valid_before_utc,
        last=certificate.not_valid_after_utc,
    )


def _key_of(certificate: x509.Certificate) -> PublicKey:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:  # a curve or point that is none
        raise ValueError(f"its public key cannot be used: {error}") from error
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        if key.key_size > LARGEST_RSA or exponent > _LARGEST_EXPONENT:
            raise ValueError(f"its RSA key has {key.key_size} bits and an exponent of {exponent.bit_length()}: at most {LARGEST_RSA} and 32 are used")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key
    raise ValueError("its key is neither an RSA key nor one of an elliptic curve")


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):  # ValueError: an extension that is broken
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
