"""Which algorithms we know by which names, and which of them are old (read for a listed partner, never written)."""

import enum
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes


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

    def of(self, data: bytes) -> bytes:
        """The digest of `data`."""
        return hashlib.new(self.name, data, usedforsecurity=not self.old).digest()


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


def digest_named(word: str) -> Digest | None:
    """The digest that a header means: `SHA-256`, `sha256`, `rsa-sha256` are one."""
    return DIGESTS.get(word.strip().strip('"').lower().removeprefix("rsa-").replace("-", "").replace("_", ""))
