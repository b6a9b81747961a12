"""A small real HTTP server that receives AS2 as the web process will: open, keep, answer."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

from gateway.exchange import as2
from gateway.exchange.as2.receive import Seen
from gateway.exchange.as2.unwrap import RelationOf


class As2Server(ThreadingHTTPServer):
    """Keeps every request that it answered, and the answers that accepted ones got."""

    def __init__(self, relation_of: RelationOf) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.relation_of = relation_of
        self.received: list[as2.Received] = []
        self.requests: list[tuple[tuple[tuple[str, str], ...], bytes]] = []
        self.answers: dict[tuple[str, str, str], as2.Answer] = {}
        self.arrived = threading.Condition()

    @property
    def seen(self) -> Seen:
        return lambda message: self.answers.get((message.as2_from, message.as2_to, message.message_id))

    def wait_for(self, count: int, seconds: float = 30) -> as2.Received:
        """The request number `count`."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, seconds), f"{len(self.received)} of {count} requests came"
            return self.received[count - 1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: As2Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = tuple(self.headers.items())
        got = as2.receive(headers, body, self.server.relation_of, self.server.seen, datetime.now(UTC))
        with self.server.arrived:
            self.server.requests.append((headers, body))
            self.server.received.append(got)
            if got.is_new:
                self.server.answers[(got.unwrapped.as2_from, got.unwrapped.as2_to, got.unwrapped.message_id)] = got.answer
            self.server.arrived.notify_all()
        self.send_response(got.answer.status)
        for name, value in got.answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(got.answer.body)))
        self.end_headers()
        self.wfile.write(got.answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def as2_server(relation_of: RelationOf) -> Iterator[As2Server]:
    server = As2Server(relation_of)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
