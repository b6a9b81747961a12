"""An endpoint: an address at a transport and the names of its credentials. Each transport's keys stand in a module of their own."""

import posixpath
from urllib.parse import urlsplit

import pydantic

from gateway.exchange.endpoint_as2 import As2Keys
from gateway.exchange.endpoint_https import RECEIVE
from gateway.exchange.endpoint_https import HttpsKeys
from gateway.exchange.endpoint_mail import SEND
from gateway.exchange.endpoint_mail import MailKeys
from gateway.exchange.endpoint_mailbox import MailboxKeys
from gateway.exchange.endpoint_sftp import SftpKeys
from gateway.exchange.keys import mail_address
from gateway.exchange.keys import place_of

#: the keys that name an address: an endpoint has exactly one of them
TRANSPORTS = ("folder", "sftp", "as2", "https", "mail")


class Endpoint(MailboxKeys, SftpKeys, As2Keys, HttpsKeys, MailKeys):
    """An address at a transport and the names of its credentials."""

    folder: str | None = None

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
        if self.sftp is not None and self.login is None:
            raise ValueError("an SFTP endpoint says who we are there: user: seller")
        self._check_https()
        self._check_mail()
        return self

    def _check_https(self) -> None:
        if self.https == RECEIVE and not self.api_keys:
            raise ValueError("https: receive needs the keys with which the partner comes: api_keys: [env:ACME_KEY]")
        if self.https is not None and self.bearer is not None and self.password is not None:
            raise ValueError("bearer: goes without user: and password:")

    def _check_mail(self) -> None:
        if self.mail is None:
            return
        if self.mail != SEND and not (self.from_ and self.user and self.password):
            raise ValueError("a mailbox needs user:, password: and from:, the addresses that this partner's mail comes from")
        if self.send_to is not None:
            for text in self.send_to.split(","):
                mail_address(text.strip())

    @property
    def _taken_from(self) -> str | None:
        return urlsplit(self.sftp).path if self.sftp is not None else self.folder

    @property
    def transport(self) -> str:
        return next(name for name in TRANSPORTS if getattr(self, name) is not None)

    @property
    def address(self) -> str:
        """What two endpoints share when several partners use one (a VAN): transport, address and receiving identity. Who sends is told apart
        by AS2 name, by the account of its key, by its mail address."""
        if self.transport == "as2":
            # two stations may call themselves the same: they are told apart by our names, and each has its own certificates
            return f"as2:{self.name}" + (f" to {self.our_name}" if self.our_name else "")
        if self.transport == "https" and self.account is not None:
            return f"https:{self.account}"
        if self.transport == "mail":
            return f"mail:{(*self.from_, self.send_to)[0] or ''}"
        if self.sftp is not None:
            # a server may show each of its users another folder by the same name
            return f"sftp:{place_of(self.sftp, 22, self.login)}"
        if self.folder is not None:
            return f"folder:{posixpath.normpath(self.folder)}"
        return f"{self.transport}:{getattr(self, self.transport).rstrip('/')}"

    def serves(self, address: str) -> bool:
        """Whether what came by this address came by this endpoint."""
        if self.transport == "mail" and address.startswith("mail:"):
            return address == self.address or self.knows_sender(address.removeprefix("mail:"))
        return self.address == address
