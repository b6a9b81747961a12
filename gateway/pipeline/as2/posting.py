"""What is posted over AS2, messages and receipts alike: bytes from the archive, byte for byte, over the endpoint's line."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.config import Installation
from gateway.exchange.as2 import archived_head
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.keys import without_query
from gateway.pipeline.outbox.delivered import Delivered
from gateway.pipeline.station import Station
from gateway.store.outgoing.outbox import Entry
from gateway.store.payloads.archive import Archive
from gateway.store.payloads.archive import ArchiveMissing
from gateway.transport.as2_http import HttpAnswer
from gateway.transport.as2_http import post

Headers = tuple[tuple[str, str], ...]
#: bytes of a request up to which it is archived in one piece
AT_ONCE = 1 << 20
#: no head of ours is longer
LONGEST_HEAD = 1 << 16


def written_head(headers: Sequence[tuple[str, str]]) -> bytes:
    """Header lines and the empty line, as they lie in the archive before a body."""
    return archived_head(headers)


def keep_request(archive: Archive, headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """Head and body as one file of the archive; a large body is not copied for it."""
    pieces = [written_head(headers), body]
    return archive.keep_stream(pieces)[0] if len(body) > AT_ONCE else archive.keep(b"".join(pieces))


def read_kept(archive: Archive, sha256: str) -> tuple[Headers, bytes]:
    """Head and body of an archived request or receipt."""
    data = archive.read(sha256)
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    if end < 0:
        raise ArchiveMissing(f"{sha256} is no archived request: it has no head")
    lines = data[:end].decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return headers, data[end + 4 :]


def post_to(station: Station, endpoint: Endpoint, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> HttpAnswer:
    """POST over the endpoint's line: its authorities, our client certificate, its time limits."""
    installation = station.installation
    authorities = str(installation.path(endpoint.authorities)) if endpoint.authorities else None
    with client_files(installation, endpoint) as client:
        return post(url, headers, body, timeout_seconds=endpoint.timeout, ca_file=authorities, client_certificate=client)


def post_receipt(station: Station, entry: Entry, endpoint: Endpoint, data: bytes) -> Delivered:
    """Post a receipt of ours to the address that was agreed on. Any answer of 2xx is enough: nobody confirms a receipt."""
    order = msgspec.json.decode(entry.body, type=ReceiptOrder)
    answer = post_to(station, endpoint, order.address, order.headers, data)
    # what stands behind its question mark may be a key, and a journal is for ever
    return Delivered(
        {"address": without_query(order.address), "for": order.message_id, "status": str(answer.status)}, (entry.sha256,) if entry.sha256 else ()
    )


class ReceiptOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox knows about a receipt besides its bytes: where to, its head, and for which message."""

    address: str
    headers: Headers
    message_id: str


@contextlib.contextmanager
def client_files(installation: Installation, endpoint: Endpoint) -> Iterator[tuple[str, str] | None]:
    """Our certificate and key for a server that asks who we are, as files: a key from the environment lies in one of its own meanwhile."""
    if endpoint.client_certificate is None or endpoint.client_key is None:
        yield None
        return
    certificate = str(installation.path(endpoint.client_certificate.removeprefix("file:")))
    if endpoint.client_key.startswith("file:"):
        yield certificate, str(installation.path(endpoint.client_key.removeprefix("file:")))
        return
    # readable by us alone; gone when the line is open or failed
    handle, name = tempfile.mkstemp(prefix="gateway-", suffix=".key")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(installation.secret_bytes(endpoint.client_key))
        yield certificate, name
    finally:
        Path(name).unlink(missing_ok=True)
