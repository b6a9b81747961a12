"""Endpoints of partners as boxes of the transport room: paths made absolute, secrets read, one box a thread and endpoint."""

import threading
from urllib.parse import unquote
from urllib.parse import urlsplit

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.store import crash
from gateway.transport.box import Box
from gateway.transport.folder import FolderBox
from gateway.transport.readiness import Rules

_LOCAL = threading.local()


def box_of(installation: Installation, endpoint: Endpoint) -> Box:
    """This thread's box for a folder or SFTP endpoint; raises ConfigTrouble where it cannot be made. After a change of the endpoint, or of
    a key that it names, it is a new one."""
    boxes: dict[tuple[str, str], tuple[int, Box]] = _LOCAL.__dict__.setdefault("boxes", {})
    key = (str(installation.file), installation.mark_of(endpoint))
    if key not in boxes:
        # what was not asked for since the files were read anew belongs to what they said before
        for old in [one for one, (number, _) in boxes.items() if one[0] == key[0] and number < installation.number]:
            boxes.pop(old)[1].close()
        boxes[key] = (installation.number, make_box(installation, endpoint))
    elif boxes[key][0] != installation.number:
        boxes[key] = (installation.number, boxes[key][1])
    return boxes[key][1]


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
        return _sftp_box(installation, endpoint)
    raise ConfigTrouble(f"An endpoint over {endpoint.transport} is no mailbox")


def _rules(endpoint: Endpoint) -> Rules:
    return Rules(
        settle_seconds=endpoint.settle,
        ignore=endpoint.ignore,
        only=endpoint.only,
        marker=endpoint.marker,
        checksum=endpoint.ready == "checksum_file",
        skip_empty=endpoint.empty == "ignore",
    )


def _sftp_box(installation: Installation, endpoint: Endpoint) -> Box:
    from gateway.transport.sftp import SftpBox
    from gateway.transport.ssh import SftpSettings

    assert endpoint.sftp is not None
    url = urlsplit(endpoint.sftp)
    if url.scheme != "sftp" or not url.hostname:
        raise ConfigTrouble(f"'{endpoint.sftp}' is no SFTP address: write sftp://host:port/folder")
    user = endpoint.user or url.username
    if not user:
        raise ConfigTrouble(f"The SFTP endpoint {endpoint.sftp} names no user")
    return SftpBox(
        SftpSettings(
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
        ),
        passing=crash.point,
    )
