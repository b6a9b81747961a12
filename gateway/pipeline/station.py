"""What every step needs: the installation with its database, archive and plans, and the clock. Opened once a process.

What the user's files say is one value (Loaded) that a reload replaces as a whole: whoever works takes `fixed()` first and finishes with what
it began with.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.pipeline.at_hand import AtHand
from gateway.pipeline.heads import Heads
from gateway.pipeline.meters import Meters
from gateway.pipeline.permits import Permits
from gateway.pipeline.plans import Plans
from gateway.pipeline.readers import Readers
from gateway.pipeline.shared_clock import SharedClock
from gateway.store.database import Database
from gateway.store.database import open_database
from gateway.store.identity import new_id
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.opening import open_archive
from gateway.store.verifying.keys import load_or_make


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the user's files said at one moment."""

    installation: Installation
    plans: Plans


@dataclass(slots=True)
class Current:
    """The place where a reload puts what holds from now on."""

    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Station:
    """An opened installation."""

    current: Current
    database: Database
    archive: Archive
    clock: Callable[[], datetime] = now_utc
    #: which process this is, among those that work on the same installation
    node: str = field(default_factory=new_id)
    #: digests of plans that are known to be archived
    kept_plans: set[str] = field(default_factory=set)
    #: orders on the way from their file to their trade step
    at_hand: AtHand = field(default_factory=AtHand)
    #: what stands first in streams, where a process may have ended at it
    heads: Heads = field(default_factory=Heads)
    #: what this process may open at partners' servers
    permits: Permits = field(default_factory=Permits)
    #: what this process counts
    meters: Meters = field(default_factory=Meters)
    #: processes that read large files for this one
    readers: Readers = field(default_factory=Readers)

    @property
    def installation(self) -> Installation:
        return self.current.loaded.installation

    @property
    def plans(self) -> Plans:
        return self.current.loaded.plans

    def fixed(self) -> "Station":
        """The same station with the configuration of this moment: no reload changes it any more."""
        return replace(self, current=Current(self.current.loaded))

    def journal_key(self) -> Ed25519PrivateKey:
        """The key that signs the journal's checkpoints; made at the first asking."""
        return load_or_make(self.installation.data / "keys" / "journal.key")

    def close(self) -> None:
        self.readers.close()
        self.database.close()


def open_station(installation: Installation, clock: Callable[[], datetime] = now_utc) -> Station:
    """Open (and where needed make or migrate) the database and the archive; partners are loaded, so that faults show now."""
    installation.directory  # noqa: B018  loading is checking
    installation.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(installation.database_url)
    database.migrate()
    if installation.settings.engine == "cluster":
        _share(database)
        if clock is now_utc:
            clock = SharedClock(database)
            clock.set()
    archive = open_archive(installation.archive_place, database)
    return Station(Current(Loaded(installation, Plans(installation.resolver))), database, archive, clock)


def _share(database: Database) -> None:
    """Others work on the same database: what is poked here wakes a process there."""
    if database.dialect != "postgresql":
        raise ConfigTrouble("engine: cluster needs PostgreSQL, which all machines share: name it as `database` in config.yaml")
    try:
        from gateway.store.working import jobs
    except ModuleNotFoundError as error:
        raise ConfigTrouble(f"engine: cluster needs the package {error.name}: install order-gateway[cluster]") from None
    with database.begin() as connection:
        jobs.install(connection)
    database.waker = jobs.wake


def short_id(prefix: str, *parts: object) -> str:
    """An identifier that follows from what it names, so that a step that runs twice makes it once: `D-4f1c0a9b2e7d`."""
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()
    return f"{prefix}-{digest[:16]}"


def id_within(prefix: str, whole: str, number: int) -> str:
    """The same for the `number`-th part of something that has an identifier: parts of one whole are neighbours in every index, so that a
    chunk of them changes few pages of the database: `D-4f1c0a9b2e7d-00001`."""
    return f"{prefix}-{whole.partition('-')[2]}-{number:05d}"


def id_after(cause: str, kind: str, *parts: object) -> str:
    """The same for what is made because of a document, its neighbour: `D-4f1c0a9b2e7d-00001-or1`, its first order response."""
    return f"{cause}-{''.join(word[0] for word in kind.split('_'))}{'-'.join(str(part) for part in parts)}"
