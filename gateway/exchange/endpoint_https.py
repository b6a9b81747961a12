"""Keys of an endpoint over HTTPS: where we post files to, and the API keys with which the partner pushes files to us."""

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import listed

#: instead of an address: the partner only comes to us, pushes its files and fetches ours
RECEIVE = "receive"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpsKeys(Keys):
    """What we need to post, and what the partner needs to push."""

    #: where we post to, or `receive`
    https: str | None = None
    #: API keys of the partner; several while one changes
    api_keys: tuple[Secret, ...] = ()
    #: what the keys stand for: partners behind one (a VAN) name the same one; the partner's id where it is left out
    account: str | None = pydantic.Field(default=None, pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    #: what we send as `Authorization: Bearer`; `user` and `password` are sent as Basic
    bearer: Secret | None = None

    _keys_listed = pydantic.field_validator("api_keys", mode="before")(listed)

    @pydantic.field_validator("https")
    @classmethod
    def _is_https_address(cls, value: str | None) -> str | None:
        if value is None or value == RECEIVE:
            return value
        otherwise = f"is no address to post to: write https://acme.example/inbox, or {RECEIVE} where the partner comes to us"
        parts = address_parts(value, ("http", "https"), otherwise)
        if (parts.scheme == "http" and parts.hostname not in _LOOPBACK) or parts.username is not None or parts.fragment:
            raise ValueError(f"'{value}' {otherwise}")
        return value

    @property
    def posts(self) -> bool:
        """Whether our files are posted to the partner; otherwise they lie ready for it."""
        return self.https is not None and self.https != RECEIVE
