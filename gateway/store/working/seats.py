"""Seats: a process sits down at a stream while it serves it, and nobody else can. PostgreSQL alone; on SQLite one process owns everything.

A seat is an advisory lock of one session that a process keeps for this. When the process dies the server frees its seats within
milliseconds; when it freezes the server ends the session after `silence` without a sign of life. A seat spares work and keeps order; that
nothing is done twice does not depend on it (documents change their state from an expected one only).
"""

import hashlib
import threading
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store.database import Database
from gateway.store.database import DatabaseTrouble
from gateway.store.database_trouble import trouble_of

#: held by all nodes of a cluster together, or by the one process of `engine: local` alone
ENGINE = "engine"


def number_of(key: str) -> int:
    """The number of the advisory lock for a key."""
    return int.from_bytes(hashlib.sha256(b"seat:" + key.encode()).digest()[:8], signed=True)


class Seats:
    """The seats of one process."""

    def __init__(self, database: Database, silence: timedelta) -> None:
        self._database = database
        self._silence = silence
        self._guard = threading.Lock()
        self._session: Connection | None = None
        self._taken: set[str] = set()

    def sit(self, key: str, *, shared: bool = False) -> bool:
        """Take a seat; False where it is taken, by whomever: also by ourselves."""
        with self._guard:
            if key in self._taken:
                return False
            function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
            if not self._ask(f"SELECT {function}({number_of(key)})"):
                return False
            self._taken.add(key)
            return True

    def rise(self, key: str, *, shared: bool = False) -> bool:
        """Give a seat back; False where it was lost meanwhile (the session had ended)."""
        with self._guard:
            if key not in self._taken:
                return False
            self._taken.discard(key)
            function = "pg_advisory_unlock_shared" if shared else "pg_advisory_unlock"
            return self._ask(f"SELECT {function}({number_of(key)})")

    def keep(self) -> None:
        """A sign of life: the session must not seem frozen. Raises DatabaseTrouble where it has ended; all seats are lost then."""
        with self._guard:
            self._ask("SELECT true")

    def has(self, key: str) -> bool:
        """Whether we sit there, as far as is known here."""
        return key in self._taken

    def taken(self) -> list[str]:
        """Where we sit."""
        with self._guard:
            return sorted(self._taken)

    def close(self) -> None:
        """Give all seats back."""
        with self._guard:
            self._lose()

    def _ask(self, statement: str) -> bool:
        try:
            if self._session is None:
                self._session = self._database.session(self._silence)
            return bool(self._session.execute(text(statement)).scalar_one())
        except DBAPIError as error:
            self._lose()
            raise trouble_of(error) from error
        except DatabaseTrouble:
            self._lose()
            raise

    def _lose(self) -> None:
        self._taken.clear()
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()
