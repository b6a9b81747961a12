"""Keys of config.yaml about mail: the server that takes what we send, and in whose name it leaves."""

from typing import Annotated
from typing import Literal
from urllib.parse import urlsplit

import pydantic

from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import mail_address

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Mail(Keys):
    """Our SMTP server: `smtps://host:465` speaks TLS from the first byte, `smtp://host:587` must offer STARTTLS."""

    smtp: str
    user: str | None = None
    password: Secret | None = None
    from_: str = pydantic.Field(alias="from")
    #: `none` for a relay on this machine, and for no other
    tls: Literal["required", "none"] = "required"
    #: authorities that replace the system's
    authorities: str | None = None
    #: seconds to wait for each answer
    timeout: Annotated[float, Within(0.1, 600, "number of seconds")] = 30.0

    _from_is_address = pydantic.field_validator("from_")(mail_address)

    @pydantic.field_validator("smtp")
    @classmethod
    def _is_server(cls, value: str) -> str:
        otherwise = "is no mail server: write smtps://host:465 or smtp://host:587; user and password are keys of their own"
        parts = address_parts(value, ("smtp", "smtps"), otherwise)
        if parts.username or parts.path not in {"", "/"}:
            raise ValueError(f"'{value}' {otherwise}")
        return value

    @pydantic.model_validator(mode="after")
    def _guarded(self) -> "Mail":
        if (self.user is None) != (self.password is None):
            raise ValueError("user: and password: go together")
        if self.tls == "none" and (self.host not in _LOOPBACK or urlsplit(self.smtp).scheme == "smtps"):
            raise ValueError("tls: none is for smtp:// to a relay on this machine only")
        return self

    @property
    def host(self) -> str:
        return urlsplit(self.smtp).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.smtp)
        return parts.port or (465 if parts.scheme == "smtps" else 587)

    @property
    def implicit_tls(self) -> bool:
        return urlsplit(self.smtp).scheme == "smtps"
