"""paramiko's SFTP client as we use it: a deadline for each step, and requests that are sent ahead of their answers. What is private in paramiko
and is built on stands here and nowhere else (its stubs do not know it).
"""

import time
from collections.abc import Callable

import paramiko
from paramiko import sftp as protocol

from gateway.transport.sftp_settings import SftpSettings


def _always() -> bool:
    return True


class Line:
    """The channel under the SFTP client, with a deadline for the whole step beside the limit for each wait."""

    def __init__(self, channel: paramiko.Channel, settings: SftpSettings) -> None:
        self._channel = channel
        self._settings = settings
        self._deadline = 0.0
        #: asked before each word: whether the connection is ours still
        self.is_ours: Callable[[], bool] = _always
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

    def is_closed(self) -> bool:
        return bool(self._channel.closed)

    def _limit(self) -> None:
        if not self.is_ours():
            # this process stood still, and another one has the connection that was agreed: it hangs up before anything else
            transport = self._channel.get_transport()
            if transport is not None:
                transport.close()
            raise ConnectionResetError("another process may have the connection meanwhile")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the server is too slow: not done within {self._settings.longest_seconds:g} seconds")
        self._channel.settimeout(min(left, self._settings.timeout_seconds))


class Client(paramiko.SFTPClient):
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


def attributes_of(message: paramiko.Message) -> paramiko.SFTPAttributes:
    return paramiko.SFTPAttributes._from_msg(message)  # type: ignore[attr-defined, no-any-return]


class Pipeline:
    """Requests sent ahead of their answers over one SFTP channel."""

    def __init__(self, client: Client) -> None:
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
