"""A folder at an SFTP server as a box.

A connection is borrowed for each verb (sftp_pool.py) and closed on any error but a plain answer of the server ("no such file"). One box
belongs to one thread. A refused login or an unknown host key stops the endpoint (`stop`): trying again would lock the account or feed a
stranger. What is ready is decided on our own clock (readiness.py); SFTP shows no renames.
"""

import contextlib
import errno
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import paramiko

from gateway.transport.box import MOVED
from gateway.transport.box import NOT_MOVED
from gateway.transport.box import RENAMED
from gateway.transport.box import WRITTEN
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.box import archive_names
from gateway.transport.box import changed
from gateway.transport.box import passing_nothing
from gateway.transport.box import safe_name
from gateway.transport.checksum import LONGEST
from gateway.transport.checksum import digest_of_file
from gateway.transport.readiness import Listed
from gateway.transport.readiness import Readiness
from gateway.transport.sftp_lanes import read_side_by_side
from gateway.transport.sftp_pool import SftpPool
from gateway.transport.sftp_session import Got
from gateway.transport.sftp_session import RemoteFile
from gateway.transport.sftp_session import SftpSession
from gateway.transport.sftp_session import is_answer
from gateway.transport.sftp_session import text_of
from gateway.transport.sftp_settings import SftpSettings


class SftpBox:
    """A folder to take files from and one to put files into at one server; either may be missing."""

    def __init__(
        self,
        settings: SftpSettings,
        *,
        pool: SftpPool | None = None,
        clock: Callable[[], float] = time.monotonic,
        passing: Callable[[int], None] = passing_nothing,
    ) -> None:
        self._settings = settings
        self._passing = passing
        self.pool = pool if pool is not None else SftpPool(settings)
        self._session: SftpSession | None = None
        #: verbs that are under way and share the session
        self._depth = 0
        self._readiness = Readiness(settings.rules, clock)

    @property
    def is_far(self) -> bool:
        """There is a line that may break."""
        return True

    def list_ready(self) -> list[Found]:
        """The complete files of the folder, oldest first."""
        folder = self._taken_from()
        with self._failures(f"the folder {folder} cannot be listed") as session:
            files = session.list_files(folder, self._is_wanted)
        ready = self._readiness.ready(
            Listed(name=text_of(file.raw_name), identity=self._identity(file), size=file.size, modified=float(file.modified), raw_name=file.raw_name)
            for file in files
        )
        for orphan in self._readiness.orphans():
            self._remove_quietly(self._in_folder(orphan.raw_name))
        return ready

    def unsettled(self) -> bool:
        """Whether the last listing saw files that still have to stand still: a listing soon is worth while."""
        return self._readiness.unsettled()

    def fetch(self, found: Found, offset: int = 0) -> Iterator[bytes]:
        """The file's bytes; raises when it is not the file that was found, or changed while it was read."""
        path = self._path(found)
        with self._failures(f'the file "{found.name}" cannot be read', FileTrouble) as session:
            try:
                # who stops in the middle lets go of the file before another thread has the session
                with contextlib.closing(session.read(path, found.size, offset)) as reading:
                    for piece, after in reading:
                        if after is None:
                            yield piece
                        else:
                            self._demand_same(found, after)
            except EOFError as error:  # shorter than it was: someone cut it
                raise changed(found) from error

    def fetch_many(self, wanted: Sequence[Found]) -> list[bytes | FileTrouble]:
        """The bytes of small files, or what is wrong with each, in the order given; over as many connections as are agreed."""
        with self._failures("the files cannot be read") as session:
            paths = [(self._path(found), found.size) for found in wanted]
            whole = read_side_by_side(session, self.pool, self._settings.connections, paths)
            return [self._bytes_of(found, got) for found, got in zip(wanted, whole, strict=True)]

    def checksum(self, found: Found) -> str | None:
        """The digest in the file's marker, where that is agreed."""
        if not self._settings.rules.checksum:
            return None
        path = self._marker(found)
        with self._failures(f'the file "{found.marker}" cannot be read', FileTrouble) as session:
            size = min(session.stat(path).size, LONGEST)
            return digest_of_file(found.marker, b"".join(piece for piece, _ in session.read(path, size)))

    def remove(self, found: Found) -> None:
        """Delete the file, or move it where it is kept, if it is still the one that was found."""
        path = self._path(found)
        word = "removed" if self._settings.archive_to is None else f"moved to {self._settings.archive_to}"
        with self._failures(f'the file "{found.name}" cannot be {word}', FileTrouble) as session:
            there = _look(session, path)
            if there is not None:
                self._demand_same(found, there)
                if self._settings.archive_to is None:
                    with contextlib.suppress(FileNotFoundError):
                        session.remove(path)
                else:
                    self._move_beside(session, path, found)
        if found.marker:
            self._remove_quietly(self._marker(found))
        self._readiness.forget(found.name)

    def remove_many(self, wanted: Sequence[Found]) -> list[FileTrouble | None]:
        """Remove files as `remove` does, and say what is wrong with each."""
        if self._settings.archive_to is not None or any(found.marker for found in wanted):
            return [self._removed(found) for found in wanted]
        with self._failures("the files cannot be removed") as session:
            answers: list[FileTrouble | None] = []
            for found, error in zip(wanted, session.remove_many([(self._path(found), self._same(found)) for found in wanted]), strict=True):
                if error is None or isinstance(error, FileNotFoundError):
                    self._readiness.forget(found.name)
                    answers.append(None)
                elif isinstance(error, FileTrouble):
                    answers.append(error)
                else:
                    answers.append(FileTrouble(f'the file "{found.name}" cannot be removed: {_words(error)}', retry=True))
            return answers

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
            self._write(session, temporary, data)
        self._passing(WRITTEN)
        try:
            with self._failures(f'the file "{safe}" cannot be renamed in {self._settings.send_to}') as session:
                session.rename(temporary, target)
        except Unreachable:
            self._rename_if_it_was_not(temporary, target)
        self._passing(RENAMED)

    def close(self) -> None:
        """Hang up; the next verb connects again."""
        self._drop()
        self.pool.close()

    def _bytes_of(self, found: Found, got: Got) -> bytes | FileTrouble:
        if isinstance(got, EOFError):
            return changed(found)
        if isinstance(got, OSError):
            return FileTrouble(f'the file "{found.name}" cannot be read: {_words(got)}', retry=True)
        data, after = got
        return data if self._identity(after) == found.identity else changed(found)

    def _removed(self, found: Found) -> FileTrouble | None:
        try:
            self.remove(found)
        except FileTrouble as error:
            return error
        return None

    def _move_beside(self, session: SftpSession, path: bytes, found: Found) -> None:
        """Move the file under a name that is free there. The server's own rename goes over no other file; a lost answer needs nothing:
        what was moved is not listed again."""
        assert self._settings.archive_to is not None
        for name in archive_names(found.name, found.identity):
            target = _join(self._settings.archive_to, name)
            if _look(session, target) is None:
                self._passing(NOT_MOVED)
                session.rename_plainly(path, target)
                self._passing(MOVED)
                return
        raise FileTrouble(f'"{found.name}" and all names like it are taken in {self._settings.archive_to}', retry=True)

    def _write(self, session: SftpSession, temporary: str, data: bytes) -> None:
        """Write the file that is not named yet; what a full disk leaves of it is taken away again."""
        assert self._settings.send_to is not None
        try:
            session.write(temporary, data)
        except OSError as error:
            if not is_answer(error) or not session.is_alive():
                raise
            self._remove_quietly(temporary.encode())
            free = session.free_bytes(self._settings.send_to)
            if free is not None and free < len(data):
                raise TransportError(
                    f"the partner's server has no room in {self._settings.send_to}: {free:,} bytes are free, {len(data):,} are needed", retry=True
                ) from error
            raise
        except TransportError:
            self._remove_quietly(temporary.encode())
            raise

    def _remove_quietly(self, path: bytes) -> None:
        """Take away what is only in the way; where the server refuses it stays."""
        with contextlib.suppress(FileTrouble), self._failures("it cannot be removed", FileTrouble) as session:
            session.remove(path)

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
        raw_name = found.raw_name or found.name.encode("utf-8", "surrogateescape")
        if b"/" in raw_name or b"\0" in raw_name or raw_name in (b"", b".", b".."):
            raise FileTrouble(f'"{found.name}" is not a file name', retry=False)
        return self._in_folder(raw_name)

    def _marker(self, found: Found) -> bytes:
        return self._path(found) + found.marker.removeprefix(found.name).encode()

    def _in_folder(self, raw_name: bytes) -> bytes:
        return _join(self._taken_from(), "").encode() + raw_name

    def _is_wanted(self, raw_name: bytes) -> bool:
        return b"/" not in raw_name and b"\0" not in raw_name and self._settings.rules.looks_at(text_of(raw_name))

    def _identity(self, file: RemoteFile) -> str:
        return f"{_join(self._taken_from(), text_of(file.raw_name))}|{file.size}|{file.modified}"

    def _same(self, found: Found) -> Callable[[RemoteFile], FileTrouble | None]:
        return lambda now: None if self._identity(now) == found.identity else changed(found)

    def _demand_same(self, found: Found, now: RemoteFile) -> None:
        if self._identity(now) != found.identity:
            raise changed(found)

    @contextlib.contextmanager
    def _failures(self, sentence: str, refusal: type[TransportError] = TransportError) -> Iterator[SftpSession]:
        """Hand out the open session; turn what the server and the line do into TransportError, its refusals into `refusal`."""
        try:
            try:
                session = self._borrow()
            except (OSError, paramiko.SSHException, EOFError) as error:
                # nobody was asked for anything yet: the line is to blame, not what we wanted
                if isinstance(error, paramiko.AuthenticationException):
                    raise
                words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
                raise Unreachable(f"{self._settings.host}, port {self._settings.port} cannot be reached: {words}") from error
            yield session
        except paramiko.AuthenticationException as error:
            raise TransportError(f"{self._settings.host} refused the login of {self._settings.user}: {error}", retry=False, stop=True) from error
        except OSError as error:
            if is_answer(error) and self._session is not None and self._session.is_alive():
                raise refusal(f"{sentence}: {_words(error)}", retry=True) from error
            self._drop()
            raise Unreachable(f"{sentence}: {str(error) or type(error).__name__}") from error
        except (paramiko.SSHException, EOFError) as error:
            self._drop()
            raise Unreachable(f"{sentence}: {str(error) or type(error).__name__}") from error
        finally:
            self._give_back()

    def _borrow(self) -> SftpSession:
        self._depth += 1
        if self._session is None:
            self._session = self.pool.take()
        return self._session

    def _give_back(self) -> None:
        self._depth -= 1
        if not self._depth and self._session is not None:
            self.pool.give_back(self._session)
            self._session = None

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()


def _words(error: OSError) -> str:
    """What the server said; its "Failure" is all that many say of a full disk, a quota or a file in the way."""
    said = error.strerror or str(error)
    return f'the server says "{said}" and no more' if said.lower() in {"failure", ""} else said


def _look(session: SftpSession, path: str | bytes) -> RemoteFile | None:
    try:
        return session.stat(path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"
