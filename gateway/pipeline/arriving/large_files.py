"""A large file comes in: from a folder piece by piece into the archive; over a line into the spool as far as it holds, on from there at the
next try, then whole into the archive.

Going on is only allowed while the sender's file is the one that was begun (path, size and time make the name in the spool), and only when
the last bytes that we have are those that stand there now.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from gateway.pipeline.inbound.receive import Kept
from gateway.pipeline.station import Station
from gateway.store.payloads import spool
from gateway.store.payloads.spool import Partial
from gateway.transport.box import Box
from gateway.transport.box import FileTrouble
from gateway.transport.box import Found
from gateway.transport.box import changed

#: bytes that are fetched a second time when a file is gone on with, to compare
OVERLAP = 64 << 10
#: seconds after which what nobody came back for is removed from the spool
FORGOTTEN_AFTER = 3 * 86_400.0

_log = structlog.get_logger("receive")


class _AnotherFile(Exception):
    """What was fetched before is not the beginning of what is there now."""


def spool_of(station: Station) -> Path:
    """The folder of files that are on their way."""
    return station.installation.data / "spool"


def clear_spool(station: Station) -> None:
    """Remove what nobody came back for."""
    removed = spool.clear(spool_of(station), time.time() - FORGOTTEN_AFTER)
    if removed:
        _log.info("spool cleared", files=removed)


def keep_large(station: Station, address: str, box: Box, found: Found) -> Kept:
    """Fetch a file into the archive; raises FileTrouble where it changed meanwhile."""
    if not box.is_far:
        return _whole(station, box.fetch(found), found)
    partial = Partial(spool_of(station), f"{address}|{found.identity}")
    try:
        if partial.size < found.size:
            try:
                _fetch(partial, box, found)
            except _AnotherFile:
                _log.warning("large file begun anew: what is there is not what was fetched before", address=address, file=found.name)
                partial.drop()
                _fetch(partial, box, found)
        kept = _whole(station, partial.chunks(), found)
    except FileTrouble:
        partial.drop()
        raise
    partial.drop()
    return kept


def _whole(station: Station, chunks: Iterator[bytes], found: Found) -> Kept:
    sha256, size = station.archive.keep_stream(chunks)
    if size != found.size:
        raise changed(found)
    return Kept(sha256=sha256, size=size)


def _fetch(partial: Partial, box: Box, found: Found) -> None:
    have = partial.size
    if have:
        _log.info("large file gone on with", file=found.name, have=have, of=found.size)
    overlap = min(have, OVERLAP)
    partial.append(_behind(partial.tail(overlap), box.fetch(found, have - overlap)))


def _behind(known: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What comes after the bytes that are known, which must come first."""
    for chunk in chunks:
        if known:
            first, known = known[: len(chunk)], known[len(chunk) :]
            if not chunk.startswith(first):
                raise _AnotherFile
            chunk = chunk[len(first) :]
        if chunk:
            yield chunk
