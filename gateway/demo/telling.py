"""What is printed: the story line by line with the time since it began, its chapters, and what was expected and held or did not."""

import time
from dataclasses import dataclass
from dataclasses import field
from typing import TextIO

_INDENT = " " * 7


@dataclass(slots=True)
class Check:
    """One expectation, and whether it held."""

    chapter: str
    expected: str
    ok: bool
    #: what was there instead
    found: str = ""


@dataclass(slots=True)
class Teller:
    """Tells the story to `out` (or to nobody) and remembers what was checked."""

    out: TextIO | None
    began: float = field(default_factory=time.monotonic)
    checks: list[Check] = field(default_factory=list)
    chapters: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    def chapter(self, title: str) -> None:
        """A new chapter begins."""
        self.chapters.append(title)
        self.plain("")
        self.plain(f"{_INDENT}{title}")
        self.plain(f"{_INDENT}{'-' * len(title)}")

    def say(self, words: str) -> None:
        """One line of the story."""
        minutes, seconds = divmod(int(self.seconds), 60)
        self.plain(f"{minutes:02d}:{seconds:02d}  {words}")

    def plain(self, words: str) -> None:
        """A line without a time."""
        if self.out is not None:
            print(words, file=self.out, flush=True)

    def check(self, expected: str, ok: bool, found: str = "") -> bool:
        """Remember whether something held; what did not is told."""
        self.checks.append(Check(self.chapters[-1] if self.chapters else "", expected, ok, "" if ok else found))
        if not ok:
            self.say(f"NOT SO: {expected}{f' ({found})' if found else ''}")
        return ok
