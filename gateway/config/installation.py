"""The installation: config.yaml, the folders that it names, and the partners beside it.

Faults of config.yaml and of all partner files are raised together, each with file, line and column. Secrets are read here and
nowhere else (`env:NAME`, `file:path`), when they are used.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from itertools import count
from pathlib import Path

from gateway.config.archiving import Archive
from gateway.config.held import Held
from gateway.config.settings import Settings
from gateway.exchange.checked import checked
from gateway.exchange.directory import Directory
from gateway.exchange.directory import build_directory
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.keys import Keys
from gateway.exchange.partner import LoadedPartner
from gateway.exchange.partner import load_partner
from gateway.store.payloads.archive import ArchivePlace
from gateway.user_files import FolderResolver
from gateway.user_files import find_config
from gateway.user_files import shipped_defaults
from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import parse

_READINGS = count(1)
_LONGEST_NAME = 255


class ConfigTrouble(Exception):
    """The installation cannot be used: one plain sentence that says what to do."""


class FileTrouble(ConfigTrouble):
    """A file that is named cannot be read."""


@dataclass(frozen=True)
class Installation:
    """A loaded config.yaml: settings, folders, partners."""

    file: Path
    settings: Settings
    rules: Mapping | None
    resolver: FolderResolver
    #: config.yaml as it was read
    text: str = field(default="", compare=False, repr=False)
    #: which reading of the files this is, counted in this process: what is kept of an older one is out of date
    number: int = field(default_factory=_READINGS.__next__, compare=False)

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
    def archive_place(self) -> ArchivePlace:
        """Where payloads are kept."""
        return self.place_of(self.settings.archive)

    def place_of(self, archive: Archive) -> ArchivePlace:
        """Where an archive of these keys is; its secrets are read now."""
        if archive.url == "database":
            return ArchivePlace()
        if archive.url == "folder":
            return ArchivePlace(folder=self.data / "archive")
        if archive.url.startswith("file://"):
            return ArchivePlace(folder=Path(archive.url.removeprefix("file://")))
        options: dict[str, object] = {}
        if archive.url.startswith("s3://"):
            # every remote act has its deadline
            options["config_kwargs"] = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3, "mode": "standard"}}
            options["client_kwargs"] = {
                name: value for name, value in (("endpoint_url", archive.endpoint), ("region_name", archive.region)) if value is not None
            }
            if archive.key is not None and archive.secret is not None:
                options |= {"key": self.secret(archive.key), "secret": self.secret(archive.secret)}
        return ArchivePlace(url=archive.url, options=options)

    @property
    def partner_files(self) -> list[str]:
        """All files in our partners/ that are partners: templates and test cases lie in folders of their own beside them."""
        ours = self.resolver.ours()
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

    @cached_property
    def _marks(self) -> dict[str, str]:
        return {}

    def mark_of(self, endpoint: Endpoint) -> str:
        """What tells an endpoint from itself after a change: its keys, and the state of the files that they name."""
        keys = endpoint.model_dump_json(exclude_none=True)
        if keys not in self._marks:
            self._marks[keys] = keys + "".join(f" {path.name} {state_of(path)}" for path in self.files_of(endpoint))
        return self._marks[keys]

    def files_of(self, keys: Keys) -> list[Path]:
        """The files that keys name: private keys, passwords, certificates."""
        found: set[Path] = set()
        for text in set(_texts_in(keys.model_dump(exclude_none=True))):
            kind, separator, rest = text.partition(":")
            if len(text) > _LONGEST_NAME or not text or "\n" in text:
                continue
            if kind == "file" and separator:
                # one that is not there may come
                found.add(self.path(rest))
            elif (path := self.path(text)).is_file():
                found.add(path)
        return sorted(found)

    def variables_of(self, keys: Keys) -> list[str]:
        """The variables of the environment that keys name."""
        texts = set(_texts_in(keys.model_dump(exclude_none=True)))
        return sorted(text.removeprefix("env:") for text in texts if text.startswith("env:"))

    @cached_property
    def named_files(self) -> list[Path]:
        """All such files of config.yaml and the partners."""
        everything = [self.settings, *(loaded.partner for loaded in self.directory.partners.values())]
        return sorted({path for keys in everything for path in self.files_of(keys)})

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
            raise FileTrouble(f"The file {rest} cannot be read: {error.strerror}") from None


def load_installation(file: Path | None, held: Held | None = None) -> Installation:
    """The installation of `file`, or of the config.yaml here or above; raises Faults or ConfigTrouble. Where texts are held, nothing that
    a user wrote is read from the disk, neither now nor later."""
    file = file or config_here()
    text = held.config if held is not None else config_text(file)
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
    engine = node.items.get("engine")
    database = settings.database or ""
    if engine is not None and settings.engine == "cluster" and not database.startswith(("env:", "file:", "postgresql")):
        raise Faults([engine.fault("engine: cluster needs PostgreSQL, which all machines share: database: postgresql://USER@HOST/NAME")])
    rules = node.items.get("rules")
    resolver = FolderResolver(places, held.texts if held is not None else None)
    return Installation(file.resolve(), settings, rules if isinstance(rules, Mapping) else None, resolver, text)


def config_here() -> Path:
    """The config.yaml of this folder or of one above; raises ConfigTrouble."""
    file = find_config(Path.cwd())
    if file is None:
        raise ConfigTrouble(
            "There is no config.yaml here or in a folder above: name one with --config FILE, or begin one with a line that says who you are: "
            'us: {name: Seller Co, identifiers: {x12: "ZZ:SELLERCO"}}'
        )
    return file


def config_text(file: Path) -> str:
    """The text of a config.yaml; raises ConfigTrouble."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigTrouble(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def state_of(path: Path) -> str:
    """What changes when a file is written or replaced."""
    try:
        status = path.stat()
    except OSError:
        return "-"
    if not stat.S_ISREG(status.st_mode):
        return "-"
    return f"{status.st_mtime_ns}.{status.st_size}.{status.st_ino}"


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts_in(one)
