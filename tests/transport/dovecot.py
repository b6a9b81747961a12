"""A real IMAP server (Debian's dovecot) on loopback, in a folder of its own; whoever logs in has a mailbox."""

import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine import PATIENCE
from tests.machine import free_port
from tests.transport.tls import certificate_files

PASSWORD = "correct-horse"
_BINARY = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
NEEDS = pytest.mark.skipif(_BINARY is None, reason="no IMAP server here: apt-get install dovecot-imapd")

_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
protocols = imap
ssl = yes
ssl_cert = <{pem}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 0
first_valid_gid = 0
mail_max_userip_connections = 100
imap_capability = {capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server."""

    folder: Path
    port: int
    tls_port: int
    authorities: Path

    @contextlib.contextmanager
    def speaking(self, user: str = "edi") -> Iterator[imaplib.IMAP4_SSL]:
        """A connection of the mailbox's owner."""
        context = ssl.create_default_context(cafile=str(self.authorities))
        with imaplib.IMAP4_SSL("127.0.0.1", self.tls_port, ssl_context=context, timeout=PATIENCE) as client:
            client.login(user, PASSWORD)
            yield client

    def put(self, data: bytes, user: str = "edi", folder: str = "INBOX") -> None:
        """A mail arrives."""
        with self.speaking(user) as client:
            assert client.append(folder, "", None, data)[0] == "OK"  # type: ignore[arg-type]

    def mails(self, user: str = "edi", folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder."""
        with self.speaking(user) as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            [found] = client.uid("SEARCH", "ALL")[1]
            return [client.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0][1] for uid in found.split()]


@contextlib.contextmanager
def dovecot(capability: str = "") -> Iterator[Dovecot]:
    """Serve until the end of the block; `capability` replaces what the server says that it can do."""
    assert _BINARY is not None
    # in a folder that other users may enter: the server's processes are several
    folder = Path(tempfile.mkdtemp(prefix="gateway-dovecot-"))
    folder.chmod(0o755)
    pem, key = certificate_files(folder / "tls")
    port, tls_port = free_port(), free_port()
    us = getpass.getuser() if os.getuid() else "root"
    login = "dovenull" if os.getuid() == 0 and _is_user("dovenull") else us
    group = grp.getgrgid(os.getgid()).gr_name
    # it refuses to serve mail as root
    owner, owners = (65534, 65534) if os.getuid() == 0 else (os.getuid(), os.getgid())
    for name in ("mail", "home"):
        (folder / name).mkdir(exist_ok=True)
        os.chown(folder / name, owner, owners)
    text = _CONFIG.format(
        folder=folder,
        user="dovecot" if os.getuid() == 0 and _is_user("dovecot") else us,
        group="dovecot" if os.getuid() == 0 and _is_user("dovecot") else group,
        login=login,
        pem=pem,
        key=key,
        capability=capability,
        password=PASSWORD,
        uid=owner,
        gid=owners,
        port=port,
        tls_port=tls_port,
    )
    config = folder / "dovecot.conf"
    config.write_text(text)
    process = subprocess.Popen([_BINARY, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(process, folder, tls_port)
        yield Dovecot(folder, port, tls_port, pem)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _await(process: "subprocess.Popen[bytes]", folder: Path, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, (folder / "dovecot.log").read_text() if (folder / "dovecot.log").exists() else "dovecot ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < end, "dovecot does not listen"
        time.sleep(0.05)
