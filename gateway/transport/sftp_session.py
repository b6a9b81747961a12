"""One SSH connection with an SFTP channel: list, read, write, rename.

Knows paramiko and nothing of boxes. Everything is bounded: each wait for bytes by `timeout_seconds`, each whole step by
`longest_seconds` (a server that drips bytes is hung up on), each read by a window of requests in flight. Reading does its own
pipelining, because paramiko's starts threads that outlive a lost connection (facts 4.2). One session belongs to one thread.
"""

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko
from paramiko import sftp as protocol

from gateway.transport.box import TransportError
from gateway.transport.ssh import SftpSettings
from gateway.transport.ssh import connect_pinned
from gateway.transport.ssh import hang_up_after

#: Bytes a read asks for at a time (every server grants 32 kB), and requests in flight: 2 MB cover 100 MB/s at 20 ms.
READ = 32 * 1024
WINDOW = 64

#: Listing requests in flight.
LIST_WINDOW = 4

#: At most so many names are taken from one listing; the rest comes when these are gone.
LONGEST_LISTING = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A plain file at the server; `raw_name` is its name in the server's bytes."""

    raw_name: bytes
    size: int
    modified: int


class _Refusal(Exception):
    """The server answered that it does not do this."""


class _Line:
    """The channel under the SFTP client, with a deadline for the whole step beside the limit for each wait."""

    def __init__(self, channel: paramiko.Channel, settings: SftpSettings) -> None:
        self._channel = channel
        self._settings = settings
        self._deadline = 0.0
        self.start_step()

    def start_step(self, more: float = 0.0) -> None:
        """From now on `longest_seconds` (and `more`) are left."""
        self._deadline = time.monotonic() + self._settings.longest_seconds + more

    def recv(self, size: int) -> bytes:
        self._limit()
        return self._channel.recv(size)

    def send(self, data: bytes) -> int:
        self._limit()
        try:
            sent = self._channel.send(data)
        except EOFError:
            sent = 0
        if not sent:  # paramiko calls a lost line an end of file, as it calls the end of what we read
            raise ConnectionResetError("the connection was lost")
        return sent

    def recv_ready(self) -> bool:
        return self._channel.recv_ready()

    def get_name(self) -> str:
        return self._channel.get_name()

    def close(self) -> None:
        self._channel.close()

    def _limit(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the server is too slow: not done within {self._settings.longest_seconds:g} seconds")
        self._channel.settimeout(min(left, self._settings.timeout_seconds))


class _Client(paramiko.SFTPClient):
    """paramiko's client; the private verbs that we build on stand here and nowhere else (the stubs do not know them)."""

    def ask(self, receiver: object, command: int, *arguments: object) -> int:
        """Send a request whose answer `receiver` gets, unless it is waited for; gives its number."""
        return self._async_request(receiver, command, *arguments)  # type: ignore[attr-defined, no-any-return]

    def wait(self, number: int) -> paramiko.Message:
        """The answer to a request; EOFError at an end, OSError for a refusal, SSHException when the line is gone."""
        return self._read_response(number)[1]  # type: ignore[attr-defined, no-any-return]

    def demand_success(self, message: paramiko.Message) -> None:
        """Raise as `wait` does for an answer that came early."""
        self._convert_status(message)  # type: ignore[attr-defined]

    def call(self, command: int, *arguments: object) -> paramiko.Message:
        """Send a request and wait for its answer."""
        return self.wait(self.ask(type(None), command, *arguments))


def _attributes(message: paramiko.Message) -> paramiko.SFTPAttributes:
    return paramiko.SFTPAttributes._from_msg(message)  # type: ignore[attr-defined, no-any-return]


class _Pipeline:
    """Requests sent ahead of their answers over one SFTP channel."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._arrived: dict[int, tuple[int, paramiko.Message]] = {}

    def ask(self, command: int, *arguments: object) -> int:
        return self._client.ask(self, command, *arguments)

    def answer(self, number: int) -> paramiko.Message:
        if number not in self._arrived:
            return self._client.wait(number)
        kind, message = self._arrived.pop(number)
        if kind == protocol.CMD_STATUS:
            self._client.demand_success(message)
        return message

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        """paramiko's call for an answer that came before the one waited for."""
        self._arrived[number] = (kind, message)


class SftpSession:
    """An open, authenticated connection to a server whose host key fits a pin."""

    def __init__(self, settings: SftpSettings) -> None:
        self._transport = connect_pinned(settings)
        try:
            with hang_up_after(self._transport, settings.longest_seconds):
                channel = self._transport.open_session(timeout=settings.timeout_seconds)
                channel.settimeout(settings.timeout_seconds)
                channel.invoke_subsystem("sftp")
                self._line = _Line(channel, settings)
                self._client = _Client(self._line)  # type: ignore[arg-type]  # all that paramiko uses of a channel
        except BaseException:
            self._transport.close()
            raise

    def is_alive(self) -> bool:
        """Whether the connection still stands, as far as we know."""
        return self._transport.is_active()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def list_files(self, folder: str) -> list[RemoteFile]:
        """The plain files of a folder, in the server's order."""
        self._line.start_step()
        handle = self._client.call(protocol.CMD_OPENDIR, folder).get_binary()
        try:
            return list(self._entries(handle))
        finally:
            self._let_go(handle)

    def stat(self, path: str | bytes) -> RemoteFile:
        """Size and time of a path, links not followed."""
        self._line.start_step()
        return _remote_file(_last_part(path), self._client.lstat(path))

    def read(self, path: str | bytes, size: int) -> Iterator[tuple[bytes, RemoteFile | None]]:
        """The file's first `size` bytes in pieces, each with None; at the end nothing, with how the open file looks then."""
        self._line.start_step()
        handle = self._client.call(protocol.CMD_OPEN, path, protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes()).get_binary()
        try:
            pipeline = _Pipeline(self._client)
            waiting: deque[tuple[int, int]] = deque()
            asked = done = 0
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
            yield b"", _remote_file(_last_part(path), _attributes(self._client.call(protocol.CMD_FSTAT, handle)))
        finally:
            self._let_go(handle)

    def write(self, path: str, data: bytes) -> None:
        """Write a new file or over an old one, make it durable where the server can, check its size."""
        self._line.start_step(len(data) / 50_000)
        with self._client.open(path, "wb") as file:
            file.set_pipelined(True)
            file.write(data)
            file.flush()
            with contextlib.suppress(_Refusal):  # fsync@openssh.com is an extension: where there is none the size must do
                self._call_extension("fsync@openssh.com", file.handle)
        written = self._client.stat(path).st_size
        if written != len(data):
            raise TransportError(f'the server kept {written} of {len(data)} bytes of "{text_of(_last_part(path))}"', retry=True)

    def rename(self, old: str, new: str) -> None:
        """Rename; plainly where the server has no posix-rename."""
        self._line.start_step()
        try:
            self._call_extension("posix-rename@openssh.com", old, new)
        except _Refusal:
            self._client.rename(old, new)

    def remove(self, path: str | bytes) -> None:
        """Delete a file."""
        self._line.start_step()
        self._client.remove(path)

    def _call_extension(self, name: str, *arguments: object) -> None:
        try:
            self._client.call(protocol.CMD_EXTENDED, name, *arguments)
        except OSError as error:
            if isinstance(error, TimeoutError) or not self.is_alive():
                raise
            raise _Refusal from error

    def _entries(self, handle: bytes) -> Iterator[RemoteFile]:
        pipeline = _Pipeline(self._client)
        waiting = deque(pipeline.ask(protocol.CMD_READDIR, handle) for _ in range(LIST_WINDOW))
        count = 0
        with contextlib.suppress(EOFError):  # the protocol's word for the end of the list
            while count < LONGEST_LISTING:
                message = pipeline.answer(waiting.popleft())
                waiting.append(pipeline.ask(protocol.CMD_READDIR, handle))
                for _ in range(message.get_int()):
                    name = message.get_binary()
                    kind = message.get_binary()[:1]  # the line as `ls -l` prints it
                    attributes = _attributes(message)
                    count += 1
                    if _is_plain_file(attributes.st_mode, kind):
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
