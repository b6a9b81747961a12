"""Two AS2 names with their keys, for tests: buyer and seller, one relation seen from each side."""

from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from gateway.exchange import as2
from gateway.exchange.as2 import As2Relation
from gateway.exchange.as2 import Identity

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


@cache
def identity(name: str, start: int = -10, days: int = 365) -> Identity:
    """A key of this name, valid from `start` days before or after NOW on."""
    key, certificate = as2.make_key_and_certificate(name, days, NOW + timedelta(days=start))
    return as2.read_identity(key, certificate)


@cache
def curve_identity(name: str, curve: str = "SECP256R1") -> Identity:
    """A key of an elliptic curve and its certificate, which holds at NOW."""
    key = ec.generate_private_key({"SECP256R1": ec.SECP256R1(), "SECP384R1": ec.SECP384R1(), "SECP521R1": ec.SECP521R1()}[curve])
    return as2.read_identity(pem_of(key), certificate_for(key.public_key(), name, key))


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def certificate_for(public: CertificatePublicKeyTypes, name: str, by: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A certificate for any public key, however odd."""
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(title).issuer_name(title).public_key(public).serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    made = builder.not_valid_before(NOW - timedelta(days=10)).not_valid_after(NOW + timedelta(days=355)).sign(by, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


BUYER = identity("buyer")
SELLER = identity("seller")
STRANGER = identity("stranger")


def pinned(identity: Identity) -> as2.Pinned:
    """What others know of somebody."""
    return as2.Pinned(identity.certificate)


def ours(**changes: object) -> As2Relation:
    """The relation as the seller, us, has it."""
    plain = As2Relation(us="SELLER", partner="big buyer", identities=(SELLER,), verification=(pinned(BUYER),), encryption=(pinned(BUYER),))
    return replace(plain, **changes)  # type: ignore[arg-type]


def theirs(**changes: object) -> As2Relation:
    """The same relation as the buyer has it."""
    plain = As2Relation(us="big buyer", partner="SELLER", identities=(BUYER,), verification=(pinned(SELLER),), encryption=(pinned(SELLER),))
    return replace(plain, **changes)  # type: ignore[arg-type]


def request(payload: bytes = b"ISA*00*~", relation: As2Relation | None = None, message_id: str = "1@buyer", **more: str) -> as2.As2Request:
    """A message from the buyer."""
    made = as2.wrap(payload, relation or theirs(), message_id, NOW, **more)
    assert isinstance(made, as2.As2Request), made
    return made


def opened(headers: as2.values.Headers, body: bytes, relation: As2Relation | None = None) -> as2.Unwrapped:
    """What we make of it."""
    known = relation or ours()
    return as2.unwrap(headers, body, lambda sender, receiver: known if (sender, receiver) == (known.partner, known.us) else None, NOW)


def codes(problems: tuple[object, ...]) -> list[str]:
    """The problems' codes."""
    return [problem.code for problem in problems]  # type: ignore[attr-defined]
