"""What is agreed about one SFTP server; plain values, so that those who only hold them need no SSH."""

from dataclasses import dataclass
from dataclasses import field

from gateway.transport.readiness import Rules

#: seconds that one step at a server may take: a listing, a file (a large one more)
LONGEST_STEP = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpSettings:
    """Where an SFTP server is and how we know it and it knows us; secrets are values here and never shown."""

    host: str
    user: str
    #: `SHA256:...` as ssh-keygen prints it; one of them must fit (several for a change of key).
    host_keys: tuple[str, ...]
    port: int = 22
    #: OpenSSH or PEM private key.
    key: bytes | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    #: What the key and its passphrase are called where they are configured: a file, a variable.
    key_name: str = "the private key"
    passphrase_name: str = "its passphrase"  # noqa: S105  what it is called
    password: str | None = field(default=None, repr=False)
    folder: str | None = None
    send_to: str | None = None
    #: The folder that files are moved to when they were taken; they are deleted where there is none.
    archive_to: str | None = None
    rules: Rules = field(default_factory=lambda: Rules(settle_seconds=2.0))
    #: Connections that fetch side by side, at most.
    connections: int = 1
    #: Whether the server may prove itself, and we ourselves, with RSA and SHA-1 (`ssh-rsa`), as servers did before 2017.
    sha1: bool = False
    timeout_seconds: float = 30.0
    longest_seconds: float = LONGEST_STEP
