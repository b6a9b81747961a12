"""Keys of an endpoint that is an AS2 station: names, what we sign and decrypt with, what we verify and encrypt with."""

from typing import Literal

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import listed


class As2Keys(Keys):
    """What two AS2 names agreed on."""

    as2: str | None = None
    name: str | None = None
    our_name: str | None = None
    our_key: Secret | None = None
    our_certificate: str | None = None
    certificates: tuple[str, ...] = ()
    sign: str = "sha256"
    encrypt: str = "aes256_cbc"
    compress: bool = False
    receipt: Literal["signed", "unsigned", "none"] = "signed"
    require_signature: bool = True
    require_encryption: bool = True
    #: SHA-1 and 3DES are taken from this partner (never sent)
    accept_old: bool = False
    oaep: bool = False
    content_type: str = "application/octet-stream"
    #: authorities that replace the system's for this partner's HTTPS
    authorities: str | None = None
    timeout: float = 60.0

    _certificates_listed = pydantic.field_validator("certificates", mode="before")(listed)
