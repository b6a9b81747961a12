"""The connections to one account: never more than are agreed, lent to one thread at a time, kept open for a while between two uses.

Partners limit connections, and looking for files and sending happen in threads of their own: who comes when all are lent waits a little. A
login that was refused to one is refused to all who were waiting for it: the server is asked once. Where other processes share what is agreed
each connection has a permit for as long as it stands; what passes over it needs none.
"""

import threading
import time
from collections.abc import Iterable

import structlog

from gateway.transport.box import Busy
from gateway.transport.sftp_permit import Permit
from gateway.transport.sftp_permit import Places
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_settings import SftpSettings

#: seconds that somebody waits for a connection
PATIENCE = 20.0
#: seconds after which a connection that nobody used is closed
IDLE = 90.0
#: seconds between two questions for a permit
ASK_AGAIN = 0.5
_log = structlog.get_logger("sftp")


class SftpPool:
    """Lends sessions. Safe to share between threads."""

    def __init__(self, settings: SftpSettings, places: Places | None = None) -> None:
        """`places`: what is agreed is shared with other processes."""
        self._settings = settings
        self._places = places
        if places is not None:
            places.listeners.append(self._look)
        self._change = threading.Condition()
        self._idle: list[tuple[SftpSession, float]] = []
        self._permits: dict[SftpSession, Permit] = {}
        self._lent = 0
        self._failures = 0
        self._failure: Exception | None = None

    def take(self, patience: float = PATIENCE) -> SftpSession:
        """A session of one's own until it is given back; raises what opening one raises, or Busy."""
        end = time.monotonic() + patience
        with self._change:
            failures = self._failures
        while True:
            session = self._lend(end, failures) or self._open(waits=True)
            if session is not None:
                return session
            if time.monotonic() >= end:
                raise self._busy()
            with self._change:
                if not self._idle:
                    self._change.wait(ASK_AGAIN)

    def spare(self, count: int) -> list[SftpSession]:
        """As many more as may be had without waiting, at most `count`."""
        taken: list[SftpSession] = []
        for _ in range(count):
            gone: list[SftpSession] = []
            with self._change:
                session = self._idle_one(gone)
                full = session is None and self._lent >= self._settings.connections
                self._lent += not full
            self._hang_up(gone)
            if full or (session is None and (session := self._open_spare()) is None):
                break
            assert session is not None
            taken.append(session)
        return taken

    def _open_spare(self) -> SftpSession | None:
        """One more, counted as lent already; None where it is not to be had: a server that is at its limit refuses some of several."""
        try:
            return self._open(waits=False)
        except Exception as error:  # noqa: BLE001  work goes on without it; whatever stands in the way meets whoever takes the next one
            _log.warning("another connection is not to be had", host=self._settings.host, error=f"{type(error).__name__}: {error}")
            return None

    def give_back(self, session: SftpSession) -> None:
        """It is not used any more; one that was lost is forgotten, one that another process waits for is hung up."""
        kept = session.is_alive() and self._may_keep(session)
        with self._change:
            self._lent -= 1
            if kept:
                self._idle.append((session, time.monotonic()))
            self._change.notify()
        if not kept:
            self._hang_up([session])

    def tidy(self, idle: float = IDLE) -> None:
        """Hang up where nobody needed a connection for so long."""
        with self._change:
            old = [one for one in self._idle if one[1] <= time.monotonic() - idle]
            self._idle = [one for one in self._idle if one not in old]
        self._hang_up(session for session, _ in old)

    def close(self) -> None:
        """Hang up where no one is at it."""
        self.tidy(0.0)

    def _lend(self, end: float, failures: int) -> SftpSession | None:
        """One that is open; None where one more may be opened, which counts as lent already."""
        gone: list[SftpSession] = []
        try:
            with self._change:
                while (session := self._idle_one(gone)) is None and self._lent >= self._settings.connections:
                    if not self._change.wait(max(0.0, end - time.monotonic())):
                        raise self._busy()
                    if self._failures != failures and self._failure is not None:
                        raise self._failure
                self._lent += 1
                return session
        finally:
            self._hang_up(gone)

    def _idle_one(self, gone: list[SftpSession]) -> SftpSession | None:
        """One that still stands; those that do not are `gone`. The lock is held."""
        while self._idle:
            session, _ = self._idle.pop()
            if session.is_alive() and ((permit := self._permits.get(session)) is None or permit.is_sure()):
                return session
            gone.append(session)
        return None

    def _open(self, *, waits: bool) -> SftpSession | None:
        """A new one, counted as lent already; None where others have all that are agreed."""
        permit = None
        try:
            if self._places is not None and (permit := self._places.take(waits=waits)) is None:
                with self._change:
                    self._lent -= 1
                    self._change.notify()
                return None
            session = SftpSession(self._settings)
        except BaseException as error:
            with self._change:
                self._lent -= 1
                if isinstance(error, Exception):
                    self._failures += 1
                    self._failure = error
                self._change.notify_all()
            if self._places is not None and permit is not None:
                self._places.give_back(permit)
            raise
        if permit is not None:
            session.only_while(permit.is_sure)
            with self._change:
                self._permits[session] = permit
        return session

    def _may_keep(self, session: SftpSession) -> bool:
        permit = self._permits.get(session)
        return permit is None or self._places is None or (permit.is_sure() and not self._places.wanted)

    def _hang_up(self, sessions: Iterable[SftpSession]) -> None:
        """Close them, and only then let others open theirs."""
        for session in sessions:
            session.close()
            with self._change:
                permit = self._permits.pop(session, None)
            if permit is not None and self._places is not None:
                self._places.give_back(permit)

    def _look(self, ending: bool) -> None:
        """Told after each heartbeat; what there is to do must not keep the heart from beating."""
        with self._change:
            lost = any(not permit.is_sure() for permit in self._permits.values())
            if not lost and not (self._idle and self._places is not None and self._places.wanted):
                return
        if ending:
            self._let_go()
        else:
            threading.Thread(target=self._let_go, name="sftp hang up", daemon=True).start()

    def _let_go(self) -> None:
        """Hang up what may be another process's meanwhile, also under who works with it, and one that is kept where another process waits."""
        with self._change:
            lost = [session for session, permit in self._permits.items() if not permit.is_sure()]
            gone = [session for session, _ in self._idle if session in lost]
            if not lost and self._places is not None and self._places.wanted and self._idle:
                gone.append(self._idle[0][0])
            self._idle = [one for one in self._idle if one[0] not in gone]
        for session in lost:
            session.close()
        self._hang_up(gone)

    def _busy(self) -> Busy:
        return Busy(f"all {self._settings.connections} connections to {self._settings.host} that are agreed are in use")
