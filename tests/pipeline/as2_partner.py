"""A partner's AS2 station in this process: takes what we post, keeps every request as it came, and answers as a test wants it."""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path

from gateway.exchange import as2
from tests.pipeline.world import CONFIG
from tests.pipeline.world import World

PARTNER = """\
id: acme
name: ACME Corporation
identifiers: {{x12: "ZZ:ACMEBUYER", gln: "1234567890128"}}
endpoints:
  as2:
    as2: {url}
    name: big buyer
    our_name: SELLER
    our_key: file:keys/us.key
    our_certificate: keys/us.pem
    certificates: keys/them.pem
{more}
  box: {{folder: boxes/acme/out, send_to: boxes/acme/in}}
agreements:
  - {{receive: x12/004010/850, from: {receive_from}, acknowledge: "997"}}
  - {{send: x12/004010/855, to: as2}}
currency: USD
tax: none
credit: none
"""


@cache
def keys(name: str, began: datetime = datetime(2026, 1, 1, tzinfo=UTC), days: int = 3650) -> tuple[bytes, bytes]:
    """A key and certificate, which hold in the world's time and today unless it is said otherwise."""
    return as2.make_key_and_certificate(name, days, began)


def identity(name: str) -> as2.Identity:
    return as2.read_identity(*keys(name))


def their_relation(**changes: object) -> as2.As2Relation:
    """The relation as the buyer has it."""
    ours = as2.Pinned(identity("us").certificate)
    relation = as2.As2Relation(
        us="big buyer",
        partner="SELLER",
        identities=(identity("them"),),
        verification=(ours,),
        encryption=(ours,),
        receipt_addresses=("http://seller.example/as2",),
    )
    return replace(relation, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it came."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for header, value in self.headers if header.lower() == name), "")

    @property
    def sent(self) -> tuple[tuple[tuple[str, str], ...], bytes]:
        """What we made of it: without the line's own headers."""
        own = {"host", "connection", "content-length", "user-agent"}
        return tuple((name, value) for name, value in self.headers if name.lower() not in own), self.body


#: status, headers, body; None: the line breaks off after the request came
Reply = tuple[int, as2.values.Headers, bytes] | None


class PartnerStation(ThreadingHTTPServer):
    """`answer` says what each request gets; unless a test sets it, a good receipt at once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.relation = their_relation()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.posts: list[Post] = []
        self.answer: Callable[[Post], Reply] = self.receipt_at_once
        self.arrived = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def opened(self, post: Post) -> as2.Unwrapped:
        return as2.unwrap(post.headers, post.body, lambda *_: self.relation, self.clock())

    def receipt(self, post: Post, **changes: object) -> as2.MdnResponse:
        """The receipt for a request; `changes` of the relation make it a wrong one."""
        opened = self.opened(post)
        assert opened.accepted, opened.problems
        made = as2.build_mdn(opened, replace(self.relation, **changes), self.clock(), signed=opened.receipt is not None and opened.receipt.signed)  # type: ignore[arg-type]
        assert isinstance(made, as2.MdnResponse)
        return made

    def receipt_at_once(self, post: Post) -> Reply:
        made = self.receipt(post)
        return 200, made.headers, made.body

    def taken(self, post: Post) -> Reply:
        """The receipt comes later."""
        return 200, (), b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PartnerStation

    def do_POST(self) -> None:
        post = Post(self.path, tuple(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.arrived:
            self.server.posts.append(post)
            self.server.arrived.notify_all()
        reply = self.server.answer(post)
        if reply is None:
            self.close_connection = True
            return
        status, headers, body = reply
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def partner_station() -> Iterator[PartnerStation]:
    server = PartnerStation()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def write_keys(folder: Path, *names: str) -> None:
    """Our key and certificate, and the partner's certificate."""
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    for file, data in (("us.key", keys("us")[0]), ("us.pem", keys("us")[1]), ("them.pem", keys("them")[1])):
        (folder / "keys" / file).write_bytes(data)


def as2_world(
    folder: Path,
    url: str,
    more: str = "",
    database: str | None = None,
    receive_from: str = "box",
    config: str = CONFIG,
) -> World:
    """An installation whose partner has this station."""
    write_keys(folder)
    text = PARTNER.format(url=url, receive_from=receive_from, more="".join(f"    {line}\n" for line in more.splitlines()))
    return World(folder, config=config, partners={"acme": text}, database=database)
