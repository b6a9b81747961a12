"""A real web server on loopback that takes what is posted to it."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer


@dataclass(slots=True)
class Hook:
    """What came, and how it is answered: one status a request, then 200."""

    url: str
    answers: list[int] = field(default_factory=list)
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    #: whether a refusal repeats what was asked for, as many servers do
    repeats: bool = False


@contextlib.contextmanager
def hook_server() -> Iterator[Hook]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = hook.answers.pop(0) if hook.answers else 200
            hook.posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            words = f"Cannot POST {self.path}".encode() if hook.repeats and status != 200 else b""
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Hook(f"http://127.0.0.1:{server.server_address[1]}/alerts")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
