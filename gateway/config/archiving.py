"""The key `archive` of config.yaml: where payloads are kept. A word or a URL, or a mapping where an object store needs more."""

from typing import Any

import pydantic

from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret

#: object stores make an object appear whole or not at all; others could show half a payload
STORES = ("s3", "gs", "az", "abfs", "memory")
_EXPECTED = "folder, database, file:///FOLDER or the URL of an object store like s3://BUCKET/PREFIX"


class Archive(Keys):
    #: `folder`, `database`, `file:///FOLDER`, `s3://BUCKET/PREFIX`
    url: str = "folder"
    #: of a store that is not Amazon's own: https://minio.example:9000
    endpoint: str | None = None
    region: str | None = None
    #: who we are there; without them the machine's own way holds (its role, or the usual variables)
    key: Secret | None = None
    secret: Secret | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @pydantic.field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        protocol, separator, rest = value.partition("://")
        if not separator and value in {"folder", "database"}:
            return value
        if "@" in rest.partition("/")[0]:
            raise ValueError("a secret is named, not written: use the keys `key` and `secret`")
        if not separator or not rest or protocol not in {"file", *STORES}:
            raise ValueError(f"'{value}': expected {_EXPECTED}")
        if protocol == "file" and not rest.startswith("/"):
            raise ValueError(f"'{value}': a folder's URL has three slashes: file:///FOLDER")
        return value

    @pydantic.model_validator(mode="after")
    def _together(self) -> "Archive":
        if (self.key is None) != (self.secret is None):
            raise ValueError("`key` and `secret` stand together")
        if not self.url.startswith("s3://") and (self.endpoint or self.region or self.key):
            raise ValueError(f"endpoint, region, key and secret belong to s3://, found '{self.url}'")
        return self
