"""Which of the files that lie somewhere may be taken: rules of names, and signs that a file is complete.

A file is complete when its sender renamed it (where that can be seen), when another file says so (`marker`), or when its size and time
stood still on our own clock: the times on the file may be the sender's (facts: CAMEL-19378). Standing still proves nothing, so an empty
file, which may just have been opened, has to do it much longer. Knows names and times, no disk and no server.
"""

import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.transport.box import Found
from gateway.transport.box import is_ignored

#: an empty file stands still so many times as long as another one
EMPTY_PATIENCE = 15
#: seconds that a marker may be older than its file and still speak of it: clocks and times of whole seconds differ
MARKER_SLACK = 2.0
#: seconds after which a marker whose file is gone is taken away: it must not speak of the next file of that name
ORPHAN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is agreed about the files of one folder. Patterns are like `*.edi`, in upper or lower case."""

    settle_seconds: float = 1.0
    ignore: tuple[str, ...] = ()
    #: where there are any, only names that fit one of them
    only: tuple[str, ...] = ()
    #: the ending of the file that says that another is complete: `.done`
    marker: str | None = None
    #: the marker holds the file's digest
    checksum: bool = False
    #: empty files stay where they are
    skip_empty: bool = False

    def looks_at(self, name: str) -> bool:
        """Whether a file of this name matters in a listing: it is exchanged, or says of another that it is complete."""
        return self.speaks_of(name) or (self.marker is not None and name.endswith(self.marker) and not name.startswith("."))

    def speaks_of(self, name: str) -> bool:
        """Whether a file of this name is agreed to be one of those that are exchanged."""
        if is_ignored(name) or (self.marker is not None and name.endswith(self.marker)):
            return False
        return not _fits(name, self.ignore) and (not self.only or _fits(name, self.only))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file as a listing shows it; `complete` where something else than its standing still shows that it is."""

    name: str
    identity: str
    size: int
    #: seconds on its own clock
    modified: float
    complete: bool = False
    raw_name: bytes = b""


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a file looked and since when on our clock."""

    identity: str
    since: float


class Readiness:
    """The memory of one folder between two listings."""

    def __init__(self, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._waiting: dict[str, _Seen] = {}
        self._lonely: dict[str, _Seen] = {}
        self._markers: dict[str, Listed] = {}
        self._unsettled = False

    def ready(self, files: Iterable[Listed]) -> list[Found]:
        """The files that may be taken, oldest first."""
        now = self._clock()
        files = list(files)
        ending = self._rules.marker
        self._markers = {file.name: file for file in files if ending is not None and file.name.endswith(ending)}
        if self._markers:
            self._find_lonely({file.name for file in files}, now)
        waiting: dict[str, _Seen] = {}
        found = []
        self._unsettled = False
        for file in sorted(files, key=lambda file: (file.modified, file.name)):
            if not self._rules.speaks_of(file.name) or (not file.size and self._rules.skip_empty):
                continue
            marker = self._markers.get(f"{file.name}{ending}") if ending is not None else None
            if ending is not None and marker is None:
                continue
            told = file.complete if marker is None else marker.modified >= file.modified - MARKER_SLACK
            if told or self._stood_still(file, waiting, now):
                name = marker.name if marker is not None else ""
                found.append(Found(name=file.name, identity=file.identity, size=file.size, raw_name=file.raw_name, marker=name))
            else:
                self._unsettled = True
        self._waiting = waiting
        return found

    def unsettled(self) -> bool:
        """Whether the last listing saw files that still have to stand still: a listing soon is worth while."""
        return self._unsettled

    def orphans(self) -> list[Listed]:
        """Markers that have outlived their file: what made them lie there was a kill between two removals."""
        now = self._clock()
        return [self._markers[name] for name, seen in self._lonely.items() if now - seen.since >= ORPHAN_SECONDS]

    def forget(self, name: str) -> None:
        """The file was taken away."""
        self._waiting.pop(name, None)

    def _find_lonely(self, names: set[str], now: float) -> None:
        assert self._rules.marker is not None
        lonely = {}
        for name, marker in self._markers.items():
            if name.removesuffix(self._rules.marker) not in names:
                seen = self._lonely.get(name)
                lonely[name] = seen if seen is not None and seen.identity == marker.identity else _Seen(marker.identity, now)
        self._lonely = lonely

    def _stood_still(self, file: Listed, waiting: dict[str, _Seen], now: float) -> bool:
        seen = self._waiting.get(file.name)
        if seen is None or seen.identity != file.identity:
            seen = _Seen(file.identity, now)
        waiting[file.name] = seen
        return now - seen.since >= self._rules.settle_seconds * (1 if file.size else EMPTY_PATIENCE)


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
