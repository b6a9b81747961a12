"""What one inbound step found, between the codecs and the database."""

from dataclasses import dataclass
from dataclasses import field

from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.pipeline.reading.entitlement import Entitled
from gateway.problem import Problem
from gateway.store.incoming.interchanges import Interchange
from gateway.store.incoming.transmissions import Transmission


@dataclass(slots=True)
class Chunk:
    """What one step found: transactions of one interchange, and what ended with them."""

    start: InterchangeStart | None = None
    ordinal: int = 0
    first: int = 0
    entitled: list[Entitled] = field(default_factory=list)
    #: this chunk begins the interchange
    opens: bool = False
    #: the interchange's trailer, when the chunk reaches it
    end: InterchangeEnd | None = None
    #: why the whole interchange waits for a person, or is refused (a duplicate, an unknown sender)
    held: Problem | None = None
    refused: Problem | None = None
    #: the payload is through
    through: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk with the rows that it belongs to."""

    interchange: Interchange
    transmission: Transmission
    chunk: Chunk
