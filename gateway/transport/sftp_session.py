"""One SSH connection with an SFTP channel: list, read, write, rename.

Knows paramiko and nothing of boxes. Everything is bounded: each wait for bytes by `timeout_seconds`, each whole step by
`longest_seconds` (a server that drips bytes is hung up on), each read by a window of requests in flight. Reading does its own
pipelining, because paramiko's starts threads that outlive a lost connection (facts 4.2). One session belongs to one thread.
"""

import contextlib
import errno
import weakref
from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import paramiko
from paramiko import sftp as protocol

from gateway.transport.box import LONGEST_LISTING
from gateway.transport.box import FileTrouble
from gateway.transport.box import TransportError
from gateway.transport.sftp_line import Client
from gateway.transport.sftp_line import Line
from gateway.transport.sftp_line import Pipeline
from gateway.transport.sftp_line import attributes_of
from gateway.transport.sftp_settings import SftpSettings
from gateway.transport.ssh import connect_pinned
from gateway.transport.ssh import hang_up_after

#: Bytes a read asks for at a time (every server grants 32 kB), and requests in flight: 2 MB cover 100 MB/s at 20 ms.
READ = 32 * 1024
WINDOW = 64

#: Listing requests in flight.
LIST_WINDOW = 4

#: Small files that are opened ahead of those that are read, and read ahead of the one that is handed on.
AHEAD = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A plain file at the server; `raw_name` is its name in the server's bytes."""

    raw_name: bytes
    size: int
    modified: int


#: A whole file with how it looked after it was read, or what the server said instead.
Got = tuple[bytes, RemoteFile] | OSError | EOFError


@dataclass(frozen=True, slots=True)
class _Asked:
    """A file that is open, with the requests for its pieces and for how it looks after them."""

    path: bytes
    handle: bytes
    pieces: tuple[tuple[int, int, int], ...]
    look: int


class _Refusal(Exception):
    """The server answered that it does not do this."""


def is_answer(error: OSError) -> bool:
    """Whether this is what the server said, and not what befell the line."""
    return type(error) is OSError or error.errno in (errno.ENOENT, errno.EACCES)


class SftpSession:
    """An open, authenticated connection to a server whose host key fits a pin."""

    def __init__(self, settings: SftpSettings) -> None:
        self._transport = connect_pinned(settings)
        try:
            with hang_up_after(self._transport, settings.longest_seconds):
                channel = self._transport.open_session(timeout=settings.timeout_seconds)
                channel.settimeout(settings.timeout_seconds)
                channel.invoke_subsystem("sftp")
                self._line = Line(channel, settings)
                self._client = Client(self._line)  # type: ignore[arg-type]  # all that paramiko uses of a channel
        except BaseException:
            self._transport.close()
            raise
        # paramiko's thread holds on to its connection for ever where nobody says that it is over
        weakref.finalize(self, self._transport.close).atexit = False

    def is_alive(self) -> bool:
        """Whether the connection still stands, as far as we know."""
        return self._transport.is_active() and not self._line.is_closed()

    def only_while(self, is_ours: Callable[[], bool]) -> None:
        """Not a word passes when it is not ours any more: then it is hung up."""
        self._line.is_ours = is_ours

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def list_files(self, folder: str, wanted: Callable[[bytes], bool]) -> list[RemoteFile]:
        """The plain files of a folder whose names are wanted, in the server's order."""
        self._line.start_step()
        handle = self._client.call(protocol.CMD_OPENDIR, folder).get_binary()
        try:
            return list(self._entries(handle, wanted))
        finally:
            self._let_go(handle)

    def stat(self, path: str | bytes) -> RemoteFile:
        """Size and time of a path, links not followed."""
        self._line.start_step()
        return _remote_file(_last_part(path), self._client.lstat(path))

    def read(self, path: str | bytes, size: int, offset: int = 0) -> Generator[tuple[bytes, RemoteFile | None]]:
        """The file's first `size` bytes from `offset` on in pieces, each with None; at the end nothing, with how the open file looks then."""
        self._line.start_step()
        handle = self._client.call(protocol.CMD_OPEN, path, protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes()).get_binary()
        try:
            pipeline = Pipeline(self._client)
            waiting: deque[tuple[int, int]] = deque()
            asked = done = offset
            while done < size:
                self._line.start_step()
                while asked < size and len(waiting) < WINDOW:
                    length = min(READ, size - asked)
                    waiting.append((pipeline.ask(protocol.CMD_READ, handle, protocol.int64(asked), length), length))
                    asked += length
                number, length = waiting.popleft()
                piece = self._fill(handle, done, length, pipeline.answer(number).get_binary())
                done += length
                yield piece, None
            self._line.start_step()
            yield b"", _remote_file(_last_part(path), attributes_of(self._client.call(protocol.CMD_FSTAT, handle)))
        finally:
            self._let_go(handle)

    def read_many(self, wanted: Sequence[tuple[bytes, int]]) -> Iterator[Got]:
        """Whole small files by path and size, in the order given: the next ones are opened and asked for while one is read, so that a long
        line costs its waiting once and not three times a file."""
        pipeline = Pipeline(self._client)
        rest = iter(wanted)
        opening: deque[tuple[bytes, int, int]] = deque()
        reading: deque[_Asked | OSError] = deque()
        try:
            while True:
                self._line.start_step()
                while len(opening) < AHEAD and (one := next(rest, None)) is not None:
                    number = pipeline.ask(protocol.CMD_OPEN, one[0], protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes())
                    opening.append((*one, number))
                while opening and len(reading) < AHEAD:
                    reading.append(self._ask_for_all(pipeline, *opening.popleft()))
                if not reading:
                    return
                asked = reading.popleft()
                yield asked if isinstance(asked, OSError) else self._whole(pipeline, asked)
        finally:
            if reading or opening:  # left in the middle: nobody waits for what is under way
                self.close()

    def write(self, path: str, data: bytes) -> None:
        """Write a new file or over an old one, make it durable where the server can, check its size. Each piece's answer is looked at: a
        disk that was full for a moment leaves a hole and not a shorter file."""
        self._line.start_step(len(data) / 50_000)
        flags = protocol.SFTP_FLAG_WRITE | protocol.SFTP_FLAG_CREATE | protocol.SFTP_FLAG_TRUNC
        handle = self._client.call(protocol.CMD_OPEN, path, flags, paramiko.SFTPAttributes()).get_binary()
        pipeline = Pipeline(self._client)
        waiting: deque[int] = deque()
        try:
            for start in range(0, len(data), READ):
                if len(waiting) == WINDOW:
                    pipeline.answer(waiting.popleft())
                waiting.append(pipeline.ask(protocol.CMD_WRITE, handle, protocol.int64(start), data[start : start + READ]))
        except BaseException:
            self._let_go(handle)
            raise
        # the last three are on their way behind the pieces, so that a long line is waited for once
        flushing = pipeline.ask(protocol.CMD_EXTENDED, "fsync@openssh.com", handle)
        looking = pipeline.ask(protocol.CMD_FSTAT, handle)
        closing = pipeline.ask(protocol.CMD_CLOSE, handle)
        for number in waiting:
            pipeline.answer(number)
        try:
            pipeline.answer(flushing)
        except OSError as error:  # an extension: where there is none the size must do
            if not self._said(error):
                raise
        written = attributes_of(pipeline.answer(looking)).st_size
        pipeline.answer(closing)
        if written != len(data):
            raise TransportError(f'the server kept {written} of {len(data)} bytes of "{text_of(_last_part(path))}"', retry=True)

    def free_bytes(self, folder: str) -> int | None:
        """The room that is left for us there, where the server tells it."""
        with contextlib.suppress(_Refusal):
            answer = self._call_extension("statvfs@openssh.com", folder)
            block, fragment, _, _, free = (answer.get_int64() for _ in range(5))
            return (fragment or block) * free
        return None

    def remove_many(self, wanted: Sequence[tuple[bytes, Callable[[RemoteFile], FileTrouble | None]]]) -> Iterator[OSError | FileTrouble | None]:
        """Delete files that are still those that they were; some are looked at, then deleted, at a time."""
        for start in range(0, len(wanted), AHEAD):
            part = wanted[start : start + AHEAD]
            self._line.start_step()
            answers: list[OSError | FileTrouble | None] = []
            for (path, same), look in zip(part, self._each((protocol.CMD_LSTAT, path) for path, _ in part), strict=True):
                answers.append(look if isinstance(look, OSError) else same(_remote_file(_last_part(path), attributes_of(look))))
            going = [at for at, answer in enumerate(answers) if answer is None]
            for at, told in zip(going, self._each((protocol.CMD_REMOVE, part[at][0]) for at in going), strict=True):
                answers[at] = told if isinstance(told, OSError) else None
            yield from answers

    def rename(self, old: str, new: str) -> None:
        """Rename; plainly where the server has no posix-rename."""
        self._line.start_step()
        try:
            self._call_extension("posix-rename@openssh.com", old, new)
        except _Refusal:
            self._client.rename(old, new)

    def rename_plainly(self, old: str | bytes, new: str | bytes) -> None:
        """Rename as the protocol knows it: never over another file."""
        self._line.start_step()
        self._client.rename(old, new)  # bytes are as good

    def remove(self, path: str | bytes) -> None:
        """Delete a file."""
        self._line.start_step()
        self._client.remove(path)

    def _call_extension(self, name: str, *arguments: object) -> paramiko.Message:
        try:
            return self._client.call(protocol.CMD_EXTENDED, name, *arguments)
        except OSError as error:
            if isinstance(error, TimeoutError) or not self.is_alive():
                raise
            raise _Refusal from error

    def _ask_for_all(self, pipeline: Pipeline, path: bytes, size: int, number: int) -> _Asked | OSError:
        """Ask for everything of a file whose opening was asked for."""
        try:
            handle = pipeline.answer(number).get_binary()
        except OSError as error:
            if not self._said(error):
                raise
            return error
        pieces = []
        for offset in range(0, size, READ):
            length = min(READ, size - offset)
            pieces.append((pipeline.ask(protocol.CMD_READ, handle, protocol.int64(offset), length), offset, length))
        return _Asked(path, handle, tuple(pieces), pipeline.ask(protocol.CMD_FSTAT, handle))

    def _whole(self, pipeline: Pipeline, asked: _Asked) -> Got:
        """Collect what was asked for of a file, and close it."""
        data: list[bytes] = []
        said: OSError | EOFError | None = None
        for number, offset, length in asked.pieces:
            try:
                piece = pipeline.answer(number).get_binary()
                data.append(piece if said is not None else self._fill(asked.handle, offset, length, piece))
            except EOFError as error:  # shorter than it was
                said = error
            except OSError as error:
                if not self._said(error):
                    raise
                said = error
        after = _remote_file(_last_part(asked.path), attributes_of(pipeline.answer(asked.look)))
        self._let_go(asked.handle)
        return said if said is not None else (b"".join(data), after)

    def _said(self, error: OSError) -> bool:
        """Whether an error is the server's answer, and the line as good as before."""
        return is_answer(error) and self.is_alive()

    def _each(self, commands: Iterable[tuple[int, bytes]]) -> Iterator[paramiko.Message | OSError]:
        """The answers to commands that are all sent before the first is waited for."""
        pipeline = Pipeline(self._client)
        for number in [pipeline.ask(command, path) for command, path in commands]:
            try:
                yield pipeline.answer(number)
            except OSError as error:
                if not self._said(error):
                    raise
                yield error

    def _entries(self, handle: bytes, wanted: Callable[[bytes], bool]) -> Iterator[RemoteFile]:
        pipeline = Pipeline(self._client)
        waiting = deque(pipeline.ask(protocol.CMD_READDIR, handle) for _ in range(LIST_WINDOW))
        count = 0
        with contextlib.suppress(EOFError):  # the protocol's word for the end of the list
            while count < LONGEST_LISTING:
                message = pipeline.answer(waiting.popleft())
                waiting.append(pipeline.ask(protocol.CMD_READDIR, handle))
                for _ in range(message.get_int()):
                    name = message.get_binary()
                    kind = message.get_binary()[:1]  # the line as `ls -l` prints it
                    attributes = attributes_of(message)
                    if _is_plain_file(attributes.st_mode, kind) and wanted(name):
                        # what nobody wants lies there for ever: it must not hide what is behind it
                        count += 1
                        yield _remote_file(name, attributes)

    def _fill(self, handle: bytes, offset: int, length: int, piece: bytes) -> bytes:
        """A server may answer with less than asked; ask for the rest of this piece before the next one."""
        while len(piece) < length:
            rest = self._client.call(protocol.CMD_READ, handle, protocol.int64(offset + len(piece)), length - len(piece)).get_binary()
            if not rest:
                raise EOFError
            piece += rest
        return piece

    def _let_go(self, handle: bytes) -> None:
        """Close a handle without waiting; on a connection that is lost the server has done so."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._client.ask(type(None), protocol.CMD_CLOSE, handle)


def _is_plain_file(mode: int | None, kind: bytes) -> bool:
    if mode is None:  # a server that tells no modes: go by the line it prints
        return kind not in (b"d", b"l")
    return mode & 0o170000 == 0o100000


def _remote_file(raw_name: bytes, attributes: paramiko.SFTPAttributes) -> RemoteFile:
    return RemoteFile(raw_name=raw_name, size=attributes.st_size or 0, modified=attributes.st_mtime or 0)


def _last_part(path: str | bytes) -> bytes:
    raw = path.encode() if isinstance(path, str) else path
    return raw.rpartition(b"/")[2]


def text_of(raw_name: bytes) -> str:
    """A name that is not UTF-8 is read as Latin-1, so that it can be stored and shown."""
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError:
        return raw_name.decode("latin-1")
