"""An SSH connection to a server whose host key we know.

Knows how to reach, recognise and log in; nothing of files. Rule: no key is ever added by itself, a server whose key fits no
pin is told nothing, not even the user's name.
"""

import base64
import contextlib
import io
import logging
import socket
import threading
from collections.abc import Iterator
from collections.abc import Sequence

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.transport.box import TransportError
from gateway.transport.sftp_settings import SftpSettings
from gateway.transport.ssh_old import OLD_RSA
from gateway.transport.ssh_old import OldRsaKey
from gateway.transport.ssh_old import OldTransport

#: Kinds of host keys by the algorithms that use them; asked for one after another until one fits a pin.
_HOST_KEY_KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)

#: how a private key of OpenSSH begins
_OPENSSH = b"openssh-key-v1\0"

_LOG_CHANNEL = "gateway.transport.sftp.ssh"
# paramiko writes tracebacks there about whatever a server does; all that an operator needs of them is in our TransportError
logging.getLogger(_LOG_CHANNEL).addHandler(logging.NullHandler())
logging.getLogger(_LOG_CHANNEL).propagate = False


class _HostKeyUnknown(Exception):
    """The server showed a key that no pin fits."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(fingerprint)
        self.fingerprint = fingerprint


@contextlib.contextmanager
def hang_up_after(transport: paramiko.Transport, seconds: float) -> Iterator[None]:
    """Close the connection when the block takes longer: paramiko waits without limit at some steps of connecting."""
    timer = threading.Timer(seconds, transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def connect_pinned(settings: SftpSettings) -> paramiko.Transport:
    """Connect; where the server shows a key of a kind that is not pinned, ask it for its keys of the other kinds."""
    if not settings.host_keys:
        raise TransportError(
            f"no host key of {settings.host} is pinned: ask the partner for its fingerprint and set host_keys", retry=False, stop=True
        )
    key = _private_key(settings)
    shown: list[str] = []
    refused: list[str] = []
    for _ in _HOST_KEY_KINDS:
        try:
            return _connect_once(settings, key, refused)
        except _HostKeyUnknown as unknown:
            shown.append(unknown.fingerprint)
            name = unknown.fingerprint.partition(" ")[0]
            same_kind = next((kind for kind in _HOST_KEY_KINDS if name in kind or (name == OLD_RSA and "rsa-sha2-512" in kind)), ())
            refused += [*same_kind, name]
        except paramiko.ssh_exception.IncompatiblePeer as error:
            if not shown:
                raise TransportError(f"{settings.host} and we have no SSH algorithm in common: {error}", retry=False, stop=True) from error
            break
    raise TransportError(
        f"the host key of {settings.host} is not a pinned one: found {', '.join(shown)}, expected {', '.join(settings.host_keys)}; "
        "nothing was sent. Ask the partner whether its key changed, then set host_keys",
        retry=False,
        stop=True,
    )


def _connect_once(settings: SftpSettings, key: paramiko.PKey | None, refused: Sequence[str]) -> paramiko.Transport:
    connection = socket.create_connection((settings.host, settings.port), timeout=settings.timeout_seconds)
    try:
        kind = OldTransport if settings.sha1 else paramiko.Transport
        transport = kind(connection, disabled_algorithms={"keys": list(refused)})
    except BaseException:
        connection.close()
        raise
    try:
        transport.set_log_channel(_LOG_CHANNEL)
        transport.daemon = True
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = settings.timeout_seconds
        with hang_up_after(transport, settings.longest_seconds):
            transport.start_client(timeout=settings.timeout_seconds)
            if not transport.initial_kex_done:
                raise TimeoutError("the SSH handshake took too long")
            shown = transport.get_remote_server_key()
            if _digest(shown.fingerprint) not in {_digest(pin) for pin in settings.host_keys}:
                raise _HostKeyUnknown(f"{shown.get_name()} {shown.fingerprint}")
            _authenticate(transport, settings, key)
        transport.set_keepalive(30)
    except BaseException:
        transport.close()
        raise
    return transport


def _authenticate(transport: paramiko.Transport, settings: SftpSettings, key: paramiko.PKey | None) -> None:
    missing: list[str] = []
    if key is not None:
        missing = transport.auth_publickey(settings.user, key)
    if settings.password is not None and (key is None or missing):
        missing = transport.auth_password(settings.user, settings.password)
    if missing or not transport.is_authenticated():
        raise paramiko.AuthenticationException(f"the server asks for more: {', '.join(missing)}" if missing else "nothing to log in with")


def _private_key(settings: SftpSettings) -> paramiko.PKey | None:
    if settings.key is None:
        return None
    for kind in (paramiko.Ed25519Key, OldRsaKey if settings.sha1 else paramiko.RSAKey, paramiko.ECDSAKey):
        try:
            return kind.from_private_key(io.StringIO(settings.key.decode("ascii")), settings.key_password)
        except paramiko.PasswordRequiredException as error:
            raise TransportError(
                f"{settings.key_name} for {settings.host} is encrypted: name its passphrase (passphrase: env:...)", retry=False, stop=True
            ) from error
        except (paramiko.SSHException, ValueError, IndexError, UnsupportedAlgorithm):
            continue  # a key of another kind
    if settings.key_password is not None and _is_encrypted(settings.key):
        words = f"cannot be opened: {settings.passphrase_name} is not the right one; try it with ssh-keygen -y -f FILE"
    else:
        words = "cannot be read: expected an Ed25519, RSA or ECDSA key in OpenSSH or PEM form"
    raise TransportError(f"{settings.key_name} for {settings.host} {words}", retry=False, stop=True)


def _is_encrypted(key: bytes) -> bool:
    """Whether a private key in PEM or OpenSSH form asks for a passphrase."""
    if b"ENCRYPTED" in key:
        return True
    body = b"".join(line.strip() for line in key.splitlines() if line.strip() and not line.startswith(b"-----"))
    try:
        raw = base64.b64decode(body, validate=True)
    except ValueError:
        return False
    # the name of the cipher follows the mark, after its length in four bytes
    cipher = raw.removeprefix(_OPENSSH)[4:]
    return raw.startswith(_OPENSSH) and not cipher.startswith(b"none")


def _digest(pin: str) -> bytes:
    """The bytes that `SHA256:...` stands for; padding or not makes no difference."""
    name, _, text = pin.strip().partition(":")
    try:
        digest = base64.b64decode(text + "=" * (-len(text) % 4), validate=True) if name.upper() == "SHA256" else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise TransportError(f'"{pin}" is not a host key fingerprint: expected SHA256:... as ssh-keygen -l prints it', retry=False, stop=True)
    return digest
