"""What all models of user-edited keys share: unknown keys are refused, one text may stand where several may, secrets are only named."""

import re
from typing import Annotated
from typing import Any

import pydantic

_SECRET = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)\Z")

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
