"""Keys of an endpoint by mail: the mailbox that we look into, whose mail in it is this partner's, and where ours goes."""

import re
from urllib.parse import unquote
from urllib.parse import urlsplit

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Texts
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import listed
from gateway.exchange.keys import mail_address

#: instead of a mailbox: mail only leaves
SEND = "send"
_DOMAIN = re.compile(r"\*@[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?\Z")


class MailKeys(Keys):
    """A mailbox and the senders that we know in it. Several partners may share one mailbox: they are told apart by their addresses."""

    #: `imaps://host/FOLDER`, `imap://host/FOLDER` with STARTTLS, or `send`
    mail: str | None = None
    #: addresses that this partner's mail comes from: orders@acme.example, or *@acme.example
    from_: Texts = pydantic.Field(default=(), alias="from")
    #: names of mail servers of ours whose word about the sender is believed, and asked for (RFC 8601)
    require_authentication_results: Texts = ()

    _mail_listed = pydantic.field_validator("from_", "require_authentication_results", mode="before")(listed)

    @pydantic.field_validator("mail")
    @classmethod
    def _is_mailbox(cls, value: str | None) -> str | None:
        if value is None or value == SEND:
            return value
        otherwise = f"is no mailbox: write imaps://imap.example/INBOX, or {SEND} where mail only leaves; user: is a key of its own"
        if address_parts(value, ("imap", "imaps"), otherwise).username is not None:
            raise ValueError(f"'{value}' {otherwise}")
        return value

    @pydantic.field_validator("from_")
    @classmethod
    def _are_senders(cls, value: Texts) -> Texts:
        lower = tuple(text.lower() for text in value)
        for text in lower:
            if not _DOMAIN.match(text):
                mail_address(text)
        return lower

    def knows_sender(self, address: str) -> bool:
        """Whether mail from this address is this endpoint's."""
        address = address.lower()
        return address in self.from_ or f"*@{address.rpartition('@')[2]}" in self.from_

    @property
    def mailbox(self) -> str | None:
        """The mailbox that is looked into, the same for all ways to write it; None where mail only leaves."""
        if self.mail is None or self.mail == SEND:
            return None
        parts = urlsplit(self.mail)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or (993 if parts.scheme == 'imaps' else 143)}/{self.mailbox_folder}"

    @property
    def mailbox_folder(self) -> str:
        """The folder in the mailbox that is looked into."""
        return unquote(urlsplit(self.mail or "").path).strip("/") or "INBOX"
