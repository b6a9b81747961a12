"""What all models of user-edited keys share: unknown keys are refused, one text may stand where several may, secrets are only named."""

import re
from collections.abc import Collection
from typing import Annotated
from typing import Any
from urllib.parse import SplitResult
from urllib.parse import urlsplit

import pydantic

_SECRET = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)\Z")
#: an address as SMTP carries it; quoted local parts and comments are for people
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\Z")

Texts = tuple[str, ...]


class Keys(pydantic.BaseModel):
    """A mapping that a user writes."""

    # what is wrong may be a secret: an error does not show it
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


def listed(value: Any) -> Any:
    """One text as a list of one."""
    return (value,) if isinstance(value, str) else value


def _named(value: str) -> str:
    if not _SECRET.match(value):
        raise ValueError("a secret is named, not written: env:NAME or file:path")
    return value


#: where a secret is: `env:NAME` or `file:path`
Secret = Annotated[str, pydantic.AfterValidator(_named)]


def address_parts(value: str, schemes: Collection[str], otherwise: str) -> SplitResult:
    """The parts of an address that a user wrote; ValueError with the words `otherwise` where it is none. One that holds a password is refused
    without being shown: an address stands in logs, pages and metrics."""
    try:
        parts = urlsplit(value)
        # asked for, because they are only looked at then
        fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        has_password = parts.password is not None
    except ValueError:
        fits, has_password = False, "@" in value
    if has_password:
        raise ValueError("an address holds no password: user: and password: are keys of their own, and a secret is named: env:NAME or file:path")
    if not fits:
        raise ValueError(f"'{without_query(value)}' {otherwise}")
    return parts


def without_query(value: str) -> str:
    """An address as it may be shown: what follows its question mark is often a key."""
    address, mark, _ = value.partition("?")
    return f"{address}?..." if mark else value


def place_of(url: str, port: int, user: str | None) -> str:
    """An address of which there is one for each place: without what may be left out. `port`: the usual one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    there = f":{parts.port}" if parts.port not in (None, port) else ""
    return f"{parts.scheme}://{user}@{host}{there}{parts.path}".rstrip("/")


def mail_address(value: str) -> str:
    """A plain mail address, without a display name."""
    if not _MAIL.match(value) or ".." in value:
        raise ValueError(f"'{value}' is no mail address: write it like orders@acme.example")
    return value
