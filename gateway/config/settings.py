"""The keys of config.yaml. Larger topics have modules of their own beside this one."""

import re
from decimal import Decimal
from string import Formatter
from typing import Annotated
from typing import Literal

import pydantic

from gateway.config.alerting import Alerting
from gateway.config.archiving import Archive
from gateway.config.cluster import Cluster
from gateway.config.mail import Mail
from gateway.config.reading import Reading
from gateway.config.webhooks import Webhook
from gateway.exchange.bounds import Within
from gateway.exchange.currency import Currency
from gateway.exchange.keys import Keys
from gateway.exchange.keys import listed
from gateway.exchange.partner import Identifiers
from gateway.exchange.retention import Retention
from gateway.exchange.timing import Day
from gateway.exchange.timing import Zone
from gateway.model.values import Address

#: of a number in its series: 06d
_WIDTH = re.compile(r"[0-9]{0,2}d?")
_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
#: keys that a running service cannot follow: a change of them waits for the next start
NEEDS_RESTART = ("data", "database", "engine", "cluster", "web", "archive")


class OurAddress(Keys):
    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Us(Keys):
    """Who we are on documents."""

    name: str = "Seller"
    identifiers: Identifiers = Identifiers()
    address: OurAddress = OurAddress()
    email: str | None = None
    phone: str | None = None
    iban: str | None = None
    bic: str | None = None
    #: digits that our SSCCs start with
    gs1_prefix: str | None = None
    currency: Currency = "EUR"
    #: percent of VAT where an item says nothing
    tax_rate: Annotated[Decimal, Within(0, 100, "percentage")] | None = None

    def postal(self) -> Address:
        return Address(
            lines=self.address.lines,
            city=self.address.city,
            region=self.address.region,
            postal_code=self.address.postal_code,
            country=self.address.country,
        )


class Web(Keys):
    host: str = "127.0.0.1"
    port: Annotated[int, Within(1, 65_535, "port")] = 8080
    #: our AS2 address as partners see it, behind our proxy: where they post receipts to
    as2_url: str | None = pydantic.Field(default=None, pattern=r"^https?://[^\s/@]+/\S*$")
    #: names under which partners' machines reach us through a proxy: they get what is for partners, and nothing else
    names: tuple[str, ...] = ()
    #: requests with one API key in a minute; more are told to wait
    partner_requests: Annotated[int, Within(1, 1_000_000, "number of requests")] = 600

    _names_listed = pydantic.field_validator("names", mode="before")(listed)

    @pydantic.field_validator("names")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST_NAME.fullmatch(name.lower()):
                raise ValueError(f"'{name}' is no host name: write it like edi.seller.example, without port and path")
            if name.lower() in {"localhost", "127.0.0.1", "::1"}:
                raise ValueError(f"'{name}' is this machine itself, where the pages are: names: is for those that partners use")
        return tuple(name.lower() for name in value)

    @pydantic.field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if value not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"'{value}': until there are accounts the pages are served on loopback only (127.0.0.1)")
        return value


class Erp(Keys):
    """Where accepted orders are handed over to, and how."""

    folder: str
    format: str = pydantic.Field(default="json", pattern="^(json|csv)$")


class Invoices(Keys):
    """The series of invoice numbers of the legal entity; `{number}` counts without gaps."""

    series: str = "INV-{number:06d}"
    credit_series: str = "CN-{number:06d}"
    entity: str = "us"

    @pydantic.field_validator("series", "credit_series")
    @classmethod
    def _has_number(cls, value: str) -> str:
        try:
            fields = [(name, form or "") for _, name, form, _ in Formatter().parse(value) if name is not None]
            # a width of ten digits would be a number of ten gigabytes
            if not fields or any(name != "number" or not _WIDTH.fullmatch(form) for name, form in fields):
                raise ValueError
            value.format(number=1)
        except ValueError:
            raise ValueError(f"'{value}' must hold {{number}}, like INV-{{number:06d}}") from None
        return value


class Inbox(Keys):
    """Folders that our own systems put files into: shipments, bank files."""

    shipments: str | None = None
    bank: str | None = None


class Settings(Keys):
    us: Us = Us()
    data: str = "data"
    database: str | None = None
    #: where payloads are kept
    archive: Archive = Archive()
    #: how long payloads and what is in them are kept
    retention: Retention = Retention()
    engine: str = "local"
    cluster: Cluster = Cluster()
    web: Web = Web()
    #: processes that read large files
    reading: Reading = Reading()
    partners: str = "partners"
    mappings: str = "mappings"
    schemas: str = "schemas"
    erp: Erp | None = None
    inbox: Inbox = Inbox()
    invoices: Invoices = Invoices()
    #: the server that our mail leaves by: documents to partners, alerts
    mail: Mail | None = None
    #: who is told about what happens
    webhooks: tuple[Webhook, ...] = ()
    #: who is told what does not work
    alerts: Alerting | None = None
    #: seconds between two looks at a folder, and at a remote mailbox
    poll: Annotated[float, Within(0.05, 86_400, "number of seconds")] = 0.2
    poll_remote: Annotated[float, Within(0.05, 86_400, "number of seconds")] = 5.0
    #: where days and hours of deadlines and batches are counted, and the days on which nobody works
    zone: Zone = "UTC"
    holidays: tuple[Day, ...] = ()
    rules: object | None = None
    #: a file of somebody whom no partner file names waits for a person, or is refused and answered so
    unknown_sender: Literal["hold", "reject"] = "hold"
    #: the same of a file that is addressed to somebody else
    unknown_receiver: Literal["hold", "reject"] = "hold"

    @pydantic.field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value not in {"local", "cluster"}:
            raise ValueError(f"'{value}' is no engine: write local (one machine) or cluster (several, on PostgreSQL)")
        return value

    @pydantic.field_validator("webhooks")
    @classmethod
    def _told_apart(cls, value: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
        targets = [hook.target for hook in value]
        for target in targets:
            if targets.count(target) > 1:
                raise ValueError(f"two webhooks are called '{target}': give each a name: of its own")
        return value

    @pydantic.model_validator(mode="after")
    def _alerts_have_a_server(self) -> "Settings":
        if self.alerts is not None and self.alerts.to and self.mail is None:
            raise ValueError('alerts: to: needs a mail server: mail: {smtp: "smtps://smtp.example", from: edi@us.example}')
        return self
