"""A real server over a seeded installation, for tests of the web process."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from gateway.pipeline.station import Station
from gateway.web.app import gated
from gateway.web.app import make_app
from gateway.web.server import listen
from gateway.web.server import server_for
from tests.machine import PATIENCE


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer with its headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Site:
    """A running server; `get` and `post` speak to it as a browser of nobody in particular."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def announce(self, path: str, length: int, headers: Iterable[tuple[str, str]]) -> int:
        """The status of the answer to a POST that says `length` and sends nothing of it.

        A body that is really sent may still be on its way when the refusal comes and the line closes; then the sender sees a reset line at times.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest("POST", path)
            for name, value in (*headers, ("Content-Length", str(length))):
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def follow(self, path: str) -> Reply:
        reply = self.get(path)
        while reply.status in {302, 303}:
            place = urlsplit(reply.headers["location"])
            reply = self.get(place.path + (f"?{place.query}" if place.query else ""))
        return reply

    def post_form(self, path: str, form: str, **headers: str) -> Reply:
        given = {"Content-Type": "application/x-www-form-urlencoded", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.ask("POST", path, form.encode(), given)


def read_reply(line: socket.socket) -> Reply:
    """One whole answer from a bare line, in however many pieces it comes."""
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def read_to_end(line: socket.socket) -> bytes:
    """All that comes until the line is closed, politely or not."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65536):
            found += piece
    return found


@contextlib.contextmanager
def serving_app(app: FastAPI) -> Iterator[Site]:
    """Serve an application behind its gate on a free port until the end of the block."""
    with listen("127.0.0.1", 0) as listener:
        server: uvicorn.Server = server_for(gated(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Site(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)


@contextlib.contextmanager
def serving(station: Station) -> Iterator[Site]:
    """Serve a station on a free port until the end of the block."""
    with serving_app(make_app(station)) as site:
        yield site
