"""Endpoints of partners as boxes of the transport room: paths made absolute, secrets read, one box a thread and endpoint."""

import hashlib
import threading
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote
from urllib.parse import urlsplit

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.store import crash
from gateway.transport.box import Box
from gateway.transport.folder import FolderBox
from gateway.transport.readiness import Rules
from gateway.transport.sftp_settings import SftpSettings

if TYPE_CHECKING:
    from gateway.transport.sftp_pool import SftpPool

_LOCAL = threading.local()
_POOLS: "dict[str, SftpPool]" = {}
_GUARD = threading.Lock()
#: what makes guessing a password from its digest slow
_COST = 2**12


@dataclass(frozen=True, slots=True)
class _Made:
    """A thread's box, of the installation of that number, and the account that it logs in to."""

    number: int
    box: Box
    account: str | None


def box_of(installation: Installation, endpoint: Endpoint) -> Box:
    """This thread's box for a folder or SFTP endpoint; raises ConfigTrouble where it cannot be made. After a change of the endpoint, or of
    a key that it names, it is a new one."""
    return box_and_account(installation, endpoint)[0]


def box_and_account(installation: Installation, endpoint: Endpoint) -> tuple[Box, str | None]:
    """The same with the account that the box logs in to."""
    boxes: dict[tuple[str, str], _Made] = _LOCAL.__dict__.setdefault("boxes", {})
    key = (str(installation.file), installation.mark_of(endpoint))
    if key not in boxes:
        # what was not asked for since the files were read anew belongs to what they said before
        for old in [one for one, made in boxes.items() if one[0] == key[0] and made.number < installation.number]:
            boxes.pop(old).box.close()
        boxes[key] = _Made(installation.number, make_box(installation, endpoint), account_of(installation, endpoint))
    elif boxes[key].number != installation.number:
        boxes[key] = replace(boxes[key], number=installation.number)
    return boxes[key].box, boxes[key].account


def account_of(installation: Installation, endpoint: Endpoint) -> str | None:
    """User, server, and a digest of what we log in with and whom we expect; None where there is no login. Slow to make from a guessed
    password, and other credentials are another account."""
    if endpoint.sftp is None:
        return None
    settings = sftp_settings(installation, endpoint)
    secret = repr((settings.key, settings.key_password, settings.password, sorted(settings.host_keys), settings.sha1)).encode()
    where = f"sftp:{settings.user}@{settings.host}:{settings.port}"
    return f"{where} {hashlib.scrypt(secret, salt=where.encode(), n=_COST, r=8, p=1, dklen=12).hex()}"


def make_box(installation: Installation, endpoint: Endpoint) -> Box:
    """A fresh box for a folder or SFTP endpoint."""
    if endpoint.folder is not None:
        send_to = installation.path(endpoint.send_to) if endpoint.send_to else None
        return FolderBox(
            installation.path(endpoint.folder),
            send_to,
            rules=_rules(endpoint),
            archive_to=installation.path(endpoint.archive_to) if endpoint.archive_to else None,
            create_send_to=True,
            passing=crash.point,
        )
    if endpoint.sftp is not None:
        from gateway.transport.sftp import SftpBox

        return SftpBox(sftp_settings(installation, endpoint), pool=_pool_of(installation, endpoint), passing=crash.point)
    raise ConfigTrouble(f"An endpoint over {endpoint.transport} is no mailbox")


def _pool_of(installation: Installation, endpoint: Endpoint) -> "SftpPool":
    """The connections of an account, which all threads of this process share; those of accounts that nobody needs any more are closed."""
    from gateway.transport.sftp_pool import SftpPool

    account = f"{account_of(installation, endpoint)} {endpoint.connections}"
    with _GUARD:
        if account not in _POOLS:
            _POOLS[account] = SftpPool(sftp_settings(installation, endpoint))
        return _POOLS[account]


def hang_up_idle() -> None:
    """Close the connections that nobody needed for a while."""
    with _GUARD:
        pools = list(_POOLS.values())
    for pool in pools:
        pool.tidy()


def _rules(endpoint: Endpoint) -> Rules:
    return Rules(
        settle_seconds=endpoint.settle,
        ignore=endpoint.ignore,
        only=endpoint.only,
        marker=endpoint.marker,
        checksum=endpoint.ready == "checksum_file",
        skip_empty=endpoint.empty == "ignore",
    )


def sftp_settings(installation: Installation, endpoint: Endpoint) -> SftpSettings:
    """Where an SFTP endpoint is and how we log in there, with its secrets read; raises ConfigTrouble."""
    assert endpoint.sftp is not None
    url = urlsplit(endpoint.sftp)
    if url.scheme != "sftp" or not url.hostname:
        raise ConfigTrouble(f"'{endpoint.sftp}' is no SFTP address: write sftp://host:port/folder")
    user = endpoint.user or url.username
    if not user:
        raise ConfigTrouble(f"The SFTP endpoint {endpoint.sftp} names no user")
    return SftpSettings(
        host=url.hostname,
        port=url.port or 22,
        user=user,
        key=installation.secret_bytes(endpoint.key) if endpoint.key else None,
        key_password=installation.secret(endpoint.passphrase) if endpoint.passphrase else None,
        password=installation.secret(endpoint.password) if endpoint.password else None,
        host_keys=endpoint.host_keys,
        folder=unquote(url.path) or ".",
        send_to=endpoint.send_to,
        archive_to=endpoint.archive_to,
        rules=_rules(endpoint),
        connections=endpoint.connections,
        sha1="ssh-rsa" in endpoint.legacy,
    )
