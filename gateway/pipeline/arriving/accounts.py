"""API keys of partners as accounts: which account a request belongs to, told in constant time, the keys themselves forgotten at once.

A key is a secret of at least 24 characters; only its SHA-256 is kept, and compared. An account may have several keys (one is
changed by adding the next), a key has one account. A key that cannot be read shuts out nobody but its holder.
"""

import hashlib
import hmac
from dataclasses import dataclass
from dataclasses import field

from gateway.config import ConfigTrouble
from gateway.config import Installation

SHORTEST_KEY = 24
LONGEST_KEY = 4096
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a key stands for. `address` is that of its endpoints: who may send what over it follows from the agreements."""

    name: str
    #: most bytes of one push
    largest: int

    @property
    def address(self) -> str:
        return f"https:{self.name}"

    @property
    def actor(self) -> str:
        return f"https:{self.name}"


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts with the digests of their keys."""

    keys: tuple[tuple[bytes, Account], ...] = ()
    #: account -> what is wrong with a key of it
    faults: dict[str, str] = field(default_factory=dict)

    def of(self, authorization: str | None) -> Account | None:
        """The account of an `Authorization: Bearer KEY` header, None where there is none. Every key is compared, whether one fitted or not."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key or len(key) > LONGEST_KEY:
            return None
        digest = _digest(key.strip())
        found = None
        for known, account in self.keys:
            if hmac.compare_digest(known, digest):
                found = account
        return found


def load_accounts(installation: Installation) -> Accounts:
    """The accounts of all HTTPS endpoints that have keys."""
    largest: dict[str, int] = {}
    named: dict[str, set[str]] = {}
    for loaded in installation.directory.partners.values():
        for endpoint in loaded.partner.endpoints.values():
            if endpoint.https is not None and endpoint.account is not None and endpoint.api_keys:
                largest[endpoint.account] = max(largest.get(endpoint.account, 0), endpoint.largest * _MEGABYTE)
                named.setdefault(endpoint.account, set()).update(endpoint.api_keys)
    found: dict[bytes, set[str]] = {}
    faults: dict[str, str] = {}
    for name, secrets in sorted(named.items()):
        for secret in sorted(secrets):
            try:
                key = installation.secret(secret).strip()
            except (ConfigTrouble, UnicodeDecodeError) as error:
                faults[name] = str(error) if isinstance(error, ConfigTrouble) else f"{secret} is no text"
                continue
            if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
                faults[name] = f"The key that {secret} names has {len(key)} characters: at least {SHORTEST_KEY} are needed"
            else:
                found.setdefault(_digest(key), set()).add(name)
    keys = []
    for digest, names in found.items():
        if len(names) == 1:
            [name] = names
            keys.append((digest, Account(name, largest[name])))
        for name in names if len(names) > 1 else ():
            # nobody knows whose it is: it is good for nobody
            faults[name] = f"A key of {name} is the key of {' and '.join(sorted(names - {name}))} as well"
    return Accounts(tuple(keys), faults)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
