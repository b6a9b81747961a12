"""What lies on the desk while one answer of a partner is heard: where it stood, and what it says of each row that it means."""

from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Connection

from gateway.exchange.acknowledgment import Mark
from gateway.exchange.partner import LoadedPartner
from gateway.pipeline.station import Station
from gateway.store import journal
from gateway.store.outgoing.outbox import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an answer stood."""

    kind: str
    #: what its identifiers are made of
    key: str
    document: str | None = None
    transmission: str | None = None


@dataclass(slots=True)
class Verdict:
    """What one answer says of one row, when all of its levels are heard."""

    entry: Entry
    level: str
    outcome: str
    notes: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    #: it is refused for nothing but that its number came before
    repeat: bool = False
    #: how it was taken when it came before, of one that they have already; None: that was not said
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What this room works with while one answer is heard."""

    station: Station
    connection: Connection
    loaded: LoadedPartner
    source: Source
    entries: list[journal.Entry]
