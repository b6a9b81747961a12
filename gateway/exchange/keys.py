"""What all models of user-edited keys share: unknown keys are refused, one text may stand where several may, secrets are only named."""

import re
from typing import Annotated
from typing import Any

import pydantic

_SECRET = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)\Z")
#: an address as SMTP carries it; quoted local parts and comments are for people
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\Z")

Texts = tuple[str, ...]


class Keys(pydantic.BaseModel):
    """A mapping that a user writes."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def listed(value: Any) -> Any:
    """One text as a list of one."""
    return (value,) if isinstance(value, str) else value


def _named(value: str) -> str:
    if not _SECRET.match(value):
        raise ValueError("a secret is named, not written: env:NAME or file:path")
    return value


#: where a secret is: `env:NAME` or `file:path`
Secret = Annotated[str, pydantic.AfterValidator(_named)]


def mail_address(value: str) -> str:
    """A plain mail address, without a display name."""
    if not _MAIL.match(value) or ".." in value:
        raise ValueError(f"'{value}' is no mail address: write it like orders@acme.example")
    return value
