"""One HTTP POST with exact bytes: headers and body go out as they are, the answer comes back as it is.

Knows addresses, certificates of the line (not of the messages) and time limits; nothing of AS2 but which answers are worth
another try (draft-ietf-ediint-rfc4130bis). Redirects are not followed: an address is changed by a person. TLS 1.2 at least.
"""

import contextlib
import http.client
import ssl
import time
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult
from urllib.parse import unquote
from urllib.parse import urlsplit

from gateway.transport.box import TransportError
from gateway.transport.deadline import cut_off_after

#: Answers after which the same message may be sent again; every other one below 200 or from 300 on is final.
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})

#: Seconds that a whole exchange may take, where nothing else is said.
LONGEST = 600.0

#: The largest answer that is read: a receipt is a few kilobytes.
#: of a refusal: what is looked at before 300 characters of it are shown
_WORDS = 64 * 1024
_SHORTEST_KEY = 4
LARGEST_ANSWER = 4 * 1024 * 1024
#: what writing meets where the other side has hung up
_HUNG_UP = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, with the header names as sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class HttpRefusal(TransportError):
    """The other side answered, and not by a 2xx."""

    def __init__(self, message: str, *, status: int, retry: bool, after: float = 0.0) -> None:
        super().__init__(message, retry=retry, after=after)
        self.status = status


def post(
    url: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    timeout_seconds: float = 60.0,
    longest_seconds: float = LONGEST,
    ca_file: str | None = None,
    client_certificate: tuple[str, str] | None = None,
    may_reach: Callable[[str], bool] | None = None,
) -> HttpAnswer:
    """POST and read the answer (any 2xx is one); TransportError for everything else.

    `timeout_seconds` limits each wait for bytes, `longest_seconds` the whole; `ca_file` replaces the system's authorities;
    `client_certificate` is (certificate file, key file). `may_reach` is asked about the IP address that the name led to, before anything
    is said to it.
    """
    parts, host, port = _address(url)
    end = time.monotonic() + longest_seconds
    connection = _connection(parts.scheme, host, port, timeout_seconds, ca_file, client_certificate)
    connection.response_class = _FinalResponse
    late: Callable[[], bool] = bool
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest("POST", target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("User-Agent", "order-gateway")
        connection.putheader("Connection", "close")
        connection.connect()
        if may_reach is not None and not may_reach(connection.sock.getpeername()[0]):
            raise TransportError(f"{host} is an address of this machine or network, which is not allowed here", retry=False, stop=True)
        # a server that hangs up may have said why: it is read below
        with contextlib.suppress(*_HUNG_UP):
            connection.endheaders()
        _send(connection, body, end)
        # a head that comes byte by byte: each wait is short, all of them are not
        with cut_off_after(max(0.0, end - time.monotonic()), lambda: connection.sock) as late:
            answer = connection.getresponse()
        with answer:
            content = _read(answer, end)
            headers_back = tuple(answer.getheaders())
    except ssl.SSLCertVerificationError as error:
        raise TransportError(f"the certificate of {host} cannot be trusted: {error.verify_message}", retry=False, stop=True) from error
    except ssl.SSLError as error:
        raise _line_broken(host, error) from error
    except http.client.InvalidURL:  # its words hold the whole address, which may hold a key
        raise TransportError(f"the address of {host} holds characters that no address has", retry=False) from None
    except ValueError as error:  # a header that cannot be sent
        raise TransportError(f"the request cannot be sent: {error}", retry=False) from error
    except (OSError, http.client.HTTPException) as error:
        words = "it took too long" if late() else str(error) or type(error).__name__
        raise TransportError(f"{host} cannot be reached or broke off: {words}", retry=True) from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        words = _without_query(content, parts.query)[:300].strip()
        again = answer.status in WORTH_ANOTHER_TRY
        raise HttpRefusal(
            f"{host} answered {answer.status} {answer.reason}{': ' + words if words else ''}",
            status=answer.status,
            retry=again,
            after=_seconds_asked_for(headers_back, datetime.now(UTC)) if again else 0.0,
        )
    return HttpAnswer(answer.status, headers_back, content)


def _without_query(content: bytes, query: str) -> str:
    """A server's words; many repeat what they were asked for, and what follows the question mark may be a key."""
    words = content[:_WORDS].decode("utf-8", "replace")
    values = [pair.partition("=")[2] for pair in query.split("&")]
    for secret in (query, *values, unquote(query), *map(unquote, values)):
        # what is shorter is no key, and may stand in any sentence
        if len(secret) >= _SHORTEST_KEY:
            words = words.replace(secret, "...")
    return words


def _line_broken(host: str, error: ssl.SSLError) -> TransportError:
    """A line that TLS ended. What a server says of certificates is said of ours: trying again does not make it another one."""
    reason = error.reason or str(error)
    if "ALERT" in reason and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")):
        return TransportError(f"{host} does not take the certificate that we show it, or wants one ({reason})", retry=False, stop=True)
    return TransportError(f"{host} cannot be reached or broke off: {error}", retry=True)


def _seconds_asked_for(headers: Sequence[tuple[str, str]], now: datetime) -> float:
    """What Retry-After says, in seconds or as a moment (RFC 9110 10.2.3); 0 where it says nothing that can be read."""
    said = next((value.strip() for name, value in headers if name.lower() == "retry-after"), "")
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


class _FinalResponse(http.client.HTTPResponse):
    """http.client passes over 100 Continue only; a server may say 102 Processing or 103 as well (Drummond resolved issues)."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(20):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if status < 102 or status >= 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.BadStatusLine("only provisional answers")


def _address(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TransportError(f"the address cannot be read: {error}", retry=False) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise TransportError("the address is not http://host/path or https://host/path", retry=False)
    return parts, parts.hostname, port


def _connection(
    scheme: str, host: str, port: int | None, timeout: float, ca_file: str | None, client_certificate: tuple[str, str] | None
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if client_certificate is not None:
            context.load_cert_chain(*client_certificate)
    except OSError as error:  # ssl.SSLError is one
        raise TransportError(f"the certificates for the line to {host} cannot be read: {error.strerror or error}", retry=False, stop=True) from error
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def _send(connection: http.client.HTTPConnection, body: bytes, end: float) -> None:
    """A server that has heard enough may answer and hang up: then its answer counts, not the broken line."""
    view = memoryview(body)
    with contextlib.suppress(*_HUNG_UP):
        for start in range(0, len(view), 1 << 20):
            _demand_time(end)
            connection.send(view[start : start + (1 << 20)])


def _read(answer: http.client.HTTPResponse, end: float) -> bytes:
    pieces = []
    size = 0
    while piece := answer.read1(1 << 16):
        _demand_time(end)
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise TransportError(f"the answer is larger than {LARGEST_ANSWER} bytes", retry=True)
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)


def _demand_time(end: float) -> None:
    if time.monotonic() > end:
        raise TimeoutError("it took too long")
