"""The connections to one account: never more than are agreed, lent to one thread at a time, kept open for a while between two uses.

Partners limit connections, and looking for files and sending happen in threads of their own: who comes when all are lent waits a little. A
login that was refused to one is refused to all who were waiting for it: the server is asked once.
"""

import threading
import time

from gateway.transport.box import Busy
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_settings import SftpSettings

#: seconds that somebody waits for a connection
PATIENCE = 20.0
#: seconds after which a connection that nobody used is closed
IDLE = 90.0


class SftpPool:
    """Lends sessions. Safe to share between threads."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._change = threading.Condition()
        self._idle: list[tuple[SftpSession, float]] = []
        self._lent = 0
        self._failures = 0
        self._failure: Exception | None = None

    def take(self, patience: float = PATIENCE) -> SftpSession:
        """A session of one's own until it is given back; raises what opening one raises, or Busy."""
        end = time.monotonic() + patience
        with self._change:
            failures = self._failures
            while (session := self._idle_one()) is None and self._lent >= self._settings.connections:
                if not self._change.wait(max(0.0, end - time.monotonic())):
                    raise Busy(f"all {self._settings.connections} connections to {self._settings.host} that are agreed are in use")
                if self._failures != failures and self._failure is not None:
                    raise self._failure
            self._lent += 1
        return session if session is not None else self._open()

    def spare(self, count: int) -> list[SftpSession]:
        """As many more as may be had without waiting, at most `count`."""
        taken: list[SftpSession] = []
        for _ in range(count):
            with self._change:
                session = self._idle_one()
                if session is None and self._lent >= self._settings.connections:
                    break
                self._lent += 1
            taken.append(session if session is not None else self._open())
        return taken

    def give_back(self, session: SftpSession) -> None:
        """It is not used any more; one that was lost is forgotten."""
        with self._change:
            self._lent -= 1
            if session.is_alive():
                self._idle.append((session, time.monotonic()))
            else:
                session.close()
            self._change.notify()

    def tidy(self, idle: float = IDLE) -> None:
        """Hang up where nobody needed a connection for so long."""
        with self._change:
            old = [one for one in self._idle if one[1] <= time.monotonic() - idle]
            self._idle = [one for one in self._idle if one not in old]
        for session, _ in old:
            session.close()

    def close(self) -> None:
        """Hang up where no one is at it."""
        self.tidy(0.0)

    def _idle_one(self) -> SftpSession | None:
        while self._idle:
            session, _ = self._idle.pop()
            if session.is_alive():
                return session
            session.close()
        return None

    def _open(self) -> SftpSession:
        try:
            return SftpSession(self._settings)
        except BaseException as error:
            with self._change:
                self._lent -= 1
                if isinstance(error, Exception):
                    self._failures += 1
                    self._failure = error
                self._change.notify_all()
            raise
