"""Keys and certificates: reading them, telling which may be used on a day, making new ones.

A partner is trusted by its very certificate (pinned), not by who issued it. Several may be pinned for a change of key; each
counts within its own dates and those that it was given here. What arrives may use any of them; for what we send the one counts
whose `since` has come last. Private keys are never shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from gateway.exchange.cms.certificates import facts_of

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Pinned:
    """A certificate that somebody is trusted by, and between which moments, where those are narrower than its own."""

    certificate: x509.Certificate
    #: We begin to use it for what we send; what arrives may use it before.
    since: datetime | None = None
    #: It is no longer used at all.
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether what arrives at this moment may use it."""
        return is_valid(self.certificate, at) and (self.until is None or at < self.until)

    @property
    def ends(self) -> datetime:
        """When it can no longer be used."""
        own = facts_of(self.certificate).last
        return own if self.until is None else min(own, self.until)

    @property
    def days(self) -> str:
        """The days between which it may be used, for people."""
        return f"{facts_of(self.certificate).first.date().isoformat()} to {self.ends.date().isoformat()}"


@dataclass(frozen=True, slots=True)
class Identity(Pinned):
    """A private key of ours and the certificate that others know it by."""

    key: PrivateKey = field(repr=False, kw_only=True)
    signs: bool = field(default=True, kw_only=True)
    decrypts: bool = field(default=True, kw_only=True)


Held = TypeVar("Held", bound=Pinned)


def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate in PEM or DER; ValueError where it is neither, or its key is none that we use."""
    certificate = x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
    facts_of(certificate)
    return certificate


def read_identity(key: bytes, certificate: bytes, password: str | None = None) -> Identity:
    """A private key (PEM) and its certificate; ValueError where they cannot be read or do not belong together."""
    try:
        private = serialization.load_pem_private_key(key, password.encode() if password is not None else None)
    except TypeError as error:  # a password is missing, or given for a key that has none
        raise ValueError(str(error)) from error
    if not isinstance(private, PrivateKey):
        raise ValueError("the private key is neither an RSA key nor one of an elliptic curve")
    public = read_certificate(certificate)
    if public.public_key() != private.public_key():
        raise ValueError("the private key is not the certificate's")
    return Identity(public, key=private)


def make_key_and_certificate(common_name: str, days: int, at: datetime) -> tuple[bytes, bytes]:
    """A new RSA key and its self-signed certificate, both as PEM, for the demo and tests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """How we name a certificate: `SHA256:` and hexadecimal digits."""
    return facts_of(certificate).fingerprint


def title(certificate: x509.Certificate) -> str:
    """A certificate in a sentence for people."""
    return facts_of(certificate).title


def is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether `at` lies within the certificate's dates."""
    facts = facts_of(certificate)
    return facts.first <= at <= facts.last


def usable(held: Iterable[Held], at: datetime, *, short_keys: bool = False) -> list[Held]:
    """Those that may be used for what we send at this moment: the one whose `since` came last first, otherwise in the order given."""
    begun = [one for one in held if one.holds(at) and (one.since is None or one.since <= at) and (short_keys or facts_of(one.certificate).strong)]
    return sorted(begun, key=lambda one: one.since.timestamp() if one.since is not None else float("-inf"), reverse=True)
