"""Accounts at others' servers, by name: where it is, who we are there, and a digest of what we log in with and whom we expect. Other credentials
are another account, so what was mended here is tried at once. The digest is slow to make from a guessed password."""

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote
from urllib.parse import urlsplit

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.pipeline.mail_server import smtp_settings
from gateway.transport.readiness import Rules
from gateway.transport.sftp_settings import SftpSettings

#: what makes guessing a password from its digest slow
_COST = 2**12


def account_of(installation: Installation, endpoint: Endpoint) -> str | None:
    """The account that an endpoint's files or mails are fetched with; None where there is no login. Raises ConfigTrouble."""
    if endpoint.sftp is not None:
        settings = sftp_settings(installation, endpoint)
        secrets = (settings.key, settings.key_password, settings.password, tuple(sorted(settings.host_keys)), settings.sha1)
        return _named(f"sftp:{settings.user}@{settings.host}:{settings.port}", repr(secrets))
    if endpoint.mailbox is not None and endpoint.password is not None:
        url = urlsplit(endpoint.mailbox)
        password = installation.secret(endpoint.password)
        return _named(f"{url.scheme}:{endpoint.user}@{url.hostname}:{url.port}", repr((password, _authorities(installation, endpoint.authorities))))
    return None


def mail_account(installation: Installation) -> str | None:
    """The account at our own mail server; None where it asks for no login. Raises ConfigTrouble."""
    settings = smtp_settings(installation)
    mail = installation.settings.mail
    if settings.user is None or mail is None:
        return None
    secrets = (settings.password, _authorities(installation, mail.authorities))
    return _named(f"smtp:{settings.user}@{settings.host}:{settings.port}", repr(secrets))


def sftp_settings(installation: Installation, endpoint: Endpoint) -> SftpSettings:
    """Where an SFTP endpoint is and how we log in there, with its secrets read; raises ConfigTrouble."""
    assert endpoint.sftp is not None
    url = urlsplit(endpoint.sftp)
    # an endpoint without them is not loaded
    assert url.hostname is not None and endpoint.login is not None
    return SftpSettings(
        host=url.hostname,
        port=url.port or 22,
        user=endpoint.login,
        key=installation.secret_bytes(endpoint.key) if endpoint.key else None,
        key_password=installation.secret(endpoint.passphrase) if endpoint.passphrase else None,
        key_name=f"the private key (key: {endpoint.key})",
        passphrase_name=f"its passphrase (passphrase: {endpoint.passphrase})" if endpoint.passphrase else "its passphrase",
        password=installation.secret(endpoint.password) if endpoint.password else None,
        host_keys=endpoint.host_keys,
        folder=unquote(url.path) or ".",
        send_to=endpoint.send_to,
        archive_to=endpoint.archive_to,
        rules=rules_of(endpoint),
        connections=endpoint.connections,
        sha1="ssh-rsa" in endpoint.legacy,
    )


def rules_of(endpoint: Endpoint) -> Rules:
    """Which files of an endpoint are taken, and when."""
    return Rules(
        settle_seconds=endpoint.settle,
        ignore=endpoint.ignore,
        only=endpoint.only,
        marker=endpoint.marker,
        checksum=endpoint.ready == "checksum_file",
        skip_empty=endpoint.empty == "ignore",
    )


def _authorities(installation: Installation, name: str | None) -> bytes:
    """Whom we believe about the server: another file may make it trusted."""
    if name is None:
        return b""
    path: Path = installation.path(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigTrouble(f"The authorities in {name} cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=256)
def _named(where: str, secrets: str) -> str:
    return f"{where} {hashlib.scrypt(secrets.encode('utf-8', 'surrogatepass'), salt=where.encode(), n=_COST, r=8, p=1, dklen=12).hex()}"
