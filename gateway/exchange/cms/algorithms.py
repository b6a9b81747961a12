"""Which algorithms we know by which names, and which of them are old (read for a listed partner, never written)."""

import enum
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import hashes

from gateway.exchange.cms.span import Buffer


class _Machine(Protocol):
    """What hashlib makes."""

    def update(self, data: Buffer, /) -> None: ...

    def digest(self) -> bytes: ...


_MACHINES: dict[str, Callable[[], _Machine]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "sha1": functools.partial(hashlib.sha1, usedforsecurity=False),
}


class Old(enum.Flag):
    """What a partner is allowed although it is old. We never write any of it."""

    NOTHING = 0
    SHA1 = enum.auto()
    TRIPLEDES = enum.auto()
    #: RSA keys of less than 2048 bits
    SHORT_KEYS = enum.auto()
    EVERYTHING = SHA1 | TRIPLEDES | SHORT_KEYS


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest by its names: ours (also Python's), the object identifier's DER, the word in headers."""

    name: str
    identifier: bytes
    word: str
    algorithm: hashes.HashAlgorithm
    #: The object identifier's DER of ECDSA with this digest.
    ecdsa: bytes = b""
    old: bool = False

    def of(self, *pieces: Buffer) -> bytes:
        """The digest of pieces that follow each other."""
        machine = _MACHINES[self.name]()
        for piece in pieces:
            machine.update(piece)
        return machine.digest()


@dataclass(frozen=True, slots=True)
class Cipher:
    """A content cipher: its name, its object identifier's DER, its key's length in bytes."""

    name: str
    identifier: bytes
    key_bytes: int
    authenticated: bool = False
    old: bool = False


DIGESTS = {
    digest.name: digest
    for digest in (
        Digest("sha256", bytes.fromhex("0609608648016503040201"), "sha-256", hashes.SHA256(), bytes.fromhex("06082a8648ce3d040302")),
        Digest("sha384", bytes.fromhex("0609608648016503040202"), "sha-384", hashes.SHA384(), bytes.fromhex("06082a8648ce3d040303")),
        Digest("sha512", bytes.fromhex("0609608648016503040203"), "sha-512", hashes.SHA512(), bytes.fromhex("06082a8648ce3d040304")),
        Digest("sha1", bytes.fromhex("06052b0e03021a"), "sha1", hashes.SHA1(), old=True),  # noqa: S303  # read for listed partners only
    )
}

CIPHERS = {
    cipher.name: cipher
    for cipher in (
        Cipher("aes128_cbc", bytes.fromhex("0609608648016503040102"), 16),
        Cipher("aes192_cbc", bytes.fromhex("0609608648016503040116"), 24),
        Cipher("aes256_cbc", bytes.fromhex("060960864801650304012a"), 32),
        Cipher("aes128_gcm", bytes.fromhex("0609608648016503040106"), 16, authenticated=True),
        Cipher("aes192_gcm", bytes.fromhex("060960864801650304011a"), 24, authenticated=True),
        Cipher("aes256_gcm", bytes.fromhex("060960864801650304012e"), 32, authenticated=True),
        Cipher("tripledes_3key", bytes.fromhex("06082a864886f70d0307"), 24, old=True),
    )
}


DIGESTS_BY_IDENTIFIER = {digest.identifier[2:]: digest for digest in DIGESTS.values()}
CIPHERS_BY_IDENTIFIER = {cipher.identifier[2:]: cipher for cipher in CIPHERS.values()}

#: Signature algorithms by object identifier: the kind, and the digest that it names (None where the signer's digest counts).
SIGNATURES: dict[bytes, tuple[str, str | None]] = {
    bytes.fromhex(identifier): (kind, digest)
    for identifier, kind, digest in (
        ("2a864886f70d010101", "pkcs1", None),
        ("2a864886f70d010105", "pkcs1", "sha1"),
        ("2a864886f70d01010b", "pkcs1", "sha256"),
        ("2a864886f70d01010c", "pkcs1", "sha384"),
        ("2a864886f70d01010d", "pkcs1", "sha512"),
        ("2a864886f70d01010a", "pss", None),
        ("2a8648ce3d0201", "ecdsa", None),  # the key's identifier, which some stations write here
        ("2a8648ce3d0401", "ecdsa", "sha1"),
        ("2a8648ce3d040302", "ecdsa", "sha256"),
        ("2a8648ce3d040303", "ecdsa", "sha384"),
        ("2a8648ce3d040304", "ecdsa", "sha512"),
    )
}


def digest_named(word: str) -> Digest | None:
    """The digest that a header means: `SHA-256`, `sha256`, `rsa-sha256` are one."""
    return DIGESTS.get(word.strip().strip('"').lower().removeprefix("rsa-").replace("-", "").replace("_", ""))
