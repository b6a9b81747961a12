"""A partner with an AS2 station of its own: opens what we post (decrypted, verified, answered with a signed receipt), and posts what its
system wants sent, signed and encrypted, checking our receipt and its MIC.

`python -m gateway.demo.as2_partner HOME NAME OUR_NAME OUR_URL`: its keys lie in HOME/keys; says its port.
"""

import json
import sys
import threading
import uuid
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

from gateway.demo.premises import Home
from gateway.demo.standing import put
from gateway.demo.standing import stand
from gateway.demo.standing import waiting_files
from gateway.exchange import as2
from gateway.problem import Problem
from gateway.transport.as2_http import post
from gateway.transport.box import TransportError
from gateway.transport.box import safe_name

_LARGEST = 16 * 1024 * 1024


def read_relation(home: Home, name: str, gateway: str) -> as2.As2Relation:
    """The relation as the partner sees it: its own key, the gateway's certificate."""
    keys = home.folder / "keys"
    theirs = as2.read_certificate((keys / "gateway.pem").read_bytes())
    own = as2.read_identity((keys / "own.key").read_bytes(), (keys / "own.pem").read_bytes())
    return as2.As2Relation(us=name, partner=gateway, identities=(own,), verification=(as2.Pinned(theirs),), encryption=(as2.Pinned(theirs),))


class Station(ThreadingHTTPServer):
    """Its AS2 address: every payload that was accepted lies in `received`."""

    daemon_threads = True

    def __init__(self, home: Home, relation: as2.As2Relation) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.home = home
        self.relation = relation
        self.guard = threading.Lock()
        self.answers: dict[tuple[str, str, str], as2.Answer] = {}

    def take(self, headers: tuple[tuple[str, str], ...], body: bytes) -> as2.Answer:
        """Open one request and answer it; one that comes again gets the same answer."""

        def find(sender: str, receiver: str) -> as2.As2Relation | None:
            return self.relation if (sender, receiver) == (self.relation.partner, self.relation.us) else None

        with self.guard:
            got = as2.receive(
                headers, body, find, lambda message: self.answers.get((message.as2_from, message.as2_to, message.message_id)), datetime.now(UTC)
            )
            message = got.unwrapped
            if got.is_new and message.payload is not None:
                put(self.home.received, safe_name(message.filename or message.message_id), message.payload)
                self.answers[message.as2_from, message.as2_to, message.message_id] = got.answer
        return got.answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Station

    def do_POST(self) -> None:  # noqa: N802  http.server's name
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _LARGEST:
            self.send_error(413)
            return
        answer = self.server.take(tuple(self.headers.items()), self.rfile.read(length))
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing."""


def send(home: Home, relation: as2.As2Relation, url: str, file: Path) -> None:
    """Post one file and note what the receipt says; where nobody answers, the file stays and is tried again."""
    now = datetime.now(UTC)
    identity = f"<{uuid.uuid5(uuid.NAMESPACE_URL, f'{home.folder}/{file.name}')}@euroco>"
    request = as2.wrap(file.read_bytes(), relation, identity, now, file.name, "application/edifact")
    if isinstance(request, Problem):
        raise RuntimeError(request.message)
    try:
        answer = post(url, request.headers, request.body, timeout_seconds=20)
    except TransportError as error:
        print(f"{file.name}: {error.message}", file=sys.stderr)
        return
    receipt = as2.read_mdn(answer.headers, answer.body, request.expected, relation, datetime.now(UTC))
    said = {"disposition": receipt.disposition, "mic_matches": receipt.mic_matches, "signed": receipt.signed_by is not None, "ok": receipt.delivered}
    put(home.receipts, f"{file.name}.json", json.dumps(said).encode())
    file.unlink()


def main(arguments: list[str]) -> None:
    home = Home(Path(arguments[0]))
    relation = read_relation(home, arguments[1], arguments[2])
    station = Station(home, relation)
    threading.Thread(target=station.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def step() -> None:
        for file in waiting_files(home.to_send):
            send(home, relation, arguments[3], file)

    stand({"port": station.server_address[1]}, step)


if __name__ == "__main__":
    main(sys.argv[1:])
