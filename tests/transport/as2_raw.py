"""AS2 over bare sockets: bytes made by hand towards our HTTP server, and a station that answers our HTTP client with bytes made by hand."""

import contextlib
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.exchange.as2.values import Headers
from tests.machine import PATIENCE

#: What a station says to a request: pieces, each of which goes out by itself.
Script = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over the line, to its end."""

    status: int
    headers: Headers
    body: bytes
    raw: bytes


def head_of(headers: Headers, *more: str) -> bytes:
    """The head of a POST to our AS2 address."""
    lines = ["POST /as2 HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *(f"{name}: {value}" for name, value in headers), *more]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def chunks(body: bytes, size: int = 1000, blanks: str = "", extension: str = "") -> list[bytes]:
    """The body in chunks, each with its size and what some senders write behind it."""
    cut = [body[start : start + size] for start in range(0, len(body), size)]
    return [*(f"{len(piece):X}{blanks}{extension}\r\n".encode() + piece + b"\r\n" for piece in cut), b"0" + blanks.encode() + b"\r\n\r\n"]


def speak(port: int, *pieces: bytes) -> Reply:
    """Send the pieces one by one, read to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            line.sendall(piece)
        raw = b""
        while got := line.recv(1 << 16):
            raw += got
    return read_reply(raw)


def read_reply(raw: bytes) -> Reply:
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Reply(int(status.split()[1]), headers, body, raw)


def answer_bytes(headers: Headers, body: bytes, status: str = "200 OK", *, length: bool = True) -> bytes:
    """An HTTP answer as a station writes it."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class RawStation:
    """Takes one connection after the other; `requests` has what came, byte for byte."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE)
        self._listener.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._listener.accept()
            except TimeoutError:
                continue
            with line, contextlib.suppress(OSError):
                line.settimeout(PATIENCE)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                raw = self._read(line)
                self.requests.append(raw)
                for piece in self.script(raw):
                    line.sendall(piece)

    @staticmethod
    def _read(line: socket.socket) -> bytes:
        raw = bytearray()
        while b"\r\n\r\n" not in raw:
            raw += line.recv(1 << 16)
        head = bytes(raw[: raw.index(b"\r\n\r\n")]).lower()
        [length] = [int(one.partition(b":")[2]) for one in head.split(b"\r\n") if one.startswith(b"content-length:")] or [0]
        while len(raw) < len(head) + 4 + length:
            raw += line.recv(1 << 18)
        return bytes(raw)


@contextlib.contextmanager
def raw_station(script: Script) -> Iterator[RawStation]:
    """A station on a free port until the end of the block."""
    station = RawStation(script)
    try:
        yield station
    finally:
        station.close()


def request_of(raw: bytes) -> tuple[Headers, bytes]:
    """Headers and body of a request that was read."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:]
    return tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines)), body
