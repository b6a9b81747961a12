"""Waiting for what is expected: a file at a partner, a state in the database. Each wait has an end; none counts on time alone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.demo.children import Children
from gateway.demo.premises import Premises
from gateway.demo.standing import waiting_files

#: seconds that anything expected may take
PATIENCE = 45.0
_LOOK = 0.03
Found = TypeVar("Found")


class DidNotHappen(Exception):
    """Something expected did not happen in time; says what."""


class Watch:
    """Eyes on the partners' folders and on whatever else is looked at."""

    def __init__(self, premises: Premises, children: Children) -> None:
        self._premises = premises
        self._children = children
        #: files that were looked at already, by partner: each answers one expectation
        self._taken: set[Path] = set()

    def until(self, what: str, look: Callable[[], Found | None], seconds: float = PATIENCE) -> Found:
        """What `look` finds, as soon as it finds something; raises DidNotHappen."""
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            self._children.check()
            if time.monotonic() > end:
                raise DidNotHappen(what)
            time.sleep(_LOOK)

    def arrival(self, partner: str, what: str, is_meant: Callable[[bytes], bool], seconds: float = PATIENCE) -> bytes:
        """The next file that arrived at a partner and is meant; raises DidNotHappen."""

        def look() -> bytes | None:
            for file in self._new(partner):
                data = file.read_bytes()
                if is_meant(data):
                    self._taken.add(file)
                    return data
            return None

        return self.until(f"{what} arrives at {partner}", look, seconds)

    def nothing_new(self, partner: str, is_meant: Callable[[bytes], bool]) -> bool:
        """Whether no such file has arrived by now."""
        return not any(is_meant(file.read_bytes()) for file in self._new(partner))

    def forget_the_past(self) -> None:
        """What lies at the partners now answers no expectation."""
        for home in (self._premises.top / "outside").iterdir():
            self._taken.update(waiting_files(home / "received"))

    def _new(self, partner: str) -> list[Path]:
        return [file for file in waiting_files(self._premises.home(partner).received) if file not in self._taken]
