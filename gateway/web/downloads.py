"""Archived bytes as they are, for people who want to look at them elsewhere: what a document came in, a file, what left."""

from collections.abc import Iterator
from typing import BinaryIO

import structlog
from fastapi import Request
from fastapi.responses import Response
from fastapi.responses import StreamingResponse

from gateway.pipeline.as2.taking import safe_name
from gateway.pipeline.station import Station
from gateway.store.incoming import transmissions
from gateway.store.keeping import erasures
from gateway.store.outgoing import outbox
from gateway.store.payloads.archive import ArchiveMissing
from gateway.store.records import documents
from gateway.web.pages import NotFound
from gateway.web.pages import station_of

_log = structlog.get_logger("web")
_PIECE = 1 << 16


def download(request: Request, id: str) -> Response:
    """The exact archived bytes that a document came in."""
    station = station_of(request)
    with station.database.read() as connection:
        row = documents.get(connection, id)
        transmission = transmissions.get(connection, row.transmission) if row is not None and row.transmission else None
    if row is None or row.sha256 is None:
        raise NotFound(f"There are no received bytes of a document '{id}'")
    return _bytes(station, row.sha256, transmission.name if transmission is not None else f"{row.kind or 'document'}-{row.number or row.id}")


def download_file(request: Request, id: str) -> Response:
    """The exact archived bytes of a file that was received, whatever it turned out to be."""
    station = station_of(request)
    with station.database.read() as connection:
        transmission = transmissions.get(connection, id)
    if transmission is None:
        raise NotFound(f"There is no file '{id}'")
    return _bytes(station, transmission.sha256, transmission.name)


def download_sent(request: Request, id: str) -> Response:
    """The exact archived bytes that left."""
    station = station_of(request)
    with station.database.read() as connection:
        entry = outbox.get(connection, id)
    if entry is None or entry.sha256 is None:
        raise NotFound(f"There are no bytes that left as '{id}'")
    return _bytes(station, entry.sha256, entry.identity or entry.id)


def _bytes(station: Station, sha256: str, name: str) -> Response:
    """Bytes that no browser may open by itself, whatever they are."""
    try:
        size = station.archive.size(sha256)
        pieces = _pieces(station.archive.open(sha256))
    except ArchiveMissing as error:
        with station.database.read() as connection:
            raise NotFound(erasures.words_of(connection, sha256) or str(error)) from None
    # what somebody looked at is known, not what stood in it
    _log.info("payload given out", sha256=sha256, size=size)
    plain = safe_name(name, sha256).encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_PIECE), b"")
