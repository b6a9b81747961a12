"""Several connections side by side to one server, for many small files.

Each connection belongs to one thread while a batch is read (paramiko's client is shared by nobody). They are opened after the box's own
connection stands, so that a refused login is refused once; partners limit their number, so it is the agreed one.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.transport.sftp_session import Got
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_settings import SftpSettings

#: fewer files than this are not worth another connection
WORTH_ANOTHER = 8


class Lanes:
    """The connections of a box beside its own."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._others: list[SftpSession] = []

    def read(self, own: SftpSession, wanted: Sequence[tuple[bytes, int]]) -> list[Got]:
        """Whole files by path and size, in the order given; raises where a connection is lost."""
        count = min(self._settings.connections, 1 + len(wanted) // WORTH_ANOTHER)
        if count == 1:
            return list(own.read_many(wanted))
        self._open(count - 1)
        sessions = [own, *self._others][:count]
        with ThreadPoolExecutor(count, thread_name_prefix="sftp") as threads:
            parts = [threads.submit(lambda session, part: list(session.read_many(part)), one, wanted[at::count]) for at, one in enumerate(sessions)]
            answers = [part.result() for part in parts]
        return [answers[at % count][at // count] for at in range(len(wanted))]

    def close(self) -> None:
        """Hang up."""
        for session in self._others:
            session.close()
        self._others.clear()

    def _open(self, count: int) -> None:
        self._others = [session for session in self._others if session.is_alive()]
        while len(self._others) < count:
            self._others.append(SftpSession(self._settings))
