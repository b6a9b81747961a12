"""The installation's own signing key, in a file that only its owner can read. Never logged, never in the database."""

import errno
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.store import crash
from gateway.store.verifying.checkpoints import fingerprint


def load_or_make(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in `path` (data/keys/journal.key); made there, with mode 0600, where there is none.

    OSError names a file that holds no such key, for people.
    """
    if not path.exists():
        wanted = wanted_beside(path)
        if wanted.exists():
            raise FileNotFoundError(
                errno.ENOENT,
                f"the key that signs the journal was not in the backup: put it back here, or remove {wanted.name} to go on with a new one "
                "(checkpoints of before then show as signed by another key)",
                str(path),
            )
        _make(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise OSError(errno.EKEYREJECTED, "this is no private key in PEM form: put the journal's key back from a backup", str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OSError(
            errno.EKEYREJECTED, "this is another kind of key, an Ed25519 key is expected: put the journal's key back from a backup", str(path)
        )
    _is_wanted(path, key)
    return key


def _is_wanted(path: Path, key: Ed25519PrivateKey) -> None:
    """After a restore: the key that was put back is the one that signed, and nothing more is wanted; or it is another one, and that is said."""
    wanted = wanted_beside(path)
    if not wanted.exists():
        return
    if wanted.read_text().strip() != fingerprint(key.public_key()):
        raise OSError(
            errno.EKEYREJECTED,
            f"this is another key than the one that signed the journal: put that one here, or remove {wanted.name} to go on with this one "
            "(checkpoints of before then show as signed by another key)",
            str(path),
        )
    wanted.unlink(missing_ok=True)


def wanted_beside(path: Path) -> Path:
    """A file beside a key's place that says: no new key is made here, the old one is to be put back."""
    return path.with_name(f"{path.name}.wanted")


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        crash.point(143)
        try:
            os.link(temporary, path)  # fails where another process was quicker: its key is the one
        except FileExistsError:
            return
        crash.point(144)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)
