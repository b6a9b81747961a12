"""An endpoint: an address at a transport and the names of its credentials. Each transport's keys stand in a module of their own."""

from urllib.parse import urlsplit

import pydantic

from gateway.exchange.endpoint_as2 import As2Keys
from gateway.exchange.endpoint_mailbox import MailboxKeys
from gateway.exchange.endpoint_sftp import SftpKeys

#: the keys that name an address: an endpoint has exactly one of them
TRANSPORTS = ("folder", "sftp", "as2", "https")


class Endpoint(MailboxKeys, SftpKeys, As2Keys):
    """An address at a transport and the names of its credentials."""

    folder: str | None = None
    https: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_transport(self) -> "Endpoint":
        transports = [name for name in TRANSPORTS if getattr(self, name) is not None]
        if len(transports) != 1:
            raise ValueError(f"an endpoint has exactly one of {', '.join(TRANSPORTS)}")
        if self.send_to is not None and self.folder is not None and self.send_to.rstrip("/") == self.folder.rstrip("/"):
            raise ValueError("send_to: is the folder that we take from: what we send would be taken as sent by the partner")
        if self.archive_to is not None and self.archive_to.rstrip("/") in {(self._taken_from or "").rstrip("/"), (self.send_to or "").rstrip("/")}:
            raise ValueError("archive_to: is a folder that we take from or send to: name another one")
        if self.sftp is not None and not self.host_keys:
            raise ValueError('an SFTP endpoint pins its host keys: host_keys: ["SHA256:..."]')
        return self

    @property
    def _taken_from(self) -> str | None:
        return urlsplit(self.sftp).path if self.sftp is not None else self.folder

    @property
    def transport(self) -> str:
        return next(name for name in TRANSPORTS if getattr(self, name) is not None)

    @property
    def address(self) -> str:
        """What two endpoints share when several partners use one (a VAN): transport, address and receiving identity."""
        value = getattr(self, self.transport)
        return f"as2:{self.name}" if self.transport == "as2" else f"{self.transport}:{value.rstrip('/')}"
