"""What tells a key or certificate from another one, and says nothing more: of a certificate its SHA-256, of a private key that of its public
half, of a key that is encrypted that of the encrypted bytes. Of a password or token it is only said that it is there."""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat

from gateway.config import Installation
from gateway.config.installation import state_of
from gateway.config.settings import Web

SHOWN = 12
THERE = "there"
_PRIVATE = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?-----END [A-Z0-9 ]*PRIVATE KEY-----", re.DOTALL)
_SHOWN_AS = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
_OPENSSH = b"openssh-key-v1\0"
#: no key or list of authorities is larger
_LARGEST = 4 << 20


class Fingerprints:
    """Those of every file and variable that an installation names; files are read anew when they change."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[str, str | None]] = {}

    def of(self, installation: Installation) -> dict[str, str]:
        """By the name of the file, relative to config.yaml where it lies under it, or `env:NAME`; what is not there is not among them."""
        # how this machine reaches the database, and its pages, are its own
        settings = installation.settings.model_copy(update={"database": None, "web": Web()})
        found: dict[str, str | None] = {}
        for keys in (settings, *(loaded.partner for loaded in installation.directory.partners.values())):
            for path in installation.files_of(keys):
                name = path.relative_to(installation.folder) if path.is_relative_to(installation.folder) else path
                found[name.as_posix()] = self._of_file(path)
            for variable in installation.variables_of(keys):
                value = os.environ.get(variable)
                found[f"env:{variable}"] = fingerprint_of(value.encode()) if value is not None else None
        return {name: said for name, said in found.items() if said is not None}

    def _of_file(self, path: Path) -> str | None:
        state = state_of(path)
        known = self._known.get(path)
        if known is None or known[0] != state:
            try:
                with path.open("rb") as file:
                    said: str | None = fingerprint_of(file.read(_LARGEST))
            except OSError:
                said = None
            known = self._known[path] = (state, said)
        return known[1]


def fingerprint_of(data: bytes) -> str:
    """What may be shown of the bytes that a key or certificate is named for."""
    return " and ".join(_fingerprints(data)) or THERE


def _fingerprints(data: bytes) -> Iterator[str]:
    certificates = _certificates(data)
    if len(certificates) == 1:
        yield f"certificate {_digest(certificates[0])}"
    elif certificates:
        yield f"{len(certificates)} certificates {_digest(b''.join(sorted(certificates)))}"
    for key in _PRIVATE.finditer(data):
        yield f"key {_of_private_key(key.group())}"


def _certificates(data: bytes) -> list[bytes]:
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(data)]
        return [x509.load_der_x509_certificate(data).public_bytes(Encoding.DER)]
    except ValueError:
        return []


def _of_private_key(data: bytes) -> str:
    try:
        if b"BEGIN OPENSSH PRIVATE KEY" in data:
            public = serialization.load_ssh_public_key(_public_half(data)).public_bytes(*_SHOWN_AS)
        else:
            public = serialization.load_pem_private_key(data, None).public_key().public_bytes(*_SHOWN_AS)
    except TypeError:  # it needs its password
        return f"encrypted {_digest(data)}"
    except (ValueError, UnsupportedAlgorithm):
        return "unreadable"
    return _digest(public)


def _public_half(data: bytes) -> bytes:
    """Of a private key in OpenSSH's form, which has it in the clear, encrypted or not: as a line of authorized_keys."""
    raw = base64.b64decode(b"".join(data.split(b"-----")[2].split()))
    if not raw.startswith(_OPENSSH):
        raise ValueError
    at = len(_OPENSSH)
    for _ in range(3):  # cipher, derivation, its options
        at += 4 + int.from_bytes(raw[at : at + 4], "big")
    at += 4  # how many keys
    length = int.from_bytes(raw[at : at + 4], "big")
    blob = raw[at + 4 : at + 4 + length]
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    return kind + b" " + base64.b64encode(blob)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:SHOWN]
