"""A mailbox at an IMAP server: what lies in it, one mail's bytes, and its way out of the folder. TLS from the first byte or by STARTTLS.

Knows nothing of what is in a mail. Rule: reading changes nothing at the server (PEEK); a mail leaves the folder only when the caller says so,
after its commit, and only that one (UID EXPUNGE, or it stays marked as deleted).
"""

import base64
import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.transport.box import FileTrouble
from gateway.transport.box import TransportError
from gateway.transport.box import Unreachable
from gateway.transport.deadline import cut_off_after
from gateway.transport.tls import context_of

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
#: heads that are asked for at once, and how much of each: who it is from stands early in it
HEADS = 50
LONGEST_HEAD = 128 * 1024
#: bytes of a large mail that are asked for at once
PIECE = 1 << 20
_HEAD = f"(UID RFC822.SIZE BODY.PEEK[HEADER]<0.{LONGEST_HEAD}>)"
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSettings:
    """Which mailbox, and as whom."""

    host: str
    port: int
    implicit_tls: bool = True
    user: str
    password: str
    folder: str = "INBOX"
    #: where mails go that were taken; deleted where there is none
    move_to: str | None = None
    ca_file: str | None = None
    timeout_seconds: float = 30.0
    longest_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Head:
    """A mail that lies there. `identity` names it for good: the folder's UIDVALIDITY and the mail's UID."""

    uid: int
    identity: str
    size: int
    #: its header lines
    head: bytes


class ImapMailbox:
    """One folder of one mailbox. Keeps its connection between two looks; used by one thread at a time."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._client: imaplib.IMAP4 | None = None
        self._socket: list[socket.socket] = []
        self._validity = ""
        #: what the server can do, as it says once somebody has logged in
        self._able: frozenset[str] = frozenset()

    def list_uids(self) -> list[int]:
        """The mails in the folder that are not deleted, oldest first."""
        with self._speaking() as client:
            self._select(client)
            [found] = self._demand(client.uid("SEARCH", "UNDELETED"), "the folder cannot be searched")[:1] or [b""]
            return sorted(int(uid) for uid in (found or b"").split())

    def heads(self, uids: Sequence[int]) -> list[Head]:
        """Size and head of these mails, those that are gone or that the server cannot read left out."""
        if not uids:
            return []
        wanted = ",".join(str(uid) for uid in uids)
        with self._speaking() as client:
            status, parts = client.uid("FETCH", wanted, _HEAD)
            answer: list[object] = list(parts) if status == "OK" else []
            if status != "OK":
                # one mail that the server cannot read must not hide the others
                for one in uids:
                    status, parts = client.uid("FETCH", str(one), _HEAD)
                    answer += parts if status == "OK" else []
        found = []
        for said, head in _literals(answer):
            uid, size = _UID.search(said), _SIZE.search(said)
            if uid is not None and size is not None:
                found.append(Head(int(uid.group(1)), f"{self._validity}.{uid.group(1).decode()}", int(size.group(1)), head))
        return sorted(found, key=lambda head: head.uid)

    def fetch(self, uid: int, most: int) -> bytes:
        """The mail's bytes as they lie there, no more than one above `most` of them: what servers say of sizes is not exact everywhere."""
        return self._piece(uid, 0, most + 1)

    def _piece(self, uid: int, start: int, length: int) -> bytes:
        with self._speaking() as client:
            status, answer = client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<{start}.{length}>)")
            for said, data in _literals(answer if status == "OK" else []):
                named = _UID.search(said)
                if named is not None and int(named.group(1)) == uid:
                    return data
            if status == "OK" and start:
                return b""  # behind the end there is no literal
        raise FileTrouble(f"the mail {uid} cannot be read", retry=True)

    def pieces(self, uid: int, most: int) -> Iterator[bytes]:
        """The same piece by piece, so that a large mail is nowhere whole; each piece has the time that a whole step has."""
        done = 0
        while done <= most:
            length = min(PIECE, most + 1 - done)
            piece = self._piece(uid, done, length)
            if not piece:
                return
            yield piece
            done += len(piece)

    def put_away(self, uid: int) -> None:
        """Move the mail to the folder for taken ones, or delete it; harmless when it is gone."""
        with self._speaking() as client:
            if self._settings.move_to is not None:
                target = _quoted(self._settings.move_to)
                if "MOVE" in self._able:
                    self._file(client, "MOVE", uid, target)
                    return
                self._file(client, "COPY", uid, target)
            self._demand(client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"), f"the mail {uid} cannot be deleted")
            if "UIDPLUS" in self._able:
                self._demand(client.uid("EXPUNGE", str(uid)), f"the mail {uid} cannot be deleted")

    def close(self) -> None:
        """Hang up; the next verb calls again."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.shutdown()
        self._socket.clear()

    def _file(self, client: imaplib.IMAP4, verb: str, uid: int, target: str) -> None:
        status, answer = client.uid(verb, str(uid), target)
        if status != "OK" and b"TRYCREATE" in b" ".join(part for part in answer if isinstance(part, bytes)):
            self._demand(client.create(target), f"the folder {self._settings.move_to} cannot be made")
            status, answer = client.uid(verb, str(uid), target)
        self._demand((status, answer), f"the mail {uid} cannot be moved to {self._settings.move_to}")

    def _select(self, client: imaplib.IMAP4) -> None:
        self._demand(client.select(_quoted(self._settings.folder)), f"there is no folder {self._settings.folder}")
        _, said = client.response("UIDVALIDITY")
        validity = said[0] if said else None
        self._validity = validity.decode() if isinstance(validity, bytes) else "0"

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[imaplib.IMAP4]:
        """A logged-in connection; whatever goes wrong on it is a TransportError, and ends it."""
        settings = self._settings
        whose = f"the mailbox of {settings.user} at {settings.host}"
        with cut_off_after(settings.longest_seconds, lambda: next(iter(self._socket[-1:]), None)) as is_late:
            try:
                if self._client is None:
                    self._client = self._log_in()
                    [said, *_] = self._demand(self._client.capability(), "nothing can be done")
                    self._able = frozenset((said or b"").decode("ascii", "replace").upper().split())
                yield self._client
            except TransportError:
                self.close()
                raise
            except ssl.SSLCertVerificationError as error:
                self.close()
                raise TransportError(
                    f"the certificate of {settings.host} cannot be trusted: {error.verify_message}", retry=False, stop=True
                ) from error
            except (imaplib.IMAP4.error, OSError, ValueError) as error:
                self.close()
                words = "it took too long" if is_late() else " ".join(str(error).split())[:300] or type(error).__name__
                raise Unreachable(f"{whose} does not answer or broke off: {words}") from error

    def _log_in(self) -> imaplib.IMAP4:
        settings = self._settings
        context = context_of(settings.ca_file)
        client: imaplib.IMAP4
        if settings.implicit_tls:
            client = _TlsClient(self._socket, settings.host, settings.port, ssl_context=context, timeout=settings.timeout_seconds)
        else:
            client = _Client(self._socket, settings.host, settings.port, timeout=settings.timeout_seconds)
            if "STARTTLS" not in client.capabilities:
                client.shutdown()
                raise TransportError(f"{settings.host} does not offer STARTTLS: nothing is said to it", retry=False, stop=True)
            client.starttls(ssl_context=context)
            self._socket.append(client.sock)
        try:
            client.authenticate("PLAIN", lambda _: f"\0{settings.user}\0{settings.password}".encode())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            client.shutdown()
            words = " ".join(str(error).split())[:300]
            again = "UNAVAILABLE" in words.upper() or "INUSE" in words.upper()
            # a wrong password stops: going on could lock the account
            raise TransportError(f"{settings.host} does not let {settings.user} in: {words}", retry=again, stop=not again) from error
        return client

    def _demand(self, answer: tuple[str, Sequence[object]], what: str) -> list[bytes | None]:
        status, parts = answer
        if status != "OK":
            words = b" ".join(part for part in parts if isinstance(part, bytes)).decode("utf-8", "replace")[:300]
            raise TransportError(f"{what} in the mailbox of {self._settings.user} at {self._settings.host}: {words}", retry=True)
        return list(parts)  # type: ignore[arg-type]  # imaplib's own mixture


class _Client(imaplib.IMAP4):
    """Tells its socket before the greeting is read, so that it can be shut down from outside."""

    def __init__(self, sockets: list[socket.socket], host: str, port: int, *, timeout: float) -> None:
        self._sockets = sockets
        super().__init__(host, port, timeout=timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # not in the stubs
        self._sockets.append(made)
        return made


class _TlsClient(imaplib.IMAP4_SSL):
    """The same with TLS from the first byte."""

    def __init__(self, sockets: list[socket.socket], host: str, port: int, *, ssl_context: ssl.SSLContext, timeout: float) -> None:
        self._sockets = sockets
        super().__init__(host, port, ssl_context=ssl_context, timeout=timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # not in the stubs
        self._sockets.append(made)
        return made


def _literals(answer: Sequence[object]) -> Iterator[tuple[bytes, bytes]]:
    """Each literal of a FETCH answer with what stands before and behind it: servers order the items as they like."""
    for position, part in enumerate(answer):
        if isinstance(part, tuple):
            behind = answer[position + 1] if position + 1 < len(answer) else b""
            yield part[0] + b" " + (behind if isinstance(behind, bytes) else b""), part[1]


def _quoted(folder: str) -> str:
    """A folder's name as IMAP writes it: quoted, in modified UTF-7 (RFC 3501 5.1.3)."""
    name = folder.replace("&", "&-")
    if not _PRINTABLE.fullmatch(name):
        name = re.sub(
            r"[^\x20-\x7e]+",
            lambda found: "&" + base64.b64encode(found.group().encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-",
            name,
        )
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
