"""A partner whose mailbox is a real OpenSSH server that can go away and come back on its port."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.house import House
from tests.integration.house import put
from tests.machine import PATIENCE
from tests.transport.openssh import SSHD
from tests.transport.openssh import OpenSsh
from tests.transport.openssh import running_openssh

WRONG_KEY = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def sftp_partner(id: str, identity: str, server: OpenSsh, *, out: str = "out", key: str | None = None, port: int | None = None) -> str:
    """A partner's YAML over this server."""
    return f"""\
id: {id}
name: {id.title()}
identifiers: {{x12: "ZZ:{identity}"}}
endpoints:
  mailbox: {{sftp: "sftp://127.0.0.1:{port or server.port}{server.data}/{out}", user: {server.user}, key: "file:keys/client",
            host_keys: ["{key or server.fingerprint("ed25519")}"], send_to: "{server.data}/in", settle: 0.3}}
agreements:
  - {{receive: x12/004010/850, from: mailbox, acknowledge: "997"}}
  - {{send: x12/004010/855, to: mailbox}}
currency: USD
tax: none
credit: none
"""


@dataclass(slots=True)
class Mailbox:
    """The server, and what a partner does at it."""

    server: OpenSsh
    process: "subprocess.Popen[bytes]"

    @property
    def out(self) -> Path:
        return self.server.data / "out"

    @property
    def sent(self) -> Path:
        return self.server.data / "in"

    def put(self, name: str, data: bytes) -> None:
        put(self.out, name, data)

    def go_away(self) -> None:
        """The server with all its connections."""
        connections = _children(self.process.pid)
        self.process.terminate()
        self.process.wait(PATIENCE)
        for child in connections:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def come_back(self) -> None:
        """On the same port, with the same keys."""
        owner = self.server.home.stat()
        drop = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", self.server.home / "sshd_config", "-E", self.server.home / "sshd.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **drop,
        )  # type: ignore[call-overload]


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    with running_openssh() as server:
        box = Mailbox(server, server.process)
        try:
            yield box
        finally:
            if box.process.poll() is None:
                box.go_away()


def give_key(house: House, server: OpenSsh) -> None:
    """The client's key where the partner's YAML names it."""
    keys = house.folder / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "client").write_bytes((server.home / "client").read_bytes())


def _children(parent: int) -> list[int]:
    """The processes under one, its grandchildren too."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found += [int(folder.name), *_children(int(folder.name))]
    return found
