"""RSA with SHA-1 (`ssh-rsa`), which paramiko no longer knows: for partners whose servers are older than RFC 8332 (2018) and where that was
agreed (`legacy: [ssh-rsa]`). Such a signature can be forged by whoever spends enough; it is offered last, and to nobody else.
"""

from collections.abc import Mapping
from collections.abc import Sequence

import paramiko
from cryptography.hazmat.primitives.hashes import SHA1

OLD_RSA = "ssh-rsa"


class OldRsaKey(paramiko.RSAKey):
    """An RSA key that also signs, and is verified, with SHA-1."""

    HASHES = {**paramiko.RSAKey.HASHES, OLD_RSA: SHA1}  # type: ignore[misc]  # noqa: RUF012  the stubs call it final


class OldTransport(paramiko.Transport):
    """A connection to a server that may be so old."""

    # the stubs do not know what paramiko chooses algorithms by
    _key_info: Mapping[str, type[paramiko.PKey]] = {**paramiko.Transport._key_info, OLD_RSA: OldRsaKey}  # type: ignore[attr-defined]
    _preferred_keys: Sequence[str] = (*paramiko.Transport._preferred_keys, OLD_RSA)  # type: ignore[attr-defined]
    _preferred_pubkeys: Sequence[str] = (*paramiko.Transport._preferred_pubkeys, OLD_RSA)  # type: ignore[attr-defined]

    @property
    def preferred_pubkeys(self) -> Sequence[str]:
        """What our own key signs with: a server that shows its key with SHA-1, or does not say what it takes (RFC 8308), knows nothing else."""
        usual: Sequence[str] = super().preferred_pubkeys
        old = self.host_key_type == OLD_RSA or not self.server_extensions.get("server-sig-algs")  # type: ignore[attr-defined]
        return (OLD_RSA, *usual) if old else usual
