"""An SFTP server in this process (paramiko's server side) for faults that OpenSSH cannot be talked into."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import paramiko
from paramiko import SFTP_NO_SUCH_FILE
from paramiko import SFTP_OK
from paramiko import SFTP_OP_UNSUPPORTED
from paramiko import SFTPAttributes


class FaultyServer:
    """Serves one folder to a user with a password; `on_rename` is asked at a posix-rename: "do", "refuse", "do and hang up", "hang up"."""

    def __init__(self, folder: Path, on_rename: Callable[[], str]) -> None:
        self.folder = folder
        self.on_rename = on_rename
        #: bytes that are answered with at most, and what happens before each answer
        self.most_read = 1 << 20
        self.on_read: Callable[[], None] = lambda: None
        self.password = "hunter2"
        #: how often somebody tried to log in
        self.logins = 0
        #: words that the server asks for one by one instead of taking a password
        self.asks = False
        #: files may hold so many bytes; None: as many as they like
        self.room: int | None = None
        self.host_key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # the thread that accepts would take one more connection
        self._listener.close()
        for transport in self.transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.daemon = True
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, owner=self, transport=transport)
            transport.start_server(server=_Door(self), event=threading.Event())
            self.transports.append(transport)


class _Door(paramiko.ServerInterface):
    def __init__(self, owner: FaultyServer) -> None:
        self._owner = owner

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive" if self._owner.asks else "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._owner.logins += 1
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("seller", self._owner.password) and not self._owner.asks else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> paramiko.InteractiveQuery | int:
        return paramiko.InteractiveQuery("", "", ("Password: ", False)) if self._owner.asks else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return paramiko.AUTH_SUCCESSFUL if responses == [self._owner.password] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    readfile: object
    writefile: object
    server: FaultyServer
    room: int | None = None

    def write(self, offset: int, data: bytes) -> int:
        if self.room is not None and offset + len(data) > self.room:
            return paramiko.SFTP_FAILURE
        return super().write(offset, data)

    def stat(self) -> SFTPAttributes:
        return SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))  # type: ignore[attr-defined]

    def read(self, offset: int, length: int) -> bytes | int:
        self.server.on_read()
        return super().read(offset, min(length, self.server.most_read))


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, door: paramiko.ServerInterface, owner: FaultyServer, transport: paramiko.Transport) -> None:
        super().__init__(door)
        self._server = owner
        self._transport = transport

    def _real(self, path: str) -> Path:
        return self._server.folder / path.lstrip("/")

    def list_folder(self, path: str) -> list[SFTPAttributes]:
        return [SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in os.scandir(self._real(path))]

    def lstat(self, path: str) -> SFTPAttributes | int:
        return SFTPAttributes.from_stat(os.lstat(self._real(path))) if self._real(path).exists() else SFTP_NO_SUCH_FILE

    stat = lstat

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> paramiko.SFTPHandle | int:
        if not flags & os.O_CREAT and not self._real(path).exists():
            return SFTP_NO_SUCH_FILE
        handle = _Handle(flags)
        handle.readfile = handle.writefile = os.fdopen(os.open(self._real(path), flags, 0o600), "r+b" if flags & os.O_CREAT else "rb", buffering=0)
        handle.server = self._server
        handle.room = self._server.room
        return handle

    def remove(self, path: str) -> int:
        self._real(path).unlink()
        return SFTP_OK

    def rename(self, oldpath: str, newpath: str) -> int:
        self._real(oldpath).rename(self._real(newpath))
        return SFTP_OK

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        wish = self._server.on_rename()
        if wish == "refuse":
            return SFTP_OP_UNSUPPORTED
        if "do" in wish:
            self.rename(oldpath, newpath)
        if "hang up" in wish:
            self._transport.close()
        return SFTP_OK
