"""Keys of an endpoint that is a folder at an SFTP server."""

from typing import Annotated
from typing import Literal
from urllib.parse import urlsplit

import pydantic

from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import listed
from gateway.exchange.keys import place_of


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
    connections: Annotated[int, Within(1, 4, "number of connections")] = 1
    #: algorithms that are broken or near it, and that this partner's server has nothing better than
    legacy: tuple[Literal["ssh-rsa"], ...] = ()

    _pins_listed = pydantic.field_validator("host_keys", "legacy", mode="before")(listed)

    @pydantic.field_validator("sftp")
    @classmethod
    def _is_server(cls, value: str | None) -> str | None:
        if value is not None:
            address_parts(value, ("sftp",), "is no SFTP address: write sftp://host:port/folder")
        return value

    @property
    def account_at_server(self) -> str | None:
        """Whom we log in as, and where; None where it is no SFTP."""
        if self.sftp is None:
            return None
        return place_of(urlsplit(self.sftp)._replace(path="").geturl(), 22, self.login)

    @property
    def login(self) -> str | None:
        """Who we are there; the address may name it as well."""
        return self.user or (urlsplit(self.sftp).username if self.sftp is not None else None)
