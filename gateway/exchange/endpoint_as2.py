"""Keys of an endpoint that is an AS2 station: names, what we sign and decrypt with, what we verify and encrypt with.

Certificates change: several of ours and of theirs may stand here, each with the days between which it is used. `from` is the
day that we begin to use one for what we send; what arrives may use it as soon as it stands here, until its `until` or its own
end. So both sides can enter the next certificate weeks before, and nobody has to press a button at midnight.
"""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo
from typing import Annotated
from typing import Any
from typing import Literal
from typing import get_args

import pydantic

from gateway.exchange.bounds import Span
from gateway.exchange.bounds import Within
from gateway.exchange.bounds import day_in_reach
from gateway.exchange.bounds import timedelta_of
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import address_parts
from gateway.exchange.keys import listed

Use = Literal["signature", "encryption", "both"]
Compress = Literal["none", "before_signing", "after_signing"]
Oaep = Literal["none", "sha1", "sha256", "sha384", "sha512"]
OldAlgorithm = Literal["sha1", "tripledes", "short_keys"]

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or (isinstance(moment, datetime) and moment.tzinfo is None):
        raise ValueError(f"'{value}' is no day and no moment: write it like 2027-01-15 or 2027-01-15T08:00+01:00")
    return day_in_reach(moment)


#: a day, or a moment with its zone
Moment = Annotated[date | datetime, pydantic.BeforeValidator(_moment, json_schema_input_type=str)]


class Dated(Keys):
    """Something that is used between two days, where it says so."""

    #: the first day that we use it for what we send
    from_: Moment | None = pydantic.Field(default=None, alias="from")
    #: the last day that it is used at all
    until: Moment | None = None

    @pydantic.field_validator("until")
    @classmethod
    def _not_reversed(cls, value: date | None, info: pydantic.ValidationInfo) -> date | None:
        first = info.data.get("from_")
        # whichever the zone: a day has no two dates
        if value is not None and first is not None and _rough(value, last=True) <= _rough(first):
            raise ValueError(f"until: {value} is not after from: {first}")
        return value

    def since(self, zone: tzinfo) -> datetime | None:
        """When we begin to use it; a day begins at midnight of this zone."""
        return None if self.from_ is None else _begin(self.from_, zone)

    def ends(self, zone: tzinfo) -> datetime | None:
        """When it is no longer used; a day counts whole."""
        if self.until is None or isinstance(self.until, datetime):
            return self.until
        return _begin(self.until + timedelta(days=1), zone)


class OurKey(Dated):
    """A private key of ours and its certificate."""

    key: Secret
    certificate: str
    use: Use = "both"
    #: of the key's file, where it is encrypted
    password: Secret | None = None


class TheirCertificate(Dated):
    """A certificate of the partner's."""

    file: str
    use: Use = "both"


def _certificates(value: Any) -> Any:
    """A certificate by its file alone, one or several, beside the long form."""
    items = (value,) if isinstance(value, str | dict) else value
    return [{"file": item} if isinstance(item, str) else item for item in items] if isinstance(items, list | tuple) else items


def _compress(value: Any) -> Any:
    """`true` is short for before_signing."""
    word = str(value).lower()
    return "before_signing" if word in _YES else "none" if word in _NO else value


def _oaep(value: Any) -> Any:
    """`true` is short for sha256."""
    word = str(value).lower()
    return "sha256" if word in _YES else "none" if word in _NO else value


def _accept_old(value: Any) -> Any:
    """`true` is short for all of them."""
    word = str(value).lower()
    if word in _YES:
        return get_args(OldAlgorithm)
    return () if word in _NO else listed(value)


class As2Keys(Keys):
    """What two AS2 names agreed on."""

    as2: str | None = None
    name: str | None = None
    our_name: str | None = None
    our_key: Secret | None = None
    our_certificate: str | None = None
    #: several keys of ours, each with its days; beside our_key or instead of it
    our_keys: tuple[OurKey, ...] = ()
    certificates: tuple[TheirCertificate, ...] = ()
    sign: Literal["sha256", "sha384", "sha512", "none"] = "sha256"
    #: of our signature where our key is an RSA key
    sign_padding: Literal["pkcs1", "pss"] = "pkcs1"
    encrypt: Literal["aes128_cbc", "aes192_cbc", "aes256_cbc", "aes128_gcm", "aes192_gcm", "aes256_gcm", "none"] = "aes256_cbc"
    compress: Compress = "none"
    receipt: Literal["signed", "unsigned", "none"] = "signed"
    #: in the answer to our message, or posted to us later
    receipt_delivery: Literal["sync", "async"] = "sync"
    #: our address that the partner posts its receipts to, where it is not web.as2_url of config.yaml
    our_receipt_url: str | None = None
    #: how long a posted receipt is waited for before the message is posted again; longer after each time
    receipt_within: Annotated[str, Span("1m", "30d")] = "30m"
    #: addresses that this partner may ask us to post receipts to
    receipt_addresses: tuple[str, ...] = ()
    require_signature: bool = True
    require_encryption: bool = True
    #: what is taken from this partner although it is old (never sent)
    accept_old: tuple[OldAlgorithm, ...] = ()
    #: the digest of RSA-OAEP; `none` is PKCS #1 v1.5
    oaep: Oaep = "none"
    content_type: str = "application/octet-stream"
    #: megabytes that a message may have, as it comes and when it is decompressed
    largest: Annotated[int, Within(1, 4096, "number of megabytes")] = 100
    #: authorities that replace the system's for this partner's HTTPS
    authorities: str | None = None
    #: what we show to the partner's HTTPS server where it asks who we are
    client_key: Secret | None = None
    client_certificate: str | None = None
    timeout: Annotated[float, Within(0.1, 3600, "number of seconds")] = 60.0

    _addresses_listed = pydantic.field_validator("receipt_addresses", mode="before")(listed)
    _certificates_read = pydantic.field_validator(
        "certificates", mode="before", json_schema_input_type=str | TheirCertificate | tuple[str | TheirCertificate, ...]
    )(_certificates)
    _compress_read = pydantic.field_validator("compress", mode="before", json_schema_input_type=bool | Compress)(_compress)
    _oaep_read = pydantic.field_validator("oaep", mode="before", json_schema_input_type=bool | Oaep)(_oaep)
    _old_read = pydantic.field_validator("accept_old", mode="before", json_schema_input_type=bool | OldAlgorithm | tuple[OldAlgorithm, ...])(
        _accept_old
    )

    @pydantic.field_validator("receipt_addresses")
    @classmethod
    def _are_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            _demand_url(url)
        return value

    @pydantic.field_validator("our_receipt_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None:
            _demand_url(value)
        return value

    @pydantic.field_validator("as2")
    @classmethod
    def _is_station(cls, value: str | None) -> str | None:
        if value is not None:
            _demand_url(value)
        return value

    @pydantic.field_validator("receipt_delivery")
    @classmethod
    def _asked_for(cls, value: str, info: pydantic.ValidationInfo) -> str:
        if value == "async" and info.data.get("receipt") == "none":
            raise ValueError("receipt_delivery: async has nothing to deliver with receipt: none")
        return value

    @pydantic.field_validator("client_certificate")
    @classmethod
    def _with_its_key(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        if value is not None and info.data.get("client_key") is None:
            raise ValueError("client_certificate: needs client_key: beside it")
        if value is not None and str(info.data.get("as2")).lower().startswith("http:"):
            raise ValueError("client_certificate: is shown over https only, and as2: is an http address")
        return value

    @pydantic.field_validator("our_certificate")
    @classmethod
    def _key_beside(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        if value is not None and info.data.get("our_key") is None:
            raise ValueError("our_certificate: needs our_key: beside it")
        return value

    @pydantic.model_validator(mode="after")
    def _can_work(self) -> "As2Keys":
        if self.our_key is not None and self.our_certificate is None:
            raise ValueError("our_key: needs our_certificate: beside it")
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key: needs client_certificate: beside it")
        return self

    @property
    def receipt_wait(self) -> timedelta:
        """How long a posted receipt is waited for after the first posting."""
        return timedelta_of(self.receipt_within)

    @property
    def keys(self) -> tuple[OurKey, ...]:
        """All keys of ours, the plain pair first."""
        if self.our_key is None or self.our_certificate is None:
            return self.our_keys
        return (OurKey(key=self.our_key, certificate=self.our_certificate), *self.our_keys)


def _demand_url(url: str) -> None:
    otherwise = "is no address: write it like https://as2.acme.example/receipts"
    if address_parts(url, ("http", "https"), otherwise).username is not None:
        raise ValueError(f"'{url}' {otherwise}")


def _begin(moment: date, zone: tzinfo) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(), zone)


def _rough(moment: date, *, last: bool = False) -> datetime:
    """A moment to compare by: of a day that counts whole the next one's begin."""
    return _begin(moment if isinstance(moment, datetime) or not last else moment + timedelta(days=1), UTC)
