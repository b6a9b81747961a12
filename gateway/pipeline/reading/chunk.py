"""What one step of reading a file found, between the codecs and the database. Plain values: another process may have found them."""

from collections.abc import Mapping

import msgspec

from gateway.codecs.node import InterchangeEnd
from gateway.codecs.node import InterchangeStart
from gateway.pipeline.reading.drafts import Draft
from gateway.pipeline.reading.progress import Progress
from gateway.problem import Problem


class Used(msgspec.Struct, frozen=True, array_like=True):
    """A plan that transactions of a chunk were read by: its type, and the digests of its parts."""

    spec: str
    digests: dict[str, str]


class Chunk(msgspec.Struct, kw_only=True):
    """What one step found: transactions of one interchange, and what ended with them."""

    start: InterchangeStart | None = None
    ordinal: int = 0
    first: int = 0
    drafts: list[Draft] = []
    #: this chunk begins the interchange
    opens: bool = False
    #: the interchange's trailer, when the chunk reaches it
    end: InterchangeEnd | None = None
    #: why the whole interchange waits for a person, or is refused (a duplicate, an unknown sender)
    held: Problem | None = None
    refused: Problem | None = None
    #: the payload is through
    through: bool = False
    #: the envelope so far, where the interchange or the payload ends
    progress: Progress | None = None
    #: problems outside of any interchange that no chunk before told
    loose: list[Problem] = []
    plans: list[Used] = []

    @property
    def ends(self) -> bool:
        """Whether the interchange, or the payload, ends with it."""
        return self.end is not None or self.through


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is to be read, and how far it was read before."""

    sha256: str
    #: by which address it came, or who vouched for it
    address: str
    #: the transmission's own endpoint: where a refusal goes back to
    endpoint: str
    #: as what it is to be read, where somebody said so, and for whom
    spec: str | None = None
    partner: str | None = None
    #: transactions, and seconds of work, of one chunk at most
    most: int
    seconds: float
    #: interchanges that were begun: state and cursor by ordinal
    done: Mapping[int, tuple[str, int]] = {}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file could not be read to its end by another process: missing, os, database (of the archive), memory, fault (ours)."""

    kind: str
    name: str
    words: str
    #: file and line of ours
    where: str = ""
