"""Keys of config.yaml about webhooks: who is told about which events."""

from typing import Annotated
from typing import Literal
from urllib.parse import urlsplit

import pydantic

from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import Texts
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import listed
from gateway.exchange.keys import without_query

#: what happens to documents, files and deliveries
EventType = Literal[
    "file.received",
    "file.held",
    "file.unreadable",
    "document.received",
    "document.accepted",
    "document.held",
    "document.rejected",
    "document.sent",
    "document.delivered",
    "document.acknowledged",
    "document.answered",
    "document.overdue",
    "document.dead",
]


class Webhook(Keys):
    """One address that is told."""

    url: str
    #: what it is called on pages and in commands
    name: str | None = pydantic.Field(default=None, pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    #: what bodies are signed with; two while one changes
    secret: tuple[Secret, ...]
    #: all where it is left out
    events: tuple[EventType, ...] = ()
    partners: Texts = ()
    #: the address may be one of this machine or network
    private: bool = False
    authorities: str | None = None
    timeout: Annotated[float, Within(0.1, 60, "number of seconds")] = 15.0

    _webhook_listed = pydantic.field_validator("secret", "events", "partners", mode="before")(listed)

    @pydantic.field_validator("url")
    @classmethod
    def _is_webhook_address(cls, value: str) -> str:
        otherwise = "is no address to post to: write it like https://erp.example/hooks/gateway"
        parts = address_parts(value, ("http", "https"), otherwise)
        if parts.username is not None or parts.fragment:
            raise ValueError(f"'{without_query(value)}' {otherwise}")
        return value

    @pydantic.model_validator(mode="after")
    def _guarded(self) -> "Webhook":
        if not self.secret:
            raise ValueError("secret: names what bodies are signed with: env:HOOK_SECRET")
        if self.name is None and urlsplit(self.url).query:
            raise ValueError("name: is needed where the url has a query, which may hold a secret: logs, pages and metrics show the name")
        if urlsplit(self.url).scheme == "http" and not self.private:
            raise ValueError("url: without TLS is for addresses of your own network only: https, or private: true")
        return self

    @property
    def target(self) -> str:
        """What tells it from the others."""
        return self.name or self.url
