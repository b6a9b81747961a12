"""A real OpenSSH server on a free loopback port: key login only, SFTP only, nothing installed, ended with its fixture."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transport.readiness import Rules
from gateway.transport.sftp_settings import SftpSettings
from tests.machine import PATIENCE
from tests.machine import free_port

SSHD = Path("/usr/sbin/sshd")
SYSTEM_USER = "games"  # as root, sshd runs as an unprivileged account that is not locked


@dataclass(frozen=True)
class OpenSsh:
    """A running server: `data` is the folder that its user sees first."""

    process: subprocess.Popen[bytes]
    home: Path
    data: Path
    port: int
    user: str

    def settings(self, **changes: object) -> SftpSettings:
        """How to reach it, with its Ed25519 key pinned."""
        plain = SftpSettings(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            key=(self.home / "client").read_bytes(),
            host_keys=(self.fingerprint("ed25519"),),
            folder=f"{self.data}/out",
            send_to=f"{self.data}/in",
            rules=Rules(settle_seconds=0.0),
            timeout_seconds=60.0,
            longest_seconds=100.0,
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def fingerprint(self, kind: str) -> str:
        """What ssh-keygen prints for one of its host keys."""
        line = subprocess.run(["ssh-keygen", "-lf", self.home / f"host_{kind}"], check=True, capture_output=True, text=True).stdout
        return line.split()[1]


@contextlib.contextmanager
def running_openssh(more: str = "", host_keys: tuple[str, ...] = ("ed25519", "rsa")) -> Iterator[OpenSsh]:
    """Start sshd, wait until it answers, end it (and only it) afterwards. `more`: lines for its configuration."""
    if not SSHD.exists() or shutil.which("ssh-keygen") is None:
        pytest.skip(f"no {SSHD}: apt-get install openssh-server")
    home = Path(tempfile.mkdtemp(prefix="gateway-sshd-"))
    try:
        server = _start(home, more, host_keys)
        try:
            yield server
        finally:
            server.process.terminate()
            server.process.wait(timeout=PATIENCE)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, more: str, host_keys: tuple[str, ...]) -> OpenSsh:
    for name, options in (("host_ed25519", ["-t", "ed25519"]), ("host_rsa", ["-t", "rsa", "-b", "2048"]), ("client", ["-t", "ed25519"])):
        subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-f", home / name], check=True)
    data = home / "data"
    for folder in (data, data / "in", data / "out"):
        folder.mkdir()
    user = pwd.getpwnam(SYSTEM_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    port = free_port()
    (home / "sshd_config").write_text(f"""Port {port}
ListenAddress 127.0.0.1
{chr(10).join(f"HostKey {home}/host_{kind}" for kind in host_keys)}
PidFile none
AuthorizedKeysFile {home}/client.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers {user.pw_name}
Subsystem sftp internal-sftp
ForceCommand internal-sftp
MaxStartups 100
{more}
""")
    drop: dict[str, object] = {}
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    process = subprocess.Popen(
        [SSHD, "-D", "-f", home / "sshd_config", "-E", home / "sshd.log"],  # type: ignore[call-overload]
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **drop,
    )
    _wait_until_it_answers(process, port, home / "sshd.log")
    return OpenSsh(process, home, data, port, user.pw_name)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            if probe.recv(4) == b"SSH-":
                return
    raise AssertionError("sshd does not answer")
