"""Endpoints of partners as boxes of the transport room: paths made absolute, one box a thread and endpoint."""

import threading
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.pipeline.outbox.logins import account_of
from gateway.pipeline.outbox.logins import rules_of
from gateway.pipeline.outbox.logins import sftp_settings
from gateway.pipeline.permits import Permits
from gateway.pipeline.permits import Places
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.transport.box import Box
from gateway.transport.folder import FolderBox

if TYPE_CHECKING:
    from gateway.transport.sftp_pool import SftpPool

_LOCAL = threading.local()
_POOLS: "dict[tuple[str, Places | None], SftpPool]" = {}
_GUARD = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Made:
    """A thread's box, of the installation of that number, and the account that it logs in to."""

    number: int
    box: Box
    account: str | None


def box_and_account(station: Station, endpoint: Endpoint) -> tuple[Box, str | None]:
    """This thread's box for a folder or SFTP endpoint, and the account that it logs in to; raises ConfigTrouble where it cannot be made. After
    a change of the endpoint, or of a key that it names, it is a new one."""
    installation = station.installation
    boxes: dict[tuple[str, str], _Made] = _LOCAL.__dict__.setdefault("boxes", {})
    key = (str(installation.file), installation.mark_of(endpoint))
    if key not in boxes:
        # what was not asked for since the files were read anew belongs to what they said before
        for old in [one for one, made in boxes.items() if one[0] == key[0] and made.number < installation.number]:
            boxes.pop(old).box.close()
        boxes[key] = _Made(installation.number, make_box(installation, endpoint, station.permits), account_of(installation, endpoint))
    elif boxes[key].number != installation.number:
        boxes[key] = replace(boxes[key], number=installation.number)
    return boxes[key].box, boxes[key].account


def make_box(installation: Installation, endpoint: Endpoint, permits: Permits | None = None) -> Box:
    """A fresh box for a folder or SFTP endpoint. `permits`: what its connections need where other processes share them."""
    if endpoint.folder is not None:
        send_to = installation.path(endpoint.send_to) if endpoint.send_to else None
        return FolderBox(
            installation.path(endpoint.folder),
            send_to,
            rules=rules_of(endpoint),
            archive_to=installation.path(endpoint.archive_to) if endpoint.archive_to else None,
            create_send_to=True,
            passing=crash.point,
        )
    if endpoint.sftp is not None:
        from gateway.transport.sftp import SftpBox

        return SftpBox(sftp_settings(installation, endpoint), pool=_pool_of(installation, endpoint, permits), passing=crash.point)
    raise ConfigTrouble(f"An endpoint over {endpoint.transport} is no mailbox")


def _pool_of(installation: Installation, endpoint: Endpoint, permits: Permits | None) -> "SftpPool":
    """The connections of an account, which all threads of this process and all endpoints with it share; those that nobody needs any more are
    closed."""
    from gateway.transport.sftp_pool import SftpPool

    agreed = _agreed_connections(installation, endpoint)
    # other credentials are another pool, and count to the same connections
    places = permits.of(endpoint.account_at_server or "", agreed) if permits is not None else None
    key = (f"{account_of(installation, endpoint)} {agreed}", places)
    with _GUARD:
        if key not in _POOLS:
            _POOLS[key] = SftpPool(replace(sftp_settings(installation, endpoint), connections=agreed), places)
        return _POOLS[key]


def _agreed_connections(installation: Installation, endpoint: Endpoint) -> int:
    """The most that an endpoint with this login says: two folders of one account are not twice as many connections."""
    others = [one for loaded in installation.directory.partners.values() for one in loaded.partner.endpoints.values()]
    return max(endpoint.connections, *(one.connections for one in others if one.account_at_server == endpoint.account_at_server), 1)


def hang_up_idle() -> None:
    """Close the connections that nobody needed for a while."""
    with _GUARD:
        pools = list(_POOLS.values())
    for pool in pools:
        pool.tidy()
