"""The installation: config.yaml, the folders that it names, and the partners beside it.

Faults of config.yaml and of all partner files are raised together, each with file, line and column. Secrets are read here and
nowhere else (`env:NAME`, `file:path`), when they are used.
"""

import os
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal

import pydantic

from gateway.exchange.checked import checked
from gateway.exchange.directory import Directory
from gateway.exchange.directory import build_directory
from gateway.exchange.partner import Identifiers
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.exchange.timing import Day
from gateway.exchange.timing import Zone
from gateway.model.values import Address
from gateway.user_files import FolderResolver as FolderResolver
from gateway.user_files import default_resolver as default_resolver
from gateway.user_files import find_config as find_config
from gateway.user_files import shipped_defaults as shipped_defaults
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse


class ConfigTrouble(Exception):
    """The installation cannot be used: one plain sentence that says what to do."""


class _Checked(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class OurAddress(_Checked):
    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Us(_Checked):
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
    currency: str = "EUR"
    #: percent of VAT where an item says nothing
    tax_rate: Decimal | None = None

    def postal(self) -> Address:
        return Address(
            lines=self.address.lines,
            city=self.address.city,
            region=self.address.region,
            postal_code=self.address.postal_code,
            country=self.address.country,
        )


class Web(_Checked):
    host: str = "127.0.0.1"
    port: int = pydantic.Field(default=8080, ge=1, le=65535)

    @pydantic.field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if value not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"'{value}': until there are accounts the pages are served on loopback only (127.0.0.1)")
        return value


class Erp(_Checked):
    """Where accepted orders are handed over to, and how."""

    folder: str
    format: str = pydantic.Field(default="json", pattern="^(json|csv)$")


class Invoices(_Checked):
    """The series of invoice numbers of the legal entity; `{number}` counts without gaps."""

    series: str = "INV-{number:06d}"
    credit_series: str = "CN-{number:06d}"
    entity: str = "us"

    @pydantic.field_validator("series", "credit_series")
    @classmethod
    def _has_number(cls, value: str) -> str:
        try:
            if value.format(number=1) == value.format(number=2):
                raise ValueError
        except (ValueError, KeyError, IndexError):
            raise ValueError(f"'{value}' must hold {{number}}, like INV-{{number:06d}}") from None
        return value


class Inbox(_Checked):
    """Folders that our own systems put files into: shipments, bank files."""

    shipments: str | None = None
    bank: str | None = None


class Settings(_Checked):
    us: Us = Us()
    data: str = "data"
    database: str | None = None
    engine: str = "local"
    web: Web = Web()
    partners: str = "partners"
    mappings: str = "mappings"
    schemas: str = "schemas"
    erp: Erp | None = None
    inbox: Inbox = Inbox()
    invoices: Invoices = Invoices()
    #: seconds between two looks at a folder, and at a remote mailbox
    poll: float = 0.2
    poll_remote: float = 5.0
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
        if value != "local":
            raise ValueError(f"'{value}': this version has the engine of one machine only (engine: local)")
        return value


@dataclass(frozen=True)
class Installation:
    """A loaded config.yaml: settings, folders, partners."""

    file: Path
    settings: Settings
    rules: Mapping | None
    resolver: FolderResolver

    @property
    def folder(self) -> Path:
        return self.file.parent

    def path(self, text: str) -> Path:
        """A path as written in the file: relative ones are relative to it."""
        return (self.folder / text).resolve()

    @property
    def data(self) -> Path:
        return self.path(self.settings.data)

    @property
    def database_url(self) -> str:
        """Where the database is; `env:NAME` and `file:path` are followed, since a URL may hold a password."""
        url = self.settings.database
        if url is None:
            return f"sqlite:///{self.data / 'gateway.db'}"
        if url.startswith(("env:", "file:")):
            url = self.secret(url)
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
            url = f"sqlite:///{self.path(url.removeprefix('sqlite:///'))}"
        return url

    @property
    def partner_files(self) -> list[str]:
        """All files in our partners/ that are partners: templates and test cases lie in folders of their own beside them."""
        ours = FolderResolver(self.resolver.places[:1])
        return [name for name in ours.names("partners/") if not name.startswith(("partners/templates/", "partners/cases/"))]

    @cached_property
    def directory(self) -> Directory:
        """All partners; raises Faults with everything that is wrong in any of them."""
        loaded: list[LoadedPartner] = []
        faults: list[Fault] = []
        for name in self.partner_files:
            try:
                loaded.append(load_partner(name, self.resolver))
            except Faults as error:
                faults.extend(error.faults)
        if faults:
            raise Faults(faults)
        return build_directory(loaded, self.settings.us.identifiers)

    def secret(self, name: str) -> str:
        """The text that `env:NAME` or `file:path` names; raises ConfigTrouble where there is none."""
        kind, _, rest = name.partition(":")
        if kind == "env":
            if rest not in os.environ:
                raise ConfigTrouble(f"The environment variable {rest} is not set, but {self.file.name} or a partner names it")
            return os.environ[rest]
        return self.secret_bytes(name).decode().strip()

    def secret_bytes(self, name: str) -> bytes:
        """The same as bytes, for keys."""
        kind, _, rest = name.partition(":")
        if kind == "env":
            return self.secret(name).encode()
        try:
            return self.path(rest).read_bytes()
        except OSError as error:
            raise ConfigTrouble(f"The file {rest} cannot be read: {error.strerror}") from None


def load_installation(file: Path | None) -> Installation:
    """The installation of `file`, or of the config.yaml here or above; raises Faults or ConfigTrouble."""
    if file is None:
        file = find_config(Path.cwd())
        if file is None:
            raise ConfigTrouble("There is no config.yaml here or in a folder above: name one with --config FILE")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigTrouble(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    node = parse(text, file.name)
    if not isinstance(node, Mapping):
        raise Faults([node.fault("config.yaml is a list of keys: us, data, web, ...")])
    settings = checked(node, Settings)
    folder = file.resolve().parent
    top = shipped_defaults()
    places = (
        {"partners": folder / settings.partners, "mappings": folder / settings.mappings, "schemas": folder / settings.schemas},
        {"mappings": top / "mappings", "schemas": top / "schemas", "partners": top / "partners"},
    )
    rules = node.items.get("rules")
    return Installation(file.resolve(), settings, rules if isinstance(rules, Mapping) else None, FolderResolver(places))
