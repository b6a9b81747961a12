"""Bytes leave by HTTPS: posted to the partner's address under the row's identity, or laid ready where the partner only comes to us.

A try is made with the same Idempotency-Key and name as the one before: a partner that has the file says so and takes it once.
"""

import base64
import hashlib
import urllib.parse

from gateway.config import Installation
from gateway.exchange.endpoint import Endpoint
from gateway.exchange.endpoint_https import RECEIVE
from gateway.pipeline.station import Station
from gateway.pipeline.station import short_id
from gateway.store import journal
from gateway.store.outgoing import pickups
from gateway.store.outgoing.outbox import Entry
from gateway.transport.box import TransportError

#: what a specification's syntax is called in a Content-Type (RFC 1767, RFC 7303)
_TYPES = {"x12": "application/edi-x12", "edifact": "application/edifact", "json": "application/json", "csv": "text/csv", "fixed": "text/plain"}
#: answers that speak of who we are and not of what we send
NOT_LET_IN = frozenset({401, 407})


def idempotency_key(entry: Entry) -> str:
    """The same on every try, another one for everything else that ever leaves."""
    return hashlib.sha256(f"{entry.id}\0{entry.identity}\0{entry.sha256}".encode()).hexdigest()[:40]


def content_type(spec: str) -> str:
    """The Content-Type of a document of this specification."""
    return _TYPES.get(spec.partition("/")[0], "application/xml")


def send_https(station: Station, entry: Entry, endpoint: Endpoint, data: bytes) -> dict[str, str]:
    """Post, or lay ready; facts for the journal. Raises TransportError, or ConfigTrouble where a secret is missing."""
    if endpoint.https == RECEIVE:
        return _lay_ready(station, entry, endpoint, len(data))
    from gateway.transport.as2_http import HttpRefusal
    from gateway.transport.as2_http import post

    assert endpoint.https is not None and entry.identity is not None
    installation = station.installation
    key = idempotency_key(entry)
    headers = _headers(installation, entry, endpoint, key)
    try:
        answer = post(
            endpoint.https,
            headers,
            data,
            timeout_seconds=endpoint.timeout,
            ca_file=str(installation.path(endpoint.authorities)) if endpoint.authorities else None,
            client_certificate=_client_certificate(installation, endpoint),
        )
    except HttpRefusal as error:
        if error.status in NOT_LET_IN:
            # it is no fault of this file: with another key or password it leaves, and so do all behind it
            raise TransportError(f"{error.message}; what we log in with is not taken", retry=False, stop=True) from error
        raise
    return {"name": entry.identity, "bytes": str(len(data)), "idempotency_key": key, "status": str(answer.status)}


def _headers(installation: Installation, entry: Entry, endpoint: Endpoint, key: str) -> list[tuple[str, str]]:
    assert entry.identity is not None
    name = urllib.parse.quote(entry.identity, safe="")
    headers = [
        ("Content-Type", content_type(entry.spec)),
        ("Content-Disposition", f"attachment; filename*=UTF-8''{name}"),
        ("Idempotency-Key", key),
        # RFC 9530
        ("Content-Digest", f"sha-256=:{base64.b64encode(bytes.fromhex(entry.sha256 or '')).decode()}:"),
    ]
    if endpoint.bearer is not None:
        headers.append(("Authorization", f"Bearer {installation.secret(endpoint.bearer).strip()}"))
    elif endpoint.user is not None and endpoint.password is not None:
        given = f"{endpoint.user}:{installation.secret(endpoint.password)}".encode()
        headers.append(("Authorization", "Basic " + base64.b64encode(given).decode()))
    return headers


def _client_certificate(installation: Installation, endpoint: Endpoint) -> tuple[str, str] | None:
    if endpoint.client_certificate is None or endpoint.client_key is None:
        return None
    kind, _, path = endpoint.client_key.partition(":")
    if kind != "file":
        raise TransportError("client_key: is read by the TLS library: name it as file:path", retry=False, stop=True)
    return str(installation.path(endpoint.client_certificate.removeprefix("file:"))), str(installation.path(path))


def _lay_ready(station: Station, entry: Entry, endpoint: Endpoint, size: int) -> dict[str, str]:
    assert entry.identity is not None and entry.sha256 is not None
    id = short_id("P", entry.id, entry.identity, entry.sha256)
    now = station.clock()
    with station.database.begin() as connection:
        pickup = pickups.Pickup(id=id, account=endpoint.address, name=entry.identity, sha256=entry.sha256, size=size, created_at=now)
        if pickups.lay_ready(connection, pickup):
            laid = journal.Entry(
                stream=f"pickup:{endpoint.account}",
                at=now,
                actor="gateway",
                action="laid ready",
                subject_kind="pickup",
                subject=id,
                facts={"name": entry.identity, "row": entry.id},
                references=(entry.sha256,),
            )
            journal.append(connection, [laid])
    return {"name": entry.identity, "bytes": str(size), "laid_ready_as": id}
