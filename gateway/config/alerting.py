"""The key `alerts` of config.yaml: who is told what does not work, how, how often, and what is not worth telling."""

from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Annotated
from typing import Any
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pydantic

from gateway.exchange.bounds import Span
from gateway.exchange.bounds import Within
from gateway.exchange.keys import Keys
from gateway.exchange.keys import Secret
from gateway.exchange.keys import listed
from gateway.exchange.keys import mail_address
from gateway.exchange.timing import Day

Patience = Annotated[str, Span("0m", "365d")]
Severity = Literal["warning", "error"]


class AlertHook(Keys):
    """Where alerts are posted to, and the secret that they are signed with."""

    url: str
    #: two while one changes
    secret: tuple[Secret, ...]
    #: the address may be one of this machine or network
    private: bool = False
    #: authorities that replace the system's
    authorities: str | None = None
    timeout: Annotated[float, Within(0.1, 60, "number of seconds")] = 10.0

    _secret_listed = pydantic.field_validator("secret", mode="before")(listed)

    @pydantic.model_validator(mode="after")
    def _is_address(self) -> "AlertHook":
        parts = urlsplit(self.url)
        if not parts.hostname or parts.username or parts.password or not (parts.scheme == "https" or (parts.scheme == "http" and self.private)):
            raise ValueError("url: is https://host/path, without user and password; http:// only with private: true")
        return self


class Mute(Keys):
    """What is not told for a while: of a kind, of a partner, or both."""

    kind: str | None = None
    partner: str | None = None
    #: the last day; without it for as long as it stands here
    until: Day | None = None

    @pydantic.model_validator(mode="after")
    def _says_what(self) -> "Mute":
        if self.kind is None and self.partner is None:
            raise ValueError("a mute names kind: or partner: or both")
        return self

    def ends(self, zone: str) -> datetime | None:
        """The end of its last day."""
        return datetime.combine(self.until + timedelta(days=1), time(), ZoneInfo(zone)) if self.until is not None else None


class Alerting(Keys):
    """Who is told, and what."""

    to: tuple[str, ...] = ()
    webhook: AlertHook | None = None
    #: least time between two messages; what happens in between is collected
    digest: Patience = "15m"
    #: messages an hour by each way, whatever happens
    most_an_hour: Annotated[int, Within(1, 60, "number of messages")] = 6
    severity: Severity = "warning"
    #: how long what is tried again by itself may fail before anybody is told
    patience: Patience = "10m"
    #: documents and files that wait for a person for longer than this
    holds_older_than: Patience = "1d"
    #: work of ours that is not done for longer than this
    queue_older_than: Patience = "15m"
    #: least space on the disks that we write to
    disk_free_percent: Annotated[float, Within(0, 90, "percentage")] = 5.0
    mute: tuple[Mute, ...] = ()

    _to_listed = pydantic.field_validator("to", mode="before")(listed)

    @pydantic.field_validator("to")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(mail_address(one) for one in value)

    @pydantic.model_validator(mode="after")
    def _has_a_way(self) -> "Alerting":
        if not self.to and self.webhook is None:
            raise ValueError("alerts: says nobody to tell: to: or webhook:")
        return self

    @property
    def ways(self) -> tuple[Literal["mail", "webhook"], ...]:
        """How it is told."""
        ways: list[Any] = (["mail"] if self.to else []) + (["webhook"] if self.webhook is not None else [])
        return tuple(ways)
