"""Keys of an endpoint that is a folder at an SFTP server."""

from typing import Literal

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import listed


class SftpKeys(Keys):
    """How we log in there, and which server we expect."""

    sftp: str | None = None
    user: str | None = None
    key: Secret | None = None
    #: what our key is encrypted with
    passphrase: Secret | None = None
    password: Secret | None = None
    host_keys: tuple[str, ...] = ()
    #: connections that fetch side by side
    connections: int = pydantic.Field(default=1, ge=1, le=4)
    #: algorithms that are broken or near it, and that this partner's server has nothing better than
    legacy: tuple[Literal["ssh-rsa"], ...] = ()

    _listed = pydantic.field_validator("host_keys", "legacy", mode="before")(listed)
