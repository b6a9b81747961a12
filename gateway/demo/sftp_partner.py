"""A partner with an SFTP server of its own: a mailbox with `out` and `in`, its own host key, one user who logs in with a key.

paramiko's server side, so that no root and no sshd is needed. `python -m gateway.demo.sftp_partner HOME AUTHORIZED_KEY`; says its port
and the fingerprint of its host key.
"""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import TypeVar

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paramiko.common import AUTH_FAILED
from paramiko.common import AUTH_SUCCESSFUL
from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
from paramiko.common import OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK

from gateway.demo.premises import Home
from gateway.demo.standing import move_all
from gateway.demo.standing import stand

USER = "kestrel"
_Answer = TypeVar("_Answer")


def make_key(path: Path) -> str:
    """A new ed25519 key in OpenSSH form at `path`; its public line."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
    path.chmod(0o600)
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


class _Door(paramiko.ServerInterface):
    """Lets in the one user with the one key, to SFTP alone."""

    def __init__(self, authorized: str) -> None:
        self._authorized = authorized.split()[1]

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == USER and key.get_base64() == self._authorized
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


def _answered(work: Callable[[], _Answer]) -> _Answer | int:
    """What the disk says, as SFTP says it."""
    try:
        return work()
    except OSError as error:
        return paramiko.SFTPServer.convert_errno(error.errno or 0)


def _done(work: Callable[[], None]) -> int:
    """That it was done, or why not."""
    said = _answered(work)
    return SFTP_OK if said is None else said


class _Mailbox(paramiko.SFTPServerInterface):
    """The mailbox's folder as the root of all paths; nothing outside of it can be named."""

    def __init__(self, server: paramiko.ServerInterface, root: Path, *arguments: Any) -> None:
        super().__init__(server, *arguments)
        self._root = root

    def _path(self, path: str) -> str:
        return f"{self._root}{self.canonicalize(path)}"

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        def work() -> list[paramiko.SFTPAttributes]:
            with os.scandir(self._path(path)) as entries:
                return [paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name) for entry in entries]

        return _answered(work)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        return _answered(lambda: paramiko.SFTPAttributes.from_stat(os.stat(self._path(path))))

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        return _answered(lambda: paramiko.SFTPAttributes.from_stat(os.lstat(self._path(path))))

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        def work() -> paramiko.SFTPHandle:
            descriptor = os.open(self._path(path), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            writing = flags & (os.O_WRONLY | os.O_RDWR)
            mode = "rb" if not writing else "ab" if flags & os.O_APPEND else "r+b" if flags & os.O_RDWR else "wb"
            file = os.fdopen(descriptor, mode)
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = handle.writefile = file  # type: ignore[attr-defined]  # how paramiko's handles are given their file
            handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(file.fileno()))  # type: ignore[method-assign]
            return handle

        return _answered(work)

    def remove(self, path: str) -> int:
        return _done(lambda: os.remove(self._path(path)))

    def rename(self, oldpath: str, newpath: str) -> int:
        def work() -> None:
            # a plain SFTP rename never writes over a file
            os.link(self._path(oldpath), self._path(newpath))
            os.unlink(self._path(oldpath))

        return _done(work)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return _done(lambda: os.replace(self._path(oldpath), self._path(newpath)))


def serve(connection: socket.socket, host_key: paramiko.PKey, authorized: str, root: Path) -> None:
    """One client, until it hangs up."""
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Mailbox, root)
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        transport.start_server(server=_Door(authorized))


def main(arguments: list[str]) -> None:
    home, authorized = Home(Path(arguments[0])), arguments[1]
    key_file = home.folder / "host_key"
    make_key(key_file)
    host_key = paramiko.Ed25519Key.from_private_key_file(str(key_file))
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, host_key, authorized, home.box), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()

    def step() -> None:
        move_all(home.to_send, home.box / "out")
        move_all(home.box / "in", home.received)

    stand({"port": listening.getsockname()[1], "host_key": host_key.fingerprint}, step)


if __name__ == "__main__":
    main(sys.argv[1:])
