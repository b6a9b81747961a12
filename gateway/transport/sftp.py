"""A folder at an SFTP server as a box.

One connection, opened when first needed, kept while used, closed on any error but a plain answer of the server ("no such
file"). Never shared by threads: one box a thread. A refused login or an unknown host key stops the endpoint (`stop`): trying
again would lock the account or feed a stranger. What is ready is decided on our own clock; SFTP shows no renames.
"""

import contextlib
import errno
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko

from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.box import is_ignored
from gateway.transport.box import passing_nothing
from gateway.transport.box import safe_name
from gateway.transport.sftp_session import RemoteFile
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_session import text_of
from gateway.transport.ssh import SftpSettings


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file that is not known to be complete: how it looked and since when on our clock."""

    identity: str
    since: float


class _ConnectionLost(TransportError):
    """The line broke: what we asked for may or may not have been done."""


class SftpBox:
    """A folder to take files from and one to put files into at one server; either may be missing."""

    def __init__(
        self, settings: SftpSettings, *, clock: Callable[[], float] = time.monotonic, passing: Callable[[int], None] = passing_nothing
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._passing = passing
        self._session: SftpSession | None = None
        self._waiting: dict[str, _Seen] = {}
        self._raw_names: dict[str, bytes] = {}

    def list_ready(self) -> list[Found]:
        """The files that stood still long enough on our clock, oldest first."""
        folder = self._taken_from()
        with self._failures(f"the folder {folder} cannot be listed") as session:
            files = session.list_files(folder)
        now = self._clock()
        waiting: dict[str, _Seen] = {}
        raw_names: dict[str, bytes] = {}
        ready = []
        for file in sorted(files, key=lambda file: (file.modified, file.raw_name)):
            name = text_of(file.raw_name)
            if is_ignored(name) or b"/" in file.raw_name or b"\0" in file.raw_name:
                continue
            identity = self._identity(file)
            seen = self._waiting.get(name)
            if seen is None or seen.identity != identity:
                seen = _Seen(identity, now)
            waiting[name] = seen
            raw_names[name] = file.raw_name
            if now - seen.since >= self._settings.settle_seconds:
                ready.append(Found(name=name, identity=identity, size=file.size))
        self._waiting, self._raw_names = waiting, raw_names
        return ready

    def unsettled(self) -> bool:
        """Whether the last listing saw files that still have to stand still: a listing soon is worth while."""
        now = self._clock()
        return any(now - seen.since < self._settings.settle_seconds for seen in self._waiting.values())

    def fetch(self, found: Found) -> Iterator[bytes]:
        """The file's bytes; raises when it is not the file that was found, or changed while it was read."""
        path = self._path(found)
        with self._failures(f'the file "{found.name}" cannot be read', FileTrouble) as session:
            try:
                for piece, after in session.read(path, found.size):
                    if after is None:
                        yield piece
                    else:
                        self._demand_same(found, after)
            except EOFError as error:  # shorter than it was: someone cut it
                raise _changed(found) from error

    def remove(self, found: Found) -> None:
        """Delete the file if it is still the one that was found."""
        path = self._path(found)
        with self._failures(f'the file "{found.name}" cannot be removed', FileTrouble) as session:
            try:
                self._demand_same(found, session.stat(path))
                session.remove(path)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
        self._waiting.pop(found.name, None)

    def send(self, name: str, data: bytes) -> None:
        """Write under a leading dot, then rename: the other side sees the whole file or none; the same again is harmless."""
        if self._settings.send_to is None:
            raise TransportError("this SFTP endpoint has no send_to: nothing can be sent there", retry=False)
        safe = safe_name(name)
        target = _join(self._settings.send_to, safe)
        temporary = _join(self._settings.send_to, f".{safe}.tmp")
        with self._failures(f'the file "{safe}" cannot be written to {self._settings.send_to}') as session:
            if self._stands_already(session, target, data):
                return
            session.write(temporary, data)
        self._passing(WRITTEN)
        try:
            with self._failures(f'the file "{safe}" cannot be renamed in {self._settings.send_to}') as session:
                session.rename(temporary, target)
        except _ConnectionLost:
            self._rename_if_it_was_not(temporary, target)
        self._passing(RENAMED)

    def close(self) -> None:
        """Hang up; the next verb connects again."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _rename_if_it_was_not(self, temporary: str, target: str) -> None:
        """After a lost answer: no temporary name left means that the rename was done (and the file perhaps taken already)."""
        with self._failures(f"{target} cannot be checked") as session:
            if _look(session, temporary) is not None:
                session.rename(temporary, target)

    def _stands_already(self, session: SftpSession, target: str, data: bytes) -> bool:
        """Whether an earlier try put this very file there; another file of the name is never written over."""
        there = _look(session, target)
        if there is None:
            return False
        if there.size == len(data) and b"".join(piece for piece, _ in session.read(target, there.size)) == data:
            return True
        raise TransportError(f"another file stands at {target} already", retry=False)

    def _taken_from(self) -> str:
        if self._settings.folder is None:
            raise TransportError("this SFTP endpoint has no folder to take files from", retry=False)
        return self._settings.folder

    def _path(self, found: Found) -> bytes:
        raw_name = self._raw_names.get(found.name, found.name.encode("utf-8", "surrogateescape"))
        if b"/" in raw_name or b"\0" in raw_name or raw_name in (b"", b".", b".."):
            raise FileTrouble(f'"{found.name}" is not a file name', retry=False)
        return _join(self._taken_from(), "").encode() + raw_name

    def _identity(self, file: RemoteFile) -> str:
        return f"{_join(self._taken_from(), text_of(file.raw_name))}|{file.size}|{file.modified}"

    def _demand_same(self, found: Found, now: RemoteFile) -> None:
        if self._identity(now) != found.identity:
            raise _changed(found)

    @contextlib.contextmanager
    def _failures(self, sentence: str, refusal: type[TransportError] = TransportError) -> Iterator[SftpSession]:
        """Hand out the open session; turn what the server and the line do into TransportError, its refusals into `refusal`."""
        try:
            yield self._open_session()
        except paramiko.AuthenticationException as error:
            self.close()
            raise TransportError(f"{self._settings.host} refused the login of {self._settings.user}: {error}", retry=False, stop=True) from error
        except TransportError:
            if self._session is None or not self._session.is_alive():
                self.close()
            raise
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EACCES) and self._session is not None and self._session.is_alive():
                raise refusal(f"{sentence}: {error.strerror or error}", retry=True) from error
            self.close()
            raise _ConnectionLost(f"{sentence}: {str(error) or type(error).__name__}", retry=True) from error
        except (paramiko.SSHException, EOFError) as error:
            self.close()
            raise _ConnectionLost(f"{sentence}: {str(error) or type(error).__name__}", retry=True) from error

    def _open_session(self) -> SftpSession:
        if self._session is not None and not self._session.is_alive():
            self.close()
        if self._session is None:
            self._session = SftpSession(self._settings)
        return self._session


def _changed(found: Found) -> FileTrouble:
    return FileTrouble(f'the file "{found.name}" is no longer the one that was found: it is taken up again at the next poll', retry=True)


def _look(session: SftpSession, path: str) -> RemoteFile | None:
    try:
        return session.stat(path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"
