"""Files that a partner pushed to us over HTTPS: kept, then one commit, then answered.

    archive      each file under its SHA-256                           (the caller streams them in)
    one commit   a transmission a file on its stream, journal entries, the answer under the partner's key
    answer       only now; the same key with the same bytes gets the first answer again, with other bytes it is refused

Knows no web framework.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gateway.pipeline.arriving.accounts import Account
from gateway.pipeline.inbound.receive import stream_of
from gateway.pipeline.station import Station
from gateway.store import crash
from gateway.store import journal
from gateway.store import streams
from gateway.store import transmissions
from gateway.store import uploads
from gateway.store.identity import new_id
from gateway.store.transmissions import Transmission

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Pushed:
    """One file of a push; its bytes are in the archive."""

    name: str
    sha256: str
    size: int


class OtherBytes(Exception):
    """The partner's key stood for other bytes before: nothing of this is taken."""


class _Second(Exception):
    """The same push came over two connections at once, and the other one has committed first: nothing of this one is kept."""


def take_push(station: Station, account: Account, files: Sequence[Pushed], key: str | None) -> tuple[bytes, bool]:
    """Take files in; the answer as JSON, and whether this push was new. Raises OtherBytes."""
    digest = hashlib.sha256("\n".join(file.sha256 for file in files).encode()).hexdigest()
    if key is not None and (known := _known(station, account, key, digest)) is not None:
        return known, False
    arrived = [_transmission(station, account, file, f"{key or new_id()}|{position}") for position, file in enumerate(files)]
    answer = msgspec.json.encode({"files": [_told(transmission) for transmission in arrived]})
    try:
        with station.database.begin() as connection:
            if key is not None:
                upload = uploads.Upload(account=account.name, key=key, sha256=digest, answer=answer.decode(), created_at=station.clock())
                if not uploads.keep(connection, upload)[1]:
                    raise _Second
            entries = []
            for transmission in arrived:
                transmissions.register(connection, transmission)
                entries.append(_entry(transmission, account))
            journal.append(connection, entries)
            streams.poke(connection, stream_of(account.address))
            crash.point(90)
    except _Second:
        assert key is not None
        first = _known(station, account, key, digest)
        assert first is not None
        return first, False
    crash.point(91)
    return answer, True


def _known(station: Station, account: Account, key: str, digest: str) -> bytes | None:
    """The answer that was given under this key before."""
    with station.database.read() as connection:
        known = uploads.find(connection, account.name, key)
    if known is None:
        return None
    if known.sha256 != digest:
        raise OtherBytes(key)
    return known.answer.encode()


def _transmission(station: Station, account: Account, file: Pushed, identity: str) -> Transmission:
    return Transmission(
        id=new_id(),
        direction="in",
        endpoint=account.address,
        source_identity=identity,
        name=file.name,
        sha256=file.sha256,
        size=file.size,
        received_at=station.clock(),
        stream=stream_of(account.address),
    )


def _told(transmission: Transmission) -> dict[str, str | int]:
    return {
        "id": transmission.id,
        "name": transmission.name,
        "size": transmission.size,
        "sha256": transmission.sha256,
        "state": f"/api/v1/files/{transmission.id}",
    }


def _entry(transmission: Transmission, account: Account) -> journal.Entry:
    return journal.Entry(
        stream=transmission.stream,
        at=transmission.received_at,
        actor=account.actor,
        action="received",
        subject_kind="transmission",
        subject=transmission.id,
        facts={
            "name": transmission.name,
            "address": transmission.endpoint,
            "size": str(transmission.size),
            "identity": transmission.source_identity,
        },
        references=(transmission.sha256,),
    )
