"""Keys of an endpoint that is a folder at an SFTP server."""

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import listed


class SftpKeys(Keys):
    """How we log in there, and which server we expect."""

    sftp: str | None = None
    user: str | None = None
    key: Secret | None = None
    password: Secret | None = None
    host_keys: tuple[str, ...] = ()

    _host_keys_listed = pydantic.field_validator("host_keys", mode="before")(listed)
