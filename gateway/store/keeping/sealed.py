"""Secret files under a passphrase: AES-256-GCM with a key that scrypt makes of it. The name is bound to the bytes: files cannot be exchanged."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

SALT_BYTES = 16
_NONCE_BYTES = 12
#: 32 MiB and about a tenth of a second a guess
_COST, _BLOCKS, _LANES = 2**15, 8, 1


class WrongPassphrase(Exception):
    """The passphrase does not open this file, or the file was altered."""


class Sealer:
    """Seals and opens files with one passphrase and salt."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        key = Scrypt(salt=salt, length=32, n=_COST, r=_BLOCKS, p=_LANES).derive(passphrase.encode())
        self._cipher = AESGCM(key)

    def seal(self, name: str, data: bytes) -> bytes:
        """The sealed bytes of a file of this name."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """The file's bytes; WrongPassphrase where they cannot be had."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise WrongPassphrase(f"the passphrase does not open {name} of the backup") from None
